"""The operations of which random programs are made: what each takes, and where it is smooth.

What is said of an operation is its operands, one domain each; which shapes these may have together, if not those that
broadcast; its keywords, drawn by strategies or by functions of the shapes; and, where the domains do not say it all,
whether it is smooth for given operands and keywords. How it is called is said only where its name and its operands in
order are not enough; what is said there is also how a program is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from .arrays import GRID, Draw, Shape, axes, indices

NEAR = 1 / 4  # from singular points and kinks values stay as far away, or a part of that
CLOSE = 1 / 100  # as far apart are numbers that must not be alike; those that are drawn are at least 1/64 apart


# -- domains ---------------------------------------------------------------------------------------------


class Domain(NamedTuple):
    """Where an operand lies: whether an array is there, and how to draw one that is."""

    holds: Callable[[Any], Any]
    low: float = -2.0
    high: float = 2.0
    unique: bool = False
    moved: Callable[[Any], Any] = lambda x: x  # takes what is drawn into the domain


def _away(x: Any) -> Any:
    """Move numbers off 0, to both sides."""
    return x + np.where(x < 0, -NEAR, NEAR)


def _separate(x: Any) -> Any:
    return np.all(np.diff(np.sort(x, axis=None)) > CLOSE)


def _diagonal(x: Any, slope: float = 2.0) -> Any:
    """Add a diagonal that grows: of small matrices it makes those whose singular values are far apart."""
    return x + slope * np.eye(*x.shape[-2:]) * np.arange(1, 1 + x.shape[-1])


def _spaced(values: Any) -> Any:
    """Whether the values in each row are far from 0 and from one another."""
    return np.min(np.abs(values), initial=1) >= NEAR and np.min(np.abs(np.diff(values)), initial=1) >= NEAR


def _steep(x: Any) -> Any:
    """Whether matrices are well conditioned, with singular values far apart."""
    return _spaced(np.linalg.svd(np.float64(x), compute_uv=False))


def _definite(x: Any) -> Any:
    values = np.linalg.eigvalsh(np.float64(x + x.mT))
    return np.min(values) > 0 and _spaced(values)


# fmt: off
DOMAINS = {
    "any":       Domain(lambda x: True),
    "small":     Domain(lambda x: np.max(np.abs(x)) <= 3),
    "positive":  Domain(lambda x: np.min(x) >= NEAR, low=NEAR),
    "nonzero":   Domain(lambda x: np.min(np.abs(x)) >= NEAR, moved=_away),
    "inside":    Domain(lambda x: np.max(np.abs(x)) <= 1 - NEAR, NEAR - 1, 1 - NEAR),
    "fraction":  Domain(lambda x: np.min(x) >= NEAR / 2 and np.max(x) <= 1 - NEAR / 2, NEAR / 2, 1 - NEAR / 2),
    "above one": Domain(lambda x: np.min(x) >= 1 + NEAR, low=1 + NEAR),
    "distinct":  Domain(_separate, unique=True),
    "off grid":  Domain(lambda x: True, moved=lambda x: x + 1 / (2 * GRID)),  # no ties with what is on it
    "generic":   Domain(lambda x: np.min(np.abs(x)) >= NEAR / 4 and _separate(np.abs(x)), NEAR / 4, unique=True),
    "steep":     Domain(_steep, -NEAR, NEAR, moved=_diagonal),
    "definite":  Domain(_definite, -NEAR / 2, NEAR / 2, moved=_diagonal),
}
# fmt: on


# -- what is said of an operation ------------------------------------------------------------------------


def broadcasts(*shapes: Shape) -> bool:
    """Whether arrays of these shapes broadcast."""
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Operation:
    """What an operation takes, and where it is smooth.

    Attributes
    ----------
    domains : tuple of str
        Of the operands, keys of `DOMAINS`.
    least : int
        How many operands there must be.
    fits : callable
        Takes the shapes of the operands, or of the first of them: whether they go together.
    smooth : callable
        Takes the operands, as arrays in their domains, and the keywords.
    call : callable, optional
        Takes the namespace, the operands and the keywords. By default the name is looked up in the namespace.
    together : callable
        Draws keywords that depend on one another: it takes `draw` and the shapes, and gives a dict.
    params : mapping
        The other keywords: what it gives for each is a strategy, or takes `draw` and the shapes.
    """

    domains: tuple[str, ...]
    least: int
    fits: Callable[..., Any] = broadcasts
    smooth: Callable[..., Any] = lambda *xs, **params: True
    call: Callable[..., Any] | None = None
    together: Callable[..., dict[str, Any]] = lambda draw, *shapes: {}
    params: Mapping[str, Any] = field(default_factory=dict)

    def takes(self, *xs: Any) -> bool:
        """Whether it takes arrays of these dtypes: decompositions take no half precision."""
        return not {"steep", "definite"}.intersection(self.domains) or all(x.dtype.itemsize > 2 for x in xs)

    def keywords(self, draw: Draw, *shapes: Shape) -> dict[str, Any]:
        """Draw keywords for operands of these shapes."""
        found = self.together(draw, *shapes)
        for name, given in self.params.items():
            found[name] = draw(given) if isinstance(given, st.SearchStrategy) else given(draw, *shapes)
        return found


def op(*domains: str, least: int | None = None, **said: Any) -> Operation:
    """Write an `Operation` in a line: what is not said of it is a keyword of it."""
    own = {name: said.pop(name) for name in ("fits", "smooth", "call", "together") if name in said}
    return Operation(domains, len(domains) if least is None else least, **own, params=said)


# -- which shapes go together ----------------------------------------------------------------------------


def rank(low: int, high: int = 9, side: int = 1) -> Callable[..., bool]:
    """Demand of every operand so many axes, each of at least so many entries."""
    return lambda *shapes: all(low <= len(shape) <= high and min(shape, default=side) >= side for shape in shapes)


def alike(*shapes: Shape) -> bool:
    """Whether all are the same."""
    return len(set(shapes)) == 1


def _square(shape: Shape, *others: Shape) -> bool:
    return len(shape) > 1 and shape[-1] == shape[-2]


def _one_axis_differs(*shapes: Shape) -> bool:
    return rank(1)(*shapes) and len(set(map(len, shapes))) == 1 and len(_differing(shapes)) < 2


def _differing(shapes: tuple[Shape, ...]) -> list[int]:
    return [axis for axis, sides in enumerate(zip(*shapes, strict=True)) if len(set(sides)) > 1]


def _dots(x: Shape, *ys: Shape) -> bool:
    return not x or all(not y or x[-1] == y[max(len(y) - 2, 0)] for y in ys)


def _last_alike(x: Shape, *ys: Shape) -> bool:
    return not x or all(not y or x[-1] == y[-1] for y in ys)


def _multiplies(x: Shape, *ys: Shape) -> bool:
    return len(x) > 0 and all(len(y) > 0 and _dots(x, y) and broadcasts(x[:-2], y[:-2]) for y in ys)


def _matvec(x: Shape, *ys: Shape) -> bool:
    return len(x) > 1 and all(len(y) > 0 and x[-1] == y[-1] and broadcasts(x[:-2], y[:-1]) for y in ys)


def _vecmat(x: Shape, *ys: Shape) -> bool:
    return len(x) > 0 and all(len(y) > 1 and x[-1] == y[-2] and broadcasts(x[:-1], y[:-2]) for y in ys)


def _aligned(*shapes: Shape) -> bool:
    return rank(1)(*shapes) and broadcasts(*shapes) and alike(*(shape[-1:] for shape in shapes))


def _crosses(*shapes: Shape) -> bool:
    return _aligned(*shapes) and shapes[0][-1] == 3


def _chains(*shapes: Shape) -> bool:
    return rank(2, 2)(*shapes) and all(x[1] == y[0] for x, y in pairwise(shapes))


def _same_size(*shapes: Shape) -> bool:
    return alike(*((math.prod(shape),) for shape in shapes))


def _solves(a: Shape, *bs: Shape) -> bool:
    return _square(a) and all(b == a[-1:] or (len(b) > 1 and b[-2] == a[-1] and broadcasts(a[:-2], b[:-2])) for b in bs)


def _fits_least_squares(a: Shape, *bs: Shape) -> bool:
    return len(a) == 2 and all(1 <= len(b) <= 2 and b[0] == a[0] for b in bs)


def _solves_tensors(a: Shape, *bs: Shape) -> bool:
    return _square(a) and math.prod(a[:-2]) == 1 and all(b == a[:-1] for b in bs)


def _inverts_tensors(shape: Shape) -> bool:
    return _square(shape) and math.prod(shape[:-2]) == 1


def _convolves(spatial: int) -> Callable[..., bool]:
    def fits(x: Shape, *others: Shape) -> bool:
        if not rank(spatial + 1, spatial + 2)(x):
            return False
        for weight in others[:1]:
            if len(weight) != spatial + 2 or x[-spatial - 1] % weight[1]:
                return False
            kernel_fits = all(k <= n for k, n in zip(weight[2:], x[-spatial:], strict=True))
            return kernel_fits and not weight[0] % (x[-spatial - 1] // weight[1]) and others[1:] in ((), (weight[:1],))
        return True

    return fits


def _interpolates(x: Shape, *values: Shape) -> bool:
    return rank(1, 1)(*values)


def _written_there(x: Shape, *values: Shape) -> bool:
    return all(not value or value == x[1:] for value in values)


def _labelled(shape: Shape) -> bool:
    return len(shape) == 2


# -- keywords --------------------------------------------------------------------------------------------

kept = st.booleans()
number = st.integers(-2, 2)
reduction = st.sampled_from(["mean", "sum", "none"])


def some_axes(draw: Draw, shape: Shape, *others: Shape) -> Any:
    """Draw axes to reduce."""
    return draw(axes(shape))


def one_axis(draw: Draw, shape: Shape, *others: Shape) -> int:
    """Draw an axis, counted from the front or from the end."""
    return int(draw(st.integers(-len(shape), len(shape) - 1)))


def axis_or_none(draw: Draw, shape: Shape) -> int | None:
    """Draw an axis, or None: of the flattened array."""
    return one_axis(draw, shape) if shape and draw(st.booleans()) else None


def _length(shape: Shape, axis: int | None) -> int:
    return math.prod(shape) if axis is None else shape[axis]


def _count(shape: Shape, axis: Any) -> int:
    """How many entries make one."""
    return math.prod(np.zeros(shape).shape if axis is None else [shape[i] for i in np.ravel(axis).astype(int)])


def mask(draw: Draw, shape: Shape, *others: Shape) -> Any:
    """Draw what holds for each entry or not."""
    return draw(hnp.arrays(bool, shape))


def _spread(draw: Draw, shape: Shape) -> dict[str, Any]:
    axis = some_axes(draw, shape)
    ddof = draw(st.integers(0, 1)) if _count(shape, axis) > 1 else 0
    return {"axis": axis, "ddof": ddof, "keepdims": draw(kept)}


def _gappy(reduce: bool = True) -> Callable[..., dict[str, Any]]:
    """Draw which entries are to be NaN: of those that make one, the first never is."""

    def drawn(draw: Draw, shape: Shape) -> dict[str, Any]:
        holes = mask(draw, shape)
        if not reduce:
            return {"holes": holes, "axis": axis_or_none(draw, shape)}
        axis = some_axes(draw, shape)
        places = [range(len(shape)) if axis is None else [i % len(shape) for i in np.ravel(axis).astype(int)]][0]
        holes[tuple(slice(1) if i in places else slice(None) for i in range(len(shape)))] = False
        return {"holes": holes, "axis": axis, "keepdims": draw(kept)}

    return drawn


def _holed(name: str) -> Callable[..., Any]:
    return lambda ag, x, holes, **params: getattr(ag, name)(ag.where(holes, np.nan, x), **params)


fraction = st.sampled_from([0.5, 0.25, 0.0, 1.0, 0.3, [0.1, 0.9]])
percents = st.sampled_from([50, 25.0, 10, [20, 90]])


def _normed(draw: Draw, shape: Shape) -> dict[str, Any]:
    axis = one_axis(draw, shape) if shape and draw(st.booleans()) else None
    orders = [None] if axis is None and len(shape) != 1 else [None, 2, 1, 3, 1.5, np.inf, -np.inf]
    return {"ord": draw(st.sampled_from(orders)), "axis": axis, "keepdims": draw(kept)}


matrix_orders = st.sampled_from(["fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf])


def _sums_apart(x: Any, ord: Any, **params: Any) -> Any:
    """Whether a norm that is the largest or smallest sum of magnitudes has neither a zero in it nor ties."""
    if ord not in (1, -1, np.inf, -np.inf):
        return True
    sums = np.sum(np.abs(x), axis=-2 if abs(ord) == 1 else -1)
    return np.min(np.abs(x)) >= NEAR / 4 and np.min(np.diff(np.sort(sums)), initial=1) > CLOSE


def _reshaped(draw: Draw, shape: Shape) -> Any:
    forms: list[Any] = [-1, shape[::-1], (1, *shape), (*shape, 1)]
    forms += [(shape[0] * shape[1], *shape[2:])] if len(shape) > 1 else []
    return draw(st.sampled_from(forms))


def _permuted(draw: Draw, shape: Shape) -> Any:
    return draw(st.sampled_from([None, tuple(draw(st.permutations(range(len(shape)))))]))


def _moved(draw: Draw, shape: Shape) -> dict[str, Any]:
    n = draw(st.integers(0, len(shape)))
    places = st.permutations(range(len(shape)))
    return {"source": draw(places)[:n], "destination": draw(places)[:n]}


def _two_axes(draw: Draw, shape: Shape) -> Any:
    return tuple(draw(st.permutations(range(len(shape))))[:2])


def _diagonals(draw: Draw, shape: Shape) -> dict[str, Any]:
    axis1, axis2 = _two_axes(draw, shape)
    return {"offset": draw(st.integers(1 - shape[axis1], shape[axis2] - 1)), "axis1": axis1, "axis2": axis2}


def _last_offset(draw: Draw, shape: Shape) -> int:
    return int(draw(st.integers(1 - shape[-2], shape[-1] - 1)))


def _squeezed(draw: Draw, shape: Shape) -> Any:
    ones = [i for i, n in enumerate(shape) if n == 1]
    return draw(st.sampled_from([None, tuple(ones), *ones]))


def _expanded(draw: Draw, shape: Shape) -> Any:
    return draw(st.sampled_from([0, -1, (0, -1), *range(1, len(shape))]))


def _broadcast(draw: Draw, shape: Shape) -> Shape:
    wide = tuple(draw(st.integers(1, 3)) if n == 1 else n for n in shape)
    return (draw(st.integers(1, 2)), *wide)[draw(st.integers(0, 1)) :]


def _joined(draw: Draw, *shapes: Shape) -> Any:
    differing = _differing(shapes)
    return draw(st.sampled_from([*(differing or range(len(shapes[0]))), None]))


def _stacked(draw: Draw, shape: Shape, *others: Shape) -> int:
    return int(draw(st.integers(-len(shape) - 1, len(shape))))


def _which(draw: Draw, *shapes: Shape) -> int:
    """Which of the results that there are for each operand."""
    return int(draw(st.integers(0, len(shapes) - 1)))


def _flipped(draw: Draw, shape: Shape) -> Any:
    return draw(st.sampled_from([None, tuple(range(len(shape))), *range(-len(shape), len(shape))]))


def _rolled(draw: Draw, shape: Shape) -> dict[str, Any]:
    return {"shift": draw(number), "axis": draw(st.sampled_from([None, *range(-len(shape), len(shape))]))}


def _padded(draw: Draw, shape: Shape) -> dict[str, Any]:
    width = st.integers(0, 2)
    pairs = [[draw(width), draw(width)] for _ in shape]
    return {"pad_width": pairs, "mode": draw(st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]))}


def _cut(whole: int | None = None) -> Callable[..., dict[str, Any]]:
    """Draw where to cut, along one axis or along that one, and which part to take."""

    def drawn(draw: Draw, shape: Shape) -> dict[str, Any]:
        axis = one_axis(draw, shape) if whole is None else whole
        place = draw(st.integers(0, shape[min(axis, len(shape) - 1)]))
        part = int(draw(st.booleans()) if 0 < place < shape[min(axis, len(shape) - 1)] else not place)
        return {"places": [place], **({"axis": axis} if whole is None else {}), "part": part}

    return drawn


def _part(name: str) -> Callable[..., Any]:
    return lambda ag, x, places, part, **axis: getattr(ag, name)(x, places, **axis)[part]


def _unstacked(draw: Draw, shape: Shape) -> dict[str, Any]:
    axis = one_axis(draw, shape)
    return {"axis": axis, "part": draw(st.integers(0, shape[axis] - 1))}


def _indexed(draw: Draw, shape: Shape, *values: Shape) -> Any:
    """Draw an index of entries, or of parts that take a value of the shape of a part."""
    if not any(values):
        return draw(indices(shape))
    n = shape[0]
    places = st.integers(-n, n - 1)
    return draw(st.one_of(places, hnp.arrays(np.int64, 2, elements=places), st.slices(n)))


def _taken(draw: Draw, shape: Shape) -> dict[str, Any]:
    axis, mode = axis_or_none(draw, shape), draw(st.sampled_from(["raise", "wrap", "clip"]))
    n = _length(shape, axis)
    places = hnp.arrays(np.int64, draw(st.sampled_from([(), (1,), (3,), (2, 2)])), elements=st.integers(-n, n - 1))
    return {"indices": np.asarray(draw(places)) + (mode != "raise"), "axis": axis, "mode": mode}


def _taken_along(draw: Draw, shape: Shape) -> dict[str, Any]:
    axis = one_axis(draw, shape)
    like = [draw(st.integers(1, 3)) if i == axis % len(shape) else n for i, n in enumerate(shape)]
    places = hnp.arrays(np.int64, tuple(like), elements=st.integers(-shape[axis], shape[axis] - 1))
    return {"indices": draw(places), "axis": axis}


def _repeated(draw: Draw, shape: Shape) -> dict[str, Any]:
    axis = axis_or_none(draw, shape)
    n = _length(shape, axis)
    each = st.lists(st.integers(0, 2), min_size=n, max_size=n)
    return {"repeats": draw(st.one_of(st.integers(1, 3), each)), "axis": axis}


def _deleted(draw: Draw, shape: Shape) -> dict[str, Any]:
    axis = axis_or_none(draw, shape)
    n = _length(shape, axis)
    return {"obj": draw(st.one_of(st.integers(-n, n - 1), hnp.arrays(bool, n), st.slices(n))), "axis": axis}


def _inserted(draw: Draw, shape: Shape, *values: Shape) -> dict[str, Any]:
    axis = axis_or_none(draw, shape)
    place = st.integers(0, _length(shape, axis))
    return {"obj": draw(st.one_of(place, st.lists(place, min_size=2, max_size=2))), "axis": axis}


def _compressed(draw: Draw, shape: Shape) -> dict[str, Any]:
    axis = axis_or_none(draw, shape)
    return {"condition": draw(st.lists(st.booleans(), max_size=_length(shape, axis))), "axis": axis}


def _chosen(draw: Draw, shape: Shape, *others: Shape) -> Any:
    return draw(hnp.arrays(np.int64, np.broadcast_shapes(shape, *others), elements=st.integers(0, len(others))))


def _conditions(draw: Draw, *shapes: Shape) -> Any:
    return [mask(draw, shape) for shape in shapes]


def _kth(draw: Draw, shape: Shape) -> int:
    return int(draw(st.integers(-shape[-1], shape[-1] - 1)))


def _summed(draw: Draw, *shapes: Shape) -> str:
    """Label the axes of operands of any shapes, the same only where they are as long, and some as those of the result.

    Examples
    --------
    Of shapes (2, 3) and (3,): ``"ab,b->a"``, ``"ab,c->cb"``, ``"ab,b->"``.
    """
    lengths: dict[str, int] = {}
    terms = []
    for shape in shapes:
        term = ""
        for n in shape:
            fresh = "abcdefghijkl"[len(lengths)]
            label = draw(st.sampled_from([*(label for label in lengths if lengths[label] == n), fresh]))
            lengths[label] = n
            term += label
        terms.append(term)
    order = draw(st.permutations(sorted(lengths)))
    return ",".join(terms) + "->" + "".join(order[: draw(st.integers(0, min(3, len(order))))])


def _contracted(draw: Draw, x: Shape, y: Shape) -> Any:
    pairs = [(i, j) for i, m in enumerate(x) for j, n in enumerate(y) if m == n]
    i, j = draw(st.sampled_from([*pairs, (None, None)]))
    return 0 if i is None else ([i], [j])


def _convolved(spatial: int) -> Callable[..., dict[str, Any]]:
    def drawn(draw: Draw, x: Shape, weight: Shape, *bias: Shape) -> dict[str, Any]:
        padding = draw(st.sampled_from([0, 1, "same"]))
        stride = 1 if padding == "same" else draw(st.integers(1, 2))
        room = [n + 2 * (padding == 1) for n in x[-spatial:]]
        fits = all(2 * (k - 1) < n for k, n in zip(weight[2:], room, strict=True))
        dilation = draw(st.integers(1, 2)) if fits else 1
        params = {"stride": (stride,) * spatial, "padding": padding, "dilation": (dilation,) * spatial}
        params["padding"] = padding if padding == "same" else (padding,) * spatial
        return {**params, "groups": x[-spatial - 1] // weight[1]}

    return drawn


def _pooled(spatial: int, **params: st.SearchStrategy[Any]) -> Callable[..., dict[str, Any]]:
    def drawn(draw: Draw, shape: Shape) -> dict[str, Any]:
        kernel = tuple(draw(st.integers(1, n)) for n in shape[-spatial:])
        stride = draw(st.sampled_from([None, (1,) * spatial, (2,) * spatial]))
        padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
        found = {"kernel_size": kernel, "stride": stride, "padding": padding}
        return {**found, **{name: draw(given) for name, given in params.items()}}

    return drawn


def _ids(draw: Draw, shape: Shape) -> Any:
    return draw(hnp.arrays(np.int64, st.sampled_from([(), (2,), (2, 2)]), elements=st.integers(0, shape[0] - 1)))


def _classes(draw: Draw, shape: Shape) -> Any:
    return draw(hnp.arrays(np.int64, shape[0], elements=st.integers(0, shape[1] - 1)))


def _signs(draw: Draw, shape: Shape) -> Any:
    return draw(hnp.arrays(np.int64, shape, elements=st.sampled_from([1, -1])))


def _bins(draw: Draw, shape: Shape) -> Any:
    return draw(hnp.arrays(np.int64, shape, elements=st.integers(0, 3)))


def _sloped(draw: Draw, shape: Shape) -> dict[str, Any]:
    axis = one_axis(draw, shape)
    order = draw(st.integers(1, min(2, shape[axis] - 1)))
    return {"step": draw(st.sampled_from([1.0, 0.5])), "axis": axis, "edge_order": order}


def _averaged(draw: Draw, shape: Shape, *weights: Shape) -> dict[str, Any]:
    return {"axis": some_axes(draw, shape), "keepdims": draw(kept)}


# -- where it is smooth, if that is not of one operand alone ---------------------------------------------


def _unequal(x: Any, y: Any) -> Any:
    return np.min(np.abs(x - y)) > CLOSE


def _between_multiples(x: Any, y: Any) -> Any:
    """Whether quotients are far from whole numbers."""
    quotient = x / y
    return np.min(np.abs(quotient - np.round(quotient)) * np.minimum(np.abs(y), 1)) > CLOSE / 4


def _no_power_of_two(x: Any) -> Any:
    mantissa = np.abs(np.frexp(x)[0])
    return np.min(np.minimum(mantissa - 0.5, 1 - mantissa)) > CLOSE / 4


def _off(*bounds: float) -> Callable[..., Any]:
    return lambda x, **params: all(
        np.min(np.abs(x - bound)) > CLOSE for bound in (*bounds, *params.values()) if bound is not None
    )


def _varied(f: Callable[..., Any]) -> Callable[..., Any]:
    """Only where there is some variance: its root has a singular point at none."""

    def smooth(x: Any, holes: Any = False, **params: Any) -> Any:
        return np.min(f(np.where(holes, np.nan, x), **params)) > NEAR / 2

    return smooth


def _unwrapped(x: Any, axis: int, discont: float | None, period: float) -> Any:
    steps = np.diff(x, axis=axis)
    turns = steps / period + 0.5
    limit = period / 2 if discont is None else max(discont, period / 2)
    return (
        np.min(np.abs(turns - np.round(turns)), initial=1) > CLOSE
        and np.min(np.abs(np.abs(steps) - limit), initial=1) > CLOSE
    )


def _off_points(x: Any, *values: Any, points: Any) -> Any:
    return all(np.min(np.abs(x - point)) > CLOSE / 2 for point in points)


def _correlated(*xs: Any, rowvar: bool) -> Any:
    """Whether no variable is constant, and no two are one but for a factor: where the coefficients are clipped."""
    table = np.atleast_2d(*xs) if len(xs) > 1 else [np.atleast_2d(xs[0])]
    rows = np.concatenate([x if rowvar or min(x.shape) == 1 == x.shape[0] else x.T for x in table])
    if np.min(np.std(rows, axis=1)) < NEAR / 2:
        return False
    found = np.corrcoef(rows)
    return np.ndim(found) == 0 or np.max(np.abs(found[~np.eye(len(found), dtype=bool)]), initial=0) < 1 - CLOSE


def _observed(least: int) -> Callable[..., dict[str, Any]]:
    """Along which axis variables go: so that there are so many observations of each."""

    def drawn(draw: Draw, shape: Shape, *others: Shape) -> dict[str, Any]:
        ways = [way for way in (True, False) if (shape[-1] if way or len(shape) == 1 else shape[0]) >= least]
        return {"rowvar": draw(st.sampled_from(ways))}

    return drawn


def _observes(least: int) -> Callable[..., bool]:
    return lambda *shapes: rank(1, 2)(*shapes) and max(shapes[0]) >= least and alike(*shapes)


# -- the table -------------------------------------------------------------------------------------------

MATRIX = rank(2)
VECTOR = rank(1, 1)
AXES: dict[str, Any] = {"axis": some_axes, "keepdims": kept}


def _each(names: str, operation: Operation) -> dict[str, Operation]:
    return dict.fromkeys(names.split(), operation)


def _squared(name: str, **params: Any) -> Callable[..., Any]:
    """One factor of matrices, with its entries squared: their signs are arbitrary."""
    return lambda ag, x, part: ag.square(getattr(getattr(ag.linalg, name)(x, **params), part))


# fmt: off
OPERATIONS: dict[str, Operation] = {
    # elementwise
    **_each("""add subtract multiply logaddexp logaddexp2""", op("any", "any")),
    **_each("""positive negative square exp exp2 expm1 sin cos sinh cosh tanh arctan arcsinh sinc degrees rad2deg
               radians deg2rad nan_to_num sigmoid erf erfc softplus silu logsigmoid""", op("any")),
    **_each("absolute fabs reciprocal cbrt relu softsign selu", op("nonzero")),
    **_each("log log2 log10 log1p sqrt", op("positive")),
    **_each("arcsin arccos arctanh tan", op("inside")),
    "arccosh":     op("above one"),
    "divide":      op("any", "nonzero"),
    **_each("power float_power", op("positive", "small")),
    **_each("remainder fmod", op("off grid", "nonzero", smooth=_between_multiples)),
    "divmod":      op("off grid", "nonzero", smooth=_between_multiples, call=lambda ag, x, y: ag.divmod(x, y)[1]),
    "modf":        op("off grid", smooth=lambda x: _between_multiples(x, 1.0), call=lambda ag, x: ag.modf(x)[0]),
    "frexp":       op("off grid", smooth=_no_power_of_two, call=lambda ag, x: ag.frexp(x)[0]),
    **_each("arctan2 hypot", op("nonzero", "any")),
    **_each("maximum minimum fmax fmin", op("any", "off grid", smooth=_unequal)),
    "clip":        op("off grid", smooth=_off(), a_min=st.sampled_from([None, -1.0, -0.5, 0.0]), a_max=st.just(0.75)),
    "where":       op("any", "any", call=lambda ag, x, y, condition: ag.where(condition, x, y),
                      condition=lambda draw, *shapes: mask(draw, np.broadcast_shapes(*shapes))),
    "heaviside":   op("any", call=lambda ag, x, signs: ag.heaviside(signs, x),
                      signs=lambda draw, shape: draw(hnp.arrays(float, shape, elements=st.integers(-1, 1).map(float)))),
    "copysign":    op("nonzero", call=lambda ag, x, sign: ag.copysign(x, sign), sign=st.sampled_from([-2.0, 3.0])),
    "ldexp":       op("any", call=lambda ag, x, exponent: ag.ldexp(x, exponent), exponent=number),

    # activations
    "leaky_relu":  op("nonzero", slope=st.sampled_from([0.25, 0.0])),
    "gelu":        op("any", approximate=st.sampled_from(["none", "tanh"])),
    "elu":         op("nonzero", alpha=st.sampled_from([1.0, 0.5])),
    "hardtanh":    op("off grid", smooth=_off(-1), max_val=st.sampled_from([1.0, 0.5])),

    # reductions
    **_each("sum mean prod logsumexp", op("any", **AXES)),
    **_each("max min ptp", op("distinct", **AXES)),
    "var":         op("any", together=_spread),
    "std":         op("distinct", together=_spread, smooth=_varied(np.std)),
    "median":      op("distinct", **AXES),
    "quantile":    op("distinct", **AXES, q=fraction),
    "percentile":  op("distinct", **AXES, q=percents),
    **{name: op("any", together=_gappy(), call=_holed(name)) for name in ("nansum", "nanprod", "nanmean", "nanvar")},
    **{name: op("distinct", together=_gappy(), call=_holed(name)) for name in ("nanmax", "nanmin", "nanmedian")},
    "nanstd":      op("distinct", together=_gappy(), call=_holed("nanstd"), smooth=_varied(np.nanstd)),
    "nanquantile": op("distinct", together=_gappy(), call=_holed("nanquantile"), q=st.sampled_from([0.5, 0.3])),
    "nanpercentile": op("distinct", together=_gappy(), call=_holed("nanpercentile"), q=st.sampled_from([50, 30])),
    "average":     op("any", "positive", least=1, fits=alike, together=_averaged,
                      call=lambda ag, x, *weights, **params: ag.average(
                          x, **dict(zip(["weights"], weights, strict=False)), **params)),
    "trapezoid":   op("any", "any", least=1, fits=lambda *shapes: rank(1)(*shapes) and alike(*shapes), axis=one_axis),
    "norm":        op("generic", together=_normed),
    **_each("softmax log_softmax", op("any", axis=some_axes)),

    # scans
    **_each("cumsum cumprod", op("any", axis=axis_or_none)),
    **_each("cummax cummin", op("distinct", axis=axis_or_none)),
    **{name: op("any", together=_gappy(False), call=_holed(name)) for name in ("nancumsum", "nancumprod")},
    **_each("cumulative_sum cumulative_prod", op("any", fits=rank(1), axis=one_axis, include_initial=st.booleans())),
    "diff":        op("any", "any", "any", least=1, fits=lambda *shapes: rank(1)(*shapes) and alike(*shapes),
                      axis=one_axis, call=lambda ag, x, *ends, axis: ag.diff(
                          x, axis=axis, **dict(zip(["prepend", "append"], ends, strict=False)))),
    "ediff1d":     op("any", "any", "any", least=1),
    "unwrap":      op("off grid", fits=rank(1), axis=one_axis, discont=st.sampled_from([None, 1.5]),
                      period=st.sampled_from([1.9, 2.5]), smooth=_unwrapped),

    # shape
    "copy":        op("any"),
    "astype":      op("any", call=lambda ag, x, dtype: ag.astype(x, dtype), dtype=st.just("float64")),
    "reshape":     op("any", shape=_reshaped, order=st.sampled_from("CF")),
    "ravel":       op("any", order=st.sampled_from("CF")),
    **_each("transpose permute_dims", op("any", axes=_permuted)),
    "swapaxes":    op("any", fits=rank(1), axis1=one_axis, axis2=one_axis),
    "moveaxis":    op("any", together=_moved),
    "rollaxis":    op("any", fits=rank(1), axis=one_axis, start=one_axis),
    **_each("matrix_transpose linalg.matrix_transpose", op("any", fits=MATRIX)),
    "resize":      op("any", new_shape=st.sampled_from([3, (2, 3), (5, 1)])),
    "squeeze":     op("any", axis=_squeezed),
    "expand_dims": op("any", axis=_expanded),
    **_each("atleast_1d atleast_2d atleast_3d", op("any")),
    "broadcast_to": op("any", shape=_broadcast),
    "broadcast_arrays": op("any", "any", "any", least=1, part=_which,
                      call=lambda ag, *xs, part: ag.broadcast_arrays(*xs)[part]),
    "meshgrid":    op("any", "any", "any", least=1, fits=VECTOR, part=_which, indexing=st.sampled_from(["xy", "ij"]),
                      call=lambda ag, *xs, part, **params: ag.meshgrid(*xs, **params)[part]),
    "append":      op("any", "any", fits=_one_axis_differs, axis=_joined),
    "concatenate": op("any", "any", "any", least=1, fits=_one_axis_differs, axis=_joined,
                      call=lambda ag, *xs, axis: ag.concatenate([*xs], axis=axis)),
    "stack":       op("any", "any", "any", least=1, fits=alike, axis=_stacked,
                      call=lambda ag, *xs, axis: ag.stack([*xs], axis=axis)),
    "vstack":      op("any", "any", "any", least=1, fits=alike, call=lambda ag, *xs: ag.vstack([*xs])),
    "hstack":      op("any", "any", "any", least=1, fits=alike, call=lambda ag, *xs: ag.hstack([*xs])),
    "dstack":      op("any", "any", "any", least=1, fits=alike, call=lambda ag, *xs: ag.dstack([*xs])),
    "column_stack": op("any", "any", "any", least=1, fits=lambda *shapes: rank(1, 2)(*shapes) and alike(*shapes),
                      call=lambda ag, *xs: ag.column_stack([*xs])),
    "block":       op("any", "any", fits=lambda *shapes: rank(1)(*shapes) and alike(*shapes),
                      call=lambda ag, x, y: ag.block([[x, y], [y, x]])),
    "flip":        op("any", axis=_flipped),
    "flipud":      op("any", fits=rank(1)),
    "fliplr":      op("any", fits=rank(2)),
    "rot90":       op("any", fits=rank(2), k=number, axes=_two_axes),
    "roll":        op("any", together=_rolled),
    "tile":        op("any", reps=st.sampled_from([2, (2, 1), (1, 2), 1])),
    "pad":         op("any", fits=rank(1), together=_padded),
    **_each("tril triu", op("any", fits=MATRIX, k=number)),
    "diag":        op("any", fits=rank(1, 2), call=lambda ag, x, k: ag.diag(x, k), k=st.integers(-1, 1)),
    "diagflat":    op("any", fits=rank(0, 2), call=lambda ag, x, k: ag.diagflat(x, k), k=st.integers(-1, 1)),
    **_each("diagonal trace", op("any", fits=MATRIX, together=_diagonals)),
    **_each("linalg.diagonal linalg.trace", op("any", fits=MATRIX, offset=_last_offset)),

    # indexing
    "getitem":     op("any", index=_indexed),
    "set_at":      op("any", "any", fits=_written_there, index=_indexed,
                      call=lambda ag, x, v, index: ag.set_at(x, index, v)),
    "add_at":      op("any", "any", fits=_written_there, index=_indexed,
                      call=lambda ag, x, v, index: ag.add_at(x, index, v)),
    "take":        op("any", together=_taken),
    "take_along_axis": op("any", fits=rank(1), together=_taken_along),
    "repeat":      op("any", together=_repeated),
    "extract":     op("any", condition=mask, call=lambda ag, x, condition: ag.extract(condition, x)),
    "delete":      op("any", fits=rank(1), together=_deleted),
    "insert":      op("any", "any", fits=lambda x, *vs: rank(1)(x) and not any(vs), together=_inserted,
                      call=lambda ag, x, v, obj, axis: ag.insert(x, obj, v, axis)),
    "trim_zeros":  op("nonzero", fits=VECTOR, kept=mask, call=lambda ag, x, kept: ag.trim_zeros(ag.multiply(x, kept))),
    "piecewise":   op("positive", condition=mask,
                      call=lambda ag, x, condition: ag.piecewise(x, [condition], [np.log, np.sin])),
    "apply_along_axis": op("any", fits=rank(1), axis=one_axis, each=st.sampled_from([np.cumsum, np.mean]),
                      call=lambda ag, x, axis, each: ag.apply_along_axis(each, axis, x)),
    "compress":    op("any", together=_compressed,
                      call=lambda ag, x, condition, axis: ag.compress(condition, x, axis=axis)),
    "choose":      op("any", "any", numbers=_chosen, call=lambda ag, *xs, numbers: ag.choose(numbers, [*xs])),
    "select":      op("any", "any", conditions=_conditions, fits=alike,
                      call=lambda ag, *xs, conditions: ag.select(conditions, [*xs], 2.0)),
    "sort":        op("distinct", axis=axis_or_none),
    "partition":   op("distinct", fits=rank(1), kth=_kth),
    **{name: op("any", fits=rank(1), together=_cut(), call=_part(name)) for name in ("split", "array_split")},
    "hsplit":      op("any", fits=rank(1), together=_cut(1), call=_part("hsplit")),
    "vsplit":      op("any", fits=rank(2), together=_cut(0), call=_part("vsplit")),
    "dsplit":      op("any", fits=rank(3), together=_cut(2), call=_part("dsplit")),
    "unstack":     op("any", fits=rank(1), together=_unstacked,
                      call=lambda ag, x, axis, part: ag.unstack(x, axis=axis)[part]),

    # products
    **_each("matmul linalg.matmul", op("any", "any", fits=_multiplies)),
    "einsum":      op("any", "any", "any", least=1, fits=rank(0, 3), subscripts=_summed, optimize=st.booleans(),
                      call=lambda ag, *xs, subscripts, **params: ag.einsum(subscripts, *xs, **params)),
    **_each("tensordot linalg.tensordot", op("any", "any", fits=rank(0, 3), axes=_contracted)),
    "dot":         op("any", "any", fits=_dots),
    "inner":       op("any", "any", fits=_last_alike),
    "vdot":        op("any", "any", fits=_same_size),
    "outer":       op("any", "any", fits=rank(0, 3)),
    "linalg.outer": op("any", "any", fits=VECTOR),
    "kron":        op("any", "any", fits=rank(0, 3)),
    **_each("vecdot linalg.vecdot", op("any", "any", fits=_aligned)),
    **_each("cross linalg.cross", op("any", "any", fits=_crosses)),
    "matvec":      op("any", "any", fits=_matvec),
    "vecmat":      op("any", "any", fits=_vecmat),
    "linalg.multi_dot": op("any", "any", "any", least=2, fits=_chains,
                      call=lambda ag, *xs: ag.linalg.multi_dot([*xs])),

    # matrices
    **_each("linalg.inv", op("steep", fits=_square)),
    **_each("linalg.pinv linalg.svdvals", op("steep", fits=MATRIX)),
    "linalg.det":  op("steep", fits=_square),
    "linalg.slogdet": op("steep", fits=_square, call=lambda ag, x: ag.linalg.slogdet(x).logabsdet),
    "linalg.solve": op("steep", "any", fits=_solves),
    "linalg.lstsq": op("steep", "any", fits=_fits_least_squares, call=lambda ag, a, b: ag.linalg.lstsq(a, b)[0]),
    "linalg.matrix_power": op("steep", fits=_square, n=st.integers(-2, 3)),
    "linalg.cholesky": op("definite", fits=_square, upper=st.booleans(),
                      call=lambda ag, x, upper: ag.linalg.cholesky(x + x.mT, upper=upper)),
    "linalg.eigvalsh": op("definite", fits=_square, UPLO=st.sampled_from("LU"),
                      call=lambda ag, x, UPLO: ag.linalg.eigvalsh(x + x.mT, UPLO=UPLO)),
    "linalg.eigh": op("definite", fits=_square, part=st.sampled_from(["eigenvalues", "eigenvectors"]),
                      call=lambda ag, x, part: ag.square(getattr(ag.linalg.eigh(x + x.mT), part))),
    "linalg.qr":   op("steep", fits=MATRIX, part=st.sampled_from("QR"), call=_squared("qr"),
                      smooth=lambda x, part: _steep(x[..., : x.shape[-2]])),  # wide: what R begins with
    "linalg.svd":  op("steep", fits=MATRIX, part=st.sampled_from(["S", "U", "Vh"]),
                      call=_squared("svd", full_matrices=False)),
    "linalg.vector_norm": op("generic", **AXES, ord=st.sampled_from([2, 1, 3, 0.5, np.inf, -np.inf])),
    "linalg.matrix_norm": op("steep", fits=MATRIX, keepdims=kept, ord=matrix_orders, smooth=_sums_apart),
    "linalg.cond": op("steep", fits=_square, p=st.sampled_from([None, 2, -2, "fro", "nuc"])),
    "linalg.tensorinv": op("steep", fits=_inverts_tensors, ind=lambda draw, shape: len(shape) - 1),
    "linalg.tensorsolve": op("steep", "any", fits=_solves_tensors),

    # functions and signals given by samples, polynomials
    **_each("convolve correlate", op("any", "any", fits=VECTOR, mode=st.sampled_from(["full", "same", "valid"]))),
    "bincount":    op("any", fits=VECTOR, numbers=_bins, minlength=st.sampled_from([0, 6]),
                      call=lambda ag, x, numbers, minlength: ag.bincount(numbers, x, minlength)),
    "linspace":    op("any", "any", num=st.integers(1, 4), endpoint=st.booleans(), axis=st.sampled_from([0, -1])),
    "interp":      op("off grid", "any", fits=_interpolates, smooth=_off_points,
                      call=lambda ag, x, values, points: ag.interp(x, points, values),
                      points=lambda draw, x, values: np.arange(values[0]) - 1.25),
    "gradient":    op("any", fits=rank(1, side=2), together=_sloped,
                      call=lambda ag, x, step, **params: ag.gradient(x, step, **params)),
    "polyval":     op("any", "any", fits=lambda p, *xs: VECTOR(p)),
    **_each("polyadd polysub", op("any", "any", fits=VECTOR)),
    "polyder":     op("any", fits=rank(1, 1, side=2), m=st.just(1)),
    "polyint":     op("any", "any", least=1, fits=lambda p, *ks: VECTOR(p) and not any(ks),
                      call=lambda ag, p, *k, m: ag.polyint(p, m, *k), m=st.integers(1, 2)),
    "vander":      op("any", fits=VECTOR, N=st.sampled_from([None, 1, 3]), increasing=st.booleans()),
    "cov":         op("any", "any", least=1, fits=_observes(2), together=_observed(2), bias=st.booleans()),
    "corrcoef":    op("any", "any", least=1, fits=_observes(3), together=_observed(3), smooth=_correlated),

    # layers and losses
    "conv1d":      op("any", "any", "any", least=2, fits=_convolves(1), together=_convolved(1)),
    "conv2d":      op("any", "any", "any", least=2, fits=_convolves(2), together=_convolved(2)),
    "max_pool1d":  op("distinct", fits=rank(1), together=_pooled(1)),
    "max_pool2d":  op("distinct", fits=rank(2), together=_pooled(2)),
    "avg_pool1d":  op("any", fits=rank(1), together=_pooled(1, count_include_pad=st.booleans())),
    "avg_pool2d":  op("any", fits=rank(2), together=_pooled(2, count_include_pad=st.booleans())),
    "embedding":   op("any", fits=rank(2, 2), ids=_ids, call=lambda ag, x, ids: ag.embedding(ids, x)),
    "nn.mse_loss": op("any", "any", fits=alike, reduction=reduction),
    "nn.l1_loss":  op("any", "off grid", fits=alike, reduction=reduction, smooth=lambda x, y, **_: _unequal(x, y)),
    "nn.huber_loss": op("any", "off grid", fits=alike, reduction=reduction,
                      smooth=lambda x, y, **_: _off(-1, 1)(x - y)),
    "nn.binary_cross_entropy": op("fraction", "fraction", fits=alike, reduction=reduction),
    "nn.binary_cross_entropy_with_logits": op("any", "fraction", fits=alike, reduction=reduction),
    "nn.hinge_loss": op("off grid", target=_signs, reduction=reduction,
                      smooth=lambda x, target, **_: _unequal(x, target)),
    "nn.cross_entropy": op("any", fits=_labelled, target=_classes, reduction=reduction),
    "nn.nll_loss": op("any", fits=_labelled, target=_classes, reduction=reduction),
    "nn.kl_div":   op("any", "fraction", fits=alike, reduction=reduction),

    # functions of functions
    "checkpoint":  op("any", call=lambda ag, x: ag.checkpoint(ag.sin)(x)),
    "elementwise_grad": op("any", call=lambda ag, x: ag.elementwise_grad(ag.tanh)(x)),
}
# fmt: on
