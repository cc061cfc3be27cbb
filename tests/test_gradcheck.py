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
from autograd_mini.trees import leaves


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
    ],
)
def test_passes_what_is_right_to_third_order(f: Callable[..., Any], inputs: list[Any]) -> None:
    gradcheck(f, *inputs, order=3)


def test_says_which_input_where_and_both_numbers() -> None:
    x, y = np.arange(1.0, 7).reshape(2, 3), np.array([[1.0, 1.0, 100.0]])
    with pytest.raises(GradientError) as caught:
        gradcheck(lambda a, b: slow(b, a), y, x)
    message = (
        r"gradient of <lambda> by input 1, entry \(., 2\): rules say (.+), central differences say (.+) ± (.+) "
        r"\(order 1\)"
    )
    found = re.fullmatch(message, str(caught.value))
    assert found
    assert float(found[1]) == pytest.approx(1.01 * float(found[2]), rel=1e-6)
    assert 0 < float(found[3]) < 1e-5


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
    gradcheck(constant, 1.0, order=1, modes=("vjp",))
    with pytest.raises(GradientError, match=re.escape("by cotangent 0 of order 1, entry (): rules say 0,")):
        gradcheck(constant, 1.0, modes=("vjp",))


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


# -- steps, tolerances and what inputs are -------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-30, 1e-8, 1e-3, 1.0, 1e8, 1e30])
def test_large_and_tiny_inputs_check_honestly(scale: float) -> None:
    x = scale * np.array([1.0, 2.0, -3.0])
    gradcheck(lambda x: ag.log(abs(x)) + x / scale, x)
    with pytest.raises(GradientError, match="input 0, entry"):
        gradcheck(lambda x: slow(ag.log(abs(x)), 1.0), x)


def test_entries_of_any_size_stand_beside_each_other() -> None:
    x = np.array([1e-12, 1.0, 1e12])
    gradcheck(ag.log, x)
    for wrong in range(3):
        with pytest.raises(GradientError, match=re.escape(f"entry ({wrong},)")):
            gradcheck(lambda x, i=wrong: ag.log(ag.stack([slow(x[k], 1.0) if k == i else x[k] for k in range(3)])), x)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_what_is_computed_in_less_precision_is_checked_as_sharply_as_that_allows(dtype: str) -> None:
    x = np.array([0.3, 1.7, -0.6])
    gradcheck(lambda x: ag.exp(x.astype(dtype)), x)
    with pytest.raises(GradientError):
        gradcheck(lambda x: ag.exp(slow(x.astype(dtype), np.float16(1))) + 1.5 * slow(x, 1.0), x)


def test_one_percent_is_caught_inside_of_single_precision() -> None:
    with pytest.raises(GradientError):
        gradcheck(lambda x: slow(ag.sin(x).astype("float32"), np.float32(1)), [0.3, 1.7, -0.6], order=1)


def test_a_large_constant_does_not_hide_a_wrong_rule() -> None:
    gradcheck(lambda x: x * 1.0 + 1e6, [1.0, 2.0])
    with pytest.raises(GradientError):
        gradcheck(lambda x: slow(x, 1.0) + 1e6, [1.0, 2.0])


def test_zero_within_rounding_is_zero() -> None:
    gradcheck(lambda x, y: ag.sum(ag.softmax(x)) + y * y, [0.25, 0.25], 0.0, order=3)


def test_inputs_of_other_sizes_do_not_hide_a_wrong_second_derivative() -> None:
    bent = ag.primitive("bent", lambda x: np.exp(x), lambda g, y, x: g * ag.stop_gradient(y))
    gradcheck(lambda a, b: ag.exp(a) * b, 1e-9, [1e9, 2.0])
    with pytest.raises(GradientError, match=r"by input 0, entry \(\): rules say 0, .* \(order 2\)"):
        gradcheck(lambda a, b: bent(a) + b, 1e-9, [1e9, 2.0])


def test_inputs_may_be_trees() -> None:
    tree = {"a": [1.0, 2.0], "b": (Tensor(3.0), np.ones((2, 1)))}
    gradcheck(lambda p, x: (p["a"] * p["b"][0] + p["b"][1]) * x, tree, 2.0, modes=("vjp", "jvp"))
    with pytest.raises(GradientError, match=re.escape("by input 0['b'][1], entry (0, 0): rules say")):
        gradcheck(lambda p, x: slow(p["b"][1][:1], x) + p["a"], tree, 2.0)


def test_results_may_be_trees() -> None:
    gradcheck(lambda x: {"a": x * x, "b": (ag.sin(x), [x])}, [1.0, 2.0])
    with pytest.raises(GradientError):
        gradcheck(lambda x: {"a": x * x, "b": (ag.sin(x), [lost(x)])}, [1.0, 2.0])


def test_a_module_stands_for_its_parameters_and_keeps_them() -> None:
    model = ag.nn.MLP([2, 3, 1], rng=0)
    x = np.array([[0.5, -1.0], [2.0, 1.0]])
    model.layers[0].bias.requires_grad = False
    before = [(p.op, p.age, p.value, p.grad) for p in model.parameters()]
    gradcheck(lambda m: m(x), model, modes=("vjp", "jvp"))
    with pytest.raises(GradientError, match=re.escape("by input 0.layers.2.weight, entry (")):
        gradcheck(lambda m: slow(x, 1.0) @ m.layers[0].weight @ slow(m.layers[2].weight, 1.0), model)
    with pytest.raises(ZeroDivisionError):
        gradcheck(lambda m: m(x) * (1 / 0), model)
    for p, (op, age, value, grad) in zip(model.parameters(), before, strict=True):
        assert (p.op, p.age, p.grad) == (op, age, grad)
        assert p.value is value


def test_jvp_alone_is_asked() -> None:
    constant = ag.primitive("constant", lambda x: 2 * x, lambda g, y, x: 2 * (g.data if isinstance(g, Tensor) else g))
    gradcheck(constant, 1.0, order=1, modes=("vjp",))
    with pytest.raises(GradientError, match=re.escape("jvp of constant by input 0, entry (): rules say 0,")):
        gradcheck(constant, 1.0, order=1, modes=("jvp",))
    gradcheck(lambda x, y: (ag.sin(x) * y, y[0]), 2.0, [1.0, 3.0], modes=("jvp",))


def test_tolerances_can_be_given() -> None:
    with pytest.raises(GradientError):
        gradcheck(slow, [2.0], [3.0], order=1)
    gradcheck(slow, [2.0], [3.0], order=1, rtol=0.02)
    gradcheck(slow, [2.0], [3.0], order=1, atol=0.2)


def test_the_smallest_failing_direction_may_have_several_entries() -> None:
    both = ag.primitive("both", lambda x: x[0] * x[1], lambda g, y, x: g * (x[::-1] + np.array([1.0, -1.0])))
    with pytest.raises(GradientError, match=re.escape("entry (")):
        gradcheck(both, [1.0, 2.0])
    # each entry alone is right to the second order, the two together are not
    saddle = ag.primitive("saddle", lambda x: np.cbrt(x[0] ** 2 * x[1]), lambda g, y, x: 0 * x * g)
    with pytest.raises(GradientError, match=r"along -?[\d.]+ at \(0,\), -?[\d.]+ at \(1,\): rules say 0, central"):
        gradcheck(saddle, [0.0, 0.0], order=1)
    with pytest.raises(GradientError, match=r"along -?0\.00\d+ at \(0,\), -?1 at \(1,\): rules say"):
        gradcheck(lambda x: saddle(x - np.array([1, 1000])), [1.0, 1000.0], order=1)  # as steps are


@pytest.mark.parametrize("written", [0, 2])
def test_a_rule_that_writes_to_what_it_is_given_is_told(written: int) -> None:
    def rule(*given: Any) -> Any:
        found = given[0] * np.cos(given[2])
        getattr(given[written], "value", given[written])[...] *= 1.5
        return found

    with pytest.raises(GradientError, match="a rule writes to what it is given"):
        gradcheck(ag.primitive("greedy", np.sin, rule), [1.0, 2.0])


@pytest.mark.parametrize("inputs", [(), ((),), (ag.nn.Sequential(),)], ids=str)
def test_there_must_be_something_to_differentiate_by(inputs: Any) -> None:
    with pytest.raises(ValueError, match="no input to be differentiated by"):
        gradcheck(lambda *xs: Tensor(1.0), *inputs)


# What is right, and seems wrong to whom forgets how it rounds: inside, in the rules, or in single precision.
ROUNDING: dict[str, tuple[Callable[..., Any], Any]] = {
    "a zero that cancels": (lambda x: ag.sum(ag.sin(x - ag.flip(x))), np.ones((2, 2))),
    "a zero of zeros": (lambda x: ag.sum(x - ag.mean(x)), np.zeros(7)),
    "one less nearly one": (lambda x: 1 - ag.cos(x), 1e-6),
    "one less nearly one, nearer": (lambda x: 1 - ag.cos(x), 3.7e-9),
    "the logarithm of nearly one": (lambda x: ag.log(1 + x), [1e-6, 3e-12]),
    "one from nearly one": (lambda x: ag.exp(x) - 1, 1e-7),
    "single precision, a sure class": (ag.softmax, np.float32([10, 0.1, 1])),
    "single precision, two numbers": (ag.std, np.float32([3, 4])),
    "single precision, many terms": (
        lambda x: ag.sum(ag.sin(ag.trace(x) - x)), np.float32([[-1.3, 1.4, -0.5], [1.2, 0.5, -1.1], [-0.2, 1.2, 1.1]])
    ),
    "a kink beside a large entry": (lambda x: ag.sum(x) + 0 * ag.relu(x), [1e-9, 1000.0]),
}  # fmt: skip


@pytest.mark.parametrize("name", ROUNDING)
def test_rounding_is_no_fault(name: str) -> None:
    f, x = ROUNDING[name]
    for seed in range(10):
        gradcheck(f, x, seed=seed, on_kink="skip")


def test_what_is_random_is_told() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(GradientError, match="gives another value each time"):
        gradcheck(lambda x: x * rng.random(), [1.0, 2.0])


@pytest.mark.parametrize(
    "wrong", [{"order": 0}, {"directions": 0}, {"on_kink": "ignore"}, {"modes": ()}, {"modes": ("vjp", "hvp")}]
)
def test_what_is_asked_for_must_be_known(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(wrong)))):
        gradcheck(ag.exp, 1.0, **wrong)


# What is hard to check, and the least relative error of its gradient that must be seen. Larger than a thousandth it is
# where values round by more than they change: that is the limit of any differences.

HARD: dict[str, tuple[Callable[..., Any], list[Any], float]] = {
    "half precision": (ag.tanh, [np.array([0.5, -1, 2], np.float16)], 1e-3),
    "single precision, large": (ag.sqrt, [np.array([1e15, 3e15], np.float32)], 1e-3),
    "single precision, where a second derivative overflows": (ag.log, [np.array([1e-30, 1], np.float32)], 1e-3),
    "single precision, where it is less than the least": (ag.log, [np.array([1e30, 3e30], np.float32)], 1e-3),
    "half precision, small": (ag.log, [np.array([1e-4, 3e-4], np.float16)], 1e-3),
    "dtypes beside each other": (
        lambda a, b, c: a * b + c, [np.ones(3, np.float16), np.full((2, 3), 0.7, np.float32), np.ones((2, 1))], 1e-3
    ),
    "a thousand numbers in half precision": (
        lambda x: ag.mean(ag.exp(x)), [np.linspace(0, 1, 1000).astype(np.float16)], 1e-3
    ),
    "single precision inside": (lambda x: ag.exp(ag.sin(x.astype("float32"))), [[0.3, 1.7, -0.6]], 1e-2),
    "half precision inside": (lambda x: ag.exp(ag.sin(x.astype("float16"))), [[0.3, 1.7, -0.6]], 1.0),
    "integers": (lambda x: x * x * x, [np.array([1, 2, 3])], 1e-3),
    "truth values": (ag.exp, [np.array([True, False])], 1e-3),
    "tiny": (lambda x: x * x, [[1e-30, -3e-30]], 1e-3),
    "huge": (lambda x: x * x, [[1e30, -3e30]], 1e-3),
    "tiny, near a pole": (ag.reciprocal, [[1e-30, -3e-30]], 1e-3),
    "huge, far from a pole": (ag.reciprocal, [[1e30, -3e30]], 1e-3),
    "tiny, beside 1": (ag.exp, [[1e-30, -3e-30]], 1e-3),
    "many periods away": (ag.sin, [[1e6, 2e6]], 1e-3),
    "very many periods away": (ag.sin, [[1e8, -3e8]], 1e-1),
    "fast oscillation": (lambda x: ag.sin(1e6 * x), [[0.1, 1.0, 2.0]], 1e-2),
    "waves on a slope": (lambda x: x - ag.sin(x), [[1e4]], 1e-3),
    "waves on a curve": (lambda x: x * x + ag.sin(x), [[1e4, 2e4]], 1e-3),
    "oscillation that grows": (lambda x: ag.sin(1 / x), [[0.01, 0.003, 0.1]], 1e-3),
    "growth": (lambda x: ag.exp(100 * x), [[0.0, 0.1, 1.0]], 1e-3),
    "a narrow peak": (lambda x: ag.exp(-1e4 * x * x), [[0.005, 0.01, 0.02]], 1e-3),
    "near a pole": (lambda x: 1 / (1 - x), [[1 - 1e-7, 1 + 1e-5]], 1e-3),
    "near a pole, twice": (lambda x: ag.tan(x), [[np.pi / 2 - 1e-3, 1.0]], 1e-3),
    "near the end of the domain": (ag.arcsin, [[0.9999, -0.99999]], 1e-3),
    "ill-conditioned": (ag.linalg.inv, [[[1.0, 1.0], [1.0, 1.001]]], 1e-3),
    "very ill-conditioned": (
        ag.linalg.solve, [1 / (np.arange(5)[:, None] + np.arange(5) + 1.0), np.ones(5)], 1e-3
    ),
    "an offset": (lambda x: ag.sin(x) + 1e6, [[1.0, 2.0, 3.0]], 1e-3),
    "an offset that nearly drowns it": (lambda x: ag.sin(x) + 1e10, [[1.0, 2.0, 3.0]], 0.1),
    "rounding inside that the value does not show": (lambda x: (x + 1e8) - 1e8, [[1.0, 2.0]], 1e-3),
    "values of all sizes": (lambda x: (ag.exp(x) * 1e-10, ag.exp(x) * 1e10), [[0.3, 1.0, 2.0]], 1e-3),
    "ten thousand entries": (ag.logsumexp, [np.linspace(0, 1, 10_000)], 1e-3),
    "a network": (
        lambda x, w, v: ag.relu(x @ w) @ v,
        [np.sin(np.arange(40.0)).reshape(8, 5), np.cos(np.arange(80.0)).reshape(5, 16), np.sin(np.ones((16, 2)))],
        1e-3,
    ),
    "near a kink": (ag.relu, [[1e-5, -1e-5, 1.0]], 1e-3),
    "nearer to a kink": (lambda x: ag.relu(x - 1), [[1 + 1e-7, 1 - 1e-7]], 1e-3),
    "near a tie": (ag.max, [[1.0, 1 + 1e-6, 0.5]], 1e-3),
    "near a jump": (lambda x: np.floor(x.data) + x, [[1.001, 1.999999]], 1e-3),
    "flat parts": (lambda x: ag.where(ag.absolute(x) < 1, 0.5 * x * x, ag.absolute(x) - 0.5), [[0.9999, 1.001]], 1e-3),
    "a value that is infinite": (lambda x: ag.where(x > 0, x, -np.inf), [[1.0, -1.0]], 1e-3),
    "nothing beside something": (lambda a, b: (a * 2, ag.sin(b)), [np.zeros((0, 3)), [1.0, 2.0]], 1e-3),
    "an input that is not used": (lambda a, b: ag.sin(b), [[1.0], 2.0], 1e-3),
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_what_is_hard_is_checked_honestly(name: str) -> None:
    f, inputs, least = HARD[name]
    off = ag.primitive("off", lambda x: x * 1, lambda g, y, x: (1 + least) * g)
    for seed in range(3):
        gradcheck(f, *inputs, seed=seed)
        for wrong in (
            lambda *xs: f(*map(off, xs)),
            lambda *xs: [off(y) for y in leaves(f(*xs))],
        ):
            with pytest.raises(GradientError, match=r"^gradient of <lambda> by input \d, .*: rules say .*, central"):
                gradcheck(wrong, *inputs, seed=seed, order=1)


def test_at_the_end_of_the_domain_one_side_is_enough() -> None:
    gradcheck(lambda x: x**2.5, [0.0, 1.0])
    gradcheck(lambda x: x**1.5, [0.0, 1.0], order=1)
    end = ag.primitive("end", lambda x: x**1.5 + x, lambda g, y, x: g * (1.5 * x**0.5 + 1.01))
    with pytest.raises(GradientError, match=re.escape("entry (0,): rules say")):
        gradcheck(lambda x: end(x[:1]), [0.0, 1.0])
    with pytest.raises(GradientError, match=r"entry \(0,\): rules say -?inf, differences tend to no finite number"):
        gradcheck(ag.sqrt, [0.0, 1.0])


def test_rules_run_in_the_dtype_of_the_input_too() -> None:
    narrow = ag.primitive(
        "narrow", lambda x: x * 2, lambda g, y, x: g * (2 if x.dtype == np.float64 else np.array([2, 5], x.dtype))
    )
    gradcheck(narrow, [1.0, 2.0])
    message = r"gradient of narrow by input 0, entry \(1,\): in float16 the rules say .*, and in float64, .*order 1"
    with pytest.raises(GradientError, match=message):
        gradcheck(narrow, np.array([1, 2], np.float16))
    with pytest.raises(GradientError, match="in float32 the rules say"):
        gradcheck(narrow, np.array([1, 2], np.float32), rtol=1e-2)


@pytest.mark.parametrize("given", [None, "text", np.complex128(1j)])
def test_what_is_given_must_be_real_numbers(given: Any) -> None:
    with pytest.raises(TypeError, match="real numbers"):
        gradcheck(lambda x: given, 1.0)
    with pytest.raises(TypeError, match="real numbers"):
        gradcheck(ag.sin, given)


# -- kinks ---------------------------------------------------------------------------------------------

KINKS = [
    (ag.relu, [1.0, 0.0, -1.0]),
    (ag.absolute, [0.0]),
    (ag.max, [1.0, 3.0, 3.0]),
    (ag.maximum, [2.0], [2.0]),
    (lambda x: ag.maximum(x, 0), [0.0, 1.0]),
    (lambda x: ag.clip(x, -1, 1), [-1.0, 0.5, 1.0]),
    (ag.cummax, [1.0, 1.0, 0.0]),
    (lambda x: ag.sort(x) * np.arange(3.0), [1.0, 1.0, 0.0]),
    (lambda x: ag.relu(x.astype("float32")), [1.0, 0.0, -1.0]),
]


@pytest.mark.parametrize("case", KINKS)
@pytest.mark.parametrize("order", [1, 2])
def test_a_kink_is_told_from_a_wrong_rule(case: Any, order: int) -> None:
    f, *inputs = case
    with pytest.raises(GradientError, match="kink of .* by input 0, entry .*(from the right|a jump)"):
        gradcheck(f, *inputs, order=order)
    gradcheck(f, *inputs, order=order, on_kink="skip")
    gradcheck(f, *inputs, order=order, on_kink="subgradient")


def test_a_subgradient_lies_between_the_derivatives_of_both_sides() -> None:
    def sided(slope: float) -> Any:
        return ag.primitive("sided", lambda x: np.maximum(x, 0), lambda g, y, x: g * np.where(x == 0, slope, x > 0))

    for slope in (0, 0.3, 1):
        gradcheck(sided(slope), [0.0, 2.0], order=1, on_kink="subgradient")
    for slope in (-0.1, 1.1):
        gradcheck(sided(slope), [0.0, 2.0], order=1, on_kink="skip")
        with pytest.raises(GradientError, match=re.escape("kink of sided by input 0, entry (0,)")):
            gradcheck(sided(slope), [0.0, 2.0], order=1, on_kink="subgradient")


@pytest.mark.parametrize("on_kink", ["skip", "subgradient"])
def test_a_kink_hides_no_wrong_rule_beside_it(on_kink: str) -> None:
    x = np.array([0.0, 1.0, 0.0, 0.0, -1.0, 0.0])
    gradcheck(ag.relu, x, on_kink=on_kink)
    with pytest.raises(GradientError, match=re.escape("gradient of <lambda> by input 0, entry (4,)")):
        gradcheck(lambda x: ag.relu(x) + ag.stack([x[0], x[1], x[2], x[3], slow(x[4], 1.0), x[5]]), x, on_kink=on_kink)


def test_smooth_functions_have_no_kinks_however_they_bend() -> None:
    gradcheck(lambda x: x * x, [0.0, 0.0])
    gradcheck(ag.tanh, np.linspace(-20, 20, 41))
    gradcheck(lambda x: ag.exp(-50 * x * x), np.linspace(-1, 1, 21))
    gradcheck(lambda x: x**3, [0.0])
    gradcheck(lambda x: ag.sin(100 * x), [0.0, 1.0, 2.0])
