"""What is answered at ties, kinks, edges and singular points: one test a row of the page of conventions.

The gradients are of the sum of the function.
"""

from __future__ import annotations

import itertools
import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor, nn
from autograd_mini.nn import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from .conventions import NOT_YET, ROWS, holders, row

nan, inf = np.nan, np.inf


def gradients(f: Callable[..., Any], *inputs: Any) -> list[Any]:
    leaves = [Tensor(x) for x in inputs]
    ag.sum(f(*leaves)).backward()
    return [x.grad for x in leaves]


def gradient(f: Callable[..., Any], x: Any) -> Any:
    return gradients(f, x)[0]


def second(f: Callable[..., Any], x: Any) -> Any:
    """The gradient of the sum of the gradient."""
    return gradient(lambda x: ag.grad(lambda x: ag.sum(f(x)))(x), x)


def equal(x: Any, y: Any) -> None:
    """The same numbers, nan included, and no others."""
    np.testing.assert_array_equal(np.asarray(x), np.asarray(y, np.asarray(x).dtype))


def near(x: Any, y: Any) -> None:
    np.testing.assert_allclose(x, y, rtol=1e-12, atol=0)


@row("`max`, ties [1, 3, 3]", pytorch="0, .5, .5", jax="0, .5, .5", here="0, .5, .5")
def test_row_01_max_ties() -> None:
    equal(gradient(ag.max, [1, 3, 3]), [0, 0.5, 0.5])
    equal(gradient(ag.min, [1, 1, 3]), [0.5, 0.5, 0])
    equal(gradient(lambda x: ag.max(x, axis=0), [[1, 3], [1, 2]]), [[0.5, 1], [0.5, 0]])


@row("`maximum(2, 2)`", pytorch=".5 / .5", jax=".5 / .5", here=".5 / .5")
def test_row_02_maximum_ties() -> None:
    equal(gradients(ag.maximum, 2, 2), [0.5, 0.5])
    equal(gradients(ag.minimum, [2, 1], [2, 2]), [[0.5, 1], [0.5, 0]])
    equal(gradient(lambda x: ag.maximum(x, x), 2), 1)


@row("relu at 0", pytorch="0", jax="0", here="0 (and `maximum(x, 0)` .5)")
def test_row_03_relu_at_zero() -> None:
    equal(gradient(ag.relu, [-1, 0, 1]), [0, 0, 1])
    equal(gradient(lambda x: ag.maximum(x, 0), [-1, 0, 1]), [0, 0.5, 1])


@row("`abs` at 0", pytorch="0", jax="1", here="0")
def test_row_04_abs_at_zero() -> None:
    equal(gradient(ag.absolute, [-2, 0, 2]), [-1, 0, 1])


@row("`sqrt` at 0", pytorch="inf", jax="inf", here="inf")
def test_row_05_sqrt_at_zero() -> None:
    with np.errstate(divide="ignore"):
        equal(gradient(ag.sqrt, [0, 4]), [inf, 0.25])


@row("`sqrt(x) ** 2` at 0", pytorch="nan", jax="nan", here="nan")
def test_row_06_square_of_sqrt_at_zero() -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        equal(gradient(lambda x: ag.sqrt(x) ** 2, 0), nan)


@row("`x ** 0.0` at 0", pytorch="0", jax="nan", here="0")
def test_row_07_power_zero_at_zero() -> None:
    for zero in (0, 0.0, np.float64(0), np.zeros(1), np.zeros(1, int), Tensor(0, requires_grad=False)):
        equal(gradient(lambda x, p=zero: x**p, [0]), [0])
    with np.errstate(over="ignore"):
        equal(second(lambda x: x**0, [1e-300]), [0])
    equal(gradient(lambda x: x ** np.array([0, 2], np.uint8), [30, 3]), [0, 6])


@row("`x ** 1.0` at 0, second derivative", pytorch="0", jax="nan", here="0")
def test_row_08_power_one_at_zero_twice() -> None:
    for one in (1, 1.0, np.ones(1)):
        equal(gradient(lambda x, p=one: x**p, [0]), [1])
        equal(second(lambda x, p=one: x**p, [0]), [0])
    equal(second(lambda x: x**2, [0]), [2])
    equal(second(lambda x: x**2.0 + x**3, 0), 2)


@row("`0 ** p` by p, p = 2; p = 0", pytorch="0; 0", jax="0; 0", here="0; 0")
def test_row_09_power_of_zero_by_exponent() -> None:
    equal(gradients(lambda x, p: x**p, 0, 2), [0, 0])
    equal(gradients(lambda x, p: x**p, 0, 0), [0, 0])
    equal(gradient(lambda p: 0**p, [2, 0]), [0, 0])
    for f in (ag.power, ag.float_power):  # also where both are differentiated again
        equal(ag.hessian(lambda v, f=f: f(v[0], v[1]))([0.0, 0.0]), np.zeros((2, 2)))


@row("`(-2) ** 3` by x and p", pytorch="12 / nan", jax="12 / nan", here="12 / nan")
def test_row_10_negative_base() -> None:
    equal(gradient(lambda x: x**3.0, -2), 12)
    with np.errstate(invalid="ignore"):
        equal(gradients(lambda x, p: x**p, -2, 3), [12, nan])


@row("`log` at 0 and -1", pytorch="inf, -1", jax="inf, -1", here="inf, -1")
def test_row_11_log_at_and_below_zero() -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        equal(gradient(ag.log, [0, -1]), [inf, -1])


@row(
    "softmax at ±1000; of [0, -inf]; of all -inf",
    pytorch="0, 0; 0, 0; nan, nan",
    jax="0, 0; 0, 0; nan, nan",
    here="0, 0; 0, 0; 0, 0 (and the value nan, as NumPy's)",
)
def test_row_13_softmax_of_the_large_and_the_infinite() -> None:
    equal(ag.softmax([1000.0, -1000.0]), [1, 0])
    equal(gradient(ag.softmax, [1000, -1000]), [0, 0])
    equal(ag.softmax([0, -inf]), [1, 0])
    equal(gradient(ag.softmax, [0, -inf]), [0, 0])
    equal(gradient(lambda x: ag.softmax(x)[0], [0, -inf]), [0, 0])
    equal(ag.log_softmax([1000.0, -1000.0]), [0, -2000])
    with np.errstate(invalid="ignore"):
        masked = Tensor([[-inf, -inf], [0, 0]])
        y = ag.softmax(masked)
        y.backward([[1, 2], [1, 0]])
        equal(y.data, [[nan, nan], [0.5, 0.5]])
    equal(masked.grad, [[0, 0], [0.25, -0.25]])


@row("logsumexp of all -inf", pytorch="nan, nan", jax="nan, nan", here="0, 0")
def test_row_14_logsumexp_of_nothing() -> None:
    equal(ag.logsumexp([-inf, -inf]), -inf)
    equal(gradient(ag.logsumexp, [-inf, -inf]), [0, 0])
    equal(second(ag.logsumexp, [-inf, -inf]), [0, 0])
    equal(gradient(lambda x: ag.logsumexp(x, axis=1), [[-inf, -inf], [0, -inf]]), [[0, 0], [1, 0]])
    equal(ag.logsumexp([1000.0, -1000.0]), 1000)


def test_row_14_logaddexp_of_nothing() -> None:
    for f in (ag.logaddexp, ag.logaddexp2):
        equal(gradients(f, [-inf, -inf, 0], [-inf, 0, 0]), [[0, 0, 0.5], [0, 1, 0.5]])
        equal(gradients(f, [inf, 1e9], [0, -1e9]), [[1, 1], [0, 0]])


@row("2-norm at 0", pytorch="0, 0", jax="nan, nan", here="0, 0")
def test_row_15_two_norm_at_zero() -> None:
    for p in (None, 2, 3, 1.5):
        for norm in (lambda x, p=p: ag.norm(x, p), lambda x, p=p: ag.linalg.vector_norm(x, ord=p or 2)):
            equal(gradient(norm, [0, 0]), [0, 0])
            equal(second(norm, [0, 0]), [0, 0])
            equal(second(norm, [0, 1]), [p in (None, 2), 0])
            equal(gradient(norm, [1, nan]), [nan, nan])
    equal(gradient(ag.norm, np.zeros((2, 2))), np.zeros((2, 2)))
    near(gradient(lambda x: ag.norm(x, axis=1), [[0, 0], [3, 4]]), [[0, 0], [0.6, 0.8]])
    equal(second(lambda x: ag.norm(x) * x[0], [0, 0]), [0, 0])
    near(gradient(ag.norm, [3e-30, 4e-30]), [0.6, 0.8])  # next to 0 is not at 0
    near(ag.hessian(lambda x: ag.norm(x, 2))(np.array([0.0, 5.0])), [[0.2, 0], [0, 0]])
    for p in (0.5, 0, -1):  # where one entry is zero
        with np.errstate(divide="ignore"):
            equal(gradient(lambda x, p=p: ag.norm(x, p), [0, 2]), [0, p == 0.5])


@row("1-norm where an entry is 0", pytorch="0, -1", jax="1, -1", here="0, -1")
def test_row_16_one_norm_at_zero() -> None:
    equal(gradient(lambda x: ag.sum(abs(x)), [0, -3, 3]), [0, -1, 1])
    equal(gradient(lambda x: ag.norm(x, 1), [0, -3, 3]), [0, -1, 1])
    equal(gradient(lambda x: ag.norm(x, 1), [[0, 2], [-3, 1]]), [[0, 0.5], [-0.5, 0.5]])


@row("inf-norm, ties [2, -2]", pytorch=".5, -.5", jax=".5, -.5", here=".5, -.5")
def test_row_17_inf_norm_ties() -> None:
    equal(gradient(lambda x: ag.norm(x, inf), [2, -2]), [0.5, -0.5])
    equal(gradient(lambda x: ag.norm(x, -inf), [2, -2, 3]), [0.5, -0.5, 0])
    equal(gradient(lambda x: ag.norm(x, inf), [[1, -2], [3, 0], [-1, 0]]), [[0.5, -0.5], [0.5, 0], [0, 0]])


@row("`hypot(0, 0)`; `arctan2(0, 0)`", pytorch="nan / nan; 0 / 0", jax=".5 / .5; nan / nan", here="0 / 0; 0 / 0")
def test_row_18_hypot_and_arctan2_at_the_origin() -> None:
    for f in (ag.hypot, ag.arctan2):
        equal(gradients(f, [0, 3], [0, 4]), [[0, 0.6], [0, 0.8]] if f is ag.hypot else [[0, 0.16], [0, -0.12]])
        equal(second(lambda x, f=f: f(x, x * 0), 0), 0)
    equal(gradients(ag.hypot, [inf, 1], [1, -inf]), [[1, 0], [0, -1]])
    near(gradients(ag.hypot, [1e200, 3e-320], [1e200, 4e-320]), [[np.sqrt(0.5), 0.6], [np.sqrt(0.5), 0.8]])
    near(gradients(ag.arctan2, 3e200, 4e200), [1.6e-201, -1.2e-201])


@row(
    "binary cross-entropy with logits at ±1000",
    pytorch="0 and 1000, gradient 0 and ±1",
    jax="0 and 1000, gradient 0 and ±1",
    here="0 and 1000, gradient 0 and ±1",
)
def test_row_19_binary_cross_entropy_with_large_logits() -> None:
    for logit, target, loss, slope in [(1000, 1, 0, 0), (1000, 0, 1000, 1), (-1000, 0, 0, 0), (-1000, 1, 1000, -1)]:
        x = Tensor([logit])
        y = binary_cross_entropy_with_logits(x, np.array([target]))
        y.backward()
        equal(y.data, loss)
        equal(x.grad, [slope])


@row("binary cross-entropy of a probability 0 or 1, wrong label", pytorch="loss 100", jax="none built in",
     here="loss 100: the logarithm is held at -100; gradient finite")  # fmt: skip
def test_row_20_binary_cross_entropy_of_certainty() -> None:
    for dtype in (np.float64, np.float32, np.float16):
        least = np.nextafter(dtype(0), dtype(1))
        for p, target, loss in ((0, 1, 100), (1, 0, 100), (0, 0, 0), (1, 1, 0), (least, 1, -max(np.log(least), -100))):
            x = Tensor(np.array([p], dtype))
            y = nn.binary_cross_entropy(x, np.array([target]))
            y.backward()
            np.testing.assert_allclose(y.data, loss, rtol=1e-3 if dtype is np.float16 else 1e-6)
            assert np.isfinite(x.grad).all()
        np.testing.assert_array_equal(x.grad, 0)
    x = Tensor([0.0, 1e-300, 1e-30, 1.0])
    nn.binary_cross_entropy(x, np.array([1, 1, 1, 0]), reduction="sum").backward()
    np.testing.assert_allclose(x.grad, [0, 0, -1e30, 0])  # the logarithm is flat below -100
    x = Tensor([0.0, 1.0])
    nn.binary_cross_entropy(x, np.array([0, 1]), reduction="sum").backward()
    np.testing.assert_array_equal(x.grad, [1, -1])
    small = nn.binary_cross_entropy(np.array([1e-20]), np.array([0.0]))
    np.testing.assert_allclose(small, 1e-20)  # not the logarithm of a rounded 1


@row("`sigmoid(-1000)`; `softplus(1000)`", pytorch="0; 1", jax="0; 1", here="0; 1")
def test_row_21_sigmoid_and_softplus_are_stable() -> None:
    equal(ag.sigmoid(np.array([-1000.0, 0, 1000])), [0, 0.5, 1])
    equal(gradient(ag.sigmoid, [-1000, 0, 1000]), [0, 0.25, 0])
    equal(ag.softplus(np.array([-1000.0, 1000])), [0, 1000])
    equal(gradient(ag.softplus, [-1000, 0, 1000]), [0, 0.5, 1])
    equal(second(ag.softplus, [-1000, 0, 1000]), [0, 0.25, 0])
    near(ag.sigmoid(np.float64(-40)), np.exp(-40))


def test_row_21_activations_are_stable() -> None:
    ends = [-inf, -1e300, 1e300, inf]
    for f in (ag.silu, ag.gelu, lambda x: ag.gelu(x, "tanh"), ag.elu):
        low = -1 if f is ag.elu else 0
        equal(f(np.array(ends)), [low, low, 1e300, inf])
        equal(f(np.array([-inf, -6e4, 6e4, inf], np.float16)), [low, low, 6e4, inf])
        equal(gradient(f, ends), [0, 0, 1, 1])
        equal(second(f, ends), [0, 0, 0, 0])
    for f in (ag.softsign, ag.erf, ag.arctan):
        near(f(np.array(ends)), np.array([-1, -1, 1, 1]) * (np.pi / 2 if f is ag.arctan else 1))
        equal(gradient(f, ends), [0, 0, 0, 0])
        equal(second(f, ends), [0, 0, 0, 0])
    equal(ag.logsigmoid(np.array(ends)), [-inf, -1e300, 0, 0])
    equal(gradient(ag.logsigmoid, ends), [1, 1, 0, 0])
    equal(ag.sigmoid(np.float16(-12)), np.float16(np.exp(-12)))
    near(gradient(ag.expm1, -40), np.exp(-40))
    near(ag.gelu(-10.0), -5 * math.erfc(np.sqrt(50)))


@row("cross-entropy, soft target 0 × logit -inf", pytorch="value nan, gradient 0", jax="nan", here="0 · log 0 = 0")
def test_row_22_soft_target_zero_at_an_impossible_class() -> None:
    x = Tensor([[0, 0, -inf]])
    y = cross_entropy(x, np.array([[0.5, 0.5, 0]]))
    y.backward()
    near(y.data, np.log(2))
    equal(x.grad, [[0, 0, 0]])


@row(
    "cross-entropy, class ids -1 or 5 of 2",
    pytorch="IndexError",
    jax="none built in",
    here="IndexError; takes ids, one-hot, soft targets",
)
def test_row_23_class_ids() -> None:
    logits = Tensor([[1, 2], [3, 1]])
    for wrong in (-1, 5):
        with pytest.raises(IndexError, match="class ids of 2 classes are from 0 to 1"):
            cross_entropy(logits, np.array([0, wrong]))
    losses = [cross_entropy(logits, t).data for t in (np.array([0, 1]), np.eye(2), np.eye(2, dtype=int))]
    near(losses, np.full(3, (np.log1p(np.e) + np.log1p(np.e**2)) / 2))


@row("cross-entropy, every target ignored", pytorch="loss nan, gradient 0", jax="none built in",
     here="loss 0, gradient 0")  # fmt: skip
def test_row_24_every_target_ignored() -> None:
    for settings in ({}, {"weight": np.array([0.5, 2.0, 1.0])}, {"label_smoothing": 0.1}):
        for reduction in ("mean", "sum", "none"):
            for logits in (np.ones((4, 3)), np.full((4, 3), -np.inf), np.full((4, 3), np.nan)):
                x = Tensor(logits)
                y = nn.cross_entropy(x, np.full(4, -100), ignore_index=-100, reduction=reduction, **settings)
                y.backward(np.ones(y.shape))
                np.testing.assert_array_equal(y.data, 0)
                np.testing.assert_array_equal(x.grad, 0)


@row("mean squared error of (4,) against (4, 1)", pytorch="a value, and a warning", jax="a value", here="ValueError")
def test_row_25_mse_of_other_shapes() -> None:
    with pytest.raises(ValueError, match=re.escape("not (4,) and (4, 1)")):
        mse_loss(Tensor(np.ones(4)), np.ones((4, 1)))


@row("`x[[0, 0, 1]]`", pytorch="2, 1, 0", jax="2, 1, 0", here="2, 1, 0")
def test_row_26_repeated_index() -> None:
    equal(gradient(lambda x: x[[0, 0, 1]], [1, 2, 3]), [2, 1, 0])
    equal(gradient(lambda x: x[np.array([0, 0, -3]), [0, 0, 0]], np.ones((3, 2))), [[3, 0], [0, 0], [0, 0]])


@row("set `[0, 0]` to v: by x and v", pytorch="0, 1 / 1, 1 (wrong)", jax="0, 1 / 0, 1", here="0, 1 / 0, 1")
def test_row_27_the_last_of_several_writes_wins() -> None:
    equal(gradients(lambda x, v: ag.set_at(x, [0, 0], v), [1, 2], [3, 4]), [[0, 1], [0, 1]])
    equal(ag.set_at(np.zeros(2), [0, 0], [3, 4]), [4, 0])
    equal(gradients(lambda x, v: ag.set_at(x, [0, -2, 1], v), [1, 2], 3)[1], 2)
    equal(
        gradients(lambda x, v: ag.set_at(x, ([[0], [0]], [1, 1]), v), np.ones((1, 2)), np.ones((2, 2)))[1],
        [[0, 0], [0, 1]],
    )
    equal(gradients(lambda x, v: ag.add_at(x, [0, 0], v), [1, 2], [3, 4]), [[1, 1], [1, 1]])
    equal(ag.add_at(np.zeros(2), [0, 0], [3, 4]), [7, 0])


@row(
    "(0, 3) + (1, 3)",
    pytorch="shape (0, 3), gradient 0",
    jax="shape (0, 3), gradient 0",
    here="shape (0, 3), gradient 0",
)
def test_row_28_broadcasting_of_one_and_none() -> None:
    equal(gradients(lambda x, y: x + y, np.ones((0, 3)), np.ones((1, 3)))[1], np.zeros((1, 3)))
    empty, scalar = gradients(lambda x, y: x * y, np.ones((0, 3)), 2)
    assert empty.shape == (0, 3)
    equal(scalar, 0)


@row("of no entries: `mean`; `max`; `prod`", pytorch="nan; error; 1", jax="nan; error; 1", here="nan; error; 1")
def test_row_29_empty_reductions() -> None:
    x = Tensor(np.ones(0))
    with pytest.warns(RuntimeWarning, match="Mean of empty slice"), np.errstate(invalid="ignore"):
        y = ag.mean(x)
    equal(y.data, nan)
    y.backward()
    assert x.grad.shape == (0,)
    for f in (ag.max, ag.min):
        with pytest.raises(ValueError, match="zero-size array"):
            f(x)
    one = Tensor(np.ones((0, 2)))
    y = ag.prod(one)
    y.backward()
    equal(y.data, 1)
    assert one.grad.shape == (0, 2)
    equal(ag.prod(one, axis=0).data, [1, 1])
    equal(ag.logsumexp(one, axis=0).data, [-inf, -inf])
    with np.errstate(divide="ignore"):
        for f in (ag.softmax, ag.log_softmax):
            assert f(one, axis=0).shape == (0, 2)


@row("`sum(axis=())` of (2, 3)", pytorch="reduces all", jax="(2, 3)", here="(2, 3), as NumPy")
def test_row_30_sum_over_no_axes() -> None:
    x = Tensor(np.ones((2, 3)))
    for f in (ag.sum, ag.mean, ag.max, ag.prod, ag.nanmax, ag.nanmean, ag.median):
        assert f(x, axis=()).shape == (2, 3)
        equal(gradient(lambda x, f=f: f(x, axis=()), x.data), np.ones((2, 3)))


@row("`sum` over duplicate axes (0, -2)", pytorch="error", jax="error", here="error")
def test_row_31_duplicate_axes() -> None:
    x = Tensor(np.ones((2, 3)))
    plain = [ag.sum, ag.mean, ag.max, ag.min, ag.var, ag.std, ag.logsumexp, ag.softmax, ag.prod, ag.ptp, ag.average]
    nans = [ag.nansum, ag.nanprod, ag.nanmax, ag.nanmin, ag.nanmean, ag.nanvar, ag.nanstd]
    for f in (*plain, *nans, ag.median, lambda x, axis: ag.quantile(x, 0.5, axis), lambda x, axis: ag.norm(x, 1, axis)):
        with pytest.raises(ValueError, match=r"[Dd]uplicate|repeated"):
            f(x, axis=(0, -2))


@row(
    "a result without axes; backward of shape (1,)",
    pytorch="Tensor; allowed",
    jax="array; refused",
    here="Tensor; allowed",
)
def test_row_32_results_without_axes() -> None:
    y = Tensor([1, 2]).sum()
    assert isinstance(y, Tensor)
    assert y.shape == ()
    assert type(y.data) is np.float64
    x = Tensor([3])
    (x * x).backward()
    equal(x.grad, [6])


@row(
    "diamonds, `x @ x`, `x*x + x/x + x**x`",
    pytorch="right",
    jax="right",
    here="right, and in linear time on 2^100 paths",
)
def test_row_33_diamonds() -> None:
    equal(gradient(lambda x: x @ x, [1, 2]), [2, 4])
    near(gradient(lambda x: x * x + x / x + x**x, 3), 6 + 27 * (1 + np.log(3)))

    def doubled(x: Any) -> Any:
        for _ in range(100):
            x = x + x  # twice as many paths each time
        return x

    equal(gradient(doubled, 1), 2.0**100)  # were it not linear in the operations, it would not end
    equal(second(lambda x: doubled(x) * x, 1), 2.0**101)


@row(
    "backward twice",
    pytorch="error",
    jax="can be used again",
    here="adds exactly the same again; error if the graph was freed",
)
def test_row_34_backward_twice() -> None:
    x = Tensor([1, 2])
    y = (x * x).sum()
    y.backward()
    first = x.grad
    y.backward()
    equal(first, [2, 4])
    equal(x.grad, [4, 8])
    y.backward(retain_graph=False)
    equal(x.grad, [6, 12])
    with pytest.raises(RuntimeError, match="freed"):
        y.backward()
    equal(x.grad, [6, 12])


@row("backward of a non-scalar", pytorch="error", jax="error", here="error that suggests `.sum()` or a seed")
def test_row_35_backward_of_a_non_scalar() -> None:
    x = Tensor([1, 2])
    with pytest.raises(ValueError, match=r"\.sum\(\).*seed"):
        (x * x).backward()
    with pytest.raises(ValueError, match="seed"):
        (x * x).backward([1, 2, 3])
    (x * x).backward([1, 2])
    equal(x.grad, [2, 8])


@row(
    "integers that are to be differentiated",
    pytorch="error",
    jax="error",
    here="become float64; results that are integers leave the graph",
)
def test_row_36_integers() -> None:
    for data in (3, [1, 2], np.array([1, 2], np.int8), True):
        assert Tensor(data).dtype == np.float64
    x = Tensor([1, 2])
    for left in (x > 1, x == x, np.sign(x), np.floor(x), np.argmax(x), x.astype(int)):
        assert not isinstance(left, Tensor)
    equal(gradient(lambda x: x * np.array([2, 3]), [1, 2]), [2, 3])


def test_row_36_quotients_and_remainders() -> None:
    x, y = Tensor([7, -7, 1]), Tensor([2, 2, 0.1])
    for quotient in (np.floor_divide(x, y), np.floor_divide(x.data, y)):
        assert not isinstance(quotient, Tensor)
        equal(quotient, [3, -4, 9])
    equal(gradients(ag.mod, x.data, y.data), [[1, 1, 1], [-3, 4, -9]])  # and floor(1 / 0.1) is 10
    equal(gradients(ag.fmod, x.data, y.data), [[1, 1, 1], [-3, 3, -9]])
    for signs in ([1, -1, -1], Tensor([1, -1, -1])):
        equal(gradient(lambda x, signs=signs: ag.copysign(x, signs), [0, 2, -2]), [0, -1, 1])
    assert not isinstance(np.copysign([1, 2], Tensor([1, -1])), Tensor)
    for sign in (-1, -1.0, np.int8(-1), np.float64(-1)):
        assert np.copysign(Tensor(np.float32(2)), sign).dtype == np.copysign(np.float32(2), sign).dtype
    with pytest.raises(TypeError, match="exp2"):
        ag.ldexp(x, y)


@row("boolean masks; overlapping and non-contiguous views", pytorch="right", jax="right", here="right")
def test_row_37_masks_and_overlapping_views() -> None:
    equal(gradient(lambda x: x[x > 1], [1, 2, 3]), [0, 1, 1])
    equal(gradient(lambda x: x[:-1] * x[1:], [1, 2, 3]), [2, 4, 2])
    equal(gradient(lambda x: x.T[::-2, 1:] ** 2, [[1, 2, 3], [4, 5, 6]]), [[0, 0, 0], [8, 0, 12]])
    equal(gradient(lambda x: x[np.array(False)], [1, 2]), [0, 0])


@row("`std` at zero variance", pytorch="0, 0", jax="nan, nan", here="0, 0")
def test_row_38_std_at_zero_variance() -> None:
    equal(gradient(ag.std, [2, 2, 2]), [0, 0, 0])
    equal(gradient(lambda x: ag.std(x, axis=1), [[2, 2], [1, 3]]), [[0, 0], [-0.5, 0.5]])
    equal(second(lambda x: ag.std(x) * x[0], [2, 2]), [0, 0])
    equal(gradient(ag.std, np.full(3, 0.1)), [0, 0, 0])  # though their mean is not quite 0.1
    near(gradient(ag.std, [1e-30, 3e-30]), [-0.5, 0.5])


@row(
    "`std` by default; `var` of one value, ddof=1",
    pytorch="ddof=1; nan",
    jax="ddof=0; nan",
    here="ddof=0, as NumPy; nan",
)
def test_row_39_degrees_of_freedom() -> None:
    equal(ag.std(np.array([1.0, 3.0])), 1)
    equal(ag.std(np.array([1.0, 3.0]), ddof=1), np.sqrt(2))
    with pytest.warns(RuntimeWarning):
        y = ag.var(Tensor([1]), ddof=1)
    equal(y.data, nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of the values
        equal(gradient(lambda x: ag.var(x, ddof=1), [1]), nan)
        equal(gradient(lambda x: ag.var(x, ddof=3), [1, 3]), [-inf, inf])  # that is inf
        equal(gradient(lambda x: ag.nanvar(x, ddof=2), [1, nan, 3]), [nan, 0, nan])  # that is nan


@row(
    "`prod` of [0, 2, 3]; of [0, 0, 3]; `cumprod` of [2, 0, 3, 4]",
    pytorch="6, 0, 0; 0, 0, 0; 1, 32, 0, 0",
    jax="6, 0, 0; 0, 0, 0; 1, 32, 0, 0",
    here="6, 0, 0; 0, 0, 0; 1, 32, 0, 0 (second derivatives too)",
)
def test_row_40_products_with_zeros() -> None:
    equal(gradient(ag.prod, [0, 2, 3]), [6, 0, 0])
    equal(second(ag.prod, [0, 2, 3]), [5, 3, 2])
    equal(gradient(ag.prod, [0, 0, 3]), [0, 0, 0])
    equal(second(ag.prod, [0, 0, 3]), [3, 3, 0])
    equal(gradient(lambda x: ag.prod(x, axis=-1), 0), 1)
    equal(gradient(ag.prod, [[0, 2], [0, 3]]), [[0, 0], [0, 0]])
    equal(gradient(lambda x: ag.prod(x, axis=0), [[0, 2], [5, 0]]), [[5, 0], [0, 2]])
    equal(gradient(ag.cumprod, [2, 0, 3, 4]), [1, 32, 0, 0])
    equal(second(ag.cumprod, [2, 0, 3, 4]), [16, 32, 10, 6])
    equal(gradient(ag.cumprod, [0, 5, 0]), [6, 0, 0])
    equal(gradient(lambda x: ag.cumprod(x)[-1], [1e-200, 1e200, 1e200, 1e-300])[0], 1e100)


@row("clip at its bounds", pytorch="1, 1", jax=".5, .5", here="1, 1")
def test_row_41_clip_at_its_bounds() -> None:
    equal(gradient(lambda x: ag.clip(x, 0, 1), [-1, 0, 0.5, 1, 2]), [0, 1, 1, 1, 0])
    equal(gradient(ag.hardtanh, [-2, -1, 1, 2]), [0, 1, 1, 0])
    for limits in ({"min": 1}, {"a_min": 1}, {"min": 1, "max": None}):
        equal(gradient(lambda x, limits=limits: np.clip(x, **limits), [0, 1, 3]), [0, 1, 1])
    x, low, high = [0, 2, 4, 0, nan, 1, 1], [1, 1, 1, 4, 1, nan, 1], [3, 3, 3, 2, 3, 3, nan]  # also if low > high
    equal(ag.clip(Tensor(x), low, high).data, np.clip(x, low, high))
    found = gradients(ag.clip, x, low, high)
    equal(found, [[0, 1, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0, 1, 0], [0, 0, 1, 1, 0, 0, 1]])
    equal(np.clip(Tensor([0, 1, 3]), max=1).data, [0, 1, 1])
    for limits in itertools.product([{"a_min": 0}, {"a_max": 0}], [{"min": 1}, {"max": 1}]):
        with pytest.raises(ValueError, match="pass one pair"):
            ag.clip(Tensor(1), **limits[0], **limits[1])
    assert ag.clip(np.array([1, 2, 3]), 2).dtype == int


@row(
    "sort of ties; `median` of [4, 1, 3, 2]",
    pytorch="stable on request; 0, 0, 0, 1",
    jax="stable; 0, 0, .5, .5",
    here="stable; 0, 0, .5, .5, as NumPy",
)
def test_row_42_sort_ties() -> None:
    ties = [2, 1, 2, 1, 1]
    equal(ag.argsort(Tensor(ties)), [1, 3, 4, 0, 2])
    equal(gradient(lambda x: ag.sort(x) * [1, 2, 3, 4, 5], ties), [4, 1, 5, 2, 3])
    many = np.arange(100.0) % 3
    for kth in (0, 50, [10, -1]):
        places = ag.argpartition(Tensor(many), kth)
        equal(many[places], np.partition(many, kth))
        for value in range(3):
            assert np.all(np.diff(places[many[places] == value]) > 0)
    equal(gradient(lambda x: ag.partition(x, 2) * [1, 2, 3, 4, 5], np.ones(5)), [1, 2, 3, 4, 5])


def test_row_42_median() -> None:
    equal(ag.median(Tensor([4, 1, 3, 2])).data, 2.5)
    equal(gradient(ag.median, [4, 1, 3, 2]), [0, 0, 0.5, 0.5])
    equal(gradient(ag.median, [1, 1, 1]), [0, 1, 0])
    equal(gradient(ag.nanmedian, [4, nan, 1, 3, 2]), [0, 0, 0, 0.5, 0.5])
    equal(gradient(lambda x: ag.quantile(x, [0, 1]), [2, 1, 2]), [0, 1, 1])
    equal(gradient(lambda x: ag.percentile(x, 25), [3, 1, 2, 5, 4]), [0, 0, 1, 0, 0])
    equal(gradient(ag.median, [4, nan, 3, 2]), [0, 1, 0, 0])


@row("cumulative max of [1, 1, 0]", pytorch="1, 2, 0", jax="2, 1, 0", here="2, 1, 0")
def test_row_43_cumulative_max_ties() -> None:
    equal(gradient(ag.cummax, [1, 1, 0]), [2, 1, 0])
    equal(gradient(ag.cummin, [1, 1, 2]), [2, 1, 0])
    near(gradient(lambda x: ag.cummax(x)[2], [1, 1, 1]), np.full(3, 1 / 3))  # as max
    equal(gradient(ag.cummax, [1, nan, 3, nan]), [1, 2.5, 0, 0.5])


@row("`max` of [1, nan, 3]", pytorch="0, 1, 0", jax="nan, nan, nan", here="0, 1, 0")
def test_row_44_max_with_nan() -> None:
    equal(ag.max([1, nan, 3]), nan)
    equal(gradient(ag.max, [1, nan, 3]), [0, 1, 0])
    equal(gradients(ag.maximum, [1, nan], [nan, 1]), [[0, 1], [1, 0]])
    equal(gradient(ag.nanmax, [1, nan, 3]), [0, 0, 1])
    equal(gradient(ag.nanmax, [-inf, nan]), [1, 0])


def test_row_44_fmax_passes_over_nan() -> None:
    equal(gradients(ag.fmax, [1, nan, 2, 3], [nan, 1, 2, 1]), [[1, 0, 0.5, 1], [0, 1, 0.5, 0]])
    equal(gradients(ag.fmin, [1, nan, 2, 3], [nan, 1, 2, 1]), [[1, 0, 0.5, 0], [0, 1, 0.5, 1]])
    equal(gradient(ag.nan_to_num, [nan, inf, -inf, 2]), [0, 0, 0, 1])
    equal(ag.nan_to_num(Tensor([nan, inf, -inf]), nan=1, posinf=2, neginf=3).data, [1, 2, 3])


@row(
    "convolution of 5 ones, kernel of 2: stride 2; dilation 3",
    pytorch="1, 1, 1, 1, 0 / 2, 2; 1, 1, 0, 1, 1 / 2, 2",
    jax="1, 1, 1, 1, 0 / 2, 2; 1, 1, 0, 1, 1 / 2, 2",
    here="1, 1, 1, 1, 0 / 2, 2; 1, 1, 0, 1, 1 / 2, 2",
)
def test_row_45_convolution_with_a_remainder_and_with_dilation() -> None:
    kernel = np.ones((1, 1, 2))
    equal(gradient(lambda x: ag.conv1d(x, kernel, stride=2), np.ones((1, 1, 5))), [[[1, 1, 1, 1, 0]]])
    equal(gradient(lambda x: ag.conv1d(x, kernel, dilation=3), np.ones((1, 1, 5))), [[[1, 1, 0, 1, 1]]])


@row(
    "max-pool of [1, 3, 3]; average-pool padding",
    pytorch="the first; counted",
    jax="the first; nothing built in",
    here="the first; a flag",
)
def test_row_46_pooling_ties_and_padding() -> None:
    equal(gradient(lambda x: ag.max_pool1d(x, 3), [1, 3, 3]), [0, 1, 0])
    equal(gradient(lambda x: ag.max_pool2d(x, 2, stride=1), np.ones((2, 3))), [[1, 1, 0], [0, 0, 0]])
    equal(gradient(lambda x: ag.max_pool2d(x, 2, padding=1), np.full((2, 2), -inf)), np.ones((2, 2)))
    equal(gradient(lambda x: ag.max_pool1d(x, 3), [1, nan, 3]), [0, 1, 0])
    for counted, value in [(True, 0.5), (False, 1)]:
        equal(ag.avg_pool1d(np.ones(2), 2, padding=1, count_include_pad=counted), [value, value])
        x = gradient(lambda x, counted=counted: ag.avg_pool1d(x, 2, padding=1, count_include_pad=counted), [1, 2])
        equal(x, [value, value])


@row("dropout in eval; p = 1", pytorch="identity; 0", jax="none built in", here="identity; 0, never nan")
def test_row_47_dropout_in_eval_and_of_everything() -> None:
    x = [1, inf, nan]
    t, rng = Tensor(x), np.random.default_rng(0)
    assert ag.dropout(t, 0.5, rng, training=False) is t
    equal(ag.dropout(t, 1, rng).data, [0, 0, 0])
    equal(gradient(lambda x: ag.dropout(x, 1, rng), x), [0, 0, 0])
    equal(ag.dropout(t, 0, rng).data, x)
    values = ag.dropout(Tensor(np.ones(1000)), 0.75, rng).data
    assert set(values) == {0, 4}
    assert abs(values.mean() - 1) < 0.2


@row("batch norm of one sample; of zero variance", pytorch="error; finite", jax="none built in",
     here="error; finite, eps in the dtype")  # fmt: skip
def test_row_48_batch_norm_of_one_sample() -> None:
    for layer, x in ((nn.BatchNorm1d(3), np.ones((1, 3))), (nn.BatchNorm2d(3), np.ones((1, 3, 1, 1)))):
        with pytest.raises(ValueError, match=re.escape(f"{x.shape} has 1 of each: pass a larger batch")):
            layer(x)
        np.testing.assert_array_equal(layer.running_var, 1)
        assert layer.eval()(x).shape == x.shape
    with pytest.raises(ValueError, match=re.escape("(0, 3) has 0 of each")):
        nn.BatchNorm1d(3)(np.ones((0, 3)))
    assert nn.BatchNorm1d(3)(np.ones((1, 3, 2))).shape == (1, 3, 2)


def test_row_48_normalisation_of_zero_variance() -> None:
    for dtype in (np.float64, np.float32, np.float16):
        for layer in (nn.BatchNorm1d(2, dtype=dtype), nn.LayerNorm(2, dtype=dtype)):
            x = Tensor(np.full((4, 2), 3, dtype))
            y = layer(x)
            assert y.dtype == dtype
            np.testing.assert_array_equal(y.data, 0)
            y.backward(np.arange(8).reshape(4, 2))
            assert np.isfinite(x.grad).all()


@row(
    "float32 times 2.0; times `np.float64(2)`; times a float64 array",
    pytorch="float32; float32; float64, if it has axes",
    jax="float32; float64; float64",
    here="NEP 50: float32; float64; float64; the gradient keeps the dtype of its leaf",
)
def test_row_49_promotion() -> None:
    x = Tensor(np.ones(2, np.float32))
    for other, dtype in [(2.0, np.float32), (2, np.float32), (np.float64(2), np.float64), (np.ones(2), np.float64)]:
        for y in (x * other, other * x, x + other, x / other, x**other, ag.maximum(x, other)):
            assert y.dtype == dtype
            x.grad = None
            ag.sum(y).backward()
            assert x.grad.dtype == np.float32


@row(
    "float16, gradient of .5 summed over 70,000 rows", pytorch="35008", jax="35008", here="35008 (added up in float32)"
)
def test_row_50_half_precision_sums_in_single() -> None:
    b = Tensor(np.zeros(1, np.float16))
    (b + np.zeros((70000, 1), np.float16)).backward(np.full((70000, 1), 0.5, np.float16))
    equal(b.grad, [35000])
    b = Tensor(np.zeros(2, np.float16))  # beside one another NumPy adds them up in half
    (b + np.zeros((70000, 2), np.float16)).backward(np.full((70000, 2), 0.5, np.float16))
    equal(b.grad, [35000, 35000])
    equal(gradient(ag.mean, np.ones(70000, np.float16)), np.full(70000, 1 / 70000))
    equal(gradient(ag.cumsum, np.full(5000, 1e-7, np.float16))[0], 5000)
    equal(gradient(ag.cummax, -np.arange(5000, dtype=np.float16))[0], 5000)


@row("complex numbers", pytorch="conjugate gradient", jax="gradient", here="TypeError")
def test_row_51_complex() -> None:
    with pytest.raises(TypeError, match="real numbers"):
        Tensor([1j])
    with pytest.raises(TypeError, match="real numbers"):
        Tensor([1.0]) * 1j
    with pytest.raises(TypeError, match="real numbers"):
        ag.grad(lambda x: x)(1j)


@row("`det` of [[1, 2], [2, 4]]", pytorch="0, 0, 0, 0 (wrong)", jax="4, -2, -2, 1", here="4, -2, -2, 1")
def test_row_52_det_of_a_singular_matrix() -> None:
    np.testing.assert_allclose(gradient(ag.linalg.det, [[1, 2], [2, 4]]), [[4, -2], [-2, 1]], rtol=1e-14)
    equal(gradient(ag.linalg.det, np.zeros((2, 2))), np.zeros((2, 2)))
    near(second(lambda x: ag.linalg.det(x), np.zeros((2, 2))), [[1, -1], [-1, 1]])
    equal(gradient(ag.linalg.det, np.diag([1, 0, 0])), np.zeros((3, 3)))
    near(second(ag.linalg.det, np.eye(2)), [[1, -1], [-1, 1]])


@row(
    "`eigh` vectors of repeated values",
    pytorch="nan, nan, nan, nan",
    jax="nan, nan, nan, nan",
    here="nan, nan, nan, nan",
)
def test_row_53_eigenvectors_of_repeated_eigenvalues() -> None:
    assert np.isnan(gradient(lambda x: ag.linalg.eigh(x).eigenvectors[0], np.eye(2))).all()
    for values in (ag.linalg.eigvalsh, lambda x: ag.linalg.eigh(x).eigenvalues, ag.linalg.svdvals):
        equal(gradient(values, np.eye(2)), np.eye(2))
    assert np.isnan(gradient(lambda x: ag.linalg.svd(x).U[0], np.eye(2))).all()


@row("`np.asarray(x)` of what is differentiated", pytorch="error", jax="error", here="error, which is a TypeError")
def test_row_54_asarray_of_what_is_differentiated() -> None:
    for leave in (np.asarray, np.array, lambda x: np.asarray([x, x]), lambda x: x.data * 1.0 + np.asarray(x)):
        with pytest.raises(TypeError, match="gradient would be lost"):
            ag.grad(lambda x, leave=leave: ag.sum(leave(x)))(np.ones(2))
    equal(np.asarray(Tensor([1.0, 2.0], requires_grad=False)), [1, 2])


@row("`sinc` at 0, first; second", pytorch="0; nan", jax="0; -3.2899", here="0; -3.2899 (-π²/3)")
def test_row_55_sinc_at_zero() -> None:
    equal(gradient(ag.sinc, 0), 0)
    near(second(ag.sinc, 0), -(np.pi**2) / 3)
    near(gradient(ag.sinc, 1e-9), -(np.pi**2) / 3 * 1e-9)
    fourth = gradient(ag.grad(ag.grad(ag.grad(ag.sinc))), 0)
    near(fourth, np.pi**4 / 5)
    for x in (0.3, 0.63, 0.64, 5.5, 50.1):  # on both sides of where the series ends
        u = np.pi * x
        near(gradient(ag.sinc, [x, -x]), np.pi * (np.cos(u) / u - np.sin(u) / u**2) * np.array([1, -1]))
    x = np.linspace(-3, 3, 61).astype(np.float16)
    f: Any = ag.sinc
    for _ in range(4):
        f = ag.grad(lambda x, f=f: ag.sum(f(x)))
        for dtype in (np.float16, np.float32):  # narrow numbers are widened meanwhile
            equal(f(x.astype(dtype)), f(x.astype(float)).astype(dtype))


@row(
    "`ldexp(x, [-1, 2])` with integers",
    pytorch="0, 4 (wrong)",
    jax=".5, 4",
    here=".5, 4",
)
def test_row_56_ldexp_by_a_negative_integer() -> None:
    equal(gradient(lambda x: ag.ldexp(x, np.array([-1, 2])), [1, 1]), [0.5, 4])


@row(
    "shape of `x[0, :, [0, 1, 1]]`, x of (2, 2, 2)",
    pytorch="(2, 3)",
    jax="(3, 2)",
    here="(3, 2), as NumPy: what is between goes last",
)
def test_row_57_an_integer_and_an_array_with_a_slice_between() -> None:
    x = np.arange(8.0).reshape(2, 2, 2)
    equal((Tensor(x)[0, :, [0, 1, 1]]).data, [[0, 2], [1, 3], [1, 3]])
    equal(gradient(lambda x: x[0, :, [0, 1, 1]] * [[1, 2], [3, 4], [5, 6]], x), [[[1, 8], [2, 10]], [[0, 0], [0, 0]]])


@row("shape of `median(x, keepdims=True)`, x of ()", pytorch="()", jax="(1,)", here="(), as NumPy")
def test_row_58_quantiles_of_a_number() -> None:
    for f in (ag.median, lambda x, **params: ag.quantile(x, 0.3, **params)):
        assert f(Tensor(2), keepdims=True).shape == ()
        equal(gradient(lambda x, f=f: f(x, keepdims=True), 2), 1)


@row("leaky relu of slope .25 at 0", pytorch=".25", jax="1", here=".25, as relu, whose slope is 0")
def test_row_59_leaky_relu_at_zero() -> None:
    equal(gradient(lambda x: ag.leaky_relu(x, 0.25), [-1, 0, 1]), [0.25, 0.25, 1])
    equal(gradient(lambda x: ag.elu(x, 0.25), [0, 1]), [0.25, 1])


@row("hardtanh at -1 and 1", pytorch="0, 0", jax="1, 1", here="1, 1, as clip")
def test_row_60_hardtanh_at_its_bounds() -> None:
    equal(gradient(ag.hardtanh, [-2, -1, 1, 2]), [0, 1, 1, 0])


@row("silu; gelu; at -inf and inf", pytorch="nan, nan; nan, nan", jax="nan, nan; nan, nan", here="0, 1; 0, 1")
def test_row_61_activations_at_infinity() -> None:
    for f in (ag.silu, ag.gelu):
        equal(gradient(f, [-inf, inf]), [0, 1])
        equal(f(np.array([-inf, inf])), [0, inf])


@row("`abs(nan)`", pytorch="0", jax="-1", here="nan")
def test_row_62_abs_of_nan() -> None:
    equal(gradient(ag.absolute, nan), nan)
    equal(gradient(ag.fabs, nan), nan)


@row("`fmax(2, 2)`", pytorch="1 / 0", jax="0 / 1", here=".5 / .5, as maximum")
def test_row_63_fmax_ties() -> None:
    for f in (ag.fmax, ag.fmin):
        equal(gradients(f, 2, 2), [0.5, 0.5])


@row(
    "`maximum(1, nan)`; `maximum(nan, nan)`",
    pytorch="1 / 1; 1 / 1",
    jax="0 / 0; 0 / 0",
    here="0 / 1; .5 / .5: a NaN owns its NaN",
)
def test_row_64_maximum_with_nan() -> None:
    for f in (ag.maximum, ag.minimum):
        equal(gradients(f, [1, nan, nan], [nan, 1, nan]), [[0, 1, 0.5], [1, 0, 0.5]])


@row("clip of nan", pytorch="0", jax="0", here="1: a NaN owns its NaN")
def test_row_65_clip_of_nan() -> None:
    equal(gradient(lambda x: ag.clip(x, 0, 1), [nan, 0.5]), [1, 1])


@row("`copysign(0, 1)`, `copysign(-0, 2)`", pytorch="0, 0", jax="1, 1", here="0, 0, as abs")
def test_row_66_copysign_at_zero() -> None:
    equal(gradient(lambda x: ag.copysign(x, [1, 2]), [0.0, -0.0]), [0, 0])


@row(
    "`logaddexp` of -inf and -inf; of inf and inf",
    pytorch="nan / nan; nan / nan",
    jax="nan / nan; 1 / 1",
    here="0 / 0; 1 / 1",
)
def test_row_67_logaddexp_of_infinities() -> None:
    for f in (ag.logaddexp, ag.logaddexp2):
        equal(gradients(f, -inf, -inf), [0, 0])
        equal(gradients(f, inf, inf), [1, 1])


@row(
    "`hypot(inf, 1)`; `arctan2(inf, inf)`",
    pytorch="nan / 0; nan / nan",
    jax="nan / nan; nan / nan",
    here="1 / 0; 0 / 0",
)
def test_row_68_hypot_and_arctan2_at_infinity() -> None:
    equal(gradients(ag.hypot, inf, 1), [1, 0])
    equal(gradients(ag.arctan2, inf, inf), [0, 0])


@row("`0 ** -1` by x and p", pytorch="-inf / -inf", jax="-inf / nan", here="-inf / -inf")
def test_row_69_negative_power_of_zero() -> None:
    with np.errstate(divide="ignore"):
        equal(gradients(lambda x, p: x**p, 0, -1), [-inf, -inf])


@row(
    "`eigvalsh`, `eigh` and `cholesky` of what is not symmetric",
    pytorch="one triangle is read",
    jax="is made symmetric",
    here="one triangle is read, as NumPy; the gradient is symmetric",
)
def test_row_70_one_triangle_is_read() -> None:
    x = [[1.0, 9.0], [2.0, 4.0]]
    near(ag.linalg.eigvalsh(Tensor(x)).data, np.linalg.eigvalsh(x))
    symmetric = [[4.0, 2.0], [2.0, 5.0]]
    for f in (ag.linalg.eigvalsh, ag.linalg.cholesky, lambda x: ag.linalg.eigh(x)[1][0]):
        found = gradient(f, [[4.0, 9.0], [2.0, 5.0]])
        equal(found, gradient(f, symmetric))
        near(found, found.T)


@row("cumulative max of [1, nan, 3]", pytorch="1, 2, 0", jax="1, 0, 0", here="1, 2, 0: a NaN owns its NaN")
def test_row_71_cumulative_max_with_nan() -> None:
    for f in (ag.cummax, ag.cummin):
        equal(gradient(f, [1, nan, 3]), [1, 2, 0])


@row(
    "`median` of [4, nan, 3, 2]",
    pytorch="0, 1, 0, 0",
    jax="0, 0, 0, 0",
    here="0, 1, 0, 0: a NaN owns its NaN",
)
def test_row_72_median_with_nan() -> None:
    equal(gradient(ag.median, [4, nan, 3, 2]), [0, 1, 0, 0])
    equal(gradient(lambda x: ag.quantile(x, 0.3), [4, nan, 3, 2]), [0, 1, 0, 0])
    equal(gradient(lambda x: ag.median(x, axis=1), [[4, nan, nan], [3, 1, 2]]), [[0, 0.5, 0.5], [0, 0, 1]])


@row(
    "-inf-norm of [0, 2, -2]; .5-norm", pytorch="0, 0, 0; 0, 2, -2", jax="1, 0, 0; inf, 2, -2", here="0, 0, 0; 0, 2, -2"
)
def test_row_73_norms_where_an_entry_is_zero() -> None:
    equal(gradient(lambda x: ag.norm(x, -inf), [0, 2, -2]), [0, 0, 0])
    with np.errstate(divide="ignore"):
        near(gradient(lambda x: ag.norm(x, 0.5), [0, 2, -2]), [0, 2, -2])


@row(
    "`inv`; `slogdet`; of [[1, 2], [2, 4]]",
    pytorch="error; -inf, inf, inf, -inf (wrong)",
    jax="nan, nan, nan, nan; inf, -inf, -inf, inf",
    here="error; error (LinAlgError)",
)
def test_row_74_singular_matrices() -> None:
    for f in (ag.linalg.inv, lambda x: ag.linalg.slogdet(x)[1]):
        with pytest.raises(np.linalg.LinAlgError, match="[Ss]ingular"):
            gradient(f, [[1, 2], [2, 4]])


@row(
    "`lstsq` of a matrix of deficient rank",
    pytorch="gradient of `pinv`",
    jax="gradient of `pinv`",
    here="LinAlgError: the solution jumps with the rank",
)
def test_row_75_least_squares_of_deficient_rank() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="jumps with the rank"):
        gradient(lambda x: ag.linalg.lstsq(x, np.ones(2))[0], [[1, 2], [2, 4]])


@row("`nanmean`; `nanmax`; of [nan, nan]", pytorch="nan, nan; none built in", jax="0, 0; 0, 0", here="0, 0; .5, .5")
def test_row_76_reductions_of_nothing_but_nan() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of the slice without numbers
        equal(gradient(ag.nanmean, [nan, nan]), [0, 0])
        equal(gradient(ag.nanmax, [nan, nan]), [0.5, 0.5])


@row("`x ** 0.0` at inf; at nan", pytorch="0; 0", jax="0; nan", here="0; 0")
def test_row_77_power_zero_of_what_is_not_finite() -> None:
    for zero in (0, 0.0, np.zeros(3), Tensor(0, requires_grad=False)):
        equal(gradient(lambda x, p=zero: x**p, [inf, -inf, nan]), [0, 0, 0])
        equal(second(lambda x, p=zero: x**p, [inf, -inf, 2]), [0, 0, 0])
    with np.errstate(invalid="ignore"):
        equal(gradients(lambda x, p: x**p, inf, 0), [0, inf])


@row("`partition`, order within the parts", pytorch="none built in", jax="another", here="NumPy's")
def test_row_78_partition() -> None:
    x = np.arange(40.0) * 7 % 11
    for kth in (0, 20, [5, -1]):
        equal(ag.partition(Tensor(x), kth).data, np.partition(x, kth))


@row(
    "dtype of float32: `cov`; joined with int32; `gradient` at float64 places",
    pytorch="float32; float32; float64",
    jax="float32; float32; float64",
    here="float64; float64; float32, as NumPy",
)
def test_row_79_dtypes_that_are_numpys() -> None:
    x, places = np.array([1, 2, 4], np.float32), np.array([0, 0.5, 2])
    for f, dtype in (
        (lambda m, x: m.cov(x), np.float64),
        (lambda m, x: m.concatenate([x, np.ones(2, np.int32)]), np.float64),
        (lambda m, x: m.gradient(x, places), np.float32),
    ):
        leaf = Tensor(x)
        y = f(ag, leaf)
        assert y.dtype == f(np, x).dtype == dtype
        ag.sum(y).backward()
        assert leaf.grad.dtype == np.float32


@row(
    "`nanquantile(x, [[.5, 1]], axis=(0, 1))`",
    pytorch="error",
    jax="error",
    here="ValueError: NumPy mixes up the axes",
)
def test_row_80_a_table_of_quantiles_along_several_axes() -> None:
    x, q = np.arange(12.0).reshape(2, 2, 3), [[0.5, 1]]
    for f in (ag.nanquantile, ag.nanpercentile):
        for axis in ((0, 1), ()):
            with pytest.raises(ValueError, match=r"mixes up the axes of fractions of shape \(1, 2\)"):
                f(Tensor(x), q, axis)
    for axis in (None, 1, (-1,)):
        equal(ag.nanquantile(Tensor(x), q, axis).data, np.quantile(x, q, axis))
    equal(gradient(lambda x: ag.nanquantile(x, q, 1), x), gradient(lambda x: ag.quantile(x, q, 1), x))
    empty = np.ones((0, 3))
    equal(ag.nanquantile(Tensor(empty), [0.5, 1], 1).data, np.nanquantile(empty, [0.5, 1], 1))
    equal(gradient(lambda x: ag.nanquantile(x, [0.5, 1], 1), empty), empty)


@row(
    "`solve` of (2, 2, 2) and (2, 2), shape",
    pytorch="(2, 2), of two vectors",
    jax="(2, 2, 2)",
    here="(2, 2, 2), as NumPy: only what has one axis is a vector",
)
def test_row_81_solve_of_a_stack_and_one_matrix() -> None:
    a, b = np.stack([2 * np.eye(2), 4 * np.eye(2)]), np.arange(4.0).reshape(2, 2)
    equal(ag.linalg.solve(Tensor(a), Tensor(b)).data, np.stack([b / 2, b / 4]))
    equal(gradient(lambda b: ag.linalg.solve(a, b), b), np.full((2, 2), 0.75))


# -- the table -----------------------------------------------------------------------------------------


def test_every_row_has_its_test() -> None:
    assert sorted([*ROWS, *NOT_YET]) == [*range(1, max(ROWS) + 1)]
    assert set(holders()) == set(ROWS)


def test_passing_over_nan() -> None:
    x = np.array([[1, nan, 3], [nan, nan, nan]])
    for f, value, slope in [
        (ag.nansum, [4, 0], [1, 0, 1]),
        (ag.nanprod, [3, 1], [3, 0, 1]),
        (ag.nanmean, [2, nan], [0.5, 0, 0.5]),
        (ag.nanvar, [1, nan], [-1, 0, 1]),
        (ag.nanstd, [1, nan], [-0.5, 0, 0.5]),
    ]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of the slice without numbers
            equal(f(Tensor(x), axis=1).data, value)
            equal(gradient(lambda x, f=f: f(x, axis=1), x), [slope, [0, 0, 0]])
    equal(gradient(ag.nanstd, [0.1, 0.1, nan, 0.1]), [0, 0, 0, 0])
    equal(second(lambda x: ag.nanstd(x) * x[0], [2, nan, 2]), [0, 0, 0])
