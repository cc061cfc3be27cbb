"""Two graphs in one drawing: what was added, what was removed, and what changed its shape."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, Protocol, cast

from ..core import Node
from .dot import CUT, FONT, cell, count, font, markup, pill, plain, quoted, row, table, told
from .graph import Card, Graph, collect
from .summary import extent
from .text import COLUMNS, LINES, clip, columns, dye, labels
from .theme import LIGHT, ROLES

if TYPE_CHECKING:
    from . import Drawing

P = ParamSpec("P")
Q = ParamSpec("Q")
SMALL = 150  # cards; of a larger graph only the surroundings of what differs are drawn
HOPS = 2  # edges around what differs


class Kind(NamedTuple):
    """How what differs is told apart: by a sign and a border as well as by colour."""

    sign: str
    ground: str  # and the line and the text, as names in the palette
    line: str
    text: str
    style: str
    width: float


KINDS = {
    "added": Kind("+", "loss", "loss line", "loss text", "rounded,filled,bold", 2.2),
    "removed": Kind("−", "heat 1", "heat 2", "weak text", "rounded,filled,dashed", 1.6),
    "changed": Kind("≠", "data", "data line", "data text", "rounded,filled", 2.2),
    "same": Kind("", "op", "op line", "op text", "rounded,filled", 1.1),
}


class Entry(NamedTuple):
    """A card of either graph or of both: its name in the DOT, what became of it, and how it differs."""

    id: str
    kind: str
    card: Card
    notes: list[str]

    @property
    def heading(self) -> str:
        """Give the sign, and the operation or the glyph of a leaf; then the name or the number that it is."""
        card = self.card
        parts = (KINDS[self.kind].sign, card.op or ROLES[card.role].glyph, card.name, _constant(card))
        return " ".join(plain(part) for part in parts if part)

    @property
    def scope(self) -> str:
        """Give the modules that it is in."""
        return " / ".join(labels(self.card.scope))


def diff(
    a: Node,
    b: Node,
    *,
    names: Mapping[str, Any] | None = None,
    names_b: Mapping[str, Any] | None = None,
    title: str | None = None,
) -> Drawing:
    """Draw how the graph of `b` differs from that of `a`.

    What has the same scope, operation and name in both is the same. Where there are several of these,
    the same has the same behind it, or else the same uses. A constant without a name is its number.

    Parameters
    ----------
    a, b : Tensor
        The outputs of the two graphs.
    names : dict, optional
        What to call Tensors and arrays, as in `draw`, in both graphs.
    names_b : dict, optional
        What to call those of `b`, if these are others of the same names.
    title : str, optional
        Stands above the drawing.

    Returns
    -------
    Drawing
        With what was added (+), removed (−) and changed (≠: its shape, dtype, parameters or the order of
        its operands). Its text lists these; of more than 150 cards its picture has only what is near them.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> x = ag.Tensor([1.0, 2.0])
    >>> print(ag.draw.diff((x * x).sum(), ag.tanh(x * x).sum(), names={"x": x}).text)
    1 added, 0 removed, 0 changed, 3 the same
    + tanh  2
    <BLANKLINE>
    """
    from . import Drawing  # which has this function in its own module

    for output in (a, b):
        if not isinstance(output, Node):
            raise TypeError(f"draw.diff() takes the two Tensors that were computed, not {type(output).__name__}")
    old = collect(a, names or {}, False)
    new = collect(b, names or {} if names_b is None else names_b, False)
    entries, edges = _compare(old, new)
    kinds = Counter(entry.kind for entry in entries)
    summary = ", ".join(f"{kinds[kind]:,} {kind}" for kind in ("added", "removed", "changed"))
    summary += f", {kinds['same']:,} the same"
    title = plain(title or "", 2 * CUT)
    dot = "\n".join(_dot(entries, edges, title)) + "\n"
    return Drawing(dot, title or "Difference of two graphs", summary, new, partial(_text, entries, summary, title))


# -- what is the same ------------------------------------------------------------------------------


def match(old: Graph, new: Graph) -> dict[int, int]:
    """Pair the cards that are the same: number in `old` -> number in `new`.

    First what has the same behind it, the whole before its parts; then, from the outputs on, the operands
    of what is paired, each in its place; and what is left with the same key. Every step is linear.
    """
    seen: dict[Any, int] = {}
    keys = [[_key(card) for card in graph.cards] for graph in (old, new)]
    behind = [_behind(graph, seen) for graph in (old, new)]
    pairs: dict[int, int] = {}
    taken: set[int] = set()

    def pair(i: int, j: int) -> None:
        if i not in pairs and j not in taken and keys[0][i] == keys[1][j]:
            pairs[i] = j
            taken.add(j)

    for whole, names in ((True, behind), (False, keys)):
        free: dict[Any, list[int]] = {}
        for j, name in enumerate(names[1]):
            free.setdefault(name, []).append(j)
        if not whole:
            pair(len(old.cards) - 1, len(new.cards) - 1)
        for i in reversed(range(len(old.cards))):  # operands have smaller numbers than what uses them
            card = old.cards[i]
            found = free.get(names[0][i], [])
            while found and i not in pairs and (card.op or card.name or not whole):
                pair(i, found.pop())
            if i in pairs:
                for x, y in zip(card.operands, new.cards[pairs[i]].operands, strict=False):
                    pair(x, y)
    return pairs


def _key(card: Card) -> tuple[Any, ...]:
    """Give scope, operation and name; what has none of these is told by its role or its number."""
    alone = not card.op and not card.name
    return (*labels(card.scope), card.op, card.name, card.role if alone else "", _constant(card))


def _constant(card: Card) -> str:
    """Give the number that a card is, "" if it is anything else."""
    return "" if card.op or card.name or card.role != "data" or card.summary.shape else card.summary.line


def _behind(graph: Graph, seen: dict[Any, int]) -> list[int]:
    """Give a number for everything behind each card: equal numbers, equal graphs of equal shapes."""
    numbers: list[int] = []
    for card in graph.cards:
        whole = (_key(card), card.summary.shape, tuple(numbers[i] for i in card.operands))
        numbers.append(seen.setdefault(whole, len(seen)))
    return numbers


def _notes(old: Card, new: Card, pairs: Mapping[int, int]) -> list[str]:
    """Say how a card differs from that which it is paired with."""
    x, y = old.summary, new.summary
    notes = [f"{extent(x.shape)} → {extent(y.shape)}"] if x.shape != y.shape else []
    notes += [f"{x.dtype} → {y.dtype}"] if x.dtype != y.dtype else []
    before, after = ({name: told(param) for name, param in card.params.items()} for card in (old, new))
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            notes.append(f"{name} {before.get(name, 'none')} → {after.get(name, 'none')}")
    now = [pairs.get(i) for i in old.operands]
    if now != new.operands and sorted(i for i in now if i is not None) == sorted(new.operands):
        notes.append("operands in another order")
    elif now != new.operands and None not in now and set(new.operands) <= set(pairs.values()):
        notes.append("other operands")
    return [plain(note) for note in notes]


def _compare(old: Graph, new: Graph) -> tuple[list[Entry], list[tuple[str, str, str]]]:
    """Give the cards of both graphs in one order, and the edges: from, to, and what became of them."""
    pairs = match(old, new)
    back = {j: i for i, j in pairs.items()}
    ids = {i: f"n{j}" for i, j in pairs.items()}
    gone = deque(i for i in range(len(old.cards)) if i not in pairs)
    ids.update((i, f"o{i}") for i in gone)
    entries = []
    for j, card in enumerate(new.cards):
        if j in back:
            while gone and gone[0] < back[j]:
                i = gone.popleft()
                entries.append(Entry(ids[i], "removed", old.cards[i], []))
            notes = _notes(old.cards[back[j]], card, pairs)
            entries.append(Entry(f"n{j}", "changed" if notes else "same", card, notes))
        else:
            entries.append(Entry(f"n{j}", "added", card, []))
    entries += (Entry(ids[i], "removed", old.cards[i], []) for i in gone)
    left = Counter((ids[i], ids[k]) for k, card in enumerate(old.cards) for i in card.operands)
    edges = []
    for k, card in enumerate(new.cards):
        for j in card.operands:
            edge = (f"n{j}", f"n{k}")
            edges.append((*edge, "same" if left[edge] else "added"))
            left[edge] -= left[edge] > 0
    return entries, edges + [(*edge, "removed") for edge in left.elements()]


# -- how it looks ----------------------------------------------------------------------------------


def _text(entries: list[Entry], summary: str, title: str) -> str:
    """List what differs."""
    differ = [entry for entry in entries if entry.kind != "same"]
    rows = [
        [
            dye(entry.kind, entry.heading),
            ", ".join(entry.notes) or dye("muted", extent(entry.card.summary.shape)),
            dye("muted", entry.scope),
        ]
        for entry in differ[:LINES]
    ]
    lines = [dye("op", clip(title, COLUMNS))] if title else []
    lines += [summary, *columns(rows, (40, 36))]
    if len(differ) > LINES:
        lines.append(f"… and {len(differ) - LINES:,} more")
    return "\n".join(lines) + "\n"


def _dot(entries: list[Entry], edges: list[tuple[str, str, str]], title: str) -> Iterator[str]:
    """Write the drawing in DOT."""
    shown = {entry.id for entry in entries}
    if len(shown) > SMALL:
        shown = {entry.id for entry in entries if entry.kind != "same"}
        for _ in range(HOPS):
            shown |= {end for edge in edges if shown & set(edge[:2]) for end in edge[:2]}
    missing = len(entries) - len(shown)
    lines = [font(markup(title, 2 * CUT), "op text", 14, bold=True)] if title else []
    kinds = {entry.kind for entry in entries}
    lines.append(
        row(
            pill(f"{look.sign} {'the same' if kind == 'same' else kind}".strip(), look.ground, look.text, look.line)
            for kind, look in KINDS.items()
            if kind in kinds
        )
    )
    if missing:
        lines.append(font(f"{count(missing, 'card')} further away are the same and not shown", "muted", 9))
    legend = table([cell(line, ' ALIGN="LEFT"') for line in [*lines, " "]], padding=2)
    yield "digraph autograd_mini {"
    yield (
        "  graph [rankdir=TB nodesep=.22 ranksep=.42 splines=true ordering=in outputorder=edgesfirst pad=.2 "
        f'labelloc=t labeljust=l bgcolor="{LIGHT["paper"]}" {FONT} label=<{legend}>]'
    )
    yield f'  node [shape=box {FONT} margin="0.09,0.05" height=.2 width=.3]'
    yield f'  edge [arrowsize=.6 penwidth=1.3 color="{LIGHT["edge"]}"]'
    for entry in entries:
        if entry.id in shown:
            yield f"  {entry.id} {_card(entry)}"
    for n, (start, end, kind) in enumerate(edges):
        if {start, end} <= shown:
            look = KINDS[kind]
            style = "dashed" if kind == "removed" else "solid"
            color = "" if kind == "same" else f' color="{LIGHT[look.line]}" style={style} penwidth=2'
            yield f'  {start} -> {end} [id="e{n}"{color}]'
    yield "}"


def _card(entry: Entry) -> str:
    """Give the attributes of a card."""
    look = KINDS[entry.kind]
    lines = [font(markup(entry.heading), look.text, 12, bold=True)]
    lines += [font(markup(note), look.text, 10) for note in entry.notes]
    shape = extent(entry.card.summary.shape)
    if not any(note.endswith(f"→ {shape}") for note in entry.notes):
        lines.append(font(shape, look.text, 9))
    if entry.scope:
        lines.append(font(markup(entry.scope), look.text, 9))
    hint = [f"{entry.kind}: {entry.heading}", *entry.notes, entry.scope]
    return (
        f'[label=<{table(map(cell, lines))}> id="{entry.id}" style="{look.style}" penwidth={look.width} '
        f'color="{LIGHT[look.line]}" fillcolor="{LIGHT[look.ground]}" tooltip={quoted(*filter(None, hint))}]'
    )


# -- where it is found -----------------------------------------------------------------------------


class Draws(Protocol[P, Q]):
    """A function that draws one graph, and two by its attribute `diff`."""

    diff: Callable[Q, Drawing]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Drawing: ...


def having(diff: Callable[Q, Drawing]) -> Callable[[Callable[P, Drawing]], Draws[P, Q]]:
    """Give a function that draws the attribute `diff`; it stays a function, with its own help and signature."""

    def given(draw: Callable[P, Drawing]) -> Draws[P, Q]:
        draw.diff = diff  # type: ignore[attr-defined]  # the cast below says that it has it
        return cast(Draws[P, Q], draw)

    return given
