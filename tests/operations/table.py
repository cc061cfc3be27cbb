"""What a row of the table of operations is: how to call it, what NumPy calls it, and where it is smooth.

All values lie on a grid of 1/128 and are small, so that float16, float32 and float64 hold the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_mini.testing.strategies import broadcastable_shapes, indices, shapes

Shape = tuple[int, ...]
Draw = Callable[[st.SearchStrategy[Any]], Any]

# How an operand is seen through its base: the shape of the base, and the view, which arrays and Tensors both have.
VIEWS: dict[str, tuple[Callable[[Shape], Shape], Callable[[Any], Any]]] = {
    "itself": (lambda shape: shape, lambda x: x),
    "transposed": (lambda shape: shape[::-1], lambda x: x.T),
    "reversed": (lambda shape: shape, lambda x: x[(slice(None, None, -1),) * x.ndim]),
    "strided": (lambda shape: (*shape[:-1], 2 * shape[-1]) if shape else shape, lambda x: x[..., ::2] if x.ndim else x),
}


class Case(NamedTuple):
    """One way to call an operation: the arrays its operands are views of, the views, and the keywords."""

    bases: tuple[np.ndarray, ...]
    views: tuple[str, ...]
    params: dict[str, Any]

    def operands(self, bases: Any = None) -> list[Any]:
        bases = self.bases if bases is None else bases
        return [VIEWS[view][1](x) for view, x in zip(self.views, bases, strict=True)]


@dataclass(frozen=True, eq=False)
class Row:
    """An operation: ours, NumPy's, and the cases within its domain and away from its kinks."""

    name: str
    apply: Callable[..., Any]
    reference: Callable[..., Any]
    cases: st.SearchStrategy[Case]
    exact: bool = True  # arrays give exactly what the reference gives; else only nearly
    lists: bool = True  # takes Python lists
    halves: bool = True  # takes float16

    def __repr__(self) -> str:
        return f"<row {self.name}>"

    def __call__(self, case: Case) -> Callable[..., Any]:
        """Make the operation on views into one of their bases."""

        def called(*bases: Any) -> Any:
            return self.apply(*case.operands(bases), **case.params)

        called.__name__ = self.name
        return called


# -- values --------------------------------------------------------------------------------------------

VALUES: dict[str, Callable[[np.random.Generator, Shape], np.ndarray]] = {
    "any": lambda rng, shape: rng.integers(-128, 129, shape) / 64,
    "odd": lambda rng, shape: (2 * rng.integers(-128, 128, shape) + 1) / 128,  # never a tie with "any"
    "positive": lambda rng, shape: rng.integers(16, 193, shape) / 64,
    "nonzero": lambda rng, shape: rng.choice([-1, 1], shape) * rng.integers(16, 193, shape) / 64,
    "inside": lambda rng, shape: rng.integers(-56, 57, shape) / 64,  # -1 to 1
    "above one": lambda rng, shape: rng.integers(80, 193, shape) / 64,
    "fine": lambda rng, shape: rng.choice([-1, 1], shape) * rng.integers(256, 1024, shape) / 512,  # hardly ever a tie
    "distinct": lambda rng, shape: (rng.permutation(math.prod(shape)).reshape(shape) - math.prod(shape) // 2) / 16,
}


def cased(draw: Draw, shapes: Any, kinds: Any, **params: Any) -> Case:
    """Draw the values and the views of operands of the given shapes."""
    views = tuple(draw(st.sampled_from(sorted(VIEWS))) for _ in shapes)
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    bases = (VALUES[kind](rng, VIEWS[view][0](shape)) for kind, view, shape in zip(kinds, views, shapes, strict=True))
    return Case(tuple(np.asarray(x, np.float64) for x in bases), views, params)


@st.composite
def broadcast(draw: Draw, *kinds: str, **params: Any) -> Case:
    """Operands whose shapes broadcast."""
    found = draw(broadcastable_shapes(len(kinds)))
    drawn = {name: draw(value) if isinstance(value, st.SearchStrategy) else value for name, value in params.items()}
    return cased(draw, found, kinds, **drawn)


@st.composite
def chosen(draw: Draw) -> Case:
    """Two operands and a condition that broadcasts against them."""
    *operands, condition = draw(broadcastable_shapes(3))
    return cased(draw, operands, ("any", "any"), condition=draw(hnp.arrays(bool, condition)))


# -- axes ----------------------------------------------------------------------------------------------


def signed(draw: Draw, axis: int, ndim: int) -> int:
    """An axis as it is, or counted from the end."""
    return axis - ndim * draw(st.booleans())


def axes(draw: Draw, ndim: int) -> Any:
    """All axes, one, or a tuple of some or none."""
    form = draw(st.sampled_from(["all", "one", "some"]))
    if form == "all":
        return None
    if form == "one" and ndim:
        return signed(draw, draw(st.integers(0, ndim - 1)), ndim)
    order = draw(st.permutations(range(ndim)))
    return tuple(signed(draw, axis, ndim) for axis in order[: draw(st.integers(0, ndim))])


def reduced(shape: Shape, axis: Any) -> int:
    """How many entries make one."""
    return math.prod(shape) if axis is None else math.prod(shape[i] for i in (axis if type(axis) is tuple else (axis,)))


@st.composite
def reductions(draw: Draw, kind: str = "any", at_least: int = 1, **params: Any) -> Case:
    """One operand, and axes along which at least so many entries make one."""
    shape = draw(shapes())
    axis = axes(draw, len(shape))
    if reduced(shape, axis) < at_least:
        shape = tuple(max(n, 1) for n in shape)
    drawn = {name: draw(value) for name, value in params.items()}
    if "ddof" in drawn and reduced(shape, axis) == 1:
        drawn["ddof"] = 0
    return cased(draw, [shape], [kind], axis=axis, **drawn)


@st.composite
def gappy(draw: Draw, kind: str, **params: Any) -> Case:
    """A reduction, and which entries are to be NaN: never all of those that make one."""
    case = draw(reductions(kind, **params))
    holes = np.random.default_rng(draw(st.integers(0, 30))).random(case.operands()[0].shape) < 0.4
    left = np.sum(~holes, axis=case.params["axis"], keepdims=True)
    return case._replace(params={**case.params, "holes": holes & (left > case.params.get("ddof", 0))})


@st.composite
def weighted(draw: Draw) -> Case:
    """One operand with axes, and weights of its shape or of that of the axes."""
    shape = draw(shapes(min_side=1))
    axis = axes(draw, len(shape))
    part = shape if axis is None else tuple(shape[i] for i in (axis if type(axis) is tuple else (axis,)))
    return cased(
        draw,
        [shape, draw(st.sampled_from([shape, part]))],
        ["any", "positive"],
        axis=axis,
        keepdims=draw(st.booleans()),
    )


@st.composite
def normed(draw: Draw) -> Case:
    """Vectors or matrices along axes, or all there is, and a kind of norm that these have."""
    form = draw(st.sampled_from(["all", "vectors", "matrices"]))
    smooth: list[Any] = [None, 2, 1, 3, 1.5, 0]
    kinds = {
        "all": [None],
        "vectors": [*smooth, np.inf, -np.inf, -1, 0.5],
        "matrices": [None, "fro", "f", 1, -1, np.inf, -np.inf],
    }
    rank = ["all", "vectors", "matrices"].index(form)
    ord = draw(st.sampled_from(kinds[form]))
    free = ord is None or (form == "vectors" and ord in smooth)  # has a norm of nothing
    shape = draw(shapes(min_dims=rank, min_side=0 if free else 1))
    axis: Any = tuple(signed(draw, i, len(shape)) for i in draw(st.permutations(range(len(shape))))[:rank])
    axis = None if form == "all" or (len(shape) == rank and draw(st.booleans())) else axis[0] if rank == 1 else axis
    return cased(draw, [shape], ["fine"], ord=ord, axis=axis, keepdims=draw(st.booleans()))


@st.composite
def scanned(draw: Draw, kind: str = "any") -> Case:
    """One operand, and an axis or none; a number has two."""
    shape = draw(shapes())
    ndim = max(len(shape), 1)
    axis = draw(st.sampled_from([None, *range(-ndim, ndim)]))
    return cased(draw, [shape], [kind], axis=axis)


@st.composite
def differed(draw: Draw) -> Case:
    shape = draw(shapes(min_dims=1))
    return cased(draw, [shape], ["any"], n=draw(st.integers(0, 3)), axis=draw(st.integers(-len(shape), len(shape) - 1)))


@st.composite
def edged(draw: Draw) -> Case:
    """One operand, and what comes before or after it along an axis: a number, or an array of any length there."""
    shape = draw(shapes(min_dims=1))
    axis = draw(st.integers(0, len(shape) - 1))
    names = draw(st.sampled_from([("prepend", "append"), ("prepend",), ("append",)]))
    edges = [(*shape[:axis], draw(st.integers(0, 2)), *shape[axis + 1 :]) for _ in names]
    edges = [draw(st.sampled_from([(), edge])) for edge in edges]
    params = {"n": draw(st.integers(1, 2)), "axis": signed(draw, axis, len(shape)), "names": names}
    return cased(draw, [shape, *edges], ["any"] * (1 + len(names)), **params)


@st.composite
def integrated(draw: Draw) -> Case:
    """Values along an axis, and perhaps the points where they are taken: one for each, or the same for all."""
    shape = draw(shapes(min_dims=1, min_side=1))
    axis = draw(st.integers(0, len(shape) - 1))
    points = draw(st.sampled_from([[], [shape[axis : axis + 1]], [shape]]))
    dx = 1.0 if points else draw(st.sampled_from([1.0, 0.25]))
    return cased(draw, [shape, *points], ["any"] * (1 + len(points)), axis=signed(draw, axis, len(shape)), dx=dx)


@st.composite
def permuted(draw: Draw) -> Case:
    shape = draw(shapes())
    order = [signed(draw, axis, len(shape)) for axis in draw(st.permutations(range(len(shape))))]
    return cased(draw, [shape], ["any"], axes=draw(st.sampled_from([None, tuple(order)])))


@st.composite
def swapped(draw: Draw) -> Case:
    shape = draw(shapes(min_dims=1))
    i, j = (draw(st.integers(-len(shape), len(shape) - 1)) for _ in range(2))
    return cased(draw, [shape], ["any"], axis1=i, axis2=j)


@st.composite
def squeezed(draw: Draw) -> Case:
    shape = tuple(draw(st.lists(st.sampled_from([0, 1, 1, 2]), max_size=4)))
    ones = [signed(draw, i, len(shape)) for i, n in enumerate(shape) if n == 1]
    named = [tuple(ones), tuple(ones[1:]), *ones[:1]]
    return cased(draw, [shape], ["any"], axis=draw(st.sampled_from([None, *named])))


@st.composite
def expanded(draw: Draw) -> Case:
    shape = draw(shapes(max_dims=2))
    added = draw(st.integers(0, 2))
    ndim = len(shape) + added
    axis: Any = tuple(signed(draw, i, ndim) for i in draw(st.permutations(range(ndim)))[:added])
    return cased(draw, [shape], ["any"], axis=axis[0] if added == 1 and draw(st.booleans()) else axis)


@st.composite
def reshaped(draw: Draw) -> Case:
    shape = draw(shapes())
    size = math.prod(shape)
    forms: list[Any] = [-1, (-1,), size, (size,), shape[::-1], (1, *shape), (*shape, 1)]
    forms += [(-1, *shape[1:])] if shape and math.prod(shape[1:]) else []
    forms += [(shape[0] * shape[1], *shape[2:])] if len(shape) > 1 else []
    return cased(draw, [shape], ["any"], shape=draw(st.sampled_from(forms)), order=draw(st.sampled_from("CF")))


@st.composite
def spread(draw: Draw) -> Case:
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3))
    return cased(draw, found.input_shapes[:1], ["any"], shape=found.result_shape)


@st.composite
def joined(draw: Draw, count: int | None = None) -> Case:
    """One to three arrays that differ in length along one axis, or so many."""
    shape = draw(shapes(min_dims=1))
    axis = draw(st.integers(0, len(shape) - 1))
    lengths = draw(st.lists(st.integers(0, 3), min_size=count or 1, max_size=count or 3))
    parts = [(*shape[:axis], n, *shape[axis + 1 :]) for n in lengths]
    flat = draw(st.integers(0, 4)) == 0
    return cased(draw, parts, ["any"] * len(parts), axis=None if flat else signed(draw, axis, len(shape)))


@st.composite
def stacked(draw: Draw) -> Case:
    shape, n = draw(shapes()), draw(st.integers(1, 3))
    return cased(draw, [shape] * n, ["any"] * n, axis=draw(st.integers(-len(shape) - 1, len(shape))))


@st.composite
def matrices(draw: Draw, ranks: tuple[int, int] | None = None) -> Case:
    """Operands of `matmul`: of the given ranks, with stacks that broadcast."""
    p, q = ranks or (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    rows, inner, columns = (draw(st.integers(0, 3)) for _ in range(3))
    stack = draw(st.lists(st.integers(0, 2), min_size=2, max_size=2))
    left, right = ([draw(st.sampled_from([n, 1])) for n in stack][4 - max(rank, 2) :] for rank in (p, q))
    x = (*left, rows, inner) if p > 1 else (inner,)
    y = (*right, inner, columns) if q > 1 else (inner,)
    return cased(draw, [x, y], ["any", "any"])


@st.composite
def alike(draw: Draw) -> Case:
    shape = draw(shapes(min_side=1))
    return cased(draw, [shape] * 2, ["any"] * 2)


@st.composite
def labelled(draw: Draw) -> Case:
    """A row of numbers for each label, which is the place of one of them."""
    n, classes = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return cased(draw, [(n, classes)], ["any"], ids=draw(hnp.arrays(int, n, elements=st.integers(0, classes - 1))))


# -- indices -------------------------------------------------------------------------------------------


@st.composite
def indexed(draw: Draw) -> Case:
    shape = draw(shapes())
    return cased(draw, [shape], ["any"], index=draw(indices(shape)))
