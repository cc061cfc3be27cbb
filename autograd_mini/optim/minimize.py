"""Minimisation of a function by SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..derivatives import value_and_grad
from ..extras import extra
from ..numpy_protocol import plain
from ..tensor import Tensor
from ..trees import grown, leaves


def minimize(f: Callable[[Any], Any], x0: Any, *, method: str = "L-BFGS-B", **settings: Any) -> Any:
    """Minimise a function of all its arguments at once, with value and gradient in SciPy's L-BFGS-B [1]_.

    Parameters
    ----------
    f : callable
        Gives a scalar of what has the form of `x0`.
    x0 : tree or Module
        Where to start: an array or a Tensor, tuples, lists and dicts of them, or a module, whose
        parameters then move; those that are frozen stay.
    method : str
        Another one of `scipy.optimize.minimize` that uses the gradient.
    **settings
        Of `scipy.optimize.minimize`: ``tol``, ``options``, ``bounds``, ``callback`` and others.

    Returns
    -------
    scipy.optimize.OptimizeResult
        Its `x` has the form, the shapes and the dtypes of `x0` (the module itself, moved); all else is
        SciPy's and about the one float64 vector of all entries. Ask `success` whether it converged.

    Raises
    ------
    ModuleNotFoundError
        If SciPy is missing.
    ValueError
        If `f` gives more than one number.

    References
    ----------
    .. [1] Byrd, Lu, Nocedal and Zhu, "A limited memory algorithm for bound constrained optimization", SIAM Journal on
       Scientific Computing 16(5), 1995.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> rosenbrock = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    >>> ag.optim.minimize(rosenbrock, np.array([-1.0, 2.0])).x.round(3)
    array([1., 1.])
    """
    optimize = extra("scipy.optimize", "train")
    module = hasattr(x0, "named_parameters")
    tree = {path: p for path, p in x0.named_parameters() if p.requires_grad} if module else x0
    parts = list(leaves(tree))
    start = [Tensor(plain(x)).value for x in parts]
    if not sum(x.size for x in start):
        raise ValueError("there is nothing to minimise by: x0 has no entry, or no parameter that requires a gradient")
    ends = np.cumsum([x.size for x in start])
    both = value_and_grad(f)

    def placed(vector: Any) -> Any:
        """Give the entries the form of `x0`, or put them into the module."""
        pieces = zip(np.split(vector, ends[:-1]), start, strict=True)
        arrays = [piece.reshape(x.shape).astype(x.dtype)[()] for piece, x in pieces]
        if not module:
            return grown(tree, iter(arrays))
        for p, array in zip(parts, arrays, strict=True):
            p.data = array
        return x0

    def evaluate(vector: Any) -> tuple[float, Any]:
        value, slopes = both(placed(vector))
        found = [slopes[path] for path in tree] if module else leaves(slopes)
        return float(plain(value)), _flat([plain(g) for g in found])

    result = optimize.minimize(evaluate, _flat(start), method=method, jac=True, **settings)
    result.x = placed(result.x)
    return result


def _flat(arrays: list[Any]) -> Any:
    return np.concatenate([np.reshape(x, -1) for x in arrays], dtype=np.float64)
