"""Adaptive moment estimation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from .optimizer import BELOW_ONE, POSITIVE, Array, Limit, Memory, Optimizer, Settings


class Adam(Optimizer):
    """Adam [1]_, algorithm 1.

    ``m ← β₁ m + (1 - β₁) g`` and ``v ← β₂ v + (1 - β₂) g²``; then with the bias corrections
    ``m̂ = m / (1 - β₁ᵗ)`` and ``v̂ = v / (1 - β₂ᵗ)``, ``p ← p - lr * m̂ / (√v̂ + eps)``. AMSGrad [2]_ takes the
    greatest `v` so far instead of `v`.

    Parameters
    ----------
    parameters : iterable of Tensor, or of dict
    lr : float
        Positive.
    betas : tuple of two floats
        Each from 0 up to, and without, 1.
    eps : float
        Positive.
    amsgrad : bool
    weight_decay, l1 : float
        Not negative; added to the gradient, as in PyTorch's Adam: see `Optimizer`.

    References
    ----------
    .. [1] Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    .. [2] Reddi, Kale and Kumar, "On the convergence of Adam and beyond", ICLR 2018, algorithm 2; as in
       PyTorch the greatest is taken before the bias correction.
    """

    limits: ClassVar[dict[str, Limit]] = {"betas": BELOW_ONE, "eps": POSITIVE}

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        *,
        amsgrad: bool = False,
        weight_decay: float = 0.0,
        l1: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, l1, betas=betas, eps=eps, amsgrad=amsgrad)

    def start(self, group: Settings) -> dict[str, float]:
        """Remember the means of the gradients and of their squares."""
        return {"m": 0.0, "v": 0.0, **({"v_max": 0.0} if group["amsgrad"] else {})}

    def update(self, p: Array, g: Array, t: int, state: Memory, group: Settings) -> None:
        """Go along the mean of the gradients, divided by the root of the mean of their squares."""
        m, v, (beta1, beta2) = state["m"], state["v"], group["betas"]
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * (g * g)
        if "v_max" in state:
            v = np.maximum(state["v_max"], v, out=state["v_max"])
        root = (1 - beta2**t) ** 0.5  # the corrections are taken out of the arrays: section 2 of the paper, its end
        p -= group["lr"] * root / (1 - beta1**t) * (m / (np.sqrt(v) + group["eps"] * root))


class AdamW(Adam):
    """Adam with decoupled weight decay [1]_, algorithm 2: ``p ← p - lr * weight_decay * p`` before Adam's step.

    Parameters
    ----------
    parameters : iterable of Tensor, or of dict
    lr, betas, eps, amsgrad, l1
        Those of `Adam`.
    weight_decay : float
        Not negative; it does not enter the gradient.

    References
    ----------
    .. [1] Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        *,
        amsgrad: bool = False,
        weight_decay: float = 1e-2,
        l1: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, amsgrad=amsgrad, weight_decay=weight_decay, l1=l1)

    def decay(self, p: Array, g: Array, group: Settings) -> Array:
        """Shrink the data, and leave the gradient as it is."""
        if group["weight_decay"]:
            p *= 1 - group["lr"] * group["weight_decay"]
        return super().decay(p, g, {**group, "weight_decay": 0.0})
