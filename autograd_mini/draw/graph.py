"""What a drawing shows: cards, edges and boxes, collected from a recorded graph.

Nothing here calls itself: graphs are deep. Order is age, and a leaf stands before its first use, so
that the numbers of cards do not change when an optimiser makes its leaves younger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core import Node, ancestors, past, sweep
from .summary import Summary

Nest = tuple[Any, ...]  # () at the top, else (the nest around it, its label); every call has its own


@dataclass(slots=True, eq=False)
class Card:
    """A value in the drawing.

    Attributes
    ----------
    role : "op", "param", "data" or "loss", the keys of `theme.ROLES`.
    op : the name of the operation, "" for a leaf.
    name : what the user calls it, short; `path` in full.
    operands, users : numbers of cards; one that is used twice by another stands there twice.
    depth : the number of operations on the longest way to it.
    aside : it stands beside its only user, not before it.
    """

    role: str
    op: str
    value: Any
    params: dict[str, Any]
    scope: Nest
    name: str
    path: str
    summary: Summary = field(init=False)
    gradient: Summary | None = None
    operands: list[int] = field(default_factory=list)
    users: list[int] = field(default_factory=list)
    depth: int = 0
    aside: bool = False


@dataclass(slots=True, eq=False)
class Box:
    """One call of a module: cards and boxes, in order. The outermost is the page."""

    label: str
    items: list[int | Box] = field(default_factory=list)
    count: int = 0  # cards inside, at any depth


@dataclass(slots=True, eq=False)
class Graph:
    """Everything that is drawn; the output is the last card."""

    cards: list[Card]
    page: Box
    tensors: bool  # whether there are any, or scalars only
    spine: set[int]  # the longest way to the output, which is drawn straight


def collect(output: Node, names: Mapping[str, Any], grads: bool, max_nodes: int) -> Graph:
    """Collect what there is behind `output`, with its gradients where they are wanted."""
    known = dict(_named(names))
    cards: list[Card] = []
    number: dict[int, int] = {}  # id of a Node or an array -> its card; both live as long as the graph

    def add(x: Any) -> int:
        """Give the number of the card of an operand. Plain numbers are not shared: each use has its own."""
        if id(x) in number:
            return number[id(x)]
        name, path = known.get(_key(x)) or known.get(_content(x), ("", ""))
        if isinstance(x, Node):
            role = "op" if x.op else "param" if x.requires_grad else "data"
            card = Card(role, x.op.name if x.op else "", x.value, x.params, nests.get(x, ()), name, path)
        else:
            card = Card("data", "", x, {}, (), name, path)
        if isinstance(x, (Node, np.ndarray)):
            number[id(x)] = len(cards)
        cards.append(card)
        return len(cards) - 1

    nodes = ancestors(output)
    nests = _nests(nodes)
    for node in nodes:
        named = [x for x in _arrays(node.params) if _content(x) in known]  # class ids, for instance
        operands = [add(x) for x in (*past(node), *named)]
        this = add(node)
        cards[this].operands = operands
        for i in operands:
            cards[i].users.append(this)
    if len(cards) > max_nodes:
        raise ValueError(
            f"this drawing has {len(cards):,} cards, more than max_nodes={max_nodes:,}: draw a part of the graph or a "
            "smaller example, or pass a larger max_nodes="
        )
    for card in cards:
        card.summary = Summary.of(card.value)
    if grads and output.requires_grad:
        with np.errstate(all="ignore"):  # what is not finite shows on its card
            for node, ct in sweep(output, np.ones_like(output.value)[()]):
                cards[number[id(node)]].gradient = Summary.of(ct)
    if output.requires_grad:
        cards[-1].role = "loss"
    tensors = any(card.summary.shape for card in cards)
    spine = _place(cards, tensors)
    return Graph(cards, _boxes(cards), tensors, spine)


def _key(x: Any) -> tuple[Any, ...]:
    """Tell what a name belongs to: a Node, or the memory of an array, for a view may have been recorded."""
    if not isinstance(x, np.ndarray):
        return (id(x),)
    address = x.__array_interface__["data"][0]
    return (address, x.size) if x.flags.c_contiguous else (address, x.shape, x.strides)


def _content(x: Any) -> tuple[Any, ...]:
    """Tell arrays by their numbers, for a copy may have been recorded."""
    return (x.size, x.dtype.str, x.tobytes()) if isinstance(x, np.ndarray) else ()


def _named(names: Mapping[str, Any]) -> Iterator[tuple[tuple[Any, ...], tuple[str, str]]]:
    """Give the key of everything that has a name, with the name in short and in full."""
    for name, thing in names.items():
        if isinstance(thing, (Node, np.ndarray)):
            yield _key(thing), (str(name), str(name))
            if isinstance(thing, np.ndarray):
                yield _content(thing), (str(name), str(name))
        elif hasattr(thing, "named_parameters"):
            for path, tensor in thing.named_parameters():
                yield _key(tensor), (path, f"{name}.{path}")
        else:
            raise TypeError(f"names={{{name!r}: ...}} takes a Tensor, an array or a module, not {type(thing).__name__}")


def _arrays(params: Mapping[str, Any]) -> Iterator[Any]:
    """Give the arrays among parameters, and in tuples among them."""
    for param in params.values():
        yield from (x for x in (param if isinstance(param, tuple) else (param,)) if isinstance(x, np.ndarray))


def _place(cards: list[Card], tensors: bool) -> set[int]:
    """Find the depths, which leaves stand aside, and in which scope; give the spine."""
    main: dict[int, int] = {}  # operation -> the operand that is drawn in line with it
    for this, card in enumerate(cards):
        if not card.operands:
            continue
        card.depth = 1 + max(cards[i].depth for i in card.operands)
        main[this] = max(
            card.operands, key=lambda i: (cards[i].depth, cards[i].role == "data" and bool(cards[i].summary.shape))
        )
        for i in card.operands:
            x = cards[i]
            x.aside = tensors and not x.operands and len(x.users) == 1 and i != main[this]
    for card in cards:
        if not card.op and card.users and (card.role != "data" or card.aside):
            card.scope = _common([cards[i].scope for i in card.users])
        for scope in _chain(card.scope):
            card.name = card.name.removeprefix(f"{scope[1]}.")  # the box says it already
    spine, this = {len(cards) - 1}, len(cards) - 1
    while this in main:
        this = main[this]
        spine.add(this)
    return spine


def _nests(nodes: list[Node]) -> dict[Node, Nest]:
    """Find the innermost scope that each node was recorded in; `nodes` stand in order of age."""
    calls = {start: (node.age, label) for node in nodes for label, start in node.scopes}  # one call may mark several
    todo = sorted(((start, end, label) for start, (end, label) in calls.items()), reverse=True)
    stack: list[tuple[int, Nest]] = []  # the scopes that are open at this age: when they end, and what they are
    nests = {}
    for node in nodes:
        stack = [scope for scope in stack if scope[0] >= node.age]
        while todo and todo[-1][0] < node.age:
            _, end, label = todo.pop()
            if end >= node.age:
                stack.append((end, (stack[-1][1] if stack else (), label)))
        nests[node] = stack[-1][1] if stack else ()
    return nests


def _chain(scope: Nest) -> list[Nest]:
    """Give a scope and those around it, outermost first."""
    chain = []
    while scope:
        chain.append(scope)
        scope = scope[0]
    return chain[::-1]


def _common(scopes: list[Nest]) -> Nest:
    """Give the innermost scope that all lie in."""
    common: Nest = scopes[0]
    for scope in scopes[1:]:
        inside = {id(s) for s in _chain(scope)}
        while common and id(common) not in inside:
            common = common[0]
    return common


def _boxes(cards: list[Card]) -> Box:
    """Give the page: a box for each call of a module that shows more than one card."""
    page = Box("")
    boxes: dict[int, Box] = {}  # id of a scope -> its box; calls with equal labels are told apart
    for card in cards:
        for scope in _chain(card.scope):
            boxes.setdefault(id(scope), Box(str(scope[1]))).count += 1
    for i, card in enumerate(cards):
        box = page
        for scope in _chain(card.scope):
            inner = boxes[id(scope)]
            if inner.count == 1:
                break
            if not inner.items:
                box.items.append(inner)
            box = inner
        box.items.append(i)
    return page
