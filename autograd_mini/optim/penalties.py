"""Penalties on parameters, as explicit terms of a loss."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add

from .. import ops
from ..tensor import Tensor
from .optimizer import listed


def l1_penalty(parameters: Iterable[Tensor]) -> Tensor:
    """Compute the sum of the magnitudes of all entries, as a term of a loss; its derivative at 0 is 0.

    Parameters
    ----------
    parameters : iterable of Tensor
        Of any shapes, at least one.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> w = ag.Tensor([3.0, -4.0])
    >>> (0.5 * ag.optim.l1_penalty([w])).backward()
    >>> w.grad
    array([ 0.5, -0.5])
    """
    total: Tensor = reduce(add, (ops.sum(ops.abs(p)) for p in listed(parameters)))
    return total


def l2_penalty(parameters: Iterable[Tensor]) -> Tensor:
    """Compute the sum of the squares of all entries, as a term of a loss.

    With the factor `a` it does to gradients what ``weight_decay=2 * a`` does.

    Parameters
    ----------
    parameters : iterable of Tensor
        Of any shapes, at least one.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> w = ag.Tensor([3.0, -4.0])
    >>> ag.optim.l2_penalty([w])
    Tensor(25., op='sum')
    """
    total: Tensor = reduce(add, (ops.sum(p * p) for p in listed(parameters)))
    return total
