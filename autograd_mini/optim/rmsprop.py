"""Root-mean-square propagation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from .optimizer import BELOW_ONE, POSITIVE, Array, Limit, Memory, Optimizer, Settings


class RMSprop(Optimizer):
    """RMSprop [1]_: gradients divided by the root of the running mean of their squares.

    ``s ← α s + (1 - α) g²``, then ``p ← p - lr * g / (√s + eps)``. Centred [2]_, also ``m ← α m + (1 - α) g``,
    and ``s - m²`` stands for `s`. With a momentum ``v ← momentum * v + g / (√s + eps)``, then ``p ← p - lr * v``.

    Parameters
    ----------
    parameters : iterable of Tensor, or of dict
    lr : float
        Positive.
    alpha : float
        From 0 up to, and without, 1.
    eps : float
        Positive.
    momentum : float
        From 0 up to, and without, 1.
    centered : bool
    weight_decay, l1 : float
        Not negative; see `Optimizer`.

    References
    ----------
    .. [1] Tieleman and Hinton, "Lecture 6.5: RMSprop", COURSERA: Neural Networks for Machine Learning, 2012.
    .. [2] Graves, "Generating sequences with recurrent neural networks", arXiv:1308.0850, equations (38) to (41);
       as in PyTorch, eps stands outside the root.
    """

    limits: ClassVar[dict[str, Limit]] = {"alpha": BELOW_ONE, "eps": POSITIVE, "momentum": BELOW_ONE}

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        *,
        momentum: float = 0.0,
        centered: bool = False,
        weight_decay: float = 0.0,
        l1: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, l1, alpha=alpha, eps=eps, momentum=momentum, centered=centered)

    def start(self, group: Settings) -> dict[str, float]:
        """Remember the mean of the squares; if wanted, that of the gradients and the velocity."""
        return {"s": 0.0, **({"m": 0.0} if group["centered"] else {}), **({"v": 0.0} if group["momentum"] else {})}

    def update(self, p: Array, g: Array, t: int, state: Memory, group: Settings) -> None:
        """Go against the gradient, divided by the root of the mean of its squares."""
        s, alpha = state["s"], group["alpha"]
        s *= alpha
        s += (1 - alpha) * (g * g)
        if "m" in state:
            m = state["m"]
            m *= alpha
            m += (1 - alpha) * g
            s = np.maximum(s - m * m, 0)  # where gradients stay the same, rounding could make it negative
        g = g / (np.sqrt(s) + group["eps"])
        if "v" in state:
            v = state["v"]
            v *= group["momentum"]
            v += g
            g = v
        p -= group["lr"] * g
