"""The multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from . import functions as f
from . import init as initialisers
from .init import Initializer, Rng
from .layers import Dropout, Linear, Sequential
from .module import Module
from .normalisation import BatchNorm1d, LayerNorm

ACTIVATIONS: dict[str, Callable[..., Any]] = {
    kind.function.__name__: kind
    for kind in (
        f.Tanh, f.Sigmoid, f.ReLU, f.LeakyReLU, f.ELU, f.SELU, f.GELU, f.SiLU, f.Softplus, f.Softsign, f.Hardtanh,
        f.LogSigmoid, f.Softmax, f.LogSoftmax,
    )
}  # fmt: skip
NORMS: dict[str, Callable[..., Any]] = {"batch": BatchNorm1d, "layer": LayerNorm}
INITIALISERS: dict[str, Callable[..., Any]] = {
    name: getattr(initialisers, name) for name in initialisers.__all__ if name not in ("calculate_gain", "constant")
}


class MLP(Sequential):
    """A multi-layer perceptron: `Linear` layers with an activation between each two.

    Parameters
    ----------
    sizes : sequence of int
        The lengths of the input, of the hidden layers and of the output, at least two.
    activation : str or callable
        What follows each hidden layer: the name of a function, such as "tanh", "relu" or "leaky_relu", or what makes a
        module, such as ``nn.ReLU`` or ``lambda: nn.LeakyReLU(0.2)``.
    output_activation : str or callable, optional
        What follows the output.
    dropout : float
        The share of the hidden values that each training step leaves out.
    norm : "batch", "layer" or callable, optional
        What stands between a hidden layer and its activation: batch or layer normalisation, or what makes a module from
        a length, called with the dtype.
    init : str or callable
        The first weights: a function of `nn.init`, or its name, such as "kaiming_normal".
    rng : numpy.random.Generator or int, optional
        What weights, and then dropout, are drawn with.
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
        activation: str | Callable[[], Module] = "tanh",
        output_activation: str | Callable[[], Module] | None = None,
        *,
        dropout: float = 0.0,
        norm: str | Callable[..., Module] | None = None,
        init: str | Initializer = "xavier_uniform",
        rng: Rng = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        if len(sizes) < 2:
            raise ValueError(f"an MLP has at least an input and an output size, not {list(sizes)}")
        activate = _chosen("activation", activation, ACTIVATIONS)
        normalise = _chosen("norm", norm, NORMS)
        draw = _chosen("init", init, INITIALISERS)
        rng = np.random.default_rng(rng)
        *hidden, (last, output) = pairwise(sizes)
        layers: list[Module] = []
        for n, m in hidden:
            layers.append(Linear(n, m, init=draw, rng=rng, dtype=dtype))
            if norm is not None:
                layers.append(normalise(m, dtype=dtype))
            layers.append(_made("activation", activate))
            if dropout:
                layers.append(Dropout(dropout, rng=rng))
        layers.append(Linear(last, output, init=draw, rng=rng, dtype=dtype))
        if output_activation is not None:
            layers.append(_made("output_activation", _chosen("output_activation", output_activation, ACTIVATIONS)))
        super().__init__(*layers)


def _chosen(name: str, choice: Any, known: Mapping[str, Callable[..., Any]]) -> Any:
    """Give what a name stands for, and anything else as it is."""
    if isinstance(choice, str) and choice not in known:
        raise ValueError(f"{name} is one of {', '.join(known)}, not {choice!r}")
    return known[choice] if isinstance(choice, str) else choice


def _made(name: str, make: Callable[[], Module]) -> Module:
    try:
        return make()
    except TypeError as error:
        raise TypeError(
            f"{name} is a name, or makes a module when it is called, as nn.Tanh does, not {make!r}"
        ) from error
