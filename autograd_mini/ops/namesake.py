"""The way back to NumPy: where no Tensor takes part, NumPy's own function answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from ..core import Node

Function = TypeVar("Function", bound=Callable[..., Any])


def namesake(theirs: Callable[..., Any] | None) -> Callable[[Function], Function]:
    """Decorate our version of one of NumPy's functions; None if this NumPy does not have it yet."""

    def decorate(ours: Function) -> Function:
        @wraps(ours)
        def either(*args: Any, **kwargs: Any) -> Any:
            if theirs is None or holds_tensor([*args, *kwargs.values()]):
                return ours(*args, **kwargs)
            return theirs(*args, **kwargs)

        if theirs is not None:
            either.__name__ = either.__qualname__ = theirs.__name__
            if hasattr(ours, "op") or ours.__name__ != theirs.__name__:  # a primitive or a lambda has no words
                either.__doc__ = f"``numpy.{theirs.__name__}``, of Tensors too."
        return either  # type: ignore[return-value]  # wraps() keeps the signature, but its type does not say so

    return decorate


def holds_tensor(x: Any) -> bool:
    """Whether `x` is a Tensor, or a list or tuple with one in it."""
    return isinstance(x, Node) or (isinstance(x, (list, tuple)) and any(map(holds_tensor, x)))
