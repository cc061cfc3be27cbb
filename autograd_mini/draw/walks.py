"""The way of the gradients, step by step: that of the sweep, and that of a walk without topological order.

A step is one application sending to its operands. What it sends is told by its own rules, called as
the sweep calls them; what each operand has got by then is summed in the order in which it came.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from ..core import Node, ancestors, assume, past, sweep
from ..trees import grown, leaves
from .dot import SYMBOLS, plain, where
from .graph import Card, Graph, sends
from .summary import Summary, extent, number

SIGNS = "+−×÷"  # they stand in brackets, for the sentences have some of their own


@dataclass(frozen=True, slots=True)
class Send:
    """What goes back along an edge: the numbers of `edge` and of the card it goes `to`, the rest as it is shown.

    `local` is the local derivative, where there is one number of it; `total` is what the card has got by then.
    """

    edge: int
    to: int
    local: str
    amount: str
    total: str


@dataclass(frozen=True, slots=True)
class Step:
    """The card that sends, the gradient that it sends on, and what it sends."""

    card: int
    gradient: str
    sends: list[Send]


@dataclass(frozen=True, slots=True)
class Walks:
    """Two ways through a graph. It holds text and numbers only: nothing of the graph lives on in it.

    Attributes
    ----------
    names : card -> what it is called, for every card with a gradient, in the order of the sweep.
    lines : card -> where it was asked for, "" if that was not noted.
    totals : card -> its gradient.
    uses : card -> the number of contributions that it gets.
    arrays : the cards whose gradient is an array.
    sweep, naive : the steps of either way.
    wrong : card -> what the naive walk has for it in the end, where that is something else.
    faults : edge -> what is wrong with its rule, where rules were checked.
    spoilt : card -> what differences say of its gradient, where a wrong rule has a part in it.
    """

    names: dict[int, str]
    lines: dict[int, str]
    totals: dict[int, str]
    uses: dict[int, int]
    arrays: set[int]
    sweep: list[Step]
    naive: list[Step]
    wrong: dict[int, str]
    faults: dict[int, str]
    spoilt: dict[int, str]


def still(output: Node) -> Node:
    """Give a graph like that behind `output`, on data of its own: it stays when data changes or the graph is freed."""
    twins: dict[Node, Node] = {}

    def twin(x: Any, operands: tuple[Any, ...] = ()) -> Any:
        if not isinstance(x, Node):
            return _own(x)
        if x not in twins:
            twins[x] = like = object.__new__(type(x))
            assume(like, x)
            if not x.op or x.value.base is not None:  # what an operation gave is never changed in place
                like.value = _own(x.value)
            like.operands = operands
            like.params = grown(x.params, map(_own, leaves(x.params)))
        return twins[x]

    for node in ancestors(output):
        twin(node, tuple([twin(x) for x in past(node)]))
    return twins[output]


def _own(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x


def walk(output: Node, graph: Graph) -> Walks:
    """Go both ways through what `graph` was collected from."""
    nodes = ancestors(output)
    operations = (i for i, card in enumerate(graph.cards) if card.op)
    card = dict(zip(nodes, operations, strict=True))
    first = list(accumulate((len(card.operands) for card in graph.cards), initial=0))  # the edges come card by card
    seed = np.ones_like(output.value)[()]
    known: dict[Node, tuple[Any, list[tuple[int, Any, str, str]]]] = {}  # both ways often send the same

    def send(node: Node, ct: Any, sums: dict[int, Any]) -> Step:
        """Send `ct` on from `node`, adding to `sums`."""
        before, found = known.get(node, (None, []))
        if before is None or not _equal(before, ct):
            found = list(_contributions(node, ct))
            known[node] = ct, found
        this, sent = card[node], []
        for position, g, local, amount in found:
            to = graph.cards[this].operands[position]
            total = amount
            if to in sums:
                sums[to] = sums[to] + g
                total = shown(sums[to])
            else:
                sums[to] = g
            sent.append(Send(first[this] + position, to, local, amount, total))
        return Step(this, shown(ct), sent)

    with np.errstate(all="ignore"):  # as on the cards
        right = {card[output]: seed}
        steps = [send(node, ct, right) for node, ct in sweep(output, seed) if node.op]
        sums = {card[output]: seed}
        naive = [send(node, sums[card[node]], sums) for node in _depth_first(output)]
        wrong = {i: shown(sums[i]) for i, total in right.items() if not _alike(sums[i], total)}
    order = dict.fromkeys([*(step.card for step in steps), *right])
    uses = dict.fromkeys(order, 0)
    for step in steps:
        for sent in step.sends:
            uses[sent.to] += 1
    return Walks(
        names={i: _name(graph.cards[i]) for i in order},
        lines={i: where(graph.cards[i].line) for i in order},
        totals={i: shown(right[i]) for i in order},
        uses=uses,
        arrays={i for i in order if np.shape(right[i])},
        sweep=steps,
        naive=naive,
        wrong=wrong,
        faults={first[i] + k: fault for i, card in enumerate(graph.cards) for k, fault in card.faults.items()},
        spoilt={i: graph.cards[i].numeric for i in order if graph.cards[i].verdict == "wrong"},
    )


def _name(card: Card) -> str:
    """Say in a word or two which card this is."""
    if not card.op:
        return plain(card.path) or (extent(card.summary.shape) if card.summary.shape else card.summary.line)
    symbol = SYMBOLS.get(card.op, card.op)
    if card.name or symbol in SIGNS:
        symbol = f"({symbol})"
    return plain(f"{card.name or (card.scope[1] if card.scope else '')} {symbol}").strip()


def shown(x: Any) -> str:
    """Write a gradient as its card does: a number, or the root mean square of an array."""
    return number(Summary.of(x).rms if x.shape else float(x))


def _contributions(node: Node, ct: Any) -> Iterator[tuple[int, Any, str, str]]:
    """Give what `node` sends back when it has `ct`: position of the operand, cotangent, local derivative, amount."""
    for position, x in enumerate(past(node)):
        if isinstance(x, Node) and x.requires_grad:
            g = sends(node, position, ct)
            yield position, g, "" if ct.shape or g.shape else shown(sends(node, position, type(ct)(1))), shown(g)


def _equal(x: Any, y: Any) -> bool:
    return bool(np.array_equal(x, y) if x.shape else x == y)


def _depth_first(output: Node) -> Iterator[Node]:
    """Visit every application behind `output` once, each as soon as it is reached: before some of its users."""
    seen, stack = set(), [output]
    while stack:
        node = stack.pop()
        if node.op and node not in seen:
            seen.add(node)
            yield node
            stack += [x for x in past(node)[::-1] if isinstance(x, Node)]


def _alike(x: Any, y: Any) -> bool:
    """Whether two sums differ by no more than the order in which they were added up."""
    if _equal(x, y):
        return True
    return bool(np.allclose(x, y, rtol=float(np.finfo(y.dtype).eps) ** 0.5, atol=0, equal_nan=True))
