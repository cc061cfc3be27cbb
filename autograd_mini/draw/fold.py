"""Less to draw: what is repeated in one card, or only what lies around one card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import hypot, sqrt
from typing import Any

import numpy as np

from .graph import Box, Card, Fold, Graph, place

PERIOD = 48  # items: the longest sequence whose repetition is seen
LEAST = 3  # repetitions that are folded

Group = tuple[list[int], Fold | None]  # cards that become one, and what is to be said of them


def fold(graph: Graph) -> Graph:
    """Fold sequences of cards and boxes that are repeated, and beside them boxes without boxes inside."""
    boxes = [graph.page]
    for box in boxes:  # grows on the way: every box comes after the one around it
        boxes += [item for item in box.items if isinstance(item, Box)]
    kinds: dict[Any, int] = {}  # what is of one kind looks alike but for names and numbers
    kind: dict[int, int] = {}  # id of a box -> its kind
    runs: dict[int, list[tuple[int, int, int]]] = {}
    inside: dict[int, bool] = {}  # id of a box -> whether there is a repetition in it
    for box in reversed(boxes):
        row = [
            kind[id(item)] if isinstance(item, Box) else kinds.setdefault(_look(graph.cards[item]), len(kinds))
            for item in box.items
        ]
        runs[id(box)] = list(_runs(row, [isinstance(item, Box) for item in box.items]))
        kind[id(box)] = kinds.setdefault(tuple(row), len(kinds))
        inside[id(box)] = bool(runs[id(box)]) or any(inside[id(x)] for x in box.items if isinstance(x, Box))
    if not inside[id(graph.page)]:
        return graph

    page = Box("")
    todo = [(graph.page, page)]
    groups: list[Group] = []
    while todo:
        old, new = todo.pop()
        at = 0
        for start, period, count in [*runs[id(old)], (len(old.items), 1, 0)]:
            for item in old.items[at:start]:
                if isinstance(item, int):
                    _add(new, groups, [item])
                elif inside[id(item)] or any(isinstance(part, Box) for part in item.items):
                    todo.append((item, _open(new, item)))
                else:
                    _add(new, groups, _members([item]), _folded(graph, [[item]]))
            at = start + period * count
            if count:
                units = [old.items[i : i + period] for i in range(start, at, period)]
                _add(new, groups, _members(old.items[start:at]), _folded(graph, units))
    return _rebuilt(graph, page, groups)


def focus(graph: Graph, center: int, hops: int) -> Graph:
    """Keep what is at most `hops` edges away from a card."""
    kept = {center}
    edge = kept
    for _ in range(hops):
        edge = {j for i in edge for j in (*graph.cards[i].operands, *graph.cards[i].users)} - kept
        kept |= edge
    page = Box("")
    groups: list[Group] = []
    todo = [(graph.page, page)]
    while todo:
        old, new = todo.pop()
        for item in old.items:
            if isinstance(item, int):
                if item in kept:
                    _add(new, groups, [item])
            elif any(i in kept for i in _members([item])):
                todo.append((item, _open(new, item)))
    part = _rebuilt(graph, page, groups)
    card = graph.cards[center]
    what = card.path or card.op or "a leaf"
    away = f"{hops} edge{'' if hops == 1 else 's'} away"
    part.note = f"{len(kept):,} of {len(graph.cards):,} cards: those at most {away} from {what}"
    return part


def _open(box: Box, like: Box) -> Box:
    """Put an empty box like another into a box."""
    box.items.append(inner := Box(like.label))
    return inner


def _add(box: Box, groups: list[Group], members: list[int], fold: Fold | None = None) -> None:
    """Put a group into a box."""
    box.items.append(len(groups))
    groups.append((members, fold))


def _members(items: list[int | Box]) -> list[int]:
    """Give the cards in items, at any depth, in order."""
    found, todo = [], items[::-1]
    while todo:
        item = todo.pop()
        if isinstance(item, Box):
            todo += item.items[::-1]
        else:
            found.append(item)
    return sorted(found)


def _look(card: Card) -> Any:
    return card.role, card.op, card.summary.shape


def _runs(row: list[int], boxed: list[bool]) -> Iterator[tuple[int, int, int]]:
    """Give the repetitions in a row as (start, period, count): where several overlap, that which covers most."""
    kinds = np.array(row)
    found = []
    for period in range(1, min(PERIOD, len(row) // LEAST) + 1):
        same = np.flatnonzero(np.diff(np.concatenate([[0], kinds[period:] == kinds[:-period], [0]]).astype(np.int8)))
        for start, end in zip(same[::2].tolist(), same[1::2].tolist(), strict=True):
            if (count := (end - start) // period + 1) >= LEAST:
                spare = range(start, end + period - period * count + 1)
                first = next((i for i in spare if boxed[i]), start)  # a box stands at the head
                found.append((-count * period, period, first, count))
    taken = np.zeros(len(row), bool)
    chosen = []
    for _, period, start, count in sorted(found):
        if not taken[start : start + period * count].any():
            taken[start : start + period * count] = True
            chosen.append((start, period, count))
    yield from sorted(chosen)


def _folded(graph: Graph, units: list[list[int | Box]]) -> Fold:
    """Say what cards are folded into."""
    members = [_members(unit) for unit in units]
    cards = [[graph.cards[i] for i in unit] for unit in members]
    at = next((i for i, item in enumerate(units[0]) if isinstance(item, Box)), None)
    labels = ["", ""]
    if at is not None:
        labels = [item.label for unit in (units[0], units[-1]) if isinstance(item := unit[at], Box)]
    elif len(units[0]) == 1:
        labels = [unit[0].name for unit in (cards[0], cards[-1])]
    return Fold(
        count=len(units),
        label=_span(*labels) if len(units) > 1 else labels[0],
        recipe=[card.op for card in cards[0] if card.op],
        cards=sum(map(len, cards)),
        numbers=sum(card.summary.size for unit in cards for card in unit if card.role == "param"),
        heat=[_heat(unit) for unit in cards] if any(card.gradient for card in cards[0]) else [],
    )


def _span(first: str, last: str) -> str:
    """Write from where to where: ``layer 2 … 100``."""
    if not (first and last) or first == last:
        return first
    n = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    while n and first[n - 1].isdigit():
        n -= 1
    return f"{first} … {last[n:] or last}"


def _heat(unit: list[Card]) -> float:
    """Give the root mean square of all gradients of parameters, or of the gradient of the result."""
    found = [card.gradient for card in unit if card.role == "param" and card.gradient]
    size = sum(gradient.size for gradient in found)
    if not size:
        return next((card.gradient.rms for card in reversed(unit) if card.gradient), 0.0)
    return hypot(*(gradient.rms * sqrt(gradient.size / size) for gradient in found))


def _rebuilt(graph: Graph, page: Box, groups: list[Group]) -> Graph:
    """Give the graph of groups, numbered in the items of `page`; an edge out of what is drawn counts as hidden."""
    groups_in_order = sorted(range(len(groups)), key=lambda n: groups[n][0][-1])  # as operands stand before users
    number = {old: new for new, old in enumerate(groups_in_order)}
    boxes = [page]
    for box in boxes:
        boxes += [item for item in box.items if isinstance(item, Box)]
        box.items = [number[item] if isinstance(item, int) else item for item in box.items]
    groups = [groups[old] for old in groups_in_order]
    owner = {i: n for n, (members, _) in enumerate(groups) for i in members}
    output = graph.output
    cards: list[Card] = []
    for n, (members, fold) in enumerate(groups):
        last = graph.cards[members[-1]]
        card = replace(last, operands=[], users=[], sent=[], slopes=[], depth=0, aside=False, fold=fold)
        card.summary = last.summary  # replace() leaves out what is no argument
        if last is graph.output:
            output = card
        if fold:
            inner = [graph.cards[i] for i in members]
            card.role = "loss" if last.role == "loss" else "fold"
            card.first = tuple(dict.fromkeys(what for x in inner for what in x.first))
            card.op = card.name = ""
        for i in members:
            x = graph.cards[i]
            for j, sent, slope in zip(x.operands, x.sent, x.slopes, strict=True):
                source = owner.get(j)
                if source is None:
                    card.hidden += 1
                elif source == n:
                    continue
                elif fold and source in card.operands:  # one line for all, with the largest gradient
                    k = card.operands.index(source)
                    known = card.sent[k]
                    if sent and (known is None or sent.rms > known.rms):
                        card.sent[k] = sent
                else:
                    card.operands.append(source)
                    card.sent.append(sent)
                    card.slopes.append(None if fold else slope)
            card.hidden += sum(j not in owner for j in x.users)
        cards.append(card)
    for n, card in enumerate(cards):
        for source in card.operands:
            cards[source].users.append(n)
    return Graph(cards, page, output, graph.tensors, place(cards, graph.tensors), graph.known, graph.unused, graph.note)
