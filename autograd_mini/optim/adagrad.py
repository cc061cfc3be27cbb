"""Adaptive gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from .optimizer import NOT_NEGATIVE, POSITIVE, Array, Limit, Memory, Optimizer, Settings


class Adagrad(Optimizer):
    """Adagrad [1]_, with diagonal matrices: gradients divided by the root of the sum of all their squares.

    ``s ← s + g²``, then ``p ← p - lr / (1 + (t - 1) * lr_decay) * g / (√s + eps)``.

    Parameters
    ----------
    parameters : iterable of Tensor, or of dict
    lr : float
        Positive.
    lr_decay : float
        Not negative.
    initial_accumulator_value : float
        What `s` starts from, not negative.
    eps : float
        Positive.
    weight_decay, l1 : float
        Not negative; see `Optimizer`.

    References
    ----------
    .. [1] Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
       JMLR 12, 2011, section 1.1.
    """

    limits: ClassVar[dict[str, Limit]] = {
        "lr_decay": NOT_NEGATIVE,
        "initial_accumulator_value": NOT_NEGATIVE,
        "eps": POSITIVE,
    }

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-2,
        *,
        lr_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
        l1: float = 0.0,
    ) -> None:
        super().__init__(
            parameters,
            lr,
            weight_decay,
            l1,
            lr_decay=lr_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )

    def start(self, group: Settings) -> dict[str, float]:
        """Remember the sum of the squares."""
        return {"s": group["initial_accumulator_value"]}

    def update(self, p: Array, g: Array, t: int, state: Memory, group: Settings) -> None:
        """Go against the gradient, divided by the root of the sum of its squares."""
        s = state["s"]
        s += g * g
        p -= group["lr"] / (1 + (t - 1) * group["lr_decay"]) * (g / (np.sqrt(s) + group["eps"]))
