"""The checker passes what is right, names what is wrong, and leaves no trace."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor
from autograd_mini.testing import GradientError, gradcheck


def quartic(x: Any) -> Any:
    return x * x * x * x


slow = ag.primitive("slow", lambda x, y: x * y, lambda g, z, x, y: 1.01 * g * y, lambda g, z, x, y: g * x)
flat = ag.primitive("flat", lambda x: x**3, lambda g, y, x: g * (3 * np.square(x.data if type(x) is Tensor else x)))
lost = ag.primitive("lost", lambda x: x * x, lambda g, y, x: 0 * g)
misplaced = ag.primitive("misplaced", lambda x: x[::-1] * 2, lambda g, y, x: g * 2)


@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (ag.tanh, [[0.5, -1.0]]),
        (quartic, [1.5]),
        (quartic, [np.float32(1.5)]),
        (quartic, [np.array([1, 2], np.float16)]),
        (lambda x: x, [[1.0, 2.0]]),
        (lambda x: 3 * x, [[1, 2]]),
        (ag.multiply, [np.ones((2, 1)), np.ones((1, 3), np.float32)]),
        (ag.multiply, [np.ones((0, 3)), np.ones(3)]),
        (ag.sum, [np.zeros((2, 0))]),
        (lambda x: x.astype("float32") ** 2, [[1.0, 2.0]]),
        (lambda x, y: (x * y, [x, y][0] - y), [2.0, [1.0, 3.0]]),
        (lambda x, y: [ag.sin(x), ag.cos(y)], [2.0, 1.0]),
        (lambda x: np.zeros(3), [2.0]),
        (lambda x: ag.where(x > 0, x, -np.inf), [[1.0, -1.0]]),
        (lambda x: ag.log(x), [[1e-4, 1.0, 1e8]]),
        (lambda x: x - 1e6, [[0.0, 1.0]]),
        (lambda: Tensor(1.0), []),
    ],
)
def test_passes_what_is_right_to_third_order(f: Callable[..., Any], inputs: list[Any]) -> None:
    gradcheck(f, *inputs, order=3)


def test_says_which_input_where_and_both_numbers() -> None:
    x, y = np.arange(1.0, 7).reshape(2, 3), np.array([[1.0, 1.0, 100.0]])
    with pytest.raises(GradientError) as caught:
        gradcheck(lambda a, b: slow(b, a), y, x)
    message = (
        r"gradient of <lambda> by input 1, entry \(., 2\): rules say (.+), central differences say (.+) \(order 1\)"
    )
    found = re.fullmatch(message, str(caught.value))
    assert found
    assert float(found[1]) == pytest.approx(1.01 * float(found[2]), rel=1e-6)


def test_an_entry_without_axes_has_no_index() -> None:
    with pytest.raises(GradientError, match=re.escape("gradient of lost by input 0, entry (): rules say 0, central")):
        gradcheck(lost, 3.0)


def test_finds_the_only_wrong_entry() -> None:
    def f(x: Any) -> Any:
        return ag.concatenate([x[:700], slow(x[700:701], 1.0), x[701:]])

    with pytest.raises(GradientError, match=r"entry \(700,\)"):
        gradcheck(f, np.linspace(1, 2, 1000))


def test_a_permuted_gradient_is_caught() -> None:
    with pytest.raises(GradientError, match="input 0"):
        gradcheck(misplaced, np.ones(2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_catches_one_percent(dtype: Any) -> None:
    with pytest.raises(GradientError, match="input 0"):
        gradcheck(slow, np.ones(5, dtype), np.ones(5, dtype))


def test_a_rule_that_cannot_be_differentiated_passes_only_the_first_order() -> None:
    gradcheck(flat, [1.0, 2.0], order=1)
    with pytest.raises(GradientError, match=r"gradient of flat by input 0, entry .* rules say 0, .* \(order 2\)"):
        gradcheck(flat, [1.0, 2.0])


def test_a_cotangent_that_is_lost_is_named() -> None:
    constant = ag.primitive("constant", lambda x: 2 * x, lambda g, y, x: 2 * (g.data if isinstance(g, Tensor) else g))
    gradcheck(constant, 1.0, order=1)
    with pytest.raises(GradientError, match=re.escape("by cotangent 0 of order 1, entry (): rules say 0,")):
        gradcheck(constant, 1.0)


def test_leaving_the_graph_is_caught() -> None:
    with pytest.raises(GradientError, match="rules say 0"):
        gradcheck(lambda x: np.exp(x.data), [1.0])


def test_what_is_not_finite_agrees_with_nothing() -> None:
    with pytest.raises(GradientError, match=re.escape("entry (1,): rules say ") + "-?inf"):
        gradcheck(ag.sqrt, [1.0, 0.0])
    with pytest.raises(GradientError, match="the value of log has a nan"):
        gradcheck(ag.log, [1.0, -1.0])


def test_leaves_no_trace() -> None:
    w = Tensor([1.0, 2.0])
    x = Tensor([3.0, 4.0])
    array = np.array([5.0, 6.0])
    gradcheck(lambda x, y: w * x * y, x, array)
    assert w.grad is None
    assert x.grad is None
    np.testing.assert_array_equal(x.data, [3, 4])
    np.testing.assert_array_equal(array, [5, 6])


def test_needs_no_recording_around_it() -> None:
    with ag.no_grad():
        gradcheck(ag.exp, 1.0)
        with pytest.raises(GradientError):
            gradcheck(lost, 1.0)


def test_says_the_same_each_time() -> None:
    messages = set()
    for _ in range(2):
        with pytest.raises(GradientError) as caught:
            gradcheck(slow, np.ones((3, 4)), np.ones((3, 4)), seed=5)
        messages.add(str(caught.value))
    assert len(messages) == 1


def test_is_an_assertion() -> None:
    assert issubclass(GradientError, AssertionError)
