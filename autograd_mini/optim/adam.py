"""Adaptive moment estimation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..tensor import Tensor
from .optimizer import Optimizer, check


class Adam(Optimizer):
    """Adam [1]_, algorithm 1.

    ``m ← β₁ m + (1 - β₁) g`` and ``v ← β₂ v + (1 - β₂) g²``; then with the bias corrections
    ``m̂ = m / (1 - β₁ᵗ)`` and ``v̂ = v / (1 - β₂ᵗ)``, ``p ← p - lr * m̂ / (√v̂ + eps)``.

    Parameters
    ----------
    parameters : iterable of Tensor
    lr : float
        Positive.
    betas : tuple of two floats
        Each from 0 up to, and without, 1.
    eps : float
        Positive.
    weight_decay : float
        Not negative; added to the gradient, as in PyTorch's Adam (not its AdamW).

    References
    ----------
    .. [1] Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        *,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        for beta in betas:
            check("each of betas", beta, 0 <= beta < 1, "from 0 up to, and without, 1")
        check("eps", eps, eps > 0, "positive")
        self.betas, self.eps = betas, eps

    def direction(self, g: Any, state: dict[str, Any]) -> Any:
        """Divide the mean of the gradients by the root of the mean of their squares."""
        beta1, beta2 = self.betas
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
        v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * (g * g)
        return (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + self.eps)
