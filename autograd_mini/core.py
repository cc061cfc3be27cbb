"""The graph and the chain rule: nodes, primitives, and the sweep that goes backwards.

A *primitive* is a name, a forward on arrays, and one rule (a VJP) per operand. Applied to arrays
it gives an array; applied to at least one `Node` it gives a `Node` that remembers the application.
The *sweep* visits the nodes behind an output, youngest first, and hands each rule the cotangent of
its result. That is all of reverse-mode differentiation [1]_; the calculus itself is in `ops`.

References
----------
.. [1] Griewank and Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 3.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ContextDecorator
from functools import cache, partial
from heapq import heappop, heappush
from importlib import import_module
from importlib.util import find_spec
from inspect import CO_VARARGS, CO_VARKEYWORDS
from itertools import count
from math import inf
from os.path import dirname, join
from threading import get_ident, local
from types import FunctionType
from typing import Any, ClassVar, Protocol, cast

Value = Any  # an array, a NumPy scalar or a Python number
Operand = Any  # a Node or a Value
Rule = Callable[..., Any]  # (g, result, *operands, **params) -> cotangent of one operand
Scope = tuple[str, int]  # a label, and the clock when it began
Mark = Any  # a Scope, a source line as file:line, or an older self
Doing = tuple[bool, tuple[Any, ...]]  # whether a thread records, and how it marks that


class Operation(Protocol):
    """What `primitive` makes: arrays in, an array out; a Node in, a Node out."""

    op: Primitive

    def __call__(self, *operands: Operand, **params: Any) -> Any: ...


clock = count(1)  # one tick a node and one a change of data: the graph's only notion of time
special: set[int] = set()  # threads in a mode of their own: empty nearly always, and cheaper to ask than `_mode`


class _Mode(local):
    """What a thread is doing: whether it records, and in which scopes, innermost first; `_line` last for lines too."""

    recording = True
    marks: tuple[Any, ...] = ()

    def __init__(self) -> None:  # for each thread
        self.stack: list[Doing] = []  # what it was doing before


_mode = _Mode()


class mode(ContextDecorator):
    """Let this thread record, or not, for a while."""

    def __init__(self, *, recording: bool) -> None:
        self.recording = recording

    def __enter__(self) -> None:
        before = _mode.recording, _mode.marks
        _mode.stack.append(before)
        self._set(self._then(*before))

    def __exit__(self, *_: object) -> None:
        self._set(_mode.stack.pop())

    def _then(self, recording: bool, marks: tuple[Any, ...]) -> Doing:
        """Say what this thread is to do, given what it does."""
        return self.recording, marks

    @staticmethod
    def _set(doing: Doing) -> None:
        _mode.recording, _mode.marks = recording, marks = doing
        (special.discard if recording and not marks else special.add)(get_ident())


class scope(mode):
    """Name what this thread records for a while, as ``with scope("head"):`` or as a decorator.

    Drawings put a box around it, as around what a module computes. Scopes nest.

    Parameters
    ----------
    label : str
        What the box is called.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> x = ag.Tensor(2.0)
    >>> with ag.scope("head"):
    ...     y = ag.tanh(x * 3 + 1)
    >>> '<B>head</B>' in ag.draw(y).dot
    True
    """

    def __init__(self, label: str) -> None:
        self.label = str(label)

    def _then(self, recording: bool, marks: tuple[Any, ...]) -> Doing:
        return recording, ((self.label, next(clock)), *marks)


class source_lines(mode):
    """Note the source line of what this thread records for a while, as ``with source_lines():`` or as a decorator.

    That is the innermost line that is neither in this library nor in NumPy. Drawings, `testing.check_graph` and
    the errors of the backward pass name it. To find it takes longer than to multiply two numbers, so it is for
    when something is looked for.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> x = ag.Tensor(2.0)
    >>> with ag.source_lines():
    ...     y = ag.tanh(
    ...         x * 3
    ...     )
    >>> [node.line.rpartition(":")[2] for node in (y, y.operands[0])]
    ['2', '3']
    """

    def __init__(self) -> None:
        pass

    def _then(self, recording: bool, marks: tuple[Any, ...]) -> Doing:
        return recording, marks if _line in marks else (*marks, _line)


def _line() -> str:
    """Find where this thread is, outside of this library and of NumPy."""
    frame = sys._getframe(2)
    while _inside(frame.f_code.co_filename) and frame.f_back:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


@cache
def _inside(file: str) -> bool:
    """Whether a source file is one of this library or of NumPy."""
    specs = map(find_spec, (__package__, "numpy"))
    return file.startswith(tuple(join(dirname(str(spec.origin)), "") for spec in specs if spec))


def no_grad(f: Callable[..., Any] | None = None) -> Any:
    """Record nothing in this thread, as ``with no_grad():`` or as the decorator ``@no_grad()``."""
    off = mode(recording=False)
    return off if f is None else off(f)


def is_recording() -> bool:
    """Whether this thread records."""
    return not special or _mode.recording


class Primitive:
    """A name, a forward on arrays, and one VJP rule per operand; `home` is the module that states it.

    `apply` is the operation: what `primitive` gives. `into`, where there is one, does what the only rule and a sum
    would do, ``into(total, g, **params)``: it adds to an array the cotangent that the rule would make anew.
    """

    __slots__ = ("apply", "forward", "home", "into", "name", "rules")

    apply: Callable[..., Any]
    into: Callable[..., None] | None

    def __init__(self, name: str, forward: Callable[..., Value], rules: Sequence[Rule] | _Each, home: str) -> None:
        self.name, self.forward, self.rules, self.home, self.into = name, forward, rules, home, None

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Primitive:
        return self

    def __reduce__(self) -> tuple[Callable[..., Primitive], tuple[str, str]]:
        """Pickle by reference: the module that states the primitive, and its name there."""
        for name, thing in vars(sys.modules[self.home]).items():
            if thing is self or getattr(thing, "op", None) is self:
                return _stated, (self.home, name)
        raise TypeError(
            f"primitive {self.name!r} cannot be pickled: its module {self.home!r} has no global name for "
            "it; assign the result of primitive(...) to a name at the top of that module"
        )


def _stated(home: str, name: str) -> Primitive:
    thing = getattr(import_module(home), name)
    op: Primitive = getattr(thing, "op", thing)
    return op


class Node:
    """A value and the application that gave it.

    Attributes
    ----------
    value : the array (or scalar) itself.
    op, operands, params : the application; a leaf has no `op` and no operands.
    age : a tick of the clock, greater than that of every operand. Changing a leaf's data, or updating a
        result in place, makes it younger than what was computed from it before, and the sweep sees that.
    marks : the named scopes that it was recorded in, or is the result of, innermost first. What was recorded
        since one of them began, up to this node, lies in it: so a module need only mark what it gives. Also the
        source line where it was asked for, if that was noted, and its older self, if it was updated in place.
    requires_grad : whether a cotangent is wanted here.
    grad : what `backward()` has added up, for leaves.
    name : what drawings call it; not there unless it was given one.
    """

    __slots__ = ("__weakref__", "age", "grad", "marks", "name", "op", "operands", "params", "requires_grad", "value")

    value: Value
    op: Primitive | None
    operands: tuple[Operand, ...]
    params: dict[str, Any]
    age: int
    marks: tuple[Mark, ...]
    requires_grad: bool
    grad: Value | None
    name: str

    array: ClassVar[type] = object  # the type of values that have axes; a subclass names it
    number: ClassVar[type] = float  # and that of those that have none

    @property
    def scopes(self) -> tuple[Scope, ...]:
        return tuple(mark for mark in self.marks if isinstance(mark, tuple))

    @property
    def line(self) -> str:
        """Where the application was asked for, as ``file:line``, or "": see `source_lines`."""
        return next((mark for mark in self.marks if isinstance(mark, str)), "")

    @property
    def older(self) -> Node | None:
        """What it was before it was last updated in place, if it was."""
        return next((mark for mark in self.marks if isinstance(mark, Node)), None)

    @staticmethod
    def constant(x: Any) -> Value:
        """Take an operand that is not a Node as arrays can use it; a subclass may convert or refuse it."""
        return x

    @staticmethod
    def taken(value: Any) -> Value:
        """Take what a forward gave, if it is neither an `array` nor a `number`; a subclass may convert or refuse it."""
        return value


def value_of(x: Any) -> Any:
    """Give the array behind a Node, and anything else as it is: for what has no derivative."""
    return x.value if isinstance(x, Node) else x


def asked_at(node: Node) -> str:
    """Say where a node was asked for, as " at file:line", or nothing where that was not noted."""
    return f" at {node.line}" if node.line else ""


FREED = Primitive("freed", lambda: None, (), __name__)
_NO_PARAMS: dict[str, Any] = {}
_new: Callable[[type[Node]], Node] = object.__new__


def result(
    kind: type[Node],
    value: Value,
    op: Primitive,
    operands: tuple[Operand, ...],
    params: dict[str, Any],
    requires_grad: bool,
) -> Node:
    """Give the Node of a value just computed, with its application if it is to be recorded."""
    node = _new(kind)
    node.value = value if type(value) is kind.array or type(value) is kind.number else kind.taken(value)
    node.age = next(clock)
    node.grad = None
    if requires_grad and (not special or _mode.recording):  # is_recording(), without the call
        node.op = op
        node.operands = operands
        node.params = params
        if special:
            marks = _mode.marks
            node.marks = (*marks[:-1], _line()) if marks and marks[-1] is _line else marks
        else:
            node.marks = ()
        node.requires_grad = True
    else:
        leaf(node)
        own = node.value.base is None
        for x in operands:
            own = own and (x.value if isinstance(x, Node) else x) is not value
        if not own:  # it would change with the data of its operand, and nobody would know
            node.value = node.value.copy()
    return node


def leaf(node: Node, requires_grad: bool = False) -> None:
    """Make `node` one that nothing is known to have computed."""
    node.op = None
    node.operands = ()
    node.params = _NO_PARAMS
    node.marks = ()
    node.requires_grad = requires_grad


def assume(node: Node, other: Node) -> None:
    """Make `node` what `other` is: its value, its application and its age."""
    node.value, node.age, node.grad, node.requires_grad = other.value, other.age, other.grad, other.requires_grad
    node.op, node.operands, node.params, node.marks = other.op, other.operands, other.params, other.marks


def primitive(name: str, forward: Callable[..., Value], *rules: Rule | None, variadic: bool = False) -> Operation:
    """State a differentiable operation: its name, its value, and one VJP rule per operand.

    Parameters
    ----------
    name : str
        What drawings and errors call it.
    forward : callable
        ``forward(*arrays, **params)``: operands are positional, everything else is a keyword.
    *rules : callable
        Rule number *i* is ``rule(g, result, *operands, **params)`` and gives the cotangent of
        operand *i* from `g`, that of the result, and is linear in it. It captures nothing and uses only
        operators and other primitives, so that it can be differentiated too. It need not undo
        broadcasting. None stands for an operand that has no derivative: it may be a constant only.
    variadic : bool
        The operation takes any number of operands; its only rule is also given ``position=i``.

    Returns
    -------
    callable
        Applied to arrays it gives what `forward` gives; applied to at least one Tensor, a recorded
        Tensor. Its attribute ``op`` is the `Primitive`.

    Raises
    ------
    TypeError
        If there are not as many rules as operands, or a rule does not take what it is handed.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> cube = ag.primitive("cube", lambda x: x**3, lambda g, y, x: g * 3 * x**2)
    >>> float(ag.grad(ag.grad(cube))(2.0))
    12.0
    """
    if not rules:
        raise TypeError(f"primitive {name!r} has no rule: pass one VJP rule per operand after the forward")
    _check(name, forward, rules, variadic)
    home = sys._getframe(1).f_globals.get("__name__", "__main__")
    stated = tuple([rule or partial(_missing, name, i) for i, rule in enumerate(rules)])
    op = Primitive(name, forward, _Each(stated[0]) if variadic else stated, home)
    op.apply = apply = _many(op) if variadic or len(rules) > 2 else _one(op) if len(rules) == 1 else _two(op)
    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"Apply the primitive {name!r}."
    operation = cast(Operation, apply)
    operation.op = op
    return operation


def _check(name: str, forward: Callable[..., Value], rules: tuple[Rule | None, ...], variadic: bool) -> None:
    """Refuse rules that are not one an operand, or cannot be called with what the sweep hands them."""
    count, (least, most) = len(rules), _takes(forward)
    if variadic and count > 1:
        raise TypeError(f"primitive {name!r} is variadic and has {count} rules: pass one, which is told position=i")
    operands = getattr(forward, "nin", count if most >= count else most)  # of a ufunc, or as many as there can be
    if operands != count and not variadic:
        raise TypeError(
            f"primitive {name!r} has {count} rules, and its forward takes {operands} operands: pass one rule per "
            "operand, None for one without a derivative"
        )
    # What the forward takes besides is a keyword, which the rules are handed too.
    fewest, many = 2 + max(least, count) + variadic, 2 + most + variadic
    for i, rule in enumerate(rules):
        low, high = _takes(rule) if rule else (fewest, many)
        if low > many or high < fewest:
            takes, handed = (low, many) if low > many else (high, fewest)
            raise TypeError(
                f"rule {i} of primitive {name!r} takes {takes} arguments, and is handed {handed}: the cotangent g, the "
                f"result, then whatever the forward takes{', then position' if variadic else ''}"
            )


def _takes(f: Callable[..., Any]) -> tuple[float, float]:
    """How many arguments a function takes at least and at most: `inspect` takes ten times as long to say it."""
    if not isinstance(f, FunctionType):
        return 0, inf  # written in C, a method, or anything else that can be called
    code = f.__code__
    names = code.co_argcount + code.co_kwonlyargcount
    defaults = len(f.__defaults__ or ()) + len(f.__kwdefaults__ or ())
    return names - defaults, inf if code.co_flags & (CO_VARARGS | CO_VARKEYWORDS) else names


def _missing(name: str, i: int, *_: Any, **__: Any) -> Any:
    raise TypeError(
        f"primitive {name!r} has no rule for operand {i}, which is differentiated: pass it as an array (t.data, or "
        f"stop_gradient(t)), or state rule {i} in place of None"
    )


class _Each:
    """The rules of a variadic primitive: the one it has, told the position of each operand."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __getitem__(self, position: int) -> Rule:
        return partial(self.rule, position=position)


class Joint(Primitive):
    """A primitive of any number of operands, whose one rule gives a sequence of the cotangents of all of them."""

    __slots__ = ("rule",)

    def __init__(self, name: str, forward: Callable[..., Value], rule: Rule, home: str) -> None:
        self.name, self.forward, self.rule, self.home, self.into = name, forward, rule, home, None
        self.apply = _many(self)

    @property
    def rules(self) -> _Once:  # type: ignore[override]  # an attribute elsewhere; here made anew for each node
        """The rules for one node: the sweep takes them when it comes there and drops them when it goes on."""
        return _Once(self.rule)


class _Once:
    """The rules of a joint primitive: the first to be called calls the one it has, the others look up what it gave."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.g: Operand = None
        self.found: Sequence[Any] = ()

    def __getitem__(self, position: int) -> Rule:
        return partial(self.cotangent, position)

    def cotangent(self, position: int, g: Operand, *args: Any, **params: Any) -> Any:
        if g is not self.g:
            self.found, self.g = self.rule(g, *args, **params), g
        if position >= len(self.found):
            raise RuntimeError(
                "a Tensor requires a gradient now, and was frozen when a checkpointed function used it: run the "
                "forward pass again"
            )
        ct = self.found[position]
        return ct.copy() if any(ct is other for other in self.found[:position]) else ct  # a leaf keeps it for itself


def _too_many(op: Primitive, takes: float, got: int) -> TypeError:
    return TypeError(
        f"{op.name!r} has {takes} operand(s), one per rule, and got {got}: what is not an array goes in by keyword, "
        "and an operand without a derivative has the rule None"
    )


def _one(op: Primitive) -> Callable[..., Any]:
    forward = op.forward

    def apply(x: Operand, *more: Operand, **params: Any) -> Any:
        if more:
            raise _too_many(op, 1, 1 + len(more))
        if not isinstance(x, Node):
            return forward(x, **params)
        value = forward(x.value, **params) if params else forward(x.value)
        return result(type(x), value, op, (x,), params, x.requires_grad)

    return apply


def _two(op: Primitive) -> Callable[..., Any]:
    forward = op.forward

    def apply(x: Operand, y: Operand, *more: Operand, **params: Any) -> Any:
        if more:
            raise _too_many(op, 2, 2 + len(more))
        if isinstance(x, Node):
            kind, a, requires_grad = type(x), x.value, x.requires_grad
            if isinstance(y, Node):
                b, requires_grad = y.value, requires_grad or y.requires_grad
            else:
                b = y = kind.constant(y)
        elif isinstance(y, Node):
            kind, b, requires_grad = type(y), y.value, y.requires_grad
            a = x = kind.constant(x)
        else:
            return forward(x, y, **params)
        value = forward(a, b, **params) if params else forward(a, b)
        return result(kind, value, op, (x, y), params, requires_grad)

    return apply


def _many(op: Primitive) -> Callable[..., Any]:
    forward, most = op.forward, len(op.rules) if isinstance(op.rules, tuple) else inf

    def apply(*operands: Operand, **params: Any) -> Any:
        if len(operands) > most:
            raise _too_many(op, most, len(operands))
        nodes = [x for x in operands if isinstance(x, Node)]
        if not nodes:
            return forward(*operands, **params)
        kind = type(nodes[0])
        operands = tuple(x if isinstance(x, Node) else kind.constant(x) for x in operands)
        value = forward(*(x.value if isinstance(x, Node) else x for x in operands), **params)
        return result(kind, value, op, operands, params, any(x.requires_grad for x in nodes))

    return apply


def sweep(
    output: Node, seed: Operand, *, recorded: bool = False, needed: set[Node] | None = None, free: bool = False
) -> Iterator[tuple[Node, Any]]:
    """Yield ``(node, cotangent)`` for every node behind `output`: applications, youngest first, then leaves.

    The youngest application that is still waiting can get no further contribution, for whatever uses
    it is younger: so order of age is topological order, and one pass suffices. A leaf's cotangent is
    an array that nothing else holds.

    Parameters
    ----------
    output : Node
        Where the sweep starts.
    seed : Value or Node
        The cotangent of `output`, of its shape and dtype.
    recorded : bool
        Hand the rules Nodes instead of arrays, so that the sweep itself can be differentiated.
    needed : set of Node, optional
        Compute no cotangents but these (`output` is always among them).
    free : bool
        Forget each application after its rules have run.

    Raises
    ------
    RuntimeError
        At a node whose application was freed, or whose operand's data changed after it was recorded.
    """
    array = output.array
    cotangents = {output: seed}
    own: set[Node] = set()  # those whose cotangent is an array that only the sweep holds, made for parts of them
    waiting = [(-output.age, output)] if output.op else []
    while waiting:
        node = heappop(waiting)[1]
        ct = cotangents.pop(node)
        yield node, ct
        op, operands, params, age = node.op, node.operands, node.params, node.age
        if op is None or not operands:
            raise _freed(node)
        value = node if recorded else node.value
        # Star-calls cost three plain calls, so one and two operands have a path of their own.
        arity = len(operands)
        if arity == 1:
            a = operands[0]
            if a.age > age:
                (a,) = operands = _unchanged(node, op)
            if not recorded:
                a = a.value
        elif arity == 2:
            a, b = operands
            if isinstance(a, Node):
                if a.age > age:
                    a, b = operands = _unchanged(node, op)
                if not recorded:
                    a = a.value
            if isinstance(b, Node):
                if b.age > age:
                    operands = _unchanged(node, op)
                    b = operands[1]
                if not recorded:
                    b = b.value
        else:
            operands = _unchanged(node, op)
            primals = operands if recorded else [x.value if isinstance(x, Node) else x for x in operands]
        rules = op.rules
        position = -1  # counted by hand: enumerate and zip cost more than a rule
        for x in operands:
            position += 1
            if not isinstance(x, Node):
                continue
            if not x.requires_grad or (needed is not None and x not in needed):
                continue
            rule = rules[position]
            if params:
                if op.into and not recorded and type(x.value) is array:
                    if x in own:
                        op.into(cotangents[x], ct, **params)
                        continue
                    own.add(x)
                rule = partial(rule, **params)
            g = rule(ct, value, a) if arity == 1 else rule(ct, value, a, b) if arity == 2 else rule(ct, value, *primals)
            primal = x.value
            kind = type(primal)
            if type(g) is not kind or (kind is array and (g.shape != primal.shape or g.dtype is not primal.dtype)):
                g = fit(g, primal, op)
            if x in cotangents:
                cotangents[x] = cotangents[x] + g
            elif x.op is None:
                cotangents[x] = g.copy() if not recorded and (g is ct or g.base is not None) else g
            else:
                cotangents[x] = g
                heappush(waiting, (-x.age, x))
        if free:
            node.op, node.operands, node.params = FREED, (), _NO_PARAMS
    yield from cotangents.items()  # what is left are the leaves


def fit(ct: Any, primal: Value, op: Primitive) -> Any:
    """Sum a cotangent over the axes along which `primal` was broadcast, and give it its dtype.

    This is the one place where broadcasting is undone. Half precision is summed in single.
    """
    if not hasattr(ct, "shape"):
        raise TypeError(f"a rule of primitive {op.name!r} gave {ct!r}: a cotangent is an array or a Tensor")
    shape, dtype = primal.shape, primal.dtype
    if ct.shape != shape:
        if ct.dtype.itemsize < 4:
            ct = ct.astype("float32")
        lead = len(ct.shape) - len(shape)
        if lead == 1 and ct.shape[1:] == shape:  # the common case, a bias
            ct = ct.sum(axis=0)
        else:
            spread = tuple(i for i, n in enumerate(ct.shape) if i < lead or n != shape[i - lead])
            if lead < 0 or any(shape[i - lead] != 1 for i in spread if i >= lead):
                raise ValueError(
                    f"a rule of primitive {op.name!r} gave a cotangent of shape {ct.shape} for an operand of shape "
                    f"{shape}: it must have that shape, or one to which that shape broadcasts"
                )
            ct = ct.sum(axis=spread).reshape(shape)
    if ct.dtype != dtype:
        ct = ct.astype(dtype)
    return ct if shape or isinstance(ct, Node) else ct[()]


def past(node: Node) -> tuple[Operand, ...]:
    """Give the operands of `node` as they were when it used them, and let it hold these from now on.

    One that is younger was updated in place since; as old is what was updated by itself.
    """
    age = node.age
    operands = [_then(x, age) if isinstance(x, Node) and x.age >= age else x for x in node.operands]
    node.operands = tuple(operands)
    return node.operands


def _then(x: Node, age: int) -> Node:
    while x.age >= age and (older := x.older) is not None:
        x = older
    return x


def _unchanged(node: Node, op: Primitive) -> tuple[Operand, ...]:
    """Give the operands of `node` as they were, if they still are anywhere."""
    operands = past(node)
    for x in operands:
        if isinstance(x, Node) and x.age > node.age:
            raise RuntimeError(
                f"the data of a Tensor of shape {x.value.shape} changed after {op.name!r}{asked_at(node)} used it, so "
                "the gradient would be wrong: run the forward pass again, or change data only after backward()"
            )
    return operands


def _freed(node: Node) -> RuntimeError:
    return RuntimeError(
        f"this graph{asked_at(node)} was freed by backward(retain_graph=False): leave retain_graph=True (the default) "
        "in the first backward() to go through it again"
    )


def ancestors(output: Node, since: int = 0) -> list[Node]:
    """Give `output` and every recorded application behind it that is younger than `since`, oldest first."""
    found, frontier = {output}, [output]
    while frontier:
        for x in past(frontier.pop()):
            if isinstance(x, Node) and x.operands and x.age > since and x not in found:
                found.add(x)
                frontier.append(x)
    return sorted(found, key=lambda node: node.age)
