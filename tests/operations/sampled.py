"""Functions and signals given by their samples, and polynomials by their coefficients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_mini as ag

from .shape import wholly
from .table import Case, Draw, Row, broadcast, cased, shapes, signed


@st.composite
def vectors(draw: Draw, count: int = 2, low: int = 1, **params: Any) -> Case:
    found = [(draw(st.integers(low, 4)),) for _ in range(count)]
    return cased(draw, found, ["any"] * count, **{name: draw(values) for name, values in params.items()})


@st.composite
def interpolated(draw: Draw) -> Case:
    """Places on both sides of and between points, and the values at the points, and perhaps beyond."""
    n = draw(st.integers(1, 4))
    ends = draw(st.booleans())
    case = cased(draw, [draw(shapes(max_dims=2)), (n,), *[(), ()] * ends], ["odd", "any", *["any"] * 2 * ends])
    return case._replace(params={"xp": np.array([-1.5, -0.25, 0.5, 1.5])[:n]})


@st.composite
def sloped(draw: Draw) -> Case:
    """Samples along some axes, in one step, in a step for each, or at coordinates, and the order at the edges."""
    edge_order = draw(st.integers(1, 2))
    shape = draw(shapes(1, 3, edge_order + 1, 5))
    axes = draw(st.permutations(range(len(shape))))[: draw(st.integers(1, len(shape)))]
    form = draw(st.sampled_from(["no", "one", "each", "places"]))
    places = np.array([0, 0.5, 0.75, 2, 2.25])
    steps = {
        "no": [],
        "one": [0.5],
        "each": [0.5, 2.0, 0.25][: len(axes)],
        "places": [places[: shape[i]] for i in axes],
    }
    axis: Any = tuple(signed(draw, i, len(shape)) for i in axes)
    axis = axis[0] if len(axis) == 1 and draw(st.booleans()) else axis
    return cased(draw, [shape], ["any"], steps=steps[form], axis=axis, edge_order=edge_order)


def sampled(f: Callable[..., Any]) -> Callable[..., Any]:
    def along(x: Any, steps: Any, axis: Any, edge_order: int) -> Any:
        y = f(x, *steps, axis=axis, edge_order=edge_order)
        return wholly(lambda y: y)(y if isinstance(y, tuple) else (y,))

    return along


@st.composite
def counted(draw: Draw) -> Case:
    n = draw(st.integers(1, 4))  # none would be integers
    numbers = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 3)))
    return cased(draw, [(n,)], ["any"], numbers=numbers, minlength=draw(st.sampled_from([0, 6])))


@st.composite
def observed(draw: Draw, *, least: int = 2, **params: Any) -> Case:
    """Variables and their observations, and perhaps another variable."""
    rows, n, rowvar = draw(st.integers(1, 3)), draw(st.integers(least, 4)), draw(st.booleans())
    shape = (n,) if draw(st.integers(0, 3)) == 0 else (rows, n) if rowvar else (n, rows)
    other = [draw(st.sampled_from([(n,), (2, n) if rowvar else (n, 2)]))] * draw(st.integers(0, 1))
    drawn = {name: draw(values) for name, values in params.items()}
    return cased(draw, [shape, *other], ["distinct"] * (1 + len(other)), rowvar=rowvar, **drawn)


@st.composite
def integrated(draw: Draw) -> Case:
    """A polynomial, and a constant for each time that it is integrated, or one for all."""
    m = draw(st.integers(1, 2))
    return cased(draw, [(draw(st.integers(1, 4)),), draw(st.sampled_from([(), (1,), (m,)]))], ["any"] * 2, m=m)


mode = st.sampled_from(["full", "same", "valid"])

# fmt: off
ROWS = [
    Row("convolve",    ag.convolve,    np.convolve,      vectors(mode=mode)),
    Row("correlate",   ag.correlate,   np.correlate,     vectors(mode=mode)),
    Row("bincount",    lambda x, numbers, minlength: ag.bincount(numbers, x, minlength),
                       lambda x, numbers, minlength: np.bincount(numbers, x, minlength), counted()),
    Row("linspace",    ag.linspace,    np.linspace,
                       broadcast("any", "any", num=st.integers(0, 4), endpoint=st.booleans(),
                                 axis=st.sampled_from([0, -1]))),
    Row("interp",      lambda x, fp, *ends, xp: ag.interp(x, xp, fp, *ends),
                       lambda x, fp, *ends, xp: np.interp(x, xp, fp, *ends), interpolated()),
    Row("interp at points", lambda x, xp: ag.interp(x, ag.cumsum(abs(xp) + 1) - 3.3, xp),
                       lambda x, xp: np.interp(x, np.cumsum(abs(xp) + 1) - 3.3, xp), vectors(), lists=False),
    Row("gradient",    sampled(ag.gradient), sampled(np.gradient), sloped()),
    Row("gradient at places", lambda x, steps, axis, edge_order: ag.gradient(x, ag.cumsum(x * x + 1),
                                                                             edge_order=edge_order),
                       lambda x, steps, axis, edge_order: np.gradient(x, np.cumsum(x * x + 1), edge_order=edge_order),
                       sloped().filter(lambda case: case.bases[0].ndim == 1), lists=False),
    Row("polyval",     ag.polyval,     np.polyval,       vectors()),
    Row("polyadd",     ag.polyadd,     np.polyadd,       vectors()),
    Row("polysub",     ag.polysub,     np.polysub,       vectors()),
    Row("polyder",     ag.polyder,     np.polyder,       vectors(1, m=st.integers(0, 3)), lists=False),
    Row("polyint",     lambda x, *k, m: ag.polyint(x, m, *k), lambda x, *k, m: np.polyint(x, m, *k),
                       st.one_of(vectors(1, m=st.integers(0, 3)), integrated())),
    Row("vander",      ag.vander,      np.vander,
                       vectors(1, 0, N=st.sampled_from([None, 0, 1, 3]), increasing=st.booleans())),
    Row("cov",         ag.cov,         np.cov,
                       observed(bias=st.booleans(), ddof=st.sampled_from([None, 0, 1]))),
    Row("corrcoef",    ag.corrcoef,    np.corrcoef,      observed(least=3)),
]
# fmt: on
