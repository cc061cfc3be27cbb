"""`Module`: parameters with names, in a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from reprlib import recursive_repr
from typing import Any, Self

import numpy as np

from ..core import Node, clock
from ..tensor import Tensor
from .summary import Summary, summarise


class Module:
    """Something with parameters and a `forward`.

    Its parameters are its attributes that are Tensors, and those of the modules among its
    attributes; both may also stand in lists, tuples and dicts. Names are paths: ``layers.0.weight``.
    A frozen Tensor (``requires_grad=False``) is a parameter that optimisers pass over. An array that
    belongs to the model though nothing is differentiated by it is a buffer: see `register_buffer`.

    Attributes
    ----------
    training : bool
        What `train()` and `eval()` switch, for layers that behave differently in the two.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> class Scale(ag.nn.Module):
    ...     def __init__(self):
    ...         self.factor = ag.Tensor(2.0)
    ...
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()(np.ones(2))
    Tensor([2., 2.], op='multiply')
    """

    training = True
    _buffers: tuple[str, ...] = ()  # names of attributes
    _label = "Module"  # what drawings call it: the name of the attribute that holds it, else that of the class

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._label = cls.__name__

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        for path, part in _parts(value, name):
            if isinstance(part, Module) and "_label" not in vars(part):
                vars(part)["_label"] = path
            elif isinstance(part, Tensor) and not hasattr(part, "name"):
                part.name = path

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply `forward`. What it records belongs to this module in a drawing."""
        start = next(clock)
        y = self.forward(*args, **kwargs)
        if isinstance(y, Node):
            if y.age > start:
                y.marks += ((self._label, start),)
        elif isinstance(y, (tuple, list, dict)):
            for part in y.values() if isinstance(y, dict) else y:
                if isinstance(part, Node) and part.age > start:
                    part.marks += ((self._label, start),)
        return y

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every module states its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(): define it to say what the module computes")

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Give the modules directly inside this one, with their names."""
        for name, value in vars(self).items():
            for path, part in _parts(value, name):
                if isinstance(part, Module):
                    yield path, part

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Give this module and all inside, each once, with their paths."""
        seen: set[Module] = set()
        todo: list[tuple[str, Module]] = [(prefix, self)]
        while todo:
            path, module = todo.pop()
            if module not in seen:
                seen.add(module)
                yield path, module
                todo += [(path + name + ".", child) for name, child in module.named_children()][::-1]

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Give every parameter once, with its path; without `recurse` only those that are not in a module inside."""
        seen: set[Tensor] = set()
        for path, module in self.named_modules(prefix) if recurse else [(prefix, self)]:
            for name, value in vars(module).items():
                for place, part in _parts(value, path + name):
                    # a result that was kept, an activation for instance, is no parameter
                    if isinstance(part, Tensor) and part.op is None and part not in seen:
                        seen.add(part)
                        yield place, part

    def parameters(self) -> list[Tensor]:
        """Give every parameter once, in the order of `named_parameters`."""
        return [tensor for _, tensor in self.named_parameters()]

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze every parameter with False, or thaw it."""
        for tensor in self.parameters():
            tensor.requires_grad = requires_grad
        return self

    def zero_grad(self) -> None:
        """Forget the gradient of every parameter."""
        for tensor in self.parameters():
            tensor.grad = None

    def register_buffer(self, name: str, value: Any) -> None:
        """Make the attribute `name` an array that is no parameter and yet part of the state: a running mean, a mask.

        It may be replaced by another array of its shape, but not overwritten in place where a graph may still use it.
        """
        setattr(self, name, np.array(value))
        self._buffers = tuple(dict.fromkeys([*self._buffers, name]))

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
        """Give every buffer, with its path."""
        for path, module in self.named_modules(prefix):
            for name in module._buffers:
                yield path + name, getattr(module, name)

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Give a copy of every parameter's data and of every buffer, by its path."""
        return {path: np.array(value) for path, value in self._state().items()}

    def _state(self) -> dict[str, Any]:
        return {path: tensor.value for path, tensor in self.named_parameters()} | dict(self.named_buffers())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take every parameter's data and every buffer from `state`; nothing changes where something does not fit.

        Each keeps the dtype that it has here.

        Raises
        ------
        ValueError
            If paths are missing or unknown, or shapes differ: the message lists them all.
        """
        own = self._state()
        wrong = [f"missing: {path}, of shape {own[path].shape}" for path in own if path not in state]
        wrong += [f"unknown: {path}" for path in state if path not in own]
        wrong += [
            f"wrong shape: {path} is {own[path].shape} here and {np.shape(state[path])} there"
            for path in own
            if path in state and np.shape(state[path]) != own[path].shape
        ]
        if wrong:
            raise ValueError(f"this state does not fit {type(self).__name__}:\n  " + "\n  ".join(wrong))
        new = {path: np.asarray(state[path]).astype(value.dtype) for path, value in own.items()}
        for path, tensor in self.named_parameters():
            tensor.data = new[path]
        for path, module in self.named_modules():
            for name in module._buffers:
                setattr(module, name, new[path + name])

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all inside to training."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch this module and all inside to evaluation."""
        return self.train(False)

    def summary(self, *inputs: Any) -> Summary:
        """Run the model on an example batch, and give a table of what each module gave and cost.

        It runs as after `eval()`: running statistics and random generators stay as they are.

        Parameters
        ----------
        *inputs : array_like or Tensor
            What `forward` takes.

        Returns
        -------
        Summary
            A table as its `repr`, or its numbers by attributes.

        Examples
        --------
        >>> import numpy as np
        >>> import autograd_mini as ag
        >>> ag.nn.MLP([64, 50, 10]).summary(np.zeros((32, 64)))
        module                    output    parameters  multiply-adds
        MLP()                     (32, 10)           0              0
        layers.0: Linear(64, 50)  (32, 50)       3,250        102,400
        layers.1: Tanh()          (32, 50)           0              0
        layers.2: Linear(50, 10)  (32, 10)         510         16,000
        total                                    3,760        118,400
        """
        return summarise(self, inputs)

    def extra_repr(self) -> str:
        """Say what `repr` shows between the parentheses."""
        return ""

    @recursive_repr("...")
    def __repr__(self) -> str:
        count = sum(tensor.size for tensor in self.parameters())
        lines = [f"{type(self).__name__}({self.extra_repr()})" + (f" · {count:,} parameters" if count else "")]
        for name, child in self.named_children():
            head, *rest = repr(child).splitlines()
            lines += [f"  {name}: {head}", *(f"  {line}" for line in rest)]
        return "\n".join(lines)


def _parts(value: Any, path: str) -> Iterator[tuple[str, Tensor | Module]]:
    """Find the Tensors and modules that an attribute is, or holds in lists, tuples and dicts."""
    if isinstance(value, (Tensor, Module)):
        yield path, value
    elif isinstance(value, (list, tuple)):
        for i, part in enumerate(value):
            yield from _parts(part, f"{path}.{i}")
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _parts(part, f"{path}.{key}")
