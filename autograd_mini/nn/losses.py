"""Losses.

Each has a `reduction`: "mean" (the default), "sum", or "none", which leaves the losses as they are. What is compared
entry by entry must have one shape: a shape that would broadcast is an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..core import Node, value_of
from ..ops.convolution import one_hot
from ..ops.elementwise import floating
from ..ops.indexing import class_ids
from ..ops.losses import mse_p, nll_p
from ..ops.shape import shape_of

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "hinge_loss", "huber_loss", "kl_div",
    "l1_loss", "mse_loss", "nll_loss",
]  # fmt: skip


# -- of numbers ----------------------------------------------------------------------------------------


def mse_loss(prediction: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    """Compute the mean of the squared differences.

    Parameters
    ----------
    prediction, target : Tensor or array, of one shape
    weight : array of the same shape, optional
        What each counts; the mean is then divided by their sum.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ, even where they would broadcast.
    """
    prediction, target = _pair("mse_loss", prediction, target)
    if weight is None and reduction == "mean":
        return mse_p(prediction, target)
    return _reduced(_weighed("mse_loss", ops.square(prediction - target), weight), reduction, weight)


def l1_loss(prediction: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    """Compute the mean of the absolute differences, whose derivative at 0 is 0.

    Parameters
    ----------
    prediction, target, weight, reduction : as of `mse_loss`

    Raises
    ------
    ValueError
        If the shapes differ, even where they would broadcast.
    """
    prediction, target = _pair("l1_loss", prediction, target)
    return _reduced(_weighed("l1_loss", ops.absolute(prediction - target), weight), reduction, weight)


def huber_loss(prediction: Any, target: Any, *, delta: float = 1.0, weight: Any = None, reduction: str = "mean") -> Any:
    """Compute the mean of ``d**2 / 2`` up to a difference of `delta`, and from there on of its tangent [1]_.

    Parameters
    ----------
    prediction, target : Tensor or array, of one shape
    delta : float
        Positive.
    weight : array of the same shape, optional
        What each counts; the mean is divided by their number, as PyTorch does for this loss.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ, even where they would broadcast, or `delta` is not positive.

    References
    ----------
    .. [1] Huber, "Robust estimation of a location parameter", Ann. Math. Stat. 35 (1964).
    """
    prediction, target = _pair("huber_loss", prediction, target)
    if not delta > 0:
        raise ValueError(f"delta is where the square ends, and positive, not {delta}")
    d = prediction - target
    near = ops.clip(d, -delta, delta)
    return _reduced(_weighed("huber_loss", near * (d - 0.5 * near), weight), reduction)


# -- of two classes ------------------------------------------------------------------------------------


def binary_cross_entropy(prediction: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    """Compute the mean of ``-t log p - (1 - t) log(1 - p)``.

    A logarithm below -100 counts as -100, without slope: so a certain prediction that is wrong has the loss 100 and the
    derivative 0. `binary_cross_entropy_with_logits` learns from it all the same.

    Parameters
    ----------
    prediction : Tensor or array
        Probabilities, from 0 to 1.
    target : array of the same shape
        Probabilities too.
    weight : array that broadcasts to that shape, optional
        What each counts; the mean is divided by their number, as PyTorch does.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ, even where they would broadcast, or something is not from 0 to 1.
    """
    prediction, target = _pair("binary_cross_entropy", prediction, target)
    p = value_of(prediction)
    if ((p < 0) | (p > 1)).any():
        raise ValueError(
            f"predictions are probabilities from 0 to 1, and these reach from {p.min():g} to {p.max():g}: take the "
            "sigmoid of logits, or binary_cross_entropy_with_logits"
        )
    _check_probabilities(target)
    x = -target * _log(prediction, p) - (1 - target) * _log(-prediction, 1 - p, ops.log1p, 0)
    return _reduced(_weighed("binary_cross_entropy", x, weight, spread=True), reduction)


def binary_cross_entropy_with_logits(
    logits: Any, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Compute the mean of ``-t log p - (1 - t) log(1 - p)`` with ``p = sigmoid(logits)``.

    As ``t softplus(-x) + (1 - t) softplus(x)``, which is exact to the last digits for every logit.

    Parameters
    ----------
    logits : Tensor or array
    target : array of the same shape
        Probabilities, from 0 to 1.
    weight : array that broadcasts to that shape, optional
        What each counts; the mean is divided by their number, as PyTorch does.
    pos_weight : array that broadcasts to that shape, optional
        What the first term counts: more than 1 for the sake of recall.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ, even where they would broadcast, or a target is not from 0 to 1.
    """
    name = "binary_cross_entropy_with_logits"
    logits, target = _pair(name, logits, target)
    _check_probabilities(target)
    positive = _weighed(name, target * ops.softplus(-logits), pos_weight, spread=True)
    x = positive + (1 - target) * ops.softplus(logits)
    return _reduced(_weighed(name, x, weight, spread=True), reduction)


def hinge_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Compute the mean of ``max(0, 1 - target * prediction)`` [1]_; its derivative at the kink is 0.

    Parameters
    ----------
    prediction : Tensor or array
    target : array of the same shape
        -1 or 1.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ, even where they would broadcast, or a target is neither -1 nor 1.

    References
    ----------
    .. [1] Cortes and Vapnik, "Support-vector networks", Machine Learning 20 (1995).
    """
    prediction, target = _pair("hinge_loss", prediction, target)
    if (np.absolute(value_of(target)) != 1).any():
        raise ValueError("the targets of hinge_loss are -1 and 1: of 0 and 1, take 2 * target - 1")
    return _reduced(ops.relu(1 - target * prediction), reduction)


# -- of many classes -----------------------------------------------------------------------------------


def cross_entropy(
    logits: Any,
    target: Any,
    *,
    weight: Any = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Any:
    """Compute the mean of ``-log softmax(logits)[class]``, or of ``-sum(t * log_softmax(logits))``.

    Parameters
    ----------
    logits : Tensor or array of shape (..., classes)
    target : integer array of shape (...), or array of shape (..., classes)
        Class ids from 0; or one-hot rows; or probabilities that add up to 1 (to 0.001). A target of 0 makes its
        class irrelevant, even at a logit of -inf.
    weight : array of shape (classes,), optional
        What each class counts. The mean over class ids is then divided by the sum of their weights, that over
        probabilities by their number, as PyTorch does.
    ignore_index : int, optional
        A class id that counts nothing. Where nothing else is there, the loss and its derivative are 0. PyTorch's
        default of -100 has to be asked for.
    label_smoothing : float
        How much of each target, from 0 to 1, is spread evenly over all classes [1]_.
    reduction : {"mean", "sum", "none"}
        "none" gives shape (...).

    Raises
    ------
    IndexError
        If an id is negative or not less than the number of classes, and not `ignore_index`.
    TypeError
        If ids are not integers.
    ValueError
        If the shapes do not go together.

    References
    ----------
    .. [1] Szegedy et al., "Rethinking the inception architecture for computer vision", CVPR 2016, section 7.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing is from 0 to 1, not {label_smoothing}")
    return _likelihood(
        "cross_entropy of logits", ops.log_softmax, logits, target, weight, ignore_index, label_smoothing, reduction
    )


def nll_loss(
    log_probabilities: Any,
    target: Any,
    *,
    weight: Any = None,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Any:
    """Compute the mean of ``-log_probabilities[class]``: `cross_entropy` behind a `log_softmax`.

    Parameters
    ----------
    log_probabilities : Tensor or array of shape (..., classes)
    target, weight, ignore_index, reduction : as of `cross_entropy`

    Raises
    ------
    IndexError, TypeError, ValueError
        As `cross_entropy` does.
    """
    return _likelihood(
        "nll_loss of log-probabilities", ops.positive, log_probabilities, target, weight, ignore_index, 0, reduction
    )


def _likelihood(
    name: str,
    log_p: Callable[[Any], Any],
    x: Any,
    target: Any,
    weight: Any,
    ignore_index: int | None,
    smoothing: float,
    reduction: str,
) -> Any:
    shape = shape_of(x)
    if not shape:
        raise ValueError(f"{name} takes a last axis of classes, not one number")
    classes, by_ids = shape[-1], shape_of(target) == shape[:-1]
    if not by_ids and shape_of(target) != shape:
        raise ValueError(
            f"{name} {shape} takes class ids of shape {shape[:-1]} or probabilities of shape {shape}, "
            f"not {shape_of(target)}"
        )
    if by_ids and weight is None and ignore_index is None and not smoothing and reduction == "mean":
        ids = class_ids(target, classes)
        y = log_p(x)
        return nll_p(y if len(shape) == 2 else ops.reshape(y, (ids.size, classes)), ids=ids.ravel())

    x = x if isinstance(x, Node) else floating(x)
    kept: Any = True
    if by_ids:
        ids = np.asarray(value_of(target))
        if ignore_index is not None:
            kept = (ids != ignore_index)[..., None]
            ids = np.where(kept[..., 0], ids, 0)
            x = ops.where(kept, x, 0)  # what is ignored may be nan
        share = one_hot(class_ids(ids, classes), classes, x.dtype) * kept
        counted = ops.sum(_weighed(name, share, weight, (classes,)), axis=-1)
    else:
        if ignore_index is not None:
            raise ValueError("ignore_index is a class id, and these targets are probabilities: leave it out")
        share, counted = target if isinstance(target, Node) else _like(target, x), None
        t = value_of(share)
        if not ((t >= 0).all() and np.allclose(t.sum(axis=-1), 1, atol=1e-3)):
            raise ValueError(
                f"targets of the shape of the {name.rpartition(' ')[2]} are probabilities: none negative, and 1 in sum "
                "in each row"
            )
    if smoothing:
        share = ((1 - smoothing) * share + smoothing / classes) * kept
    share = _weighed(name, share, weight, (classes,))
    losses = ops.where(share == 0, 0, log_p(x)) * share
    if reduction == "none":
        return -ops.sum(losses, axis=-1)
    return _reduced(losses, reduction, counted) * (-classes if reduction == "mean" else -1)


def kl_div(log_prediction: Any, target: Any, *, log_target: bool = False, reduction: str = "mean") -> Any:
    """Compute the mean of ``t * (log t - log_prediction)``, which is 0 where `t` is.

    It is the mean over all entries, as in PyTorch. The divergence of Kullback and Leibler [1]_ is the sum over the
    entries of a distribution: "batchmean" is its mean over the first axis.

    Parameters
    ----------
    log_prediction : Tensor or array
        The logarithms of probabilities.
    target : Tensor or array of the same shape
        Probabilities, or their logarithms if `log_target` says so.
    log_target : bool
    reduction : {"mean", "batchmean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ, even where they would broadcast, or a probability is negative.

    References
    ----------
    .. [1] Kullback and Leibler, "On information and sufficiency", Ann. Math. Stat. 22 (1951), equation (2.4).
    """
    log_prediction, target = _pair("kl_div", log_prediction, target)
    t = value_of(target)
    if not log_target and (t < 0).any():
        raise ValueError(f"targets are probabilities, and the least of these is {t.min()}: say log_target=True of logs")
    never = t == (-np.inf if log_target else 0)
    target = ops.where(never, 0 if log_target else 1, target)  # any number, for it will not be chosen
    p, log_p = (ops.exp(target), target) if log_target else (target, ops.log(target))
    x = ops.where(never, 0, p * (log_p - ops.where(never, 0, log_prediction)))
    if reduction == "batchmean":
        return ops.sum(x) / max(x.shape[0] if x.shape else 1, 1)
    return _reduced(x, reduction)


# -- what they share -----------------------------------------------------------------------------------


def _pair(name: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Take two of one shape, as Tensors or arrays."""
    if not isinstance(prediction, Node):
        prediction = floating(prediction)
    if not isinstance(target, Node):
        target = _like(target, prediction)
    if prediction.shape != target.shape:
        shapes = f"{prediction.shape} and {target.shape}"
        raise ValueError(f"{name} compares arrays of one shape, not {shapes}: reshape one of them")
    return prediction, target


def _like(x: Any, other: Any) -> Any:
    """Take an array; whole numbers in the dtype of `other`, or they would widen it."""
    x = np.asarray(x)
    return x.astype(other.dtype) if x.dtype.kind in "iub" else x


def _weighed(name: str, x: Any, weight: Any, shape: tuple[int, ...] | None = None, spread: bool = False) -> Any:
    """Multiply by weights, if there are any, of `shape`: by default that of `x`, or one that broadcasts to it."""
    if weight is None:
        return x
    weight = weight if isinstance(weight, Node) else np.asarray(weight, x.dtype)
    shape = x.shape if shape is None else shape
    if weight.shape != shape and not (spread and _spreads(weight.shape, shape)):
        raise ValueError(f"{name} takes weights of shape {shape}, not {weight.shape}")
    return x * weight


def _spreads(shape: tuple[int, ...], over: tuple[int, ...]) -> bool:
    """Whether an array of one shape broadcasts to another."""
    return len(shape) <= len(over) and all(n in (1, m) for n, m in zip(shape[::-1], over[::-1], strict=False))


def _check_probabilities(target: Any) -> None:
    t = value_of(target)
    if not ((t >= 0) & (t <= 1)).all():
        raise ValueError(f"targets are probabilities from 0 to 1, and these reach from {t.min():g} to {t.max():g}")


def _log(x: Any, p: Any, log: Callable[[Any], Any] = ops.log, at_one: float = 1) -> Any:
    """Compute ``log(p)``, as ``log(x)`` or ``log1p(x)``, but at least -100, and flat where 1 / p is out of range."""
    flat = p < max(math.exp(-100), np.finfo(p.dtype).tiny)
    with np.errstate(divide="ignore"):
        floor = np.maximum(np.log(p), -100)
    return ops.where(flat, floor, log(ops.where(flat, at_one, x)))


def _reduced(x: Any, reduction: str, counted: Any = None) -> Any:
    """Reduce losses; their mean is divided by that of how much each counts, if that is given and not 0."""
    if reduction == "mean":
        mean = ops.mean(x)
        if counted is None:
            return mean
        counted = ops.mean(counted if isinstance(counted, Node) else np.asarray(counted, x.dtype))
        return mean / (counted if counted != 0 else 1)
    if reduction == "sum":
        return ops.sum(x)
    if reduction == "none":
        return x
    raise ValueError(f'reduction is "mean", "sum" or "none", not {reduction!r}')
