"""What each module of a model gives and costs, found by running it once and reading the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import Node, ancestors, clock, mode, value_of
from ..ops.shape import shape_of
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module


@dataclass(frozen=True)
class Row:
    """A module: its path and what `repr` calls it, the shapes of its last output, and what is its own.

    What lies in a module inside belongs to the row of that, so that columns add up.
    """

    path: str
    module: str
    output: tuple[tuple[int, ...], ...]
    parameters: int
    multiply_adds: int
    calls: int


@dataclass(frozen=True, repr=False)
class Summary:
    """The rows of a table of modules, whose `repr` is the table.

    A multiply-add is one of a product of matrices or an einsum, and so of every linear layer, convolution and
    attention; they are counted for the whole batch. What is done entry by entry is not counted.
    """

    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        """How many numbers the parameters hold; what is shared counts once."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """How many multiply-adds the example took."""
        return sum(row.multiply_adds for row in self.rows)

    def __repr__(self) -> str:
        lines = [("module", "output", "parameters", "multiply-adds")]
        for row in self.rows:
            times = f" ×{row.calls}" if row.calls > 1 else ""
            label = f"{row.path}: {row.module}{times}" if row.path else row.module + times
            shapes = ", ".join(map(str, row.output)) if row.calls else "not called"
            lines.append((label, shapes, f"{row.parameters:,}", f"{row.multiply_adds:,}"))
        lines.append(("total", "", f"{self.parameters:,}", f"{self.multiply_adds:,}"))
        a, b, c, d = (max(map(len, column)) for column in zip(*lines, strict=True))
        return "\n".join(f"{w:<{a}}  {x:<{b}}  {y:>{c}}  {z:>{d}}" for w, x, y, z in lines)


@dataclass(frozen=True)
class _Call:
    """What a module gave, and the ticks of the clock between which it ran."""

    module: Module
    start: int
    end: int
    output: tuple[Any, ...]


def summarise(model: Module, inputs: tuple[Any, ...]) -> Summary:
    """Make the summary of a model from one run on example inputs."""
    modules = [(path, module, module.training) for path, module in model.named_modules()]
    frozen = [tensor for tensor in model.parameters() if not tensor.requires_grad]
    calls: list[_Call] = []
    own = {module: vars(module)["forward"] for _, module, _ in modules if "forward" in vars(module)}
    try:
        model.eval()
        model.requires_grad_()  # a product of constants would leave no trace in the graph
        for _, module, _ in modules:
            # __call__ finds it before that of the class, so that calling a module costs nothing more at other times
            vars(module)["forward"] = _watched(module, calls)
        with mode(recording=True):
            model(*[_differentiable(x) for x in inputs])
    finally:
        for _, module, training in modules:
            module.training = training
            vars(module).pop("forward", None)
        for module, forward in own.items():
            vars(module)["forward"] = forward
        for tensor in frozen:
            tensor.requires_grad = False
    return Summary(tuple(_rows(modules, calls)))


def _watched(module: Module, calls: list[_Call]) -> Callable[..., Any]:
    forward = module.forward

    def watched(*args: Any, **kwargs: Any) -> Any:
        start = next(clock)
        y = forward(*args, **kwargs)
        calls.append(_Call(module, start, next(clock), tuple(_arrays(y))))
        return y

    return watched


def _differentiable(x: Any) -> Any:
    x = np.asarray(value_of(x))
    return Tensor(x) if x.dtype.kind == "f" else x  # ids stay ids


def _arrays(y: Any) -> Iterator[Any]:
    """Give the arrays in nested tuples, lists and dicts."""
    if isinstance(y, dict):
        y = list(y.values())
    if isinstance(y, (tuple, list)):
        for part in y:
            yield from _arrays(part)
    else:
        yield y


def _rows(modules: list[tuple[str, Module, bool]], calls: list[_Call]) -> Iterator[Row]:
    costs: dict[Module, int] = {}
    found: set[Node] = set()
    # the youngest output first, for behind it lie most of the others
    for y in sorted((y for call in calls for y in call.output if isinstance(y, Node)), key=lambda y: -y.age):
        if y not in found:
            found.update(ancestors(y))
    for node in found:
        if cost := _multiply_adds(node):
            for call in calls:  # in the order in which they ended, so that the first around a node is the innermost
                if call.start < node.age < call.end:
                    costs[call.module] = costs.get(call.module, 0) + cost
                    break
    seen: set[Tensor] = set()
    for path, module, _ in modules:
        mine = [call for call in calls if call.module is module]
        parameters = {tensor for _, tensor in module.named_parameters(recurse=False)} - seen
        seen |= parameters
        yield Row(
            path.rstrip("."),
            f"{type(module).__name__}({module.extra_repr()})",
            tuple(shape_of(y) for y in mine[-1].output) if mine else (),
            sum(tensor.size for tensor in parameters),
            costs.get(module, 0),
            len(mine),
        )


def _multiply_adds(node: Node) -> int:
    """How often a product of matrices, or an einsum, multiplies and adds."""
    xs = [value_of(x) for x in node.operands]
    if node.op is None or node.op.name not in ("matmul", "einsum"):
        return 0
    if node.op.name == "matmul":
        return int(node.value.size * xs[0].shape[-1])
    ones = [np.broadcast_to(1.0, np.shape(x)) for x in xs]  # each of whose products adds 1
    return int(np.einsum(node.params["subscripts"], *ones, optimize=True).sum()) * (len(xs) - 1)
