"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor
from .optimizer import Optimizer, check


class SGD(Optimizer):
    """Gradient descent, with momentum if wanted.

    ``v ← momentum * v + g`` (at first ``v ← g``), then ``p ← p - lr * v``; with Nesterov's
    momentum [1]_ ``p ← p - lr * (g + momentum * v)``.

    Parameters
    ----------
    parameters : iterable of Tensor
    lr : float
        Positive.
    momentum : float
        From 0 up to, and without, 1.
    nesterov : bool
        Needs a momentum.
    weight_decay : float
        Not negative.

    References
    ----------
    .. [1] Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in
       deep learning", ICML 2013, section 2.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.0,
        *,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        check("momentum", momentum, 0 <= momentum < 1, "from 0 up to, and without, 1")
        check("momentum", momentum, momentum > 0 or not nesterov, "positive for nesterov=True")
        self.momentum, self.nesterov = momentum, nesterov

    def direction(self, g: Any, state: dict[str, Any]) -> Any:
        """Apply the momentum."""
        if not self.momentum:
            return g
        v = state["v"] = self.momentum * state["v"] + g if "v" in state else g.copy()
        return g + self.momentum * v if self.nesterov else v
