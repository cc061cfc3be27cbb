"""Functions of `ops` as modules: activations and poolings.

Their classes differ in nothing but the function, so they are a table.
"""
# ruff: noqa: D101  # a class of this table says everything in one line

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, getdoc, signature
from typing import Any, ClassVar

from .. import ops
from .module import Module

__all__ = [
    "ELU", "GELU", "SELU", "AvgPool1d", "AvgPool2d", "Function", "Hardtanh", "LeakyReLU", "LogSigmoid", "LogSoftmax",
    "MaxPool1d", "MaxPool2d", "ReLU", "SiLU", "Sigmoid", "Softmax", "Softplus", "Softsign", "Tanh",
]  # fmt: skip


class Function(Module):
    """A function as a module, whose settings are the arguments of the function behind the first.

    A subclass names the function. Its settings are attributes of the same names.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> def mish(x):
    ...     return x * ag.tanh(ag.softplus(x))
    >>> class Mish(ag.nn.Function, of=mish): ...
    >>> ag.nn.Sequential(Mish(), ag.nn.Softmax(axis=0))
    Sequential()
      layers.0: Mish()
      layers.1: Softmax(0)
    """

    function: ClassVar[Callable[..., Any]]
    __signature__: ClassVar[Signature] = Signature()

    def __init_subclass__(cls, of: Callable[..., Any] | None = None) -> None:
        super().__init_subclass__()
        if of is None:  # a subclass of one that has a function
            return
        settings = list(signature(of).parameters.values())[1:]
        cls.function = staticmethod(of)
        cls.__signature__ = Signature([p for p in settings if p.kind is Parameter.POSITIONAL_OR_KEYWORD])
        cls.__doc__ = f"`{of.__name__}` as a module.\n\n{getdoc(of) or ''}"
        if not cls.__signature__.parameters:
            cls.forward = staticmethod(of)  # type: ignore[method-assign]  # for speed

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not hasattr(self, "function"):
            raise TypeError("Function is what such modules have in common: class Name(nn.Function, of=function): ...")
        try:
            settings = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__} takes {self.__signature__}: {error}") from None
        settings.apply_defaults()
        for name, value in settings.arguments.items():
            setattr(self, name, value)

    def forward(self, x: Any) -> Any:
        """Apply the function."""
        return self.function(x, *self._settings())

    def _settings(self) -> list[Any]:
        return [getattr(self, name) for name in self.__signature__.parameters]

    def extra_repr(self) -> str:
        return ", ".join(map(repr, self._settings()))


# fmt: off
class Tanh(Function, of=ops.tanh): ...
class Sigmoid(Function, of=ops.sigmoid): ...
class ReLU(Function, of=ops.relu): ...
class LeakyReLU(Function, of=ops.leaky_relu): ...
class ELU(Function, of=ops.elu): ...
class SELU(Function, of=ops.selu): ...
class GELU(Function, of=ops.gelu): ...
class SiLU(Function, of=ops.silu): ...
class Softplus(Function, of=ops.softplus): ...
class Softsign(Function, of=ops.softsign): ...
class Hardtanh(Function, of=ops.hardtanh): ...
class LogSigmoid(Function, of=ops.logsigmoid): ...
class Softmax(Function, of=ops.softmax): ...
class LogSoftmax(Function, of=ops.log_softmax): ...

class MaxPool1d(Function, of=ops.max_pool1d): ...
class MaxPool2d(Function, of=ops.max_pool2d): ...
class AvgPool1d(Function, of=ops.avg_pool1d): ...
class AvgPool2d(Function, of=ops.avg_pool2d): ...
# fmt: on
