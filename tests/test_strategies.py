"""The strategies draw what they say, and shrink."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import autograd_mini as ag
from autograd_mini import Tensor, core, nn
from autograd_mini.testing import GradientError, check_graph, gradcheck
from autograd_mini.testing import strategies as ours

from .operations import ROWS
from .test_ops import broken

drawn = settings(
    max_examples=50, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
generated = settings(drawn, max_examples=1000, phases=[Phase.generate])
shrinking = settings(drawn, max_examples=500)


def exists(strategy: Any, condition: Any = lambda _: True) -> Any:
    return find(strategy, condition, settings=generated)


@drawn
@given(ours.programs(dtypes=[np.float64, np.float32], max_ops=20))
def test_programs_are_differentiable(program: ours.Program) -> None:
    assert len(program.steps) <= 20
    tensors = [Tensor(x) for x in program.inputs]
    y = program(*tensors)
    assert y.shape == ()
    assert np.isfinite(y.data)
    assert check_graph(y).ok
    gradcheck(program, *[x.astype(np.float64) for x in program.inputs], directions=1)


@settings(drawn, max_examples=100)
@given(ours.programs(dtypes=[np.float64, np.float32, np.float16]))
def test_programs_of_narrow_arrays_agree_with_differences(program: ours.Program) -> None:
    gradcheck(program, *program.inputs, directions=1)


def test_decompositions_take_no_half_precision() -> None:
    half = ours.programs(dtypes=[np.float16], ops=["linalg.inv", "matmul"], min_ops=1)
    exists(half, lambda program: program.inputs[0].dtype == np.float16)
    with pytest.raises(NoSuchExample):
        exists(half, lambda program: any(step.name == "linalg.inv" for step in program.steps))


@settings(drawn, max_examples=200)
@given(ours.programs(dtypes=[np.float16], ops=["exp", "multiply", "matmul"]))
def test_what_overflows_is_left_out_without_a_word(program: ours.Program) -> None:
    assert np.isfinite(program(*program.inputs))  # a warning is an error


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"ops": ["sin", "tanhh"]}, ValueError, "no operation 'tanhh': the nearest are 'tanh', 'tan', 'arctanh'"),
        ({"ops": ["inv"]}, ValueError, "no operation 'inv': the nearest are 'linalg.inv'"),
        ({"ops": ["xyzzy"]}, ValueError, "no operation 'xyzzy': strategies.OPERATIONS has them all"),
        ({"ops": [ag.tanh]}, TypeError, r"are names of operations, not <.*>: the nearest are 'tanh'"),
        ({"ops": [3]}, TypeError, "are names of operations, not 3: strategies.OPERATIONS has them all"),
        ({"ops": "tanh"}, TypeError, r"ops is a list of names, such as \['tanh'\], not 'tanh'"),
        ({"ops": ag.tanh}, TypeError, "ops is a list of names"),
        ({"ops": [], "min_ops": 1}, ValueError, "ops is empty"),
        ({"dtypes": np.float32}, TypeError, r"dtypes is a list of them, such as \[np.float32\], not <class"),
        ({"dtypes": "float32"}, TypeError, "dtypes is a list of them"),
        ({"dtypes": []}, ValueError, "dtypes is empty"),
        ({"dtypes": [np.float64, int]}, TypeError, "float16, float32 or float64, not of int:"),
        ({"dtypes": [np.dtype(bool)]}, TypeError, r"float64, not of dtype\('bool'\):"),
        ({"dtypes": ["complex128"]}, TypeError, "not of 'complex128':"),
        ({"dtypes": ["o"]}, TypeError, "not of 'o':"),
        ({"min_ops": 11}, ValueError, "from min_ops=11 to max_ops=10"),
        ({"max_ops": -1}, ValueError, "from min_ops=0 to max_ops=-1"),
    ],
)
def test_what_programs_cannot_be_made_of_is_refused_at_once(
    arguments: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        ours.programs(**arguments)


def test_one_operation_is_refused_as_programs_are() -> None:
    with pytest.raises(ValueError, match="ops is empty"):
        ours.ops([])
    with pytest.raises(ValueError, match="no operation 'tanhh'"):
        ours.ops(["tanhh"])


def test_names_and_dtypes_may_be_given_once() -> None:
    once = ours.programs(ops=(name for name in ["sin"]), dtypes=iter(["f4"]), min_ops=1)
    for size in (1, 2):
        assert exists(once, lambda program, size=size: program.inputs[0].size == size).inputs[0].dtype == np.float32


@settings(drawn, max_examples=500)
@given(ours.programs())
def test_programs_agree_with_differences(program: ours.Program) -> None:
    gradcheck(program, *program.inputs, directions=1)


@drawn
@given(ours.programs(max_ops=20))
def test_a_program_is_its_text(program: ours.Program) -> None:
    names: dict[str, Any] = {}
    exec(repr(program), names)
    xs = [names[f"x{i}"] for i in range(len(program.inputs))]
    for x, mine in zip(xs, program.inputs, strict=True):
        np.testing.assert_array_equal(x, mine, strict=True)
    assert names["program"](*xs) == program(*program.inputs)


def test_a_falsifying_program_is_shown_as_its_text() -> None:
    @drawn
    @given(ours.programs(ops=["sin"], min_ops=1))
    def test(program: ours.Program) -> None:
        raise AssertionError

    with pytest.raises(AssertionError) as caught:
        test()
    assert "    y0 = ag.sin(x0)\n" in "\n".join(caught.value.__notes__)


@pytest.mark.parametrize("name", ours.OPERATIONS)
def test_every_operation_is_drawn_and_checked(name: str) -> None:
    found: list[ours.Program] = []

    @settings(drawn, max_examples=10, phases=[Phase.generate])
    @given(ours.ops([name]))
    def collect(program: ours.Program) -> None:
        found.append(program)

    collect()
    for program in found:
        assert [step.name for step in program.steps] == [name]
        names: dict[str, Any] = {}
        exec(repr(program), names)
        assert names["program"](*program.inputs) == program(*program.inputs)
        gradcheck(program.values, *program.inputs, directions=1)
    assert max(x.size for program in found for x in program.inputs) > 1
    assert sum(len(program.inputs) > 0 for program in found) >= 5


# Rows of the table of operations that no program has, and why.
WITHOUT = {
    **dict.fromkeys(
        ["x + y", "x - y", "x * y", "x / y", "x ** y", "x % y", "-x", "+x", "abs(x)", "x @ y", "numbers", "x ** number",
         "number ** x"],
        "Python's operators are functions that are there",
    ),
    "dropout": "the generator of its mask gives another at the next call",
    "grad": "is of what gives a number: `elementwise_grad` is there",
    "custom_vjp": "takes a rule, which has no text",
}  # fmt: skip
FORMS = {
    "plain average": "average", "logaddexp.reduce": "logsumexp", "multiply.reduce": "prod", "add.accumulate": "cumsum",
    "multiply.accumulate": "cumprod", "divide.outer": "divide", "x.astype": "astype", "ops.getitem": "getitem",
    "mse": "nn.mse_loss", "nll": "nn.nll_loss",
}  # fmt: skip


def test_every_row_of_the_table_of_operations_is_in_programs() -> None:
    def operation(row: str) -> str:
        name = FORMS.get(row, row.split()[0])  # "qr Q", "sort flat"
        return name if name in ours.OPERATIONS else f"linalg.{name}"

    missing = {row.name for row in ROWS if row.name not in WITHOUT and operation(row.name) not in ours.OPERATIONS}
    assert not missing
    assert set(WITHOUT) | set(FORMS) <= {row.name for row in ROWS}
    reached = {operation(row.name) for row in ROWS if row.name not in WITHOUT}
    losses = {f"nn.{name}" for name in nn.losses.__all__}
    assert set(ours.OPERATIONS) - reached == losses - reached | {"elementwise_grad"}


def test_programs_fan_out() -> None:
    def shared(program: ours.Program) -> bool:
        used = [i for step in program.steps for i in step.operands]
        return any(used.count(i) > 2 for i in range(len(program.inputs), len(program.inputs) + len(program.steps)))

    assert exists(ours.programs(), shared)
    lengths = []

    @drawn
    @given(ours.programs(max_ops=20))
    def collect(program: ours.Program) -> None:
        lengths.append(len(program.steps))

    collect()
    assert np.mean(lengths) > 2
    assert min(lengths) == 0
    assert max(lengths) > 10
    assert len(exists(ours.programs(max_ops=30, min_ops=20)).steps) >= 20


def test_no_operation_starves() -> None:
    seen: Counter[str] = Counter()
    lengths = []

    @settings(generated, max_examples=2000)
    @given(ours.programs())
    def collect(program: ours.Program) -> None:
        seen.update(step.name for step in program.steps)
        lengths.append(len(program.steps))

    collect()
    assert len(seen) >= 0.99 * len(ours.OPERATIONS)
    assert min(Counter(lengths)[n] for n in range(11)) > 20
    assert max(seen.values()) < 0.4 * seen.total()  # Hypothesis mutates much into the first of them


class Halved:
    """`ag` with one operation at fault: it sends back half of its cotangent."""

    def __init__(self, name: str, home: Any = ag) -> None:
        self.home, (self.first, _, self.rest) = home, name.partition(".")

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.home, name)
        return found if name != self.first else Halved(self.rest, found) if self.rest else halved(found)


def halved(y: Any) -> Any:
    if callable(y):
        return lambda *xs, **params: halved(y(*xs, **params))
    if isinstance(y, tuple | list):
        return y._make(map(halved, y)) if hasattr(y, "_make") else type(y)(map(halved, y))
    return (y + ag.stop_gradient(y)) / 2 if isinstance(y, Tensor) else y


EVERY_EIGHTH = [
    pytest.param(name, marks=() if i % 8 == 0 else pytest.mark.long) for i, name in enumerate(ours.OPERATIONS)
]


@pytest.mark.parametrize("name", EVERY_EIGHTH)
def test_a_planted_fault_shrinks_to_that_operation(name: str) -> None:
    at_fault = Halved(name)

    def gradients(program: ours.Program, home: Any) -> list[Any]:
        xs, rng = [Tensor(x) for x in program.inputs], np.random.default_rng(0)
        for y in program.values(*xs, ag=home)[len(xs) :]:
            if y.requires_grad:
                y.backward(rng.standard_normal(y.shape))
        return [np.zeros(x.shape) if x.grad is None else x.grad for x in xs]

    def fails(program: ours.Program) -> bool:
        return any(step.name == name for step in program.steps) and not all(
            map(np.allclose, gradients(program, ag), gradients(program, at_fault))
        )

    program = find(ours.programs(ops=["add", "sin", "matmul", "sum", name]), fails, settings=shrinking)
    assert [step.name for step in program.steps] == [name]
    assert sum(x.size for x in program.inputs) <= 12


PRIMITIVE = ["add", "subtract", "multiply", "exp", "sin", "tanh", "reshape", "cumsum", "matmul", "concatenate", "max"]


@pytest.mark.parametrize(("op", "i"), [(ag.tanh, 0), (ag.multiply, 1)])
def test_a_planted_fault_shrinks_to_the_one_operation(op: Any, i: int) -> None:
    primitive = next(node.op for node in core.ancestors(op(*[Tensor([1.0, 2.0])] * (i + 1))) if node.op)

    def fails(program: ours.Program) -> bool:
        try:
            gradcheck(program, *program.inputs, order=1, directions=1)
        except GradientError:
            return True
        return False

    with broken(primitive, i, lambda rule: lambda *args, **params: 1.5 * rule(*args, **params)):
        program = find(ours.programs(ops=PRIMITIVE), fails, settings=shrinking)
    assert [step.name for step in program.steps] == [op.__name__]
    assert sum(x.size for x in program.inputs) <= 3


@drawn
@given(st.data())
def test_axes_and_indices_fit(data: st.DataObject) -> None:
    shape = data.draw(ours.shapes())
    x = np.zeros(shape)
    np.sum(x, axis=data.draw(ours.axes(shape)))
    x[data.draw(ours.indices(shape))]


def test_axes_and_indices_are_of_every_kind() -> None:
    for kind in (type(None), int, tuple):
        exists(ours.axes((2, 3)), lambda axis, kind=kind: type(axis) is kind)
    for part in (slice, int, np.ndarray, list, type(None), type(...)):
        exists(
            ours.indices((2, 3)), lambda index, part=part: part in map(type, index if type(index) is tuple else [index])
        )


@drawn
@given(st.integers(1, 4).flatmap(ours.broadcastable_shapes))
def test_shapes_broadcast(shapes: tuple[tuple[int, ...], ...]) -> None:
    np.broadcast_shapes(*shapes)


@drawn
@given(ours.tensors(st.sampled_from([np.float16, np.float32]), (2, 3), domain=(0.5, 1.5), requires_grad=False))
def test_tensors_lie_in_their_domain(x: Tensor) -> None:
    assert x.dtype in (np.float16, np.float32)
    assert x.shape == (2, 3)
    assert not x.requires_grad
    assert x.data.min() >= 0.5
    assert x.data.max() <= 1.5


@pytest.mark.parametrize(
    ("dtype", "domain"),
    [
        (np.float16, (1000, 1000.3)), (np.float16, (0, 1e6)), (np.float16, (-1e9, -0.1)),
        (np.float32, (0.1, 1e7 + 0.3)), (np.float64, (-1e17, 1e17)), ("f8", (0.25, 0.25)),
    ],
)  # fmt: skip
def test_tensors_of_any_dtype_lie_in_any_domain(dtype: Any, domain: tuple[float, float]) -> None:
    @drawn
    @given(ours.tensors(dtype, (3,), domain=domain))
    def test(x: Tensor) -> None:
        assert x.dtype == dtype
        assert np.isfinite(x.data).all()
        assert domain[0] <= float(x.data.min()) <= float(x.data.max()) <= domain[1]

    test()


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (
            {"domain": (0.001, 0.002)},
            ValueError,
            r"no number of float64 .* in the domain \(0.001, 0.002\): widen it, or",
        ),
        ({"dtype": np.float16, "domain": (1000.1, 1000.3)}, ValueError, "no number of float16"),
        ({"domain": (2, -2)}, ValueError, r"the least and the greatest number, not \(2, -2\)"),
        ({"domain": (np.nan, 1)}, ValueError, r"the least and the greatest number, not \(nan, 1\)"),
        ({"domain": (0, np.inf)}, ValueError, r"up to 2\*\*57, not in \(0, inf\): pass elements=st.floats"),
        ({"dtype": np.float16, "domain": (-np.inf, 0)}, ValueError, r"up to 2\*\*57, not in"),
        ({"domain": (-1e18, 0)}, ValueError, r"up to 2\*\*57, not in"),
        ({"dtype": np.int64}, TypeError, "float16, float32 or float64, not of int64: draw what else"),
        ({"dtype": bool, "elements": st.booleans()}, TypeError, "not of bool:"),
        ({"dtype": "complex64"}, TypeError, "not of 'complex64':"),
    ],
)
def test_what_tensors_cannot_be_is_refused_at_once(
    arguments: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        ours.tensors(**arguments)


def test_tensors_shrink_to_zero_and_take_elements() -> None:
    assert find(ours.tensors(), lambda x: True, settings=shrinking).data == 0
    assert find(ours.tensors(shape=()), lambda x: x.data > 0.5, settings=shrinking).data == 33 / 64
    x = exists(ours.tensors(shape=ours.shapes(2, 2, 2), elements=st.sampled_from([7.0])))
    assert set(x.data.ravel()) == {7}


@drawn
@given(ours.mlps(), st.integers(1, 3))
def test_mlps_are_differentiable(model: ag.nn.MLP, n: int) -> None:
    x = np.linspace(-1, 1, n * model.layers[0].weight.shape[0]).reshape(n, -1)
    gradcheck(lambda m: m(x), model, order=1)
