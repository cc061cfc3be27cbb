"""What a drawing shows: cards, edges and boxes, collected from a recorded graph.

Nothing here calls itself: graphs are deep. Order is age, and a leaf stands before its first use, so
that the numbers of cards do not change when an optimiser makes its leaves younger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ..core import Node, ancestors, fit, past, sweep, value_of
from .summary import Summary

Nest = tuple[Any, ...]  # () at the top, else (the nest around it, its label); every call has its own


@dataclass(slots=True, eq=False)
class Fold:
    """What a card shows that stands for many: a sequence of cards, repeated.

    Attributes
    ----------
    count : how often it is repeated; 1 for a scope that is folded because others are.
    label : what the first and the last are called, "" if they have no names.
    recipe : names of the operations of one repeat, in order.
    cards, numbers : how many cards, and numbers in parameters, there are in all.
    heat : the root mean square of the gradient in each repeat: of its parameters, else of its result.
    """

    count: int
    label: str
    recipe: list[str]
    cards: int
    numbers: int
    heat: list[float]


@dataclass(slots=True, eq=False)
class Card:
    """A value in the drawing.

    Attributes
    ----------
    role : a key of `theme.ROLES`.
    op : the name of the operation, "" for a leaf.
    name : what the user calls it, short; `path` in full.
    line : where it was asked for, as ``file:line``, "" if that was not noted.
    operands, users : numbers of cards; one that is used twice by another stands there twice.
    sent : the gradient that is sent back along each use of an operand, None where none flows.
    parts : what its users send back to it, the sum of which is its gradient; folding leaves it as it is.
    slopes : the derivative with respect to each operand where both are scalars, else None.
    first : "value", "gradient": what is not finite here, though nothing that it comes from is not.
    faults : what is wrong with the rule for an operand, by its place, where rules were checked.
    verdict : whether its gradient is "right", or "wrong" by a wrong rule; "unknown" at no finite one, "" unchecked.
    numeric : what differences say that gradient is: in a word, as the gradient is shown.
    depth : the number of operations on the longest way to it.
    aside : it stands beside its only user, not before it.
    hidden : how many edges of it are not shown.
    fold : what it stands for, if for more than itself.
    """

    role: str
    op: str
    value: Any
    params: dict[str, Any]
    scope: Nest
    name: str
    path: str
    line: str = ""
    summary: Summary = field(init=False)
    gradient: Summary | None = None
    operands: list[int] = field(default_factory=list)
    users: list[int] = field(default_factory=list)
    sent: list[Summary | None] = field(default_factory=list)
    parts: list[Summary] = field(default_factory=list)
    slopes: list[float | None] = field(default_factory=list)
    first: tuple[str, ...] = ()
    faults: dict[int, str] = field(default_factory=dict)
    verdict: str = ""
    numeric: str = ""
    depth: int = 0
    aside: bool = False
    hidden: int = 0
    fold: Fold | None = None


@dataclass(slots=True, eq=False)
class Box:
    """One call of a module or one scope: cards and boxes, in order. The outermost is the page."""

    label: str
    items: list[int | Box] = field(default_factory=list)
    count: int = 0  # cards inside, at any depth


@dataclass(slots=True, eq=False)
class Graph:
    """Everything that is drawn, in an order in which operands stand before their users.

    Attributes
    ----------
    output : the card of the output; the last one, unless it is out of focus.
    tensors : whether there are any, or scalars only.
    spine : the cards of the longest way to the output, which is drawn straight.
    known : whether it is known which leaves are parameters: if a module was named, or a dict or list of Tensors.
    unused : the names of which nothing is here.
    note : what there is to say about what is left out.
    """

    cards: list[Card]
    page: Box
    output: Card
    tensors: bool
    spine: set[int]
    known: bool
    unused: list[str]
    note: str = ""

    def find(self, what: Any) -> int:
        """Give the number of the card of a Tensor, or of what has a name."""
        if not isinstance(what, str):
            value = value_of(what)
            for i, card in enumerate(self.cards):
                if card.value is value:
                    return i
            raise ValueError(f"focus= is not in this drawing: {what!r}")
        for key in ("path", "name", "op"):
            for i, card in enumerate(self.cards):
                if getattr(card, key) == what:
                    return i
        named = [card.path for card in self.cards if card.path]
        raise ValueError(
            f"focus={what!r} is nothing in this drawing, which has the names: {', '.join(named) or 'none'}"
        )


def collect(output: Node, names: Mapping[str, Any], grads: bool) -> Graph:
    """Collect what there is behind `output`, with its gradients where they are wanted."""
    known: dict[tuple[Any, ...], _Name] = {}
    for name in _named(names):
        for key in name.keys:
            known[key] = name
    held = any(name.held for name in known.values())
    used: set[str] = set()
    cards: list[Card] = []
    number: dict[int, int] = {}  # id of a Node or an array -> its card; both live as long as the graph

    def add(x: Any) -> int:
        """Give the number of the card of an operand. Plain numbers are not shared: each use has its own."""
        if id(x) in number:
            return number[id(x)]
        name = known.get(_key(x)) or known.get(_content(x)) or _NAMELESS
        used.add(name.given)
        if isinstance(x, Node):
            grad, param = x.requires_grad, name.held or not held
            role = "op" if x.op else ("param" if param else "input") if grad else "frozen" if name.held else "data"
            own = getattr(x, "name", "")
            short, path = name.short or own, name.path or own
            card = Card(role, x.op.name if x.op else "", x.value, x.params, nests.get(x, ()), short, path, x.line)
        else:
            card = Card("data", "", x, {}, (), name.short, name.path)
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
        cards[this].sent, cards[this].slopes = [None] * len(operands), [None] * len(operands)
        for i in operands:
            cards[i].users.append(this)
    for card, summary in zip(cards, Summary.each([card.value for card in cards]), strict=True):
        card.summary = summary
    if grads and output.requires_grad:
        _differentiate(output, cards, number)
    if output.requires_grad:
        cards[-1].role = "loss"
    _blame(cards)
    tensors = any(card.summary.shape for card in cards)
    spine = place(cards, tensors)
    _settle(cards)
    unused = [name for name in names if name not in used]
    return Graph(cards, _boxes(cards), cards[-1], tensors, spine, held, unused)


def _differentiate(output: Node, cards: list[Card], number: Mapping[int, int]) -> None:
    """Compute the gradient of every card, and what is sent back along every edge."""
    with np.errstate(all="ignore"):  # what is not finite shows on its card
        swept = list(sweep(output, np.ones_like(output.value)[()]))
        shared: list[tuple[Card, int, Any]] = []  # what is sent to a card that others send to as well
        for node, ct in swept:
            this = cards[number[id(node)]]
            for k, x in enumerate(past(node)):
                if isinstance(x, Node) and x.requires_grad:
                    if not (np.shape(x.value) or this.summary.shape):
                        this.slopes[k] = float(sends(node, k, type(ct)(1)))
                    if len(cards[number[id(x)]].users) > 1:
                        shared.append((this, k, sends(node, k, ct)))
    for (node, _), summary in zip(swept, Summary.each([ct for _, ct in swept]), strict=True):
        cards[number[id(node)]].gradient = summary
    for (card, k, _), summary in zip(shared, Summary.each([ct for *_, ct in shared]), strict=True):
        card.sent[k] = summary
    for card in cards:
        for k, i in enumerate(card.operands):
            if len(cards[i].users) == 1:
                card.sent[k] = cards[i].gradient  # nothing else comes in
            if sent := card.sent[k]:
                cards[i].parts.append(sent)


def sends(node: Node, position: int, ct: Any) -> Any:
    """Give the cotangent that `node`, which has cotangent `ct`, sends back to one of its operands."""
    assert node.op is not None
    operands = past(node)
    rule = partial(node.op.rules[position], **node.params)
    return fit(rule(ct, node.value, *map(value_of, operands)), operands[position].value, node.op)


def _blame(cards: list[Card]) -> None:
    """Find where values, and on the way back gradients, cease to be finite."""
    for card in cards:
        if card.summary.odd and not any(cards[i].summary.odd for i in card.operands):
            card.first += ("value",)
        if card.gradient and card.gradient.odd:
            later = (cards[i].gradient for i in card.users)
            if not any(gradient.odd for gradient in later if gradient):
                card.first += ("gradient",)


def _key(x: Any) -> tuple[Any, ...]:
    """Tell what a name belongs to: a Node, or the memory of an array, for a view may have been recorded."""
    if not isinstance(x, np.ndarray):
        return (id(x),)
    address = x.__array_interface__["data"][0]
    return (address, x.size) if x.flags.c_contiguous else (address, x.shape, x.strides)


def _content(x: Any) -> tuple[Any, ...]:
    """Tell arrays by their numbers, for a copy may have been recorded."""
    return (x.size, x.dtype.str, x.tobytes()) if isinstance(x, np.ndarray) else ()


@dataclass(frozen=True)
class _Name:
    """What something is called, in short and in full; by which entry of `names`, and whether that holds it."""

    short: str
    path: str
    given: str
    held: bool
    keys: tuple[tuple[Any, ...], ...]


_NAMELESS = _Name("", "", "", False, ())


def _keys(x: Any) -> tuple[tuple[Any, ...], ...]:
    return (_key(x), _content(x)) if isinstance(x, np.ndarray) else (_key(x),)


def _named(names: Mapping[str, Any]) -> Iterator[_Name]:
    """Give everything that has a name."""
    for name, thing in names.items():
        if isinstance(thing, (Node, np.ndarray)):
            yield _Name(str(name), str(name), name, False, _keys(thing))
            continue
        for path, x in _held(name, thing):
            short = path if not isinstance(thing, (list, tuple)) else f"{name}.{path}"
            yield _Name(short, f"{name}.{path}", name, True, _keys(x))


def _held(name: str, thing: Any) -> Iterable[tuple[str, Any]]:
    """Give what a module, a dict or a list holds."""
    if hasattr(thing, "named_parameters"):
        yield from thing.named_parameters()
    elif isinstance(thing, (Mapping, list, tuple)):
        for key, part in thing.items() if isinstance(thing, Mapping) else enumerate(thing):
            if isinstance(part, (Node, np.ndarray)):
                yield str(key), part
            else:
                yield from ((f"{key}.{path}", x) for path, x in _held(name, part))
    else:
        raise TypeError(
            f"names={{{name!r}: ...}} takes a Tensor, an array or a module, not {type(thing).__name__}; or a dict or a "
            "list of them"
        )


def _arrays(params: Mapping[str, Any]) -> Iterator[Any]:
    """Give the arrays among parameters, and in tuples among them."""
    for param in params.values():
        yield from (x for x in (param if isinstance(param, tuple) else (param,)) if isinstance(x, np.ndarray))


def place(cards: list[Card], tensors: bool) -> set[int]:
    """Find the depths, and which leaves stand aside; give the spine."""
    main: dict[int, int] = {}  # operation -> the operand that is drawn in line with it
    for this, card in enumerate(cards):
        if not card.operands:
            continue
        card.depth = 1 + max(cards[i].depth for i in card.operands)
        main[this] = max(
            card.operands,
            key=lambda i: (cards[i].depth, cards[i].role in ("data", "input") and bool(cards[i].summary.shape)),
        )
        for i in card.operands:
            x = cards[i]
            x.aside = tensors and not x.operands and not x.fold and len(x.users) == 1 and i != main[this]
    spine, this = {len(cards) - 1}, len(cards) - 1
    while this in main:
        this = main[this]
        spine.add(this)
    return spine


def _settle(cards: list[Card]) -> None:
    """Put leaves into the scopes of their users, and leave out of names what the box says."""
    for card in cards:
        if not card.op and card.users and (card.role not in ("data", "input") or card.aside):
            card.scope = _common([cards[i].scope for i in card.users])
        for scope in _chain(card.scope):
            card.name = card.name.removeprefix(f"{scope[1]}.")


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
