"""The drawing in DOT, the language of Graphviz. The text is the same in every process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from math import isfinite
from typing import Any

import numpy as np

from .graph import Box, Card, Graph
from .summary import extent, number
from .theme import HEAT, LIGHT, ROLES, chip

SYMBOLS = {
    "add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "power": "pow", "negative": "neg", "absolute": "abs",
}  # fmt: skip
DEEP = 10  # operations; a deeper graph goes from top to bottom
CUT = 48  # characters of a name
FONT = 'fontname="Helvetica,Arial,sans-serif"'

# -- text from the user ----------------------------------------------------------------------------


def plain(text: Any, cut: int = CUT) -> str:
    """Make one short printable line of whatever the user called something."""
    text = str(text)
    text = text if len(text) <= cut else text[: cut - 1] + "…"
    return "".join(c if c.isprintable() else " " for c in text)


def markup(text: Any, cut: int = CUT) -> str:
    """Escape text for an HTML-like label, where Graphviz still reads backslashes."""
    return escape(plain(text, cut)).replace("\\", r"\\") or " "


def quoted(*lines: str) -> str:
    """Escape lines for a tooltip, where Graphviz reads entities, and backslashes twice."""
    return '"' + r"\n".join(escape(line).replace("\\", r"\\\\") for line in lines) + '"'


def told(x: Any, nested: bool = True) -> str:
    """Write the parameter of an operation, but nothing that differs between two runs, such as an address."""
    if isinstance(x, np.ndarray):
        return f"array of shape {x.shape}"
    if isinstance(x, (bool, int, float, str, slice)) or x is None or x is Ellipsis:
        return repr(x)
    if isinstance(x, (np.generic, np.dtype)):
        return str(x)
    if isinstance(x, tuple) and nested:
        return "(" + ", ".join(told(part, nested=False) for part in x) + ")"
    return type(x).__name__


# -- HTML-like labels ------------------------------------------------------------------------------


def font(text: str, color: str, size: float, bold: bool = False) -> str:
    """Set markup in a colour and a size."""
    return f'<FONT POINT-SIZE="{size}" COLOR="{LIGHT[color]}">{f"<B>{text}</B>" if bold else text}</FONT>'


def table(rows: Iterable[str], padding: int = 1, look: str = 'BORDER="0"') -> str:
    """Stack rows of cells."""
    lines = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE {look} CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}">{lines}</TABLE>'


def cell(content: str, look: str = "") -> str:
    """Put markup into a cell."""
    return f"<TD{look}>{content}</TD>"


def pill(text: str, ground: str, ink: str, line: str = "") -> str:
    """Set markup on a rounded ground, with a border if it has one."""
    border = f'BORDER="1" COLOR="{LIGHT[line]}"' if line else 'BORDER="0"'
    return table([cell(font(text, ink, 9, not line))], 3, f'{border} STYLE="ROUNDED" BGCOLOR="{LIGHT[ground]}"')


def hot(level: int | None, text: str) -> str:
    """Give a chip of gradient, marked at the ends of the scale; a level of None is what is not finite."""
    if level is None:
        return pill(f"! {text}", "odd", "strong text")
    return pill({HEAT[0]: "▼ ", HEAT[-1]: "▲ "}.get(level, "") + text, *chip(level))


def row(contents: Iterable[str]) -> str:
    """Put markup side by side. Graphviz shares spare width out evenly: most of it goes to empty cells."""
    return table(["".join(cell(content, ' CELLPADDING="2"') for content in contents) + "<TD></TD>" * 20], 0)


# -- the graph -------------------------------------------------------------------------------------


class Writer:
    """Writes a `Graph` in DOT."""

    def __init__(self, graph: Graph, values: bool, title: str | None, direction: str | None) -> None:
        self.graph, self.values, self.title = graph, values, plain(title or "", 2 * CUT)
        self.output = graph.cards[-1]
        self.tensors = graph.tensors
        self.direction = direction or ("LR" if self.output.depth <= DEEP else "TB")
        self.goal = "loss" if self.tensors and not self.output.summary.shape else "output"
        self.meaning = f"∂ {self.goal} / ∂ card"
        if self.output.summary.shape:
            self.meaning = f"∂ Σ {self.goal} / ∂ card, from a seed of ones"
        found = [card.gradient.rms for card in graph.cards[:-1] if card.gradient and card.summary.shape]
        found = [rms for rms in found if rms and isfinite(rms)]
        self.middle = sorted(found)[(len(found) - 1) // 2] if found else 0.0  # the lower median

    def text(self) -> str:
        """Give the whole of it."""
        look = (
            f"rankdir={self.direction} {'nodesep=.22 ranksep=.42' if self.tensors else 'nodesep=.28 ranksep=.6'} "
            "splines=true ordering=in newrank=true outputorder=edgesfirst pad=.2 labelloc=t labeljust=l "
        )
        lines = [
            "digraph autograd_mini {",
            f'  graph [{look}bgcolor="{LIGHT["paper"]}" {FONT} label=<{self.legend()}>]',
            f'  node [shape=box {FONT} margin="0.09,0.05" height=.2 width=.3]',
            f'  edge [arrowsize=.6 penwidth=1.3 color="{LIGHT["edge"]}"]',
        ]
        boxes = 0
        stack = [iter(self.graph.page.items)]
        while stack:
            indent = "  " * min(len(stack), 8)
            for item in stack[-1]:
                if isinstance(item, Box):
                    lines += [f"{indent}subgraph cluster_{boxes} {{", f"{indent}  graph [{self.box(item)}]"]
                    stack.append(iter(item.items))
                    boxes += 1
                    break
                lines += (indent + line for line in self.card(item))
            else:
                stack.pop()
                if stack:
                    lines.append(f"{indent[2:]}}}")
        return "\n".join([*lines, *self.edges(), "}\n"])

    def box(self, box: Box) -> str:
        """Give the attributes of a cluster."""
        return (
            f'label=<{font(markup(box.label), "muted", 11, bold=True)}> style="rounded,filled" margin=12 '
            f'color="{LIGHT["box line"]}" fillcolor="{LIGHT["box"]}" tooltip={quoted(plain(box.label))}'
        )

    def card(self, i: int) -> Iterator[str]:
        """Give the node of a card and, where leaves stand beside it, the rank that they share."""
        card = self.graph.cards[i]
        role = ROLES[card.role]
        label = self.tensor(card) if card.summary.shape or card.role == "loss" else self.scalar(card)
        group = " group=spine" if self.tensors and card.op and i in self.graph.spine else ""
        yield (
            f'n{i} [label=<{label}> id="n{i}" style="{role.style}" penwidth={role.width}{group} '
            f'color="{LIGHT[f"{card.role} line"]}" fillcolor="{LIGHT[card.role]}" tooltip={quoted(*self.hint(card))}]'
        )
        aside = "".join(f"n{j}; " for j in card.operands if self.graph.cards[j].aside)
        if aside:
            yield f"{{ rank=same; {aside}n{i} }}"

    def heading(self, card: Card, size: int) -> str:
        """Give operation and name, or glyph and name; a number that is nothing but itself is its own name."""
        text = f"{card.role} text"
        if card.op:
            name = f" {font(markup(card.name), text, size - 2)}" if card.name else ""
            return font(markup(SYMBOLS.get(card.op, card.op)), text, size, bold=True) + name
        name = card.name or (card.summary.line if self.bare(card) else "")
        glyph = font(ROLES[card.role].glyph, text, size - 2)
        return f"{glyph} {font(markup(name), text, size, bold=True)}" if name else glyph

    def bare(self, card: Card) -> bool:
        """Whether a card is a constant without a name, which needs one line only."""
        return card.role == "data" and self.values and not card.name and not card.summary.shape

    def scalar(self, card: Card) -> str:
        """Lay out the card of a scalar: value and gradient in rows."""
        rows = [cell(self.heading(card, 13), ' COLSPAN="2"')]
        if self.values and not self.bare(card):
            rows.append(self.entry("value", "muted", card.summary.line, f"{card.role} text"))
        if card.gradient:
            rows.append(self.entry("grad", "gradient", card.gradient.line, "gradient"))
        return table(rows, padding=2)

    def entry(self, word: str, faint: str, text: str, color: str) -> str:
        """Give a word and a number."""
        return cell(font(word, faint, 9), ' ALIGN="RIGHT"') + cell(font(text, color, 11, bold=True), ' ALIGN="LEFT"')

    def tensor(self, card: Card) -> str:
        """Lay out the card of a tensor, or of the loss: shape, value or summary, and a chip of gradient."""
        x = card.summary
        lines = [self.heading(card, 12)]
        if x.shape:
            size = f" · {x.size:,}" if card.role == "param" and len(x.shape) > 1 else ""
            lines.append(font(extent(x.shape) + size, "muted", 9))
        if self.values:
            lines.append(font(x.line, "muted", 9) if x.shape else font(x.line, f"{card.role} text", 16, bold=True))
        if card.gradient and card.role == "loss":
            lines.append(pill("∇ 1 · seed", "no gradient", "muted"))
        elif card.gradient:
            lines.append(hot(card.gradient.heat(self.middle), f"∇ {number(card.gradient.rms)}"))
        return table(map(cell, lines))

    def hint(self, card: Card) -> list[str]:
        """Say everything that is known, in lines."""
        x, g = card.summary, card.gradient
        what = card.op or ("parameter" if card.role == "param" else card.role)
        lines = [f"{plain(what)} {plain(card.path)}".strip(), f"shape {x.shape} {x.dtype}"]
        if self.values:
            lines.append(f"value {x.spread}")
        if g and g.shape and g.size:
            largest = number(max(abs(g.least), abs(g.most)))
            lines.append(f"gradient rms {number(g.rms)}, largest {largest}, zeros {g.zeros:.0%}")
        elif g:
            lines.append(f"gradient {g.line}")
        elif self.output.gradient:
            lines.append("no gradient")
        return lines + [f"{plain(name)} = {plain(told(param))}" for name, param in card.params.items()]

    def edges(self) -> Iterator[str]:
        """Give an edge for every use of an operand, in the order of the operands."""
        cards, spine = self.graph.cards, self.graph.spine
        uses = ((i, j) for j, card in enumerate(cards) for i in card.operands)
        for n, (i, j) in enumerate(uses):
            weight = " weight=12" if self.tensors and i in spine and j in spine else ""
            data = cards[i].role == "data"
            none = f' style=dashed color="{LIGHT["edge, none"]}"' if data else ""
            hint = extent(cards[i].summary.shape) + ("; no gradient flows here" if data else "")
            yield f'  n{i} -> n{j} [id="e{n}"{weight}{none} tooltip="{hint}"]'

    def legend(self) -> str:
        """Give the heading: the title, the roles that there are, and the scale of gradients."""
        shown = {card.role for card in self.graph.cards}
        words = {name: self.goal if name == "loss" else role.word for name, role in ROLES.items()}
        lines = [font(markup(self.title, 2 * CUT), "op text", 14, bold=True)] if self.title else []
        lines.append(
            row(
                pill(f"{role.glyph} {words[name]}".strip(), name, f"{name} text", f"{name} line")
                for name, role in ROLES.items()
                if name in shown
            )
        )
        if self.middle:
            ends = {HEAT[0]: "≤ ", HEAT[-1]: "≥ "}
            scale = [hot(n, ends.get(n, "") + number(float(f"{self.middle * 10.0**n:.1e}"))) for n in HEAT]
            lines.append(row([font(f"∇ root mean square of {self.meaning}", "muted", 9), *scale]))
        elif self.output.gradient:
            lines.append(font(f"grad = {self.meaning}", "muted", 9))
        return table([cell(line, ' ALIGN="LEFT"') for line in [*lines, " "]], padding=2)

    def description(self) -> str:
        """Say in a sentence what there is to see, for who cannot see it."""
        cards = self.graph.cards
        sizes = [card.summary.size for card in cards if card.role == "param"]
        text = f"{count(sum(bool(card.op) for card in cards), 'operation')}, {count(len(sizes), 'parameter')}"
        text += f" of {count(sum(sizes), 'number')}; {self.goal}" if sum(sizes) > len(sizes) else f"; {self.goal}"
        text += f" of shape {self.output.summary.shape}" if self.output.summary.shape else ""
        return f"{text}: {self.output.summary.line}" if self.values else text


def count(n: int, what: str) -> str:
    """Say how many there are."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"
