"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from .optimizer import BELOW_ONE, Array, Limit, Memory, Optimizer, Settings


class SGD(Optimizer):
    """Gradient descent, with momentum [1]_ if wanted.

    ``v ← momentum * v + (1 - dampening) * g`` (at first ``v ← g``), then ``p ← p - lr * v``; with Nesterov's
    momentum [2]_ ``p ← p - lr * (g + momentum * v)``.

    Parameters
    ----------
    parameters : iterable of Tensor, or of dict
    lr : float
        Positive.
    momentum : float
        From 0 up to, and without, 1.
    dampening : float
        Of the gradient that enters the momentum.
    nesterov : bool
        Needs a momentum, and no dampening.
    weight_decay, l1 : float
        Not negative; see `Optimizer`.

    References
    ----------
    .. [1] Polyak, "Some methods of speeding up the convergence of iteration methods", USSR Computational Mathematics
       and Mathematical Physics 4(5), 1964, equation (9).
    .. [2] Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in
       deep learning", ICML 2013, section 2.
    """

    limits: ClassVar[dict[str, Limit]] = {"momentum": BELOW_ONE}

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float,
        momentum: float = 0.0,
        dampening: float = 0.0,
        *,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        l1: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, l1, momentum=momentum, dampening=dampening, nesterov=nesterov)

    def check(self, settings: Settings) -> None:
        """Raise unless each setting is within its limits, and they go together."""
        super().check(settings)
        if settings["nesterov"] and (settings["momentum"] == 0 or settings["dampening"] != 0):
            raise ValueError(
                f"momentum must be positive for nesterov=True, and dampening 0, not {settings['momentum']} and "
                f"{settings['dampening']}"
            )

    def start(self, group: Settings) -> dict[str, float]:
        """Remember the velocity, if there is a momentum."""
        return {"v": 0.0} if group["momentum"] else {}

    def update(self, p: Array, g: Array, t: int, state: Memory, group: Settings) -> None:
        """Go along the velocity."""
        if "v" in state:
            v = state["v"]
            v *= group["momentum"]
            v += (1 - group["dampening"]) * g if t > 1 and group["dampening"] else g
            g = g + group["momentum"] * v if group["nesterov"] else v
        p -= group["lr"] * g
