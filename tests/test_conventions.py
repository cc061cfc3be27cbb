"""What is answered at ties, kinks, edges and singular points: one test a row of the page of conventions.

The gradients are of the sum of the function.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor
from autograd_mini.nn import binary_cross_entropy_with_logits, cross_entropy, mse_loss

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


def test_row_01_max_ties() -> None:
    equal(gradient(ag.max, [1, 3, 3]), [0, 0.5, 0.5])
    equal(gradient(ag.min, [1, 1, 3]), [0.5, 0.5, 0])
    equal(gradient(lambda x: ag.max(x, axis=0), [[1, 3], [1, 2]]), [[0.5, 1], [0.5, 0]])


def test_row_02_maximum_ties() -> None:
    equal(gradients(ag.maximum, 2, 2), [0.5, 0.5])
    equal(gradients(ag.minimum, [2, 1], [2, 2]), [[0.5, 1], [0.5, 0]])
    equal(gradient(lambda x: ag.maximum(x, x), 2), 1)


def test_row_03_relu_at_zero() -> None:
    equal(gradient(ag.relu, [-1, 0, 1]), [0, 0, 1])
    equal(gradient(lambda x: ag.maximum(x, 0), [-1, 0, 1]), [0, 0.5, 1])


def test_row_04_abs_at_zero() -> None:
    equal(gradient(ag.absolute, [-2, 0, 2]), [-1, 0, 1])


def test_row_05_sqrt_at_zero() -> None:
    with np.errstate(divide="ignore"):
        equal(gradient(ag.sqrt, [0, 4]), [inf, 0.25])


def test_row_06_square_of_sqrt_at_zero() -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        equal(gradient(lambda x: ag.sqrt(x) ** 2, 0), nan)


def test_row_07_power_zero_at_zero() -> None:
    for zero in (0, 0.0, np.float64(0), np.zeros(1), np.zeros(1, int), Tensor(0, requires_grad=False)):
        equal(gradient(lambda x, p=zero: x**p, [0]), [0])
    with np.errstate(over="ignore"):
        equal(second(lambda x: x**0, [1e-300]), [0])
    equal(gradient(lambda x: x ** np.array([0, 2], np.uint8), [30, 3]), [0, 6])


def test_row_08_power_one_at_zero_twice() -> None:
    for one in (1, 1.0, np.ones(1)):
        equal(gradient(lambda x, p=one: x**p, [0]), [1])
        equal(second(lambda x, p=one: x**p, [0]), [0])
    equal(second(lambda x: x**2, [0]), [2])
    equal(second(lambda x: x**2.0 + x**3, 0), 2)


def test_row_09_power_of_zero_by_exponent() -> None:
    equal(gradients(lambda x, p: x**p, 0, 2), [0, 0])
    equal(gradients(lambda x, p: x**p, 0, 0), [0, 0])
    equal(gradient(lambda p: 0**p, [2, 0]), [0, 0])


def test_row_10_negative_base() -> None:
    equal(gradient(lambda x: x**3.0, -2), 12)
    with np.errstate(invalid="ignore"):
        equal(gradients(lambda x, p: x**p, -2, 3), [12, nan])


def test_row_11_log_at_and_below_zero() -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        equal(gradient(ag.log, [0, -1]), [inf, -1])


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


def test_row_15_two_norm_at_zero() -> None:
    for norm in (ag.norm, lambda x: ag.norm(x, 2), lambda x: ag.norm(x, 3), lambda x: ag.norm(x, 1.5)):
        equal(gradient(norm, [0, 0]), [0, 0])
        equal(second(norm, [0, 0]), [0, 0])
    equal(gradient(ag.norm, np.zeros((2, 2))), np.zeros((2, 2)))
    near(gradient(lambda x: ag.norm(x, axis=1), [[0, 0], [3, 4]]), [[0, 0], [0.6, 0.8]])
    equal(second(lambda x: ag.norm(x) * x[0], [0, 0]), [0, 0])
    for p in (0.5, 0, -1):  # where one entry is zero
        with np.errstate(divide="ignore"):
            equal(gradient(lambda x, p=p: ag.norm(x, p), [0, 2]), [0, p == 0.5])


def test_row_16_one_norm_at_zero() -> None:
    equal(gradient(lambda x: ag.sum(abs(x)), [0, -3, 3]), [0, -1, 1])
    equal(gradient(lambda x: ag.norm(x, 1), [0, -3, 3]), [0, -1, 1])
    equal(gradient(lambda x: ag.norm(x, 1), [[0, 2], [-3, 1]]), [[0, 0.5], [-0.5, 0.5]])


def test_row_17_inf_norm_ties() -> None:
    equal(gradient(lambda x: ag.norm(x, inf), [2, -2]), [0.5, -0.5])
    equal(gradient(lambda x: ag.norm(x, -inf), [2, -2, 3]), [0.5, -0.5, 0])
    equal(gradient(lambda x: ag.norm(x, inf), [[1, -2], [3, 0], [-1, 0]]), [[0.5, -0.5], [0.5, 0], [0, 0]])


def test_row_18_hypot_and_arctan2_at_the_origin() -> None:
    for f in (ag.hypot, ag.arctan2):
        equal(gradients(f, [0, 3], [0, 4]), [[0, 0.6], [0, 0.8]] if f is ag.hypot else [[0, 0.16], [0, -0.12]])
        equal(second(lambda x, f=f: f(x, x * 0), 0), 0)
    equal(gradients(ag.hypot, [inf, 1], [1, -inf]), [[1, 0], [0, -1]])
    near(gradients(ag.hypot, [1e200, 3e-320], [1e200, 4e-320]), [[np.sqrt(0.5), 0.6], [np.sqrt(0.5), 0.8]])
    near(gradients(ag.arctan2, 3e200, 4e200), [1.6e-201, -1.2e-201])


def test_row_19_binary_cross_entropy_with_large_logits() -> None:
    for logit, target, loss, slope in [(1000, 1, 0, 0), (1000, 0, 1000, 1), (-1000, 0, 0, 0), (-1000, 1, 1000, -1)]:
        x = Tensor([logit])
        y = binary_cross_entropy_with_logits(x, np.array([target]))
        y.backward()
        equal(y.data, loss)
        equal(x.grad, [slope])


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


def test_row_22_soft_target_zero_at_an_impossible_class() -> None:
    x = Tensor([[0, 0, -inf]])
    y = cross_entropy(x, np.array([[0.5, 0.5, 0]]))
    y.backward()
    near(y.data, np.log(2))
    equal(x.grad, [[0, 0, 0]])


def test_row_23_class_ids() -> None:
    logits = Tensor([[1, 2], [3, 1]])
    for wrong in (-1, 5):
        with pytest.raises(IndexError, match="class ids of 2 classes are from 0 to 1"):
            cross_entropy(logits, np.array([0, wrong]))
    losses = [cross_entropy(logits, t).data for t in (np.array([0, 1]), np.eye(2), np.eye(2, dtype=int))]
    near(losses, np.full(3, (np.log1p(np.e) + np.log1p(np.e**2)) / 2))


def test_row_25_mse_of_other_shapes() -> None:
    with pytest.raises(ValueError, match=re.escape("not (4,) and (4, 1)")):
        mse_loss(Tensor(np.ones(4)), np.ones((4, 1)))


def test_row_26_repeated_index() -> None:
    equal(gradient(lambda x: x[[0, 0, 1]], [1, 2, 3]), [2, 1, 0])
    equal(gradient(lambda x: x[np.array([0, 0, -3]), [0, 0, 0]], np.ones((3, 2))), [[3, 0], [0, 0], [0, 0]])


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


def test_row_28_broadcasting_of_one_and_none() -> None:
    equal(gradients(lambda x, y: x + y, np.ones((0, 3)), np.ones((1, 3)))[1], np.zeros((1, 3)))
    empty, scalar = gradients(lambda x, y: x * y, np.ones((0, 3)), 2)
    assert empty.shape == (0, 3)
    equal(scalar, 0)


def test_row_29_empty_reductions() -> None:
    x = Tensor(np.ones(0))
    with pytest.warns(RuntimeWarning):
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


def test_row_30_sum_over_no_axes() -> None:
    x = Tensor(np.ones((2, 3)))
    for f in (ag.sum, ag.mean, ag.max, ag.prod, ag.nanmax, ag.nanmean, ag.median):
        assert f(x, axis=()).shape == (2, 3)
        equal(gradient(lambda x, f=f: f(x, axis=()), x.data), np.ones((2, 3)))


def test_row_31_duplicate_axes() -> None:
    x = Tensor(np.ones((2, 3)))
    plain = [ag.sum, ag.mean, ag.max, ag.min, ag.var, ag.std, ag.logsumexp, ag.softmax, ag.prod, ag.ptp, ag.average]
    nans = [ag.nansum, ag.nanprod, ag.nanmax, ag.nanmin, ag.nanmean, ag.nanvar, ag.nanstd]
    for f in (*plain, *nans, ag.median, lambda x, axis: ag.quantile(x, 0.5, axis), lambda x, axis: ag.norm(x, 1, axis)):
        with pytest.raises(ValueError, match=r"[Dd]uplicate|repeated"):
            f(x, axis=(0, -2))


def test_row_32_results_without_axes() -> None:
    y = Tensor([1, 2]).sum()
    assert isinstance(y, Tensor)
    assert y.shape == ()
    assert type(y.data) is np.float64
    x = Tensor([3])
    (x * x).backward()
    equal(x.grad, [6])


def test_row_33_diamonds() -> None:
    equal(gradient(lambda x: x @ x, [1, 2]), [2, 4])
    near(gradient(lambda x: x * x + x / x + x**x, 3), 6 + 27 * (1 + np.log(3)))

    def doubled(x: Any) -> Any:
        for _ in range(100):
            x = x + x  # twice as many paths each time
        return x

    equal(gradient(doubled, 1), 2.0**100)  # were it not linear in the operations, it would not end
    equal(second(lambda x: doubled(x) * x, 1), 2.0**101)


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


def test_row_35_backward_of_a_non_scalar() -> None:
    x = Tensor([1, 2])
    with pytest.raises(ValueError, match=r"\.sum\(\).*seed"):
        (x * x).backward()
    with pytest.raises(ValueError, match="seed"):
        (x * x).backward([1, 2, 3])
    (x * x).backward([1, 2])
    equal(x.grad, [2, 8])


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
    equal(gradient(lambda x: ag.copysign(x, [1, -1, -1]), [0, 2, -2]), [0, -1, 1])
    with pytest.raises(TypeError, match="exp2"):
        ag.ldexp(x, y)


def test_row_37_masks_and_overlapping_views() -> None:
    equal(gradient(lambda x: x[x > 1], [1, 2, 3]), [0, 1, 1])
    equal(gradient(lambda x: x[:-1] * x[1:], [1, 2, 3]), [2, 4, 2])
    equal(gradient(lambda x: x.T[::-2, 1:] ** 2, [[1, 2, 3], [4, 5, 6]]), [[0, 0, 0], [8, 0, 12]])
    equal(gradient(lambda x: x[np.array(False)], [1, 2]), [0, 0])


def test_row_38_std_at_zero_variance() -> None:
    equal(gradient(ag.std, [2, 2, 2]), [0, 0, 0])
    equal(gradient(lambda x: ag.std(x, axis=1), [[2, 2], [1, 3]]), [[0, 0], [-0.5, 0.5]])
    equal(second(lambda x: ag.std(x) * x[0], [2, 2]), [0, 0])
    equal(gradient(ag.std, np.full(3, 0.1)), [0, 0, 0])  # though their mean is not quite 0.1


def test_row_39_degrees_of_freedom() -> None:
    equal(ag.std(np.array([1.0, 3.0])), 1)
    equal(ag.std(np.array([1.0, 3.0]), ddof=1), np.sqrt(2))
    with pytest.warns(RuntimeWarning):
        y = ag.var(Tensor([1]), ddof=1)
    equal(y.data, nan)


def test_row_40_products_with_zeros() -> None:
    equal(gradient(ag.prod, [0, 2, 3]), [6, 0, 0])
    equal(second(ag.prod, [0, 2, 3]), [5, 3, 2])
    equal(gradient(ag.prod, [0, 0, 3]), [0, 0, 0])
    equal(second(ag.prod, [0, 0, 3]), [3, 3, 0])
    equal(gradient(ag.prod, [[0, 2], [0, 3]]), [[0, 0], [0, 0]])
    equal(gradient(lambda x: ag.prod(x, axis=0), [[0, 2], [5, 0]]), [[5, 0], [0, 2]])
    equal(gradient(ag.cumprod, [2, 0, 3, 4]), [1, 32, 0, 0])
    equal(second(ag.cumprod, [2, 0, 3, 4]), [16, 32, 10, 6])
    equal(gradient(ag.cumprod, [0, 5, 0]), [6, 0, 0])
    equal(gradient(lambda x: ag.cumprod(x)[-1], [1e-200, 1e200, 1e200, 1e-300])[0], 1e100)


def test_row_41_clip_at_its_bounds() -> None:
    equal(gradient(lambda x: ag.clip(x, 0, 1), [-1, 0, 0.5, 1, 2]), [0, 1, 1, 1, 0])
    equal(gradient(ag.hardtanh, [-2, -1, 1, 2]), [0, 1, 1, 0])
    for limits in ({"min": 1}, {"a_min": 1}, {"min": 1, "max": None}):
        equal(gradient(lambda x, limits=limits: np.clip(x, **limits), [0, 1, 3]), [0, 1, 1])
    x, low, high = [0, 2, 4, 0, nan, 1, 1], [1, 1, 1, 4, 1, nan, 1], [3, 3, 3, 2, 3, 3, nan]  # also if low > high
    equal(ag.clip(Tensor(x), low, high).data, np.clip(x, low, high))
    found = gradients(ag.clip, x, low, high)
    equal(found, [[0, 1, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0, 1, 0], [0, 0, 1, 1, 0, 0, 1]])
    with pytest.raises(ValueError, match="pass one pair"):
        ag.clip(Tensor(1), 0, max=1)


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
    equal(gradient(lambda x: ag.quantile(x, [0, 1]), [2, 1, 2]), [0, 1, 1])
    equal(gradient(lambda x: ag.percentile(x, 25), [3, 1, 2, 5, 4]), [0, 0, 1, 0, 0])
    equal(gradient(ag.median, [4, nan, 3, 2]), [0, 1, 0, 0])


def test_row_43_cumulative_max_ties() -> None:
    equal(gradient(ag.cummax, [1, 1, 0]), [2, 1, 0])
    equal(gradient(ag.cummin, [1, 1, 2]), [2, 1, 0])
    near(gradient(lambda x: ag.cummax(x)[2], [1, 1, 1]), np.full(3, 1 / 3))  # as max
    equal(gradient(ag.cummax, [1, nan, 3, nan]), [1, 2.5, 0, 0.5])


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
    equal(ag.nan_to_num(Tensor([nan, inf]), nan=1, posinf=2).data, [1, 2])


def test_row_45_convolution_with_a_remainder_and_with_dilation() -> None:
    kernel = np.ones((1, 1, 2))
    equal(gradient(lambda x: ag.conv1d(x, kernel, stride=2), np.ones((1, 1, 5))), [[[1, 1, 1, 1, 0]]])
    equal(gradient(lambda x: ag.conv1d(x, kernel, dilation=3), np.ones((1, 1, 5))), [[[1, 1, 0, 1, 1]]])


def test_row_46_pooling_ties_and_padding() -> None:
    equal(gradient(lambda x: ag.max_pool1d(x, 3), [1, 3, 3]), [0, 1, 0])
    equal(gradient(lambda x: ag.max_pool2d(x, 2, stride=1), np.ones((2, 3))), [[1, 1, 0], [0, 0, 0]])
    equal(gradient(lambda x: ag.max_pool2d(x, 2, padding=1), np.full((2, 2), -inf)), np.ones((2, 2)))
    equal(gradient(lambda x: ag.max_pool1d(x, 3), [1, nan, 3]), [0, 1, 0])
    for counted, value in [(True, 0.5), (False, 1)]:
        equal(ag.avg_pool1d(np.ones(2), 2, padding=1, count_include_pad=counted), [value, value])
        x = gradient(lambda x, counted=counted: ag.avg_pool1d(x, 2, padding=1, count_include_pad=counted), [1, 2])
        equal(x, [value, value])


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


def test_row_49_promotion() -> None:
    x = Tensor(np.ones(2, np.float32))
    for other, dtype in [(2.0, np.float32), (2, np.float32), (np.float64(2), np.float64), (np.ones(2), np.float64)]:
        for y in (x * other, other * x, x + other, x / other, x**other, ag.maximum(x, other)):
            assert y.dtype == dtype
            x.grad = None
            ag.sum(y).backward()
            assert x.grad.dtype == np.float32


def test_row_50_half_precision_sums_in_single() -> None:
    b = Tensor(np.zeros(1, np.float16))
    (b + np.zeros((70000, 1), np.float16)).backward(np.full((70000, 1), 0.5, np.float16))
    equal(b.grad, [35000])
    equal(gradient(ag.mean, np.ones(70000, np.float16)), np.full(70000, 1 / 70000))
    equal(gradient(ag.cumsum, np.full(5000, 1e-7, np.float16))[0], 5000)
    equal(gradient(ag.cummax, -np.arange(5000, dtype=np.float16))[0], 5000)


def test_row_51_complex() -> None:
    with pytest.raises(TypeError, match="real numbers"):
        Tensor([1j])
    with pytest.raises(TypeError, match="real numbers"):
        Tensor([1.0]) * 1j
    with pytest.raises(TypeError, match="real numbers"):
        ag.grad(lambda x: x)(1j)


def test_row_52_det_of_a_singular_matrix() -> None:
    np.testing.assert_allclose(gradient(ag.linalg.det, [[1, 2], [2, 4]]), [[4, -2], [-2, 1]], rtol=1e-14)
    equal(gradient(ag.linalg.det, np.zeros((2, 2))), np.zeros((2, 2)))
    near(second(lambda x: ag.linalg.det(x), np.zeros((2, 2))), [[1, -1], [-1, 1]])
    equal(gradient(ag.linalg.det, np.diag([1, 0, 0])), np.zeros((3, 3)))
    near(second(ag.linalg.det, np.eye(2)), [[1, -1], [-1, 1]])


def test_row_53_eigenvectors_of_repeated_eigenvalues() -> None:
    assert np.isnan(gradient(lambda x: ag.linalg.eigh(x).eigenvectors[0], np.eye(2))).all()
    for values in (ag.linalg.eigvalsh, lambda x: ag.linalg.eigh(x).eigenvalues, ag.linalg.svdvals):
        equal(gradient(values, np.eye(2)), np.eye(2))
    assert np.isnan(gradient(lambda x: ag.linalg.svd(x).U[0], np.eye(2))).all()


def test_row_54_asarray_of_what_is_differentiated() -> None:
    for leave in (np.asarray, np.array, lambda x: np.asarray([x, x]), lambda x: x.data * 1.0 + np.asarray(x)):
        with pytest.raises(TypeError, match="gradient would be lost"):
            ag.grad(lambda x, leave=leave: ag.sum(leave(x)))(np.ones(2))
    equal(np.asarray(Tensor([1.0, 2.0], requires_grad=False)), [1, 2])


def test_row_55_sinc_at_zero() -> None:
    equal(gradient(ag.sinc, 0), 0)
    near(second(ag.sinc, 0), -(np.pi**2) / 3)
    near(gradient(ag.sinc, 1e-9), -(np.pi**2) / 3 * 1e-9)
    fourth = gradient(ag.grad(ag.grad(ag.grad(ag.sinc))), 0)
    near(fourth, np.pi**4 / 5)
    for x in (0.3, 0.63, 0.64, 5.5):  # on both sides of where the series ends
        u = np.pi * x
        near(gradient(ag.sinc, x), np.pi * (np.cos(u) / u - np.sin(u) / u**2))


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
