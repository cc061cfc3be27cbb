"""Limits on gradients."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Any

import numpy as np

from ..tensor import Tensor
from .optimizer import POSITIVE, listed, require


def clip_grad_norm_(
    parameters: Iterable[Tensor], max_norm: float, norm_type: float = 2.0, *, error_if_nonfinite: bool = False
) -> float:
    """Scale all gradients down, in place and by one factor, so that their norm is at most `max_norm` [1]_.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those without a gradient are left out.
    max_norm : float
        Positive; ``math.inf`` only measures.
    norm_type : float
        Of all entries taken as one vector; ``math.inf`` is the largest magnitude.
    error_if_nonfinite : bool
        Otherwise a gradient that is NaN or infinite makes NaN of some or all, as in PyTorch.

    Returns
    -------
    float
        The norm before. As in PyTorch the factor is ``max_norm / (norm + 1e-6)``.

    Raises
    ------
    ValueError
        If `max_norm` or `norm_type` is not positive.
    FloatingPointError
        If the norm is not finite, and that is to be an error; nothing has changed then.

    References
    ----------
    .. [1] Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013,
       algorithm 1.
    """
    require("max_norm", max_norm, (lambda x: x > 0, "positive"))
    require("norm_type", norm_type, (lambda x: x > 0, "positive"))
    moved = [p for p in listed(parameters) if p.grad is not None]
    norm = _norm([p.grad for p in moved], norm_type)
    if error_if_nonfinite and not np.isfinite(norm):
        raise FloatingPointError(f"the norm of the gradients is {norm}: look for the first operation that gave it")
    factor = max_norm / (norm + 1e-6) if max_norm < inf else 1
    if not factor >= 1:  # so for NaN too
        for p in moved:
            p.grad *= factor
    return norm


def clip_grad_value_(parameters: Iterable[Tensor], clip_value: float) -> None:
    """Bring every entry of every gradient, in place, between ``-clip_value`` and ``clip_value``; NaN stays.

    Raises
    ------
    ValueError
        If `clip_value` is not positive.
    """
    require("clip_value", clip_value, POSITIVE)
    for p in listed(parameters):
        if p.grad is not None:
            p.grad = np.clip(p.grad, -clip_value, clip_value, out=p.grad if p.ndim else None)


def _norm(gradients: list[Any], kind: float) -> float:
    entries = [np.reshape(g, -1) for g in gradients if g.size]
    with np.errstate(over="ignore"):
        norm = float(np.linalg.norm([0.0, *(float(np.linalg.norm(x, kind)) for x in entries)], kind))
    if 0 < norm < inf or kind == inf:
        return norm
    largest = _norm(gradients, inf)
    if not 0 < largest < inf:
        return largest
    return largest * _norm([x / largest for x in entries], kind)  # so that no square overflows, or vanishes
