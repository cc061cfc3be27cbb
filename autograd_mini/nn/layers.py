"""Layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import ops
from ..ops.linalg import matmul_p
from ..ops.shape import shape_of
from ..tensor import FLOATS, Tensor
from .module import Module


class Linear(Module):
    """The affine map ``x @ weight + bias`` of the last axis.

    Parameters
    ----------
    in_features, out_features : int
        Lengths of the last axis of the input and of the output.
    bias : bool
        Whether to add one; it starts at zero.
    rng : numpy.random.Generator or int, optional
        Where the weights come from: uniform in ``±sqrt(6 / (in + out))`` [1]_.
    dtype : float16, float32 or float64

    Attributes
    ----------
    weight : Tensor of shape (in_features, out_features)
        As it stands in the formula; PyTorch keeps the transpose.
    bias : Tensor of shape (out_features,), or None

    References
    ----------
    .. [1] Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
       networks", AISTATS 2010, equation (16).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        for name, n in (("in_features", in_features), ("out_features", out_features)):
            if n < 1:
                raise ValueError(f"{name} is the length of an axis and at least 1, not {n}")
        if np.dtype(dtype) not in FLOATS:
            raise ValueError(f"weights are float16, float32 or float64, not {np.dtype(dtype)}")
        bound = np.sqrt(6 / (in_features + out_features))
        weight = np.random.default_rng(rng).uniform(-bound, bound, (in_features, out_features))
        self.weight = Tensor(weight.astype(dtype))
        self.bias = Tensor(np.zeros(out_features, dtype)) if bias else None

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


class Tanh(Module):
    """`ag.tanh` as a module."""

    forward = staticmethod(ops.tanh)


class Sigmoid(Module):
    """`ag.sigmoid` as a module."""

    forward = staticmethod(ops.sigmoid)


class ReLU(Module):
    """`ag.relu` as a module."""

    forward = staticmethod(ops.relu)


class Softplus(Module):
    """`ag.softplus` as a module."""

    forward = staticmethod(ops.softplus)


class LeakyReLU(Module):
    """`ag.leaky_relu` as a module; `slope` is that of the negative side."""

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def forward(self, x: Any) -> Any:
        """Take and give any shape."""
        return ops.leaky_relu(x, self.slope)

    def extra_repr(self) -> str:
        return f"{self.slope}"


class Softmax(Module):
    """`ag.softmax` along `axis` as a module."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Take and give any shape that has the axis."""
        return ops.softmax(x, self.axis)


class LogSoftmax(Softmax):
    """`ag.log_softmax` along `axis` as a module."""

    def forward(self, x: Any) -> Any:
        """Take and give any shape that has the axis."""
        return ops.log_softmax(x, self.axis)


ACTIVATIONS: dict[str, Callable[[], Module]] = {
    "tanh": Tanh, "sigmoid": Sigmoid, "relu": ReLU, "leaky_relu": LeakyReLU, "softplus": Softplus,
}  # fmt: skip


class Sequential(Module):
    """Modules applied one after the other."""

    def __init__(self, *layers: Module) -> None:
        for layer in layers:
            if not isinstance(layer, Module):
                raise TypeError(f"Sequential takes modules, not {type(layer).__name__}: nn.Tanh() instead of ag.tanh")
        self.layers = list(layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Module:
        return self.layers[i]

    def forward(self, x: Any) -> Any:
        """Give what the last layer gives."""
        for layer in self.layers:
            x = layer(x)
        return x


class MLP(Sequential):
    """A multi-layer perceptron: `Linear` layers with an activation between each two.

    Parameters
    ----------
    sizes : sequence of int
        The lengths of the input, of the hidden layers and of the output, at least two.
    activation : str
        "tanh", "sigmoid", "relu", "leaky_relu" or "softplus".
    rng : numpy.random.Generator or int, optional
        Where the weights come from.
    dtype : float16, float32 or float64

    Examples
    --------
    >>> import autograd_mini as ag
    >>> ag.nn.MLP([64, 50, 10], activation="tanh")
    MLP() · 3,760 parameters
      layers.0: Linear(64, 50) · 3,250 parameters
      layers.1: Tanh()
      layers.2: Linear(50, 10) · 510 parameters
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "tanh",
        *,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        if len(sizes) < 2:
            raise ValueError(f"an MLP has at least an input and an output size, not {list(sizes)}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is one of {', '.join(ACTIVATIONS)}, not {activation!r}")
        rng = np.random.default_rng(rng)
        layers: list[Module] = []
        for n, m in pairwise(sizes):
            layers += [Linear(n, m, rng=rng, dtype=dtype), ACTIVATIONS[activation]()]
        super().__init__(*layers[:-1])
