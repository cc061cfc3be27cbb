"""What `numpy.linalg` does with matrices, or stacks of them: inverses, determinants, factorisations, norms.

A primitive gives one array, so each factor of a factorisation has its own; they share one computation.
NumPy's linear algebra has no half precision: float16 is refused as NumPy refuses it.

References
----------
.. [1] Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
   differentiation", Advances in Automatic Differentiation, Springer 2008.
.. [2] Townsend, "Differentiating the singular value decomposition", technical report, Oxford 2016.
.. [3] Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
   variables separate", SIAM J. Numer. Anal. 10 (1973), equation (4.12).
.. [4] Walter, Lehmann and Lamour, "On evaluating higher-order derivatives of the QR decomposition of tall
   matrices with full column rank", Optim. Methods Softw. 27 (2012).
.. [5] Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527 (2016), equation (8).
"""

from __future__ import annotations

import math
import operator as op
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..core import Operation, primitive, value_of
from . import arranging, linalg
from .elementwise import absolute, square, where
from .linalg import matmul_p
from .namesake import namesake
from .reductions import axes_of, max, min, norm_slope, sum
from .reductions import norm_p as axis_norm_p
from .shape import Axes, expand_dims, moveaxis, ravel, reshape, shape_of, squeeze, transpose

__all__ = [
    "cholesky", "cond", "det", "diagonal", "eigh", "eigvalsh", "inv", "lstsq", "matrix_norm", "matrix_power",
    "multi_dot", "norm", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensorinv", "tensorsolve",
    "trace", "vector_norm",
]  # fmt: skip

# The named tuples of NumPy, which it has no public names for.
EighResult: Any = type(np.linalg.eigh(np.eye(1)))
QRResult: Any = type(np.linalg.qr(np.eye(1)))
SVDResult: Any = type(np.linalg.svd(np.eye(1)))
SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))


def _shared(factorise: Callable[..., Any]) -> Callable[..., Any]:
    """Remember the last factorisation, for its factors are asked for one after the other."""
    last: tuple[Any, Any, Any] = (np.array(math.nan), {}, ())  # which equals nothing

    def factors(x: Any, **params: Any) -> Any:
        nonlocal last
        known, under, found = last  # one slot, read and written at once, so that threads do not mix
        if known.dtype != x.dtype or under != params or not np.array_equal(known, x):
            found = factorise(x, **params)
            last = x.copy(), params, found
        return [factor.copy() for factor in found]

    return factors


_eigh = _shared(lambda x, UPLO: np.linalg.eigh(x, UPLO))
_svd = _shared(lambda x: np.linalg.svd(x, full_matrices=False))
_qr = _shared(np.linalg.qr)

# det, slogdet and pinv could be derived; they are primitives for their derivatives at singular matrices
# and for stability; solve and lstsq for stability.
# fmt: off
inv_p: Operation = primitive("inv",      lambda x: np.linalg.inv(x),
                             lambda g, y, x: -(y.mT @ g @ y.mT))
solve_p: Operation = primitive("solve",  lambda a, b: np.linalg.solve(a, b),
                             lambda g, x, a, b: -(solve_p(a.mT, g) @ x.mT),
                             lambda g, x, a, b: solve_p(a.mT, g))
pinv_p: Operation = primitive("pinv",    lambda x, rcond: np.linalg.pinv(x, rcond),
                             lambda g, y, x, rcond: _pinv_rule(g, y, x))
lstsq_p     = primitive("lstsq",         lambda a, b, rcond: np.linalg.lstsq(a, b, rcond)[0],
                             lambda g, x, a, b, rcond: _lstsq_rule(g, x, a, b),
                             lambda g, x, a, b, rcond: pinv_p(a, rcond=0).mT @ g)
det_p       = primitive("det",           lambda x: np.linalg.det(x),
                             lambda g, y, x: _entry(g) * cofactor_p(x))
cofactor_p: Operation = primitive("cofactor", lambda x: _cofactor(x),
                             lambda g, y, x: _cofactor_rule(g, x))
logdet_p    = primitive("logabsdet",     lambda x: np.linalg.slogdet(x)[1],
                             lambda g, y, x: _entry(g) * inv_p(x).mT)

cholesky_p  = primitive("cholesky",      lambda x, upper: np.linalg.cholesky(x, upper=upper),
                             lambda g, y, x, upper: _cholesky_rule(g.mT, y.mT) if upper else _cholesky_rule(g, y))
qr_q_p: Operation = primitive("qr q",    lambda x: _qr(x)[0],
                             lambda g, q, x: _q_rule(g, q, qr_r_p(x)))
qr_r_p: Operation = primitive("qr r",    lambda x: _qr(x)[1],
                             lambda g, r, x: _r_rule(g, qr_q_p(x), r, x))

# Alone, the values are computed without the vectors.
eigh_w_p: Operation = primitive("eigenvalues", lambda x, UPLO, alone: _eigenvalues(x, UPLO, alone),
                             lambda g, w, x, UPLO, alone: _turned(eigh_v_p(x, UPLO=UPLO), _diagonal(g)))
eigh_v_p: Operation = primitive("eigenvectors", lambda x, UPLO: _eigh(x, UPLO=UPLO)[1],
                             lambda g, v, x, UPLO:
                             _turned(v, _gaps(eigh_w_p(x, UPLO=UPLO, alone=False), 1) * _odd(v.mT @ g) * 0.5))
svd_s_p: Operation = primitive("singular values", lambda x, alone: np.linalg.svdvals(x) if alone else _svd(x)[1],
                             lambda g, s, x, alone: (svd_u_p(x) * _row(g)) @ svd_v_p(x))
svd_u_p: Operation = primitive("left singular vectors", lambda x: _svd(x)[0],
                             lambda g, u, x: _left_rule(g, u, svd_s_p(x, alone=False), svd_v_p(x)))
svd_v_p: Operation = primitive("right singular vectors", lambda x: _svd(x)[2],  # in rows
                             lambda g, v, x: _left_rule(g.mT, v.mT, svd_s_p(x, alone=False), svd_u_p(x).mT).mT)

norm_p = primitive("norm",               lambda x, axis, ord: _norm(x, axis, ord),
                             lambda g, y, x, axis, ord: g * norm_slope(x, y, ord, axis))
# fmt: on

# -- shapes --------------------------------------------------------------------------------------------


def _row(x: Any) -> Any:
    """Write vectors as rows, which scale columns."""
    return expand_dims(x, -2)


def _entry(x: Any) -> Any:
    """Write numbers as matrices of one entry."""
    return expand_dims(x, (-2, -1))


def _eye(x: Any) -> Any:
    """Give the identity with as many columns as `x`, in its dtype."""
    return np.eye(x.shape[-1], dtype=x.dtype)


def _diagonal(x: Any) -> Any:
    """Write vectors as diagonal matrices."""
    return _row(x) * _eye(x)


def _odd(x: Any) -> Any:
    return x - x.mT


def _even(x: Any) -> Any:
    return (x + x.mT) * 0.5


# -- rules ---------------------------------------------------------------------------------------------


def _turned(v: Any, x: Any) -> Any:
    return v @ x @ v.mT


def _gaps(x: Any, power: int) -> Any:
    """Give 1 / (x[j]^power - x[i]^power) off the diagonal and 0 on it; nan where the two are equal [2]_."""
    x, y = expand_dims(x, -2), expand_dims(x, -1)
    gap = x - y if power == 1 else (x - y) * (x + y)
    return 1 / where(_eye(x), math.inf, where(gap == 0, math.nan, gap))


def _left_rule(g: Any, u: Any, s: Any, v: Any) -> Any:
    """Pull the left singular vectors back [2]_; those on the right are the left ones of the transpose."""
    inside = (_gaps(s, 2) * _odd(u.mT @ g)) * _row(s)
    y = u @ inside
    if u.shape[-2] > u.shape[-1]:
        y = y + (g - u @ (u.mT @ g)) / _row(where(s == 0, math.nan, s))
    return y @ v


def _eigenvalues(x: Any, UPLO: Any, alone: bool) -> Any:
    return np.linalg.eigvalsh(x, UPLO) if alone else _eigh(x, UPLO=UPLO)[0]


def _q_rule(g: Any, q: Any, r: Any) -> Any:
    """Pull Q back [4]_: only the first columns make it."""
    k, n = r.shape[-2:]
    return _tall_rule(g, -(g.mT @ q), q, r[..., :k]) @ np.eye(k, n, dtype=r.dtype)


def _r_rule(g: Any, q: Any, r: Any, x: Any) -> Any:
    """Pull R back [4]_: its last columns, if it has more than rows, are those of `x` times the transpose of Q."""
    k, n = r.shape[-2:]
    rest = g[..., k:]
    gq = x[..., k:] @ rest.mT
    tall = _tall_rule(gq, r[..., :k] @ g[..., :k].mT - gq.mT @ q, q, r[..., :k])
    return tall @ np.eye(k, n, dtype=r.dtype) + q @ rest @ np.eye(n, dtype=r.dtype)[k:]


def _tall_rule(g: Any, m: Any, q: Any, r: Any) -> Any:
    below = np.tri(m.shape[-1], k=-1, dtype=m.dtype)
    mirrored = m * (below + _eye(m)) + (m * below).mT
    return solve_p(r, (g + q @ mirrored).mT).mT


def _cholesky_rule(g: Any, y: Any) -> Any:
    half = np.tri(y.shape[-1], dtype=y.dtype) - 0.5 * _eye(y)
    inside = solve_p(y.mT, (y.mT @ g) * half)
    return _even(solve_p(y.mT, inside.mT))


def _pinv_rule(g: Any, y: Any, x: Any) -> Any:
    """Pull the pseudo-inverse back [3]_, for changes that keep the rank."""
    gt = g.mT
    outside, within = gt - x @ (y @ gt), gt - (gt @ y) @ x
    return outside @ y @ y.mT + y.mT @ y @ within - y.mT @ g @ y.mT


def _lstsq_rule(g: Any, x: Any, a: Any, b: Any) -> Any:
    """Pull ``pinv(a) @ b`` back to `a`, which has full rank: there is nothing to cut off."""
    p = pinv_p(a, rcond=0)
    if b.ndim == 1:
        g, x, b = expand_dims(g, -1), expand_dims(x, -1), expand_dims(b, -1)
    back = p.mT @ g
    return (b - a @ x) @ (p @ back).mT + (p.mT @ x) @ (g - a.mT @ back).mT - back @ x.mT


def _rcond(a: Any, x: Any, rcond: Any) -> Any:
    """Give the cut-off of `lstsq`, by default not that of `pinv`: LAPACK takes one beyond (0, 1) for the rounding."""
    eps = float(np.finfo(x.dtype).eps)
    return eps * np.max(shape_of(a)) if rcond is None else rcond if 0 < rcond < 1 else eps


def _without(s: Any, *axes: int) -> Any:
    """Give the products of all entries of `s` but one, or of all but two different ones (and 0 on the diagonal)."""
    n = s.shape[-1]
    places = np.indices((n,) * len(axes))
    y = np.ones(n, s.dtype) - (_eye(s) if len(axes) == 2 else 0)
    for k in range(n):
        left_out = np.any(places == k, axis=0)
        y = y * where(left_out, 1, expand_dims(s[..., k], axes))
    return y


def _orientation(u: Any, v: Any) -> Any:
    return _entry(np.sign(det_p(u) * det_p(v)))


def _cofactor(x: Any) -> Any:
    """Give the derivative of the determinant, which singular matrices have too."""
    u, s, v = _svd(x)
    return _orientation(u, v) * ((u * _row(_without(s, -1))) @ v)


def _cofactor_rule(g: Any, x: Any) -> Any:
    """Pull the cofactors back: those of a diagonal matrix are products of its entries, and so are their derivatives."""
    u, s, v = svd_u_p(x), svd_s_p(x, alone=False), svd_v_p(x)
    h, p = u.mT @ g @ v.mT, _without(s, -2, -1)
    inside = _diagonal(sum(p * _row(sum(h * _eye(h), axis=-1)), axis=-1)) - (p * h).mT
    return _orientation(u, v) * (u @ inside @ v)


def _norm(x: Any, axis: Any, ord: float) -> Any:
    return np.linalg.vector_norm(x, axis=axis, keepdims=True, ord=ord)


# -- inverses ------------------------------------------------------------------------------------------


@namesake(np.linalg.inv)
def inv(a: Any) -> Any:
    """Invert square matrices."""
    return inv_p(a)


@namesake(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None) -> Any:
    """Give the pseudo-inverse, and its derivative along changes that keep the rank: it jumps along others."""
    return pinv_p(a, rcond=rcond)


@namesake(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """Solve ``a @ x = b``. One axis of `b` makes it a vector, as in NumPy 2; more, matrices."""
    return solve_p(a, b) if len(shape_of(b)) != 1 else squeeze(solve_p(a, expand_dims(b, -1)), -1)


@namesake(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """Invert what maps the last axes of `a` to its first `ind`, which have as many entries."""
    if ind <= 0:
        raise ValueError(f"tensorinv counts the first axes, at least one, and got ind={ind}")
    rows, columns = a.shape[:ind], a.shape[ind:]
    return reshape(inv(reshape(a, (math.prod(rows), math.prod(columns)))), (*columns, *rows))


@namesake(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Iterable[int] | None = None) -> Any:
    """Solve ``tensordot(a, x, x.ndim) == b``, after `axes` of `a` have moved to its end."""
    if axes is not None:
        last = list(axes)
        a = transpose(a, [*(i for i in range(len(shape_of(a))) if i not in last), *last])
    shape, rank = shape_of(a), len(shape_of(b))
    unknown = shape[rank:]
    n = math.prod(unknown)
    if math.prod(shape) != n * n:
        raise np.linalg.LinAlgError(f"tensorsolve has as many equations as unknowns, not a of shape {shape} ({rank=})")
    return reshape(solve(reshape(a, (n, n)), ravel(b)), unknown)


@namesake(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """Give the least squares solution of ``a @ x = b``, its squared residuals, the rank and the singular values of `a`.

    Raises
    ------
    LinAlgError
        If `a` has not full rank: the solution then has no derivative.
    """
    x, s = lstsq_p(a, b, rcond=rcond), svdvals(a)
    m, n = shape_of(a)
    rank = np.count_nonzero(s > _rcond(a, x, rcond) * np.max(value_of(s), initial=0))
    if rank < np.minimum(m, n):
        raise np.linalg.LinAlgError(
            f"lstsq of a matrix of shape {(m, n)} and rank {rank} has no derivative: the solution jumps with the rank"
        )
    errors = square(b - matmul_p(a, x))
    residuals = sum(errors if x.ndim > 1 else expand_dims(errors, -1), axis=0)
    return x, residuals if m > n else residuals[:0], rank, s


@namesake(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """Multiply a square matrix with itself, or its inverse if `n` is negative."""
    n = op.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"matrix_power is of square matrices, not of shape {a.shape}")
    if not n:
        return a**0 * _eye(a)
    z, n, y = inv(a) if n < 0 else a, abs(n), None
    if n == 3:  # in NumPy's order, to the last bit
        return z @ z @ z
    while n:
        n, odd = divmod(n, 2)
        y = (z if y is None else y @ z) if odd else y
        z = z @ z if n else z
    return y


@namesake(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any]) -> Any:
    """Multiply a chain of matrices in the cheapest order; the first and the last may be vectors.

    References
    ----------
    .. [1] Cormen, Leiserson, Rivest and Stein, *Introduction to Algorithms*, 3rd ed., section 15.2.
    """
    xs, row, column = list(arrays), len(shape_of(arrays[0])) == 1, len(shape_of(arrays[-1])) == 1
    xs[0], xs[-1] = expand_dims(xs[0], 0) if row else xs[0], expand_dims(xs[-1], -1) if column else xs[-1]
    if len(xs) < 2 or any(len(shape_of(x)) != 2 for x in xs):
        raise np.linalg.LinAlgError(
            f"multi_dot multiplies two or more matrices, not shapes {[shape_of(x) for x in arrays]}"
        )
    sizes = [shape_of(xs[0])[0], *(shape_of(x)[1] for x in xs)]
    best = {(i, i): (0, i) for i in range(len(xs))}  # the cost of a part of the chain, and where to split it
    for length in range(1, len(xs)):
        for i in range(len(xs) - length):
            j = i + length
            outer = sizes[i] * sizes[j + 1]
            costs = [best[i, k][0] + best[k + 1, j][0] + outer * sizes[k + 1] for k in range(i, j)]
            k = int(np.argmin(costs))
            best[i, j] = costs[k], i + k

    def product(i: int, j: int) -> Any:
        k = best[i, j][1]
        return xs[i] if i == j else matmul_p(product(i, k), product(k + 1, j))

    y = product(0, len(xs) - 1)
    return squeeze(y, (0,) * row + (-1,) * column) if row or column else y


# -- determinants --------------------------------------------------------------------------------------


@namesake(np.linalg.det)
def det(a: Any) -> Any:
    """Compute determinants. The derivative is the cofactors, which singular matrices have too."""
    return det_p(a)


@namesake(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """Give the sign, a plain array, and the logarithm of the absolute value of determinants."""
    return SlogdetResult(np.linalg.slogdet(a.value)[0], logdet_p(a))


# -- factorisations ------------------------------------------------------------------------------------


@namesake(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """Give the triangular root of positive definite matrices. One triangle is read; the gradient is symmetric."""
    return cholesky_p(a, upper=upper)


@namesake(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """Write matrices as orthonormal columns times a triangle; with `mode` "r", give the triangle.

    The mode "complete" is refused where it adds columns, which are arbitrary. The derivative is that
    of matrices whose first columns are independent.
    """
    if mode == "complete" and a.ndim > 1 and a.shape[-2] <= a.shape[-1]:
        mode = "reduced"
    if mode not in ("reduced", "r"):
        raise ValueError(f'qr of a Tensor of shape {a.shape} has mode "reduced" or "r", not {mode!r}')
    return qr_r_p(a) if mode == "r" else QRResult(qr_q_p(a), qr_r_p(a))


@namesake(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """Give the eigenvalues and eigenvectors of symmetric matrices, of which one triangle is read.

    The gradient is symmetric. Eigenvectors of repeated eigenvalues have no derivative: it is nan.
    """
    return EighResult(eigh_w_p(a, UPLO=UPLO, alone=False), eigh_v_p(a, UPLO=UPLO))


@namesake(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Give the eigenvalues of symmetric matrices, of which one triangle is read; the gradient is symmetric."""
    return eigh_w_p(a, UPLO=UPLO, alone=True)


@namesake(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Give the singular vectors and values. Vectors of repeated values have no derivative: it is nan.

    Raises
    ------
    ValueError
        If `full_matrices` asks for vectors beyond the singular values, which are arbitrary.
    """
    if not compute_uv:
        return svdvals(a)
    if full_matrices and len({*a.shape[-2:]}) > 1:
        raise ValueError(
            f"the last singular vectors of shape {a.shape} are arbitrary and have no derivative: "
            "pass full_matrices=False"
        )
    return SVDResult(svd_u_p(a), svd_s_p(a, alone=False), svd_v_p(a))


@namesake(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    """Give the singular values, the largest first."""
    return svd_s_p(x, alone=True)


# -- what `numpy.linalg` says otherwise than `numpy` -----------------------------------------------------


@namesake(np.linalg.diagonal)
def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """Read a diagonal of matrices, which are along the last two axes."""
    return arranging.diagonal(x, offset, -2, -1)


@namesake(np.linalg.trace)
def trace(x: Any, /, *, offset: int = 0) -> Any:
    """Add up a diagonal of matrices, which are along the last two axes."""
    return arranging.trace(x, offset, -2, -1)


@namesake(np.linalg.outer)
def outer(x1: Any, x2: Any, /) -> Any:
    """Multiply every entry of one vector by every entry of another."""
    shapes = shape_of(x1), shape_of(x2)
    if any(len(shape) != 1 for shape in shapes):
        raise ValueError(f"linalg.outer multiplies vectors, not shapes {shapes}: ag.outer flattens first")
    return linalg.outer(x1, x2)


# -- norms ---------------------------------------------------------------------------------------------


@namesake(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Axes = None, keepdims: bool = False) -> Any:
    """Give the norm of vectors along an axis, with any `ord`, or of matrices along two, as `matrix_norm` does.

    The derivative is 0 where the norm is, and by an entry that is 0; entries that tie for the largest share it
    evenly. ``ord=0`` counts, so its derivative is 0.
    """
    axes = axes_of(x, axis)
    if len(axes) == 2 and ord not in (None, "fro", "f"):
        y = matrix_norm(moveaxis(x, axes, (-2, -1)), ord=ord)
        return expand_dims(y, axes) if keepdims else y
    y = axis_norm_p(x, ord=ord, axis=axis)
    return y if keepdims else squeeze(y, axes)


@namesake(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Any:
    """Give the norm of the entries along `axis`; ``ord=0`` leaves the graph.

    The derivative by an entry of 0 is 0; in the norm inf, entries that tie share it evenly.
    """
    if ord == 0:
        return np.linalg.vector_norm(x.value, axis=axis, keepdims=keepdims, ord=0)
    if ord in (math.inf, -math.inf):
        return (max if ord > 0 else min)(absolute(x), axis, keepdims=keepdims)
    y = norm_p(x, axis=axis, ord=ord)
    return y if keepdims else squeeze(y, axis)


@namesake(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Give the norm of matrices: "fro", "nuc", or 1, 2, inf and their negatives."""
    if ord == "fro":
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord == "nuc":
        y = sum(svdvals(x), axis=-1)
    elif ord in (2, -2):
        y = svdvals(x)[..., 0 if ord == 2 else -1]
    elif ord in (1, -1, math.inf, -math.inf):
        y = (max if ord > 0 else min)(sum(absolute(x), axis=-2 if abs(ord) == 1 else -1), axis=-1)
    else:
        raise ValueError(f'the norm of a matrix is "fro", "nuc", 1, 2, inf or the negative of one, not {ord!r}')
    return _entry(y) if keepdims else y


@namesake(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """Give the condition number of matrices in a norm of `matrix_norm`, by default 2, where singular ones have inf.

    Raises
    ------
    LinAlgError
        If a matrix is empty, or singular and `p` neither 2 nor -2.
    """
    if 0 in x.shape[-2:]:
        raise np.linalg.LinAlgError(f"an empty matrix has no condition number, and the shape is {x.shape}")
    if p is None or p in (2, -2):
        s = svdvals(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            y = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        return where(np.isnan(y), math.inf, y)  # 0 / 0
    inverse = inv(x.astype(np.float64))
    return (matrix_norm(x, ord=p) * matrix_norm(inverse, ord=p)).astype(x.dtype)
