"""The drawing as a tree for a terminal: the output on top, below every operation its operands."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO
from unicodedata import combining, east_asian_width

from .dot import SYMBOLS, blame, plain
from .graph import Card, Graph, Nest
from .summary import Summary, extent
from .summary import number as short
from .theme import MARKS, ROLES

COLUMNS = 100  # of the terminal
LINES = 200
DEEP = 8  # operations; the longest way through a deeper graph goes straight down
WIDEST = (42, 14, 26, 12)  # columns of label, shape, value and gradient; what is left is for the module
COLORS = {
    "op": "1", "param": "33", "data": "36", "loss": "1;32", "gradient": "31", "odd": "1;35", "muted": "2",
    "added": "32", "removed": "31", "changed": "33",
}  # fmt: skip
INFIX = {**{op: sign for op, sign in SYMBOLS.items() if len(sign) == 1}, "matmul": "@"}


def tree(graph: Graph, values: bool, title: str) -> str:
    """Write the tree, with the colours of a terminal. What is used twice is shown once, and referred to afterwards.

    Nothing here calls itself, and after `LINES` lines a sentence says how much is missing.
    """
    cards = graph.cards
    seeded = cards[-1].gradient is not None
    straight = cards[-1].depth > DEEP
    down, place = _places(cards, straight)
    number: dict[int, str] = {}  # what is used more than once -> by what it is referred to
    rows: list[list[str]] = []
    shown = 0
    todo = [(len(cards) - 1, -1, "", "")]
    while todo and len(rows) < LINES:
        i, user, lead, indent = todo.pop()
        card = cards[i]
        paint = ROLES[card.role].paint
        if len(card.users) > 1:
            number.setdefault(i, f"#{len(number) + 1}")
        if i in place and place[i] != user:
            rows.append([dye("muted", lead) + dye(paint, f"→ {number[i]} {plain(card.name) or what(card)}")])
            continue
        place[i] = -2  # a second time it is referred to
        shown += 1
        rows.append(
            [
                dye("muted", lead)
                + dye(paint, " ".join([heading(card, cards, down.get(i)), number.get(i, "")]).rstrip()),
                dye("muted", extent(card.summary.shape)) if graph.tensors else "",
                dye("odd" if card.summary.odd else "", card.summary.line) if values else "",
                _gradient(card, seeded),
                dye("muted", " / ".join(labels(card.scope))) + _apart(card),
            ]
        )
        if card.operands and width(indent) >= WIDEST[0] // 2:
            rows.append([dye("muted", f"{indent}└─ …")])
            continue
        beside, below = _operands(card, down.get(i))
        todo += [(j, i, indent, indent) for j in below]
        for n, j in enumerate(reversed(beside)):
            end = n == 0 and not below
            todo.append((j, i, indent + ("└─ " if end else "├─ "), indent + ("   " if end else "│  ")))
    head = ["", "shape" if graph.tensors else "", "value" if values else ""]
    head.append(f"gradient{' rms' if graph.tensors else ''}" if seeded else "")
    lines = [dye("op", clip(title, COLUMNS))] if title else []
    lines += columns([[dye("muted", cell) for cell in head], *rows])
    if straight:
        lines.append(dye("muted", "↓ is the next operation that is not indented further; → is shown at its number."))
    if found := blame(cards):
        lines.append(dye("odd", clip(found, COLUMNS)))
    if shown < len(cards):
        lines.append(
            f"… and {len(cards) - shown:,} of {len(cards):,} more behind these: "
            "draw a value in between to see what is behind it"
        )
    return "\n".join(lines) + "\n"


def _places(cards: list[Card], straight: bool) -> tuple[dict[int, int], dict[int, int]]:
    """Find what goes straight down below an operation, and below which of its users each card is shown.

    The way straight down comes first, so that what is used there and beside it has its place there.
    """
    down: dict[int, int] = {}
    place: dict[int, int] = {}
    todo = [(len(cards) - 1, -1)]
    while todo:
        i, user = todo.pop()
        if i in place:
            continue
        place[i] = user
        operands = [j for j in cards[i].operands if cards[j].operands and j not in place]
        if straight and operands:
            down[i] = max(operands, key=lambda j: cards[j].depth)
        beside, below = _operands(cards[i], down.get(i))
        todo += [(j, i) for j in (*reversed(beside), *below)]
    return down, place


def _operands(card: Card, down: int | None) -> tuple[list[int], list[int]]:
    """Part the operands into those beside the way straight down, and the one on it."""
    return [j for j in card.operands if j != down], [] if down is None else [down]


def columns(rows: list[list[str]], widest: tuple[int, ...] = WIDEST) -> list[str]:
    """Set cells in columns, and clip what is too long."""
    rows = [[clip(cell, most) for cell, most in zip(row, widest, strict=False)] + row[len(widest) :] for row in rows]
    widths = [max((width(row[n]) for row in rows if n < len(row)), default=0) for n in range(len(widest))]
    lines = []
    for row in rows:
        line = "".join(cell + " " * (w + 2 - width(cell)) for cell, w in zip(row, widths, strict=False) if w)
        line += "".join(row[len(widest) :])
        lines.append(clip(line, COLUMNS).rstrip())
    return lines


def heading(card: Card, cards: list[Card], down: int | None) -> str:
    """Give operation or glyph and name; of the operation that another goes straight down from, also its operands."""
    text = what(card)
    if down is not None and len(card.operands) > 1:
        marks = ["↓" if i == down else "·" if cards[i].op else _glyph(cards[i]) for i in card.operands]
        text = f" {INFIX[card.op]} ".join(marks) if card.op in INFIX else f"{text}({', '.join(marks)})"
    return " ".join(filter(None, ["" if card.role == "op" else _glyph(card), text, plain(card.name)]))


def what(card: Card) -> str:
    """Give the operation, "" for a leaf."""
    return plain(SYMBOLS.get(card.op, card.op))


def _glyph(card: Card) -> str:
    return ROLES[card.role].glyph


def labels(scope: Nest) -> list[str]:
    """Give the labels of a scope and of those around it, outermost first."""
    found: list[str] = []
    while scope:
        found.append(plain(scope[1]))
        scope = scope[0]
    return found[::-1]


def _gradient(card: Card, seeded: bool) -> str:
    """Give the gradient in a word; data has none to give."""
    g = card.gradient
    if g is None:
        return dye("muted", "none") if seeded and card.role != "data" else ""
    mark = f"{MARKS[card.verdict].glyph} " if card.verdict else ""
    return dye("odd" if g.odd or card.verdict == "wrong" else "gradient", f"{mark}∇ {_size(g)}")


def _apart(card: Card) -> str:
    """Say what differences say of a gradient, where that is something else."""
    if not card.verdict or (card.gradient and _size(card.gradient) == card.numeric):
        return ""
    return f"{'  ' if card.scope else ''}{dye('odd', f'numeric {card.numeric}')}"


def _size(g: Summary) -> str:
    return short(g.rms) if g.shape else g.line


# -- columns and colours ---------------------------------------------------------------------------


def dye(color: str, text: str) -> str:
    """Set text in a colour of `COLORS`, by the escape sequences of terminals (ECMA-48, section 8.3.117)."""
    return f"\x1b[{COLORS[color]}m{text}\x1b[0m" if text and color in COLORS else text


def bare(text: str) -> str:
    """Take the colours out. Text of the user has no escape sequences: `plain` has seen to it."""
    return re.sub("\x1b\\[[0-9;]*m", "", text)


def width(text: str) -> int:
    """Give the number of columns of a terminal that text takes."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in bare(text))


def clip(text: str, columns: int) -> str:
    """Cut text that takes more columns than these, and keep its colours."""
    if width(text) <= columns:
        return text
    kept, left = "", columns - 1
    for part in re.findall("\x1b\\[[0-9;]*m|.", text):
        if len(part) == 1:
            left -= width(part)
            if left < 0:
                return f"{kept}…\x1b[0m" if "\x1b" in kept else f"{kept}…"
        kept += part
    return kept


def show(text: str, file: TextIO | None = None) -> None:
    """Print text on a terminal in its colours, elsewhere and where NO_COLOR is set (no-color.org) without."""
    file = file or sys.stdout
    if not file.isatty() or os.environ.get("NO_COLOR"):
        text = bare(text)
    encoding = file.encoding or "utf-8"
    file.write(text.encode(encoding, "replace").decode(encoding))  # a terminal may have no ∇
