"""What all optimisers share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor


class Optimizer:
    """A list of parameters and a rule, stated by the subclass as `direction`, that moves each of them.

    Parameters
    ----------
    parameters : iterable of Tensor
        Leaves. Those that do not require a gradient, or have none, stay as they are.
    lr : float
        The learning rate, positive.
    weight_decay : float
        Adds ``weight_decay * data`` to each gradient; not negative.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float = 0.0) -> None:
        if isinstance(parameters, Tensor):
            raise TypeError("an optimiser takes a list of Tensors, not one Tensor: write [tensor]")
        if hasattr(parameters, "parameters"):
            raise TypeError("an optimiser takes Tensors, not a module: write model.parameters()")
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("an optimiser needs at least one parameter, and got none")
        for p in self.parameters:
            if not isinstance(p, Tensor) or p.op is not None:
                raise TypeError(f"an optimiser moves leaf Tensors, such as model.parameters() gives, not {p!r}")
        if len(set(self.parameters)) != len(self.parameters):
            raise ValueError("a parameter stands twice in the list and would be moved twice: pass each once")
        check("lr", lr, lr > 0, "positive")
        check("weight_decay", weight_decay, weight_decay >= 0, "not negative")
        self.lr, self.weight_decay = lr, weight_decay
        self.state: list[dict[str, Any]] = [{} for _ in self.parameters]

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next `backward()` does not add to them."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        lr, weight_decay, direction = self.lr, self.weight_decay, self.direction
        for p, state in zip(self.parameters, self.state, strict=True):
            g = p.grad
            if g is not None and p.requires_grad:
                if weight_decay:
                    g = g + weight_decay * p.value
                p.move(-lr * direction(g, state))

    def direction(self, g: Any, state: dict[str, Any]) -> Any:
        """Turn a gradient into the direction to go against; `state` is this parameter's own memory."""
        raise NotImplementedError(f"{type(self).__name__} has no direction(): define it to say how it moves")


def check(name: str, value: float, holds: bool, must: str) -> None:
    """Raise unless a setting holds, and say what it must be."""
    if not holds:
        raise ValueError(f"{name} must be {must}, not {value}")
