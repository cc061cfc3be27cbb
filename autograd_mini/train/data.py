"""Batches of arrays, and what a model makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core import no_grad, value_of
from ..nn import Module


def batches(
    x: Any,
    y: Any,
    batch_size: int = 32,
    shuffle: bool = True,
    seed: int | Sequence[int] | np.random.Generator | None = None,
    drop_last: bool = False,
) -> Iterator[tuple[Any, Any]]:
    """Give the rows of two arrays together, `batch_size` at a time.

    Parameters
    ----------
    x, y : array of shape (n, ...)
        Of any dtypes.
    batch_size : int
        At least 1.
    shuffle : bool
        Whether to go through the rows in random order.
    seed : int, sequence of int or numpy.random.Generator, optional
        Where the order comes from.
    drop_last : bool
        Whether to leave out a last batch that is smaller than the others.

    Raises
    ------
    ValueError
        If `x` and `y` are not of one length, or there is no row.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> for x, y in ag.train.batches(np.arange(5), np.arange(5) ** 2, batch_size=2, shuffle=False):
    ...     print(x, y)
    [0 1] [0 1]
    [2 3] [4 9]
    [4] [16]
    """
    n = paired(x, y)
    if batch_size < 1:
        raise ValueError(f"a batch has at least 1 row, not batch_size={batch_size}")
    order = np.random.default_rng(seed).permutation(n) if shuffle else np.arange(n)
    return _cut(x, y, order, batch_size, n - n % batch_size if drop_last else n)


def _cut(x: Any, y: Any, order: Any, size: int, end: int) -> Iterator[tuple[Any, Any]]:
    for start in range(0, end, size):
        rows = order[start : start + size]
        yield x[rows], y[rows]


def paired(x: Any, y: Any) -> int:
    """Give the length of two arrays, which must be one and the same."""
    if len(x) != len(y):
        raise ValueError(f"x and y have a row for each sample, and these have {len(x)} and {len(y)}")
    if not len(x):
        raise ValueError("there is not one sample to learn from")
    return len(x)


def predict(model: Module, x: Any, batch_size: int = 1024) -> Any:
    """Give what `model` makes of the rows of `x`, as an array: in evaluation, nothing recorded.

    Parameters
    ----------
    model : Module
    x : array of shape (n, ...)
    batch_size : int
        So many rows at a time, which bounds the memory.
    """
    modes = [(module, module.training) for _, module in model.named_modules()]
    model.eval()
    try:
        with no_grad():
            parts = [value_of(model(x[start : start + batch_size])) for start in range(0, max(len(x), 1), batch_size)]
    finally:
        for module, training in modes:
            module.training = training
    return np.concatenate(parts)
