"""The drawing in DOT, the language of Graphviz. The text is the same in every process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import isfinite, log10
from os.path import basename
from typing import Any

import numpy as np

from .graph import Box, Card, Graph
from .summary import Summary, extent, heat, number
from .theme import HEAT, LIGHT, MARKS, ROLES, chip

SYMBOLS = {
    "add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "power": "pow", "negative": "neg", "absolute": "abs",
}  # fmt: skip
DEEP = {False: 10, True: 16}  # operations; a deeper graph, with tensors or without, goes from top to bottom
MANY = 1000  # cards; so many are set side by side where they fit, for Graphviz would take its time to straighten edges
CUT = 48  # characters of a name
CELLS = 100  # of a strip of heat
TERMS = 6  # of a sum that is written out
STEPS = 6  # operations of what is folded that are written out
BLAMED = 2  # wrong rules that are named
STEEP = 1e3  # how much less or more gradient the first have than the last, to be called out
WIDE = ' COLSPAN="2"'
NONE = "; no gradient flows here"
FONT = 'fontname="Helvetica,Arial,sans-serif"'

# -- text from the user ----------------------------------------------------------------------------


def plain(text: Any, cut: int = CUT) -> str:
    """Make one short printable line of whatever the user called something."""
    said = str(text)
    if len(said) <= cut and said.isprintable():
        return said
    said = said if len(said) <= cut else said[: cut - 1] + "…"
    return "".join(c if c.isprintable() else " " for c in said)


def markup(text: Any, cut: int = CUT) -> str:
    """Escape text for an HTML-like label, where Graphviz still reads backslashes."""
    return escape(plain(text, cut)).replace("\\", r"\\") or " "


def quoted(*lines: str) -> str:
    """Escape lines for a tooltip, where Graphviz reads entities, and backslashes twice."""
    return '"' + escape("\n".join(lines)).replace("\\", r"\\\\").replace("\n", r"\n") + '"'


def where(line: str) -> str:
    """Shorten a source line to the name of its file, without folders, and its number."""
    file, _, number = basename(line).rpartition(":")
    return f"{plain(file)}:{number}" if line else ""


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
    lines = "</TR><TR>".join(rows)
    return f'<TABLE {look} CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}"><TR>{lines}</TR></TABLE>'


def cell(content: str, look: str = "") -> str:
    """Put markup into a cell."""
    return f"<TD{look}>{content}</TD>"


def pill(text: str, ground: str, ink: str, line: str = "", style: str = "ROUNDED") -> str:
    """Set markup on a rounded ground, with a border if it has one."""
    border = f'BORDER="1" COLOR="{LIGHT[line]}"' if line else 'BORDER="0"'
    return table([cell(font(text, ink, 9, not line))], 3, f'{border} STYLE="{style}" BGCOLOR="{LIGHT[ground]}"')


def hot(level: int | None, text: str) -> str:
    """Give a chip of gradient, marked at the ends of the scale; a level of None is what is not finite."""
    if level is None:
        return pill(f"! {text}", "odd", "strong text")
    return pill({HEAT[0]: "▼ ", HEAT[-1]: "▲ "}.get(level, "") + text, *chip(level))


def row(contents: Iterable[str]) -> str:
    """Put markup side by side. Graphviz shares spare width out evenly: most of it goes to empty cells."""
    return table(["".join(cell(content, ' CELLPADDING="2"') for content in contents) + "<TD></TD>" * 20], 0)


def strip(levels: Sequence[int | None]) -> str:
    """Set cells of heat side by side; of very many as many as there is room for."""
    shown = [levels[i * len(levels) // CELLS] for i in range(CELLS)] if len(levels) > CELLS else levels
    width = min(max(4, 200 // len(shown)), 20)
    cells = (
        f'<TD WIDTH="{width}" HEIGHT="20" FIXEDSIZE="TRUE" BGCOLOR="{LIGHT["odd" if n is None else chip(n)[0]]}"></TD>'
        for n in shown
    )
    return table(["".join(cells)], 0, f'BORDER="1" COLOR="{LIGHT["box line"]}"')


def sum_of(terms: Sequence[float]) -> str:
    """Write a sum: ``Σ 1.5 + 0.159 − 1``, or the first terms of a long one."""
    text = number(terms[0])
    for x in terms[1:TERMS]:
        text += f" − {number(-x)}" if x < 0 else f" + {number(x)}"
    return f"Σ {text}" if len(terms) <= TERMS else f"Σ {text} + … ({len(terms)} terms)"


def trend(heats: Sequence[float]) -> str:
    """Say whether gradients vanish or explode on the way back from the last to the first."""
    first, last = heats[0], heats[-1]
    if len(heats) < 4 or not (isfinite(first) and isfinite(last)):
        return ""
    return "▼ vanishing" if first < last / STEEP else "▲ exploding" if first > last * STEEP else ""


# -- the graph -------------------------------------------------------------------------------------


class Writer:
    """Writes a `Graph` in DOT."""

    def __init__(
        self, graph: Graph, values: bool = True, title: str | None = None, direction: str | None = None
    ) -> None:
        self.graph, self.values, self.title = graph, values, plain(title or "", 2 * CUT)
        self.output, self.tensors = graph.output, graph.tensors
        depth = max(card.depth for card in graph.cards)
        self.direction = direction or ("LR" if depth <= DEEP[self.tensors] else "TB")
        self.goal = "loss" if self.tensors and not self.output.summary.shape else "output"
        self.meaning = f"∂ {self.goal} / ∂ card"
        if self.output.summary.shape:
            self.meaning = f"∂ Σ {self.goal} / ∂ card, from a seed of ones"
        found = [
            card.fold.heat[-1] if card.fold and card.fold.heat else card.gradient.rms
            for card in graph.cards
            if card.gradient and (card.summary.shape or card.fold) and card is not self.output
        ]
        found = [rms for rms in found if rms and isfinite(rms)]
        self.middle = sorted(found)[(len(found) - 1) // 2] if found else 0.0  # the lower median
        self.fanned = any(len(card.parts) > 1 for card in graph.cards)

    def text(self) -> str:
        """Give the whole of it."""
        gaps = "nodesep=.22 ranksep=.42" if self.tensors else "nodesep=.28 ranksep=.6"
        look = (
            f"rankdir={self.direction} {gaps} splines=true ordering=in newrank=true outputorder=edgesfirst pad=.2 "
            "labelloc=t labeljust=l "
        )
        if len(self.graph.cards) >= MANY:
            look += "nslimit=0 "
        lines = [
            "digraph autograd_mini {",
            f'  graph [{look}bgcolor="{LIGHT["paper"]}" {FONT} label=<{self.legend()}>]',
            f'  node [shape=box {FONT} margin="0.09,0.05" height=.2 width=.3]',
            f'  edge [{FONT} arrowsize=.6 penwidth=1.3 color="{LIGHT["edge"]}"]',
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
        lay = self.folded if card.fold else self.tensor if card.summary.shape or card.role == "loss" else self.scalar
        line, ground, width = LIGHT[f"{role.paint} line"], LIGHT[role.paint], role.width
        if card.fold and card.fold.numbers and card.role == "fold":
            line = LIGHT["param line"]
        if card.first or card.verdict == "wrong":
            line, ground, width = LIGHT["fault line"], LIGHT["fault"], 2.8
        group = " group=spine" if self.tensors and (card.op or card.fold) and i in self.graph.spine else ""
        yield (
            f'n{i} [label=<{lay(card)}> id="n{i}" style="{role.style}" penwidth={width}{group} '
            f'color="{line}" fillcolor="{ground}" tooltip={quoted(*self.hint(card))}]'
        )
        aside = "".join(f"n{j}; " for j in card.operands if self.graph.cards[j].aside)
        if aside:
            yield f"{{ rank=same; {aside}n{i} }}"

    def heading(self, card: Card, size: int) -> str:
        """Give operation and name, or glyph and name; a number that is nothing but itself is its own name."""
        role = ROLES[card.role]
        text = f"{role.paint} text"
        if card.op:
            name = f" {font(markup(card.name), text, size - 2)}" if card.name else ""
            return font(markup(SYMBOLS.get(card.op, card.op)), text, size, bold=True) + name
        name = card.name or (card.summary.line if self.bare(card) else "")
        glyph = font(role.glyph, f"{role.paint} text", size - 2)
        return f"{glyph} {font(markup(name), text, size, bold=True)}" if name else glyph

    def bare(self, card: Card) -> bool:
        """Whether a card is a constant without a name, which needs one line only."""
        return card.role == "data" and self.values and not card.name and not card.summary.shape

    def scalar(self, card: Card) -> str:
        """Lay out the card of a scalar: value and gradient in rows."""
        rows = [cell(self.heading(card, 13), WIDE)]
        if self.values and not self.bare(card):
            rows.append(self.entry("value", "muted", card.summary, f"{ROLES[card.role].paint} text"))
        if card.gradient:
            rows.append(self.entry("grad", "gradient", card.gradient, "gradient"))
        if len(card.parts) > 1:
            rows.append(cell(pill(sum_of([sent.mean for sent in card.parts]), "sum", "gradient"), WIDE))
        return table([*rows, *(cell(line, WIDE) for line in self.foot(card))], padding=2)

    def entry(self, word: str, faint: str, x: Summary, color: str) -> str:
        """Give a word and a number."""
        text, color = (f"! {x.line}", "fault line") if x.odd else (x.line, color)
        return cell(font(word, faint, 9), ' ALIGN="RIGHT"') + cell(font(text, color, 11, bold=True), ' ALIGN="LEFT"')

    def tensor(self, card: Card) -> str:
        """Lay out the card of a tensor, or of the output: shape, value or summary, and a chip of gradient."""
        x = card.summary
        lines = [self.heading(card, 12)]
        if x.shape and (not card.op or not card.users):  # of the others it stands on the edge
            size = f" · {x.size:,}" if card.role in ("param", "frozen") and len(x.shape) > 1 else ""
            lines.append(font(extent(x.shape) + size, "muted", 9))
        if self.values:
            lines.append(self.result(card) if not x.shape else font(x.line, "muted", 9))
        return table(map(cell, [*lines, *self.heat(card), *self.foot(card)]))

    def result(self, card: Card) -> str:
        """Give the value of the output large."""
        text, color = card.summary.line, f"{ROLES[card.role].paint} text"
        return font(f"! {text}", "fault line", 16, bold=True) if card.summary.odd else font(text, color, 16, bold=True)

    def heat(self, card: Card) -> Iterator[str]:
        """Give the chip of the gradient."""
        if card.gradient and card is self.output:
            yield pill("∇ 1 · seed", "no gradient", "muted")
        elif card.gradient and "gradient" not in card.first:  # which the foot says
            text = f"∇ {number(card.gradient.rms)}" + (f" · Σ {n}" if (n := len(card.parts)) > 1 else "")
            level = card.gradient.heat(self.middle)
            yield hot(level, text) if self.middle or level is None else pill(text, "sum", "gradient")

    def folded(self, card: Card) -> str:
        """Lay out the card of what is folded: how often, what, and the gradient of each."""
        fold = card.fold
        assert fold is not None
        recipe = [SYMBOLS.get(op, op) for op in fold.recipe]
        steps = " → ".join(recipe if len(recipe) <= STEPS else [*recipe[: STEPS - 1], "…"])
        times = f" {font(f'× {fold.count:,}', 'gradient', 12, bold=True)}" if fold.count > 1 else ""
        text = f"{ROLES[card.role].paint} text"
        lines = [font(markup(fold.label or steps or "leaves"), text, 12, bold=True) + times]
        if fold.label and steps:
            lines.append(font(markup(steps, 3 * CUT), text, 9.5))
        cards = font(f"{'· ' if fold.numbers else ''}{count(fold.cards, 'card')}", "muted", 9)
        lines.append((font(f"θ {fold.numbers:,} ", "param text", 9) if fold.numbers else "") + cards)
        if card is self.output and self.values:
            lines.append(self.result(card) if not card.summary.shape else font(card.summary.line, "muted", 9))
        if fold.heat and fold.count > 1:
            lines.append(strip([heat(rms, self.middle) for rms in fold.heat]))
            first, last = map(number, (fold.heat[0], fold.heat[-1]))
            found = trend(fold.heat)
            called = f"  {font(found, 'alarm', 9, bold=True)}" if found else ""
            lines.append(font(f"∇ first {first} → last {last}", "muted", 9) + called)
        elif fold.heat and card is not self.output:
            lines.append(hot(heat(fold.heat[0], self.middle), f"∇ {number(fold.heat[0])}"))
        else:
            lines += self.heat(card)
        return table(map(cell, [*lines, *self.foot(card)]), padding=2)

    def foot(self, card: Card) -> Iterator[str]:
        """Say where values and gradients cease to be finite, and how many edges are not shown."""
        for what, x in (("value", card.summary), ("gradient", card.gradient)):
            if what in card.first:
                trouble = (x and x.trouble) or "nan or inf"  # inside of what is folded
                yield pill(f"! {'∇ ' if what == 'gradient' else ''}{trouble} first here", "fault line", "strong text")
        if card.verdict:
            yield pill(f"{MARKS[card.verdict].glyph} numeric {card.numeric}", *MARKS[card.verdict].paint)
        if card.hidden:
            yield font(f"⋯ {count(card.hidden, 'more edge')}", "muted", 9)

    def hint(self, card: Card) -> list[str]:
        """Say everything that is known, in lines."""
        x, g = card.summary, card.gradient
        if card.fold:
            what = f"{card.fold.count:,} × {' '.join(map(plain, card.fold.recipe[:STEPS]))} {plain(card.fold.label)}"
            return [what.strip(), f"gives shape {x.shape} {x.dtype}", count(card.fold.cards, "card")]
        what = card.op or {"param": "parameter", "frozen": "frozen parameter"}.get(card.role, card.role)
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
        if card.verdict:
            lines.append(f"{MARKS[card.verdict].glyph} numeric {card.numeric}")
        if len(card.parts) > 1:
            lines.append(f"the sum of {len(card.parts)} contributions")
        lines += [f"{plain(name)} = {plain(told(param))}" for name, param in card.params.items()]
        return [*lines, where(card.line)] if card.line else lines

    def edges(self) -> Iterator[str]:
        """Give an edge for every use of an operand, in the order of the operands."""
        cards = self.graph.cards
        uses = ((j, k, i) for j, card in enumerate(cards) for k, i in enumerate(card.operands))
        for n, (j, k, i) in enumerate(uses):
            yield f'  n{i} -> n{j} [id="e{n}"{self.edge(j, k, i)} tooltip={quoted(self.errand(j, k, i))}]'

    def edge(self, j: int, k: int, i: int) -> str:
        """Give the look of an edge: what is sent back along it is written on it, or its width."""
        user, x, sent = self.graph.cards[j], self.graph.cards[i], self.graph.cards[j].sent[k]
        spine = self.graph.spine
        look = " weight=12" if self.tensors and i in spine and j in spine else ""
        if k in user.faults:
            text = pill(markup(f"✗ {user.faults[k]}", 2 * CUT), *MARKS["wrong"].paint)
            clear = '<TD WIDTH="5" HEIGHT="3"></TD>', cell(text)  # of the line, which is below or on the left
            text = table(["".join(clear)] if self.direction == "TB" else clear[::-1], 0)
            return f'{look} penwidth=2.8 color="{LIGHT["fault line"]}" label=<{text}>'
        if sent and sent.odd and user.gradient and not user.gradient.odd:
            text = font(f"! ∇ {sent.trouble}", "fault line", 9, bold=True)
            return f'{look} penwidth=2.8 color="{LIGHT["fault line"]}" label=<{text}>'
        if not self.flows(x, sent):
            look += f' style=dashed penwidth=1 color="{LIGHT["edge, none"]}"'
        elif self.tensors and self.middle and sent and sent.shape:
            look += f" penwidth={self.width(sent)}"
        text = ""
        if not self.tensors and sent:
            slope = user.slopes[k]
            text = f"∇ {sent.line}" if self.fanned else f"∂ {number(slope)}" if slope is not None else ""
        elif self.tensors and not x.aside and (x.op or x.fold):
            shape = sent.shape if sent else x.summary.shape
            text = extent(shape) if shape else ""
        if not text:
            return look
        text = f"&#160;&#160;{text}" if self.direction == "TB" else text  # it stands beside the line, not above it
        return f"{look} label=<{font(text, 'muted' if self.tensors else 'gradient', 9)}>"

    def flows(self, x: Card, sent: Summary | None) -> bool:
        """Whether a gradient flows along an edge from `x`."""
        return bool(sent) if self.output.gradient else x.role not in ("data", "frozen")

    def width(self, sent: Summary) -> float:
        """Give the width of an edge: a decade of gradient is 0.6 points."""
        if not isfinite(sent.rms):
            return 2.4
        if not sent.rms:
            return 0.6
        return round(min(max(2.4 + 0.6 * log10(sent.rms / self.middle), 0.6), 4.2), 1)

    def errand(self, j: int, k: int, i: int) -> str:
        """Say what an edge carries, forwards and back."""
        user, x, sent = self.graph.cards[j], self.graph.cards[i], self.graph.cards[j].sent[k]
        slope = user.slopes[k]
        if k in user.faults:
            return f"{extent(x.summary.shape)}; the rule is wrong: {user.faults[k]}"
        if sent and user.gradient and slope is not None:
            return f"sends back {number(slope)} × {user.gradient.line} = {sent.line}"
        if sent and sent.shape:
            what = "gradients of rms up to" if user.fold else "a gradient of rms"
            return f"{extent(sent.shape)}; sends back {what} {number(sent.rms)}"
        return extent(x.summary.shape) + ("" if self.flows(x, sent) else NONE)

    def legend(self) -> str:
        """Give the heading: the title, the roles that there are, and the scale of gradients."""
        cards = self.graph.cards
        shown = {card.role for card in cards}
        words = {name: role.word for name, role in ROLES.items()} | {"loss": self.goal}
        words["param"] = "parameter" if self.graph.known else "parameter or input"
        lines = [font(markup(self.title, 2 * CUT), "op text", 14, bold=True)] if self.title else []
        lines.append(font(markup(self.graph.note or self.contents(), 3 * CUT), "muted", 10))
        chips = [
            pill(
                f"{role.glyph} {words[name]}".strip(),
                role.paint,
                f"{role.paint} text",
                f"{role.paint} line",
                "ROUNDED,DASHED" if "dashed" in role.style else "ROUNDED",
            )
            for name, role in ROLES.items()
            if name in shown
        ]
        if any(card.first for card in cards):
            chips.append(pill("! first that is not finite", "fault line", "strong text"))
        found = {card.verdict for card in cards}
        chips += [pill(f"{mark.glyph} {mark.word}", *mark.paint) for what, mark in MARKS.items() if what in found]
        lines.append(row(chips))
        if self.middle:
            ends = {HEAT[0]: "≤ ", HEAT[-1]: "≥ "}
            scale = [hot(n, ends.get(n, "") + number(float(f"{self.middle * 10.0**n:.1e}"))) for n in HEAT]
            lines.append(row([font(f"∇ root mean square of {self.meaning}", "muted", 9), *scale]))
        elif self.output.gradient:
            lines.append(font(f"grad = {self.meaning}", "muted", 9))
        if self.output.gradient and not self.tensors and any(card.operands for card in cards):
            sign, says = (
                ("∇", "the gradient sent back along this use; the grad of a card is their sum, Σ")
                if self.fanned
                else ("∂", "the local derivative; the grad of a card is ∂ × the grad of the next")
            )
            lines.append(row([font(f"{sign} on an edge", "gradient", 9, bold=True), font(f"is {says}", "muted", 9)]))
        lines += [
            font(markup(called, 4 * CUT), "alarm", 10, bold=True) for called in (self.alarm(), blame(cards)) if called
        ]
        return table([cell(line, ' ALIGN="LEFT"') for line in [*lines, " "]], padding=2)

    def alarm(self) -> str:
        """Call out gradients that vanish or explode on their way back to the first parameters."""
        heats: list[float] = []
        for card in self.graph.cards:
            if card.fold and card.fold.numbers:
                heats += card.fold.heat
            elif card.role == "param" and card.gradient and card.summary.shape:
                heats.append(card.gradient.rms)
        if not heats or not (found := trend(heats)):
            return ""
        return f"{found}: ∇ of the first parameters {number(heats[0])}, of the last {number(heats[-1])}"

    def contents(self) -> str:
        """Count what is drawn."""
        cards = self.graph.cards
        folds = [card.fold for card in cards if card.fold]
        operations = sum(bool(card.op) for card in cards) + sum(len(fold.recipe) * fold.count for fold in folds)
        sizes = [card.summary.size for card in cards if card.role in ("param", "frozen")]
        numbers = sum(sizes) + sum(fold.numbers for fold in folds)
        text = count(operations, "operation")
        if folds:
            total = sum(fold.cards for fold in folds) + len(cards) - len(folds)
            text = f"{total:,} cards folded into {len(cards):,}: {text}"
            return f"{text}, {count(numbers, 'number')} in parameters" if numbers else text
        text += f", {count(len(sizes), 'parameter')}"
        return f"{text} of {count(numbers, 'number')}" if numbers > len(sizes) else text

    def description(self) -> str:
        """Say in a sentence what there is to see, for who cannot see it."""
        text = f"{self.contents()}; {self.goal}"
        text += f" of shape {self.output.summary.shape}" if self.output.summary.shape else ""
        text += f": {self.output.summary.line}" if self.values else ""
        checked = any(card.verdict for card in self.graph.cards)
        return f"{text}; {blame(self.graph.cards) or '✓ every rule agrees with differences'}" if checked else text


def blame(cards: Sequence[Card]) -> str:
    """Say which rules are wrong, and what they have spoilt, or nothing."""
    said = []
    for card in cards:
        for k, fault in card.faults.items():
            x = cards[card.operands[k]]
            said.append(
                f"{plain(card.op)} by {plain(x.path) or SYMBOLS.get(x.op, plain(x.op)) or f'operand {k}'}, {fault}"
            )
    if not said:
        return ""
    more = f"; and {len(said) - BLAMED} more" if len(said) > BLAMED else ""
    spoilt = count(sum(card.verdict == "wrong" for card in cards), "gradient")
    return f"✗ {count(len(said), 'edge')} with a wrong rule: {'; '.join(said[:BLAMED])}{more}. {spoilt} spoilt"


def count(n: int, what: str) -> str:
    """Say how many there are."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"
