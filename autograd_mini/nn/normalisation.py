"""Normalisation: by the statistics of a batch, or of each sample."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from .. import ops
from ..core import Node, value_of
from ..ops.elementwise import floating
from .layers import length, parameter
from .module import Module


class _Norm(Module, ABC):
    """What the two have in common: parameters of a shape, and what is done about half precision."""

    def __init__(self, shape: tuple[int, ...], eps: float, weight: bool, bias: bool, dtype: DTypeLike) -> None:
        if not np.float32(eps) > 0:
            raise ValueError(f"eps is added to a variance that may be 0, and must be positive in float32, not {eps}")
        self.shape, self.eps = shape, eps
        self.weight = parameter(np.ones(shape), dtype) if weight else None
        self.bias = parameter(np.zeros(shape), dtype) if bias else None

    def forward(self, x: Any) -> Any:
        """Take and give one shape. Half precision is computed in single, for squares would leave its range."""
        x = x if isinstance(x, Node) else floating(x)
        if not self._fits(x.shape):
            raise ValueError(f"{type(self).__name__}({self.extra_repr()}) takes arrays {self._takes()}, not {x.shape}")
        if x.dtype.itemsize < 4:
            return self._normalised(x.astype(np.float32)).astype(x.dtype)
        return self._normalised(x)

    @abstractmethod
    def _fits(self, shape: tuple[int, ...]) -> bool:
        """Whether arrays of a shape can be taken."""

    @abstractmethod
    def _takes(self) -> str:
        """Say of what shapes arrays can be taken."""

    @abstractmethod
    def _normalised(self, x: Any) -> Any:
        """Give the result for an array that fits, in single precision or better."""


class _BatchNorm(_Norm):
    shapes: ClassVar[dict[int, str]]  # that it takes, by the number of axes
    running_mean: np.ndarray[Any, Any]
    running_var: np.ndarray[Any, Any]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum is the weight of the newest batch, from 0 to 1, not {momentum}")
        super().__init__((length("num_features", num_features),), eps, affine, affine, dtype)
        self.momentum = momentum
        wide = np.promote_types(dtype, np.float32)
        self.register_buffer("running_mean", np.zeros(num_features, wide))
        self.register_buffer("running_var", np.ones(num_features, wide))

    def _fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) in self.shapes and shape[1:2] == self.shape

    def _takes(self) -> str:
        return "of shape " + " or ".join(shape.format(self.shape[0]) for shape in self.shapes.values())

    def _normalised(self, x: Any) -> Any:
        channels = (*self.shape, *[1] * (x.ndim - 2))
        if self.training:
            x, var = self._by_the_batch(x)
        else:
            x, var = x - self.running_mean.reshape(channels), self.running_var.reshape(channels)
        scale = ops.sqrt(var + self.eps)
        weight, bias = self.weight, self.bias
        if weight is None or bias is None:
            return x * (1 / scale)
        if x.ndim > 2:
            weight, bias = weight.reshape(channels), bias.reshape(channels)
        return x * (weight / scale) + bias

    def _by_the_batch(self, x: Any) -> tuple[Any, Any]:
        """Give `x` less its mean, and its variance; and remember both."""
        count = x.size // self.shape[0]
        if count < 2:
            raise ValueError(
                f"{type(self).__name__} in training takes the variance of each channel over the batch, and an array "
                f"of shape {x.shape} has {count} of each: pass a larger batch (drop a last one that is smaller), call "
                "model.eval(), or use LayerNorm"
            )
        mean, x, var = centred(x, (0, *range(2, x.ndim)))
        for name, new in (("running_mean", mean), ("running_var", var)):
            now = np.ravel(value_of(new)) * (count / (count - 1) if new is var else 1)
            old = getattr(self, name)  # not overwritten, for a graph of eval() may still use it
            setattr(self, name, ((1 - self.momentum) * old + self.momentum * now).astype(old.dtype))
        return x, var

    def extra_repr(self) -> str:
        return f"{self.shape[0]}" + ", affine=False" * (self.weight is None)


class BatchNorm1d(_BatchNorm):
    """Give each channel mean 0 and variance 1 over the batch, then ``weight`` times that plus ``bias`` [1]_.

    In training the statistics are those of the batch. Their running averages, with the variance divided by the number
    of values less one, stand in for them after `eval()`.

    Parameters
    ----------
    num_features : int
        The length of the axis of channels, which is the second.
    eps : float
        Added to the variance, positive.
    momentum : float
        The weight of the newest batch in the running averages.
    affine : bool
        Whether there are a weight and a bias; they start at 1 and 0.
    dtype : float16, float32 or float64

    Attributes
    ----------
    weight, bias : Tensor of shape (num_features,), or None
    running_mean, running_var : ndarray of shape (num_features,)
        Buffers.

    Raises
    ------
    ValueError
        If x is not of shape (batch, channels) or (batch, channels, length), or has, in training, fewer than two
        values a channel.

    References
    ----------
    .. [1] Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate
       shift", ICML 2015, algorithms 1 and 2.
    """

    shapes: ClassVar = {2: "(batch, {})", 3: "(batch, {}, length)"}


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images, of shape (batch, channels, height, width); see `BatchNorm1d`."""

    shapes: ClassVar = {4: "(batch, {}, height, width)"}


class LayerNorm(_Norm):
    """Give the last axes of each sample mean 0 and variance 1, then ``weight`` times that plus ``bias`` [1]_.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The lengths of these axes.
    eps : float
        Added to the variance, positive.
    elementwise_affine, bias : bool
        Whether there are a weight and a bias, which has no place without a weight; they start at 1 and 0.
    dtype : float16, float32 or float64

    Attributes
    ----------
    weight, bias : Tensor of shape `normalized_shape`, or None

    Raises
    ------
    ValueError
        If the last axes of x have other lengths.

    References
    ----------
    .. [1] Ba, Kiros and Hinton, "Layer normalization", arXiv:1607.06450, 2016, equation (3).
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        lengths = normalized_shape if isinstance(normalized_shape, Sequence) else (normalized_shape,)
        shape = tuple([length("normalized_shape", n) for n in lengths])
        if not shape:
            raise ValueError("normalized_shape names at least one axis, and is empty")
        super().__init__(shape, eps, elementwise_affine, elementwise_affine and bias, dtype)

    def _fits(self, shape: tuple[int, ...]) -> bool:
        return shape[-len(self.shape) :] == self.shape

    def _takes(self) -> str:
        return f"of shape (..., {', '.join(map(str, self.shape))})"

    def _normalised(self, x: Any) -> Any:
        _, x, var = centred(x, tuple(range(-len(self.shape), 0)))
        y = x * (1 / ops.sqrt(var + self.eps))
        y = y if self.weight is None else y * self.weight
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        shape = self.shape if len(self.shape) > 1 else self.shape[0]
        lacks = "elementwise_affine" if self.weight is None else "bias" if self.bias is None else ""
        return f"{shape}" + (f", {lacks}=False" if lacks else "")


def centred(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Give the mean of `x` along `axes`, `x` less its mean, and its variance."""
    mean = ops.mean(x, axes, keepdims=True)
    x = x - mean
    return mean, x, ops.mean(ops.square(x), axes, keepdims=True)
