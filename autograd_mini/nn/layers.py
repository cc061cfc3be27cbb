"""Layers that have parameters or a random generator, and what puts modules together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import ops
from ..core import Node
from ..ops.convolution import Sizes
from ..ops.elementwise import floating
from ..ops.linalg import matmul_p
from ..ops.shape import shape_of
from ..tensor import FLOATS, Tensor
from .init import Initializer, Rng, normal, xavier_uniform
from .module import Module


def length(name: str, n: int) -> int:
    """Refuse an axis without entries."""
    if n < 1:
        raise ValueError(f"{name} is the length of an axis and at least 1, not {n}")
    return n


def parameter(values: Any, dtype: DTypeLike, shape: tuple[int, ...] | None = None) -> Tensor:
    """Make a Tensor of the first values of a parameter."""
    if np.dtype(dtype) not in FLOATS:
        raise ValueError(f"weights are float16, float32 or float64, not {np.dtype(dtype)}")
    if shape is not None and np.shape(values) != shape:
        raise ValueError(f"init was asked for values of shape {shape}, and gave {np.shape(values)}")
    return Tensor(np.asarray(values).astype(dtype))


class Linear(Module):
    """The affine map ``x @ weight + bias`` of the last axis.

    Parameters
    ----------
    in_features, out_features : int
        Lengths of the last axis of the input and of the output.
    bias : bool
        Whether to add one; it starts at zero.
    init : callable
        The first weights, from a shape and a generator; see `nn.init`.
    rng : numpy.random.Generator or int, optional
        What they are drawn with.
    dtype : float16, float32 or float64

    Attributes
    ----------
    weight : Tensor of shape (in_features, out_features)
        As it stands in the formula; PyTorch keeps the transpose.
    bias : Tensor of shape (out_features,), or None
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        init: Initializer = xavier_uniform,
        rng: Rng = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        shape = (length("in_features", in_features), length("out_features", out_features))
        self.weight = parameter(init(shape, np.random.default_rng(rng)), dtype, shape)
        self.bias = parameter(np.zeros(out_features), dtype) if bias else None

    def forward(self, x: Any) -> Tensor:
        """Take shape (..., in_features), give shape (..., out_features)."""
        try:
            y: Tensor = matmul_p(x, self.weight)
        except ValueError:
            raise ValueError(
                f"{type(self).__name__}({self.extra_repr()}) takes arrays of shape (..., {self.weight.shape[0]}), not "
                f"{shape_of(x)}"
            ) from None
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        n, m = self.weight.shape
        return f"{n}, {m}" + ("" if self.bias is not None else ", bias=False")


class Embedding(Module):
    """A vector for each of so many ids.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        How many ids there are, from 0, and how long the vectors are.
    init, rng, dtype : as of `Linear`, by default standard normal

    Attributes
    ----------
    weight : Tensor of shape (num_embeddings, embedding_dim)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        init: Initializer = normal,
        rng: Rng = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        shape = (length("num_embeddings", num_embeddings), length("embedding_dim", embedding_dim))
        self.weight = parameter(init(shape, np.random.default_rng(rng)), dtype, shape)

    def forward(self, ids: Any) -> Any:
        """Take integers of any shape, give shape (*ids.shape, embedding_dim)."""
        return ops.embedding(ids, self.weight)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.weight.shape))


class _Conv(Module):
    lengths: int  # how many axes the kernel moves along
    function: Callable[..., Any]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        init: Initializer = xavier_uniform,
        rng: Rng = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        for name, n in (("in_channels", in_channels), ("out_channels", out_channels)):
            if length(name, n) % length("groups", groups):
                raise ValueError(f"{name} is a multiple of groups={groups}, not {n}")
        kernel = tuple(kernel_size) if isinstance(kernel_size, Sequence) else (kernel_size,) * self.lengths
        if len(kernel) != self.lengths:
            raise ValueError(f"kernel_size is an integer, or a tuple of {self.lengths} such, not {kernel_size!r}")
        shape = (out_channels, in_channels // groups, *[length("kernel_size", n) for n in kernel])
        self.weight = parameter(init(shape, np.random.default_rng(rng)), dtype, shape)
        self.bias = parameter(np.zeros(out_channels), dtype) if bias else None
        self.settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}

    def forward(self, x: Any) -> Any:
        """Take shape (..., in_channels, *lengths), give shape (..., out_channels, *lengths)."""
        return self.function(x, self.weight, self.bias, **self.settings)

    def extra_repr(self) -> str:
        features, inner, *kernel = self.weight.shape
        usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
        unusual = [f", {name}={value!r}" for name, value in self.settings.items() if value != usual[name]]
        channels = inner * self.settings["groups"]
        return f"{channels}, {features}, {tuple(kernel)}{''.join(unusual)}" + ", bias=False" * (self.bias is None)


class Conv1d(_Conv):
    """The correlation of `conv1d` along the last axis; see `Conv2d`."""

    lengths, function = 1, staticmethod(ops.conv1d)


class Conv2d(_Conv):
    """The correlation of `conv2d` along the last two axes, with a kernel and a bias.

    Parameters
    ----------
    in_channels, out_channels : int
        Lengths of the axis of channels in the input and in the output.
    kernel_size : int or tuple
    stride, padding, dilation, groups : as in `conv2d`
    bias : bool
        Whether to add one; it starts at zero.
    init, rng, dtype : as of `Linear`

    Attributes
    ----------
    weight : Tensor of shape (out_channels, in_channels / groups, height, width)
    bias : Tensor of shape (out_channels,), or None
    """

    lengths, function = 2, staticmethod(ops.conv2d)


class Dropout(Module):
    """In training, put 0 for each entry with probability `p` and divide the others by ``1 - p``; see `dropout`.

    Parameters
    ----------
    p : float
        From 0 to 1.
    rng : numpy.random.Generator or int, optional

    Attributes
    ----------
    rng : numpy.random.Generator
        What decides; ``rng.bit_generator.state`` is what it will do next.
    """

    def __init__(self, p: float = 0.5, *, rng: Rng = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p is a probability from 0 to 1, not {p!r}")
        self.p, self.rng = p, np.random.default_rng(rng)

    def forward(self, x: Any) -> Any:
        """Take and give any shape."""
        return ops.dropout(x, self.p, self.rng, self.training)

    def extra_repr(self) -> str:
        return f"{self.p}"


class Flatten(Module):
    """Make one axis of `start_dim` and those behind it."""

    def __init__(self, start_dim: int = 1) -> None:
        self.start_dim = start_dim

    def forward(self, x: Any) -> Any:
        """Take shape (..., *last), give shape (..., product of last)."""
        x = x if isinstance(x, Node) else np.asarray(x)
        if not -x.ndim <= self.start_dim < x.ndim:
            raise ValueError(f"Flatten({self.start_dim}) takes arrays with an axis {self.start_dim}, not {x.shape}")
        kept, joined = x.shape[: self.start_dim], x.shape[self.start_dim :]
        return x.reshape(*kept, prod(joined))

    def extra_repr(self) -> str:
        return f"{self.start_dim}"


class Sequential(Module):
    """Modules applied one after the other."""

    def __init__(self, *layers: Module) -> None:
        for layer in layers:
            if not isinstance(layer, Module):
                raise TypeError(f"Sequential takes modules, not {type(layer).__name__}: nn.Tanh() instead of ag.tanh")
        self.layers = list(layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: Any) -> Any:
        return Sequential(*self.layers[i]) if isinstance(i, slice) else self.layers[i]

    def forward(self, x: Any) -> Any:
        """Give what the last layer gives."""
        for layer in self.layers:
            x = layer(x)
        return x


class Residual(Module):
    """A module around which its input goes too: ``x + block(x)`` [1]_.

    Raises
    ------
    ValueError
        If the block gives another shape than it takes, even where the two would broadcast.

    References
    ----------
    .. [1] He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016, equation (1).
    """

    def __init__(self, block: Module) -> None:
        if not isinstance(block, Module):
            raise TypeError(f"Residual takes a module, not {type(block).__name__}")
        self.block = block

    def forward(self, x: Any) -> Any:
        """Take and give one shape."""
        x = x if isinstance(x, Node) else floating(x)
        y = self.block(x)
        if shape_of(y) != x.shape:
            raise ValueError(f"the block of a Residual gives the shape that it takes, {x.shape}, not {shape_of(y)}")
        return x + y
