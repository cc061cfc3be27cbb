"""Losses: each gives one number, the mean over the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..core import value_of
from ..ops.indexing import class_ids
from ..ops.losses import mse_p, nll_p
from ..ops.shape import shape_of
from ..tensor import Tensor


def mse_loss(prediction: Any, target: Any) -> Tensor:
    """Compute the mean of the squared differences.

    Parameters
    ----------
    prediction, target : Tensor or array, of one shape

    Raises
    ------
    ValueError
        If the shapes differ, even where they would broadcast.
    """
    _same_shape("mse_loss", prediction, target)
    loss: Tensor = mse_p(prediction, target)
    return loss


def binary_cross_entropy_with_logits(logits: Any, target: Any) -> Tensor:
    """Compute the mean of ``-t log p - (1 - t) log(1 - p)`` with ``p = sigmoid(logits)``.

    As ``t softplus(-x) + (1 - t) softplus(x)``, which is exact to the last digits for every logit.

    Parameters
    ----------
    logits : Tensor or array
    target : array of the same shape
        Probabilities, from 0 to 1.

    Raises
    ------
    ValueError
        If the shapes differ, even where they would broadcast, or a target is not from 0 to 1.
    """
    _same_shape("binary_cross_entropy_with_logits", logits, target)
    t = np.asarray(value_of(target))
    if not ((t >= 0) & (t <= 1)).all():
        raise ValueError(f"targets are probabilities from 0 to 1, and these reach from {t.min()} to {t.max()}")
    loss: Tensor = ops.mean(target * ops.softplus(-logits) + (1 - target) * ops.softplus(logits))
    return loss


def cross_entropy(logits: Any, target: Any) -> Tensor:
    """Compute the mean of ``-log softmax(logits)[class]``, or of ``-sum(t * log_softmax(logits))``.

    Parameters
    ----------
    logits : Tensor or array of shape (..., classes)
    target : integer array of shape (...), or array of shape (..., classes)
        Class ids from 0; or one-hot rows; or probabilities that add up to 1 (to 0.001). A target of 0 makes its
        class irrelevant, even at a logit of -inf.

    Raises
    ------
    IndexError
        If an id is negative or not less than the number of classes.
    TypeError
        If ids are not integers.
    ValueError
        If the shapes do not go together.
    """
    shape = shape_of(logits)
    if not shape:
        raise ValueError("cross_entropy takes logits with a last axis of classes, not one number")
    log_p = ops.log_softmax(logits)
    if shape_of(target) == shape:
        t = np.asarray(value_of(target))
        if not ((t >= 0).all() and np.allclose(t.sum(axis=-1), 1, atol=1e-3)):
            raise ValueError(
                "targets of the shape of the logits are probabilities: none negative, and 1 in sum in each row"
            )
        weighted = ops.where(t == 0, 0, log_p) * target
        mean: Tensor = -ops.sum(weighted) / max(t.size // shape[-1], 1)
        return mean
    if shape_of(target) != shape[:-1]:
        raise ValueError(
            f"cross_entropy of logits {shape} takes class ids of shape {shape[:-1]} or probabilities of shape {shape}, "
            f"not {shape_of(target)}"
        )
    ids = class_ids(target, shape[-1])
    loss: Tensor = nll_p(log_p if len(shape) == 2 else log_p.reshape(-1, shape[-1]), ids=ids.ravel())
    return loss


def _same_shape(name: str, prediction: Any, target: Any) -> None:
    if shape_of(prediction) != shape_of(target):
        shapes = f"{shape_of(prediction)} and {shape_of(target)}"
        raise ValueError(f"{name} compares arrays of one shape, not {shapes}: reshape one of them")
