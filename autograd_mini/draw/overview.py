"""What there is to say of a graph too large to be drawn: one card, made without Graphviz."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape
from math import isfinite

from .dot import CUT, FONT, SYMBOLS, Writer, cell, count, font, markup, plain, table
from .graph import Card, Graph
from .summary import extent, number
from .theme import LIGHT

KINDS = 8  # of operations that are counted one by one
LINE = 22  # points
ADVICE = "too large for a picture: draw a part with focus=, or what is repeated as one card with fold=True"


def rows(graph: Graph) -> Iterator[tuple[str, str]]:
    """Give what there is to say, as pairs of a word and a text."""
    cards = graph.cards
    kinds = Counter(card.op for card in cards if card.op).most_common()
    text = ", ".join(f"{plain(SYMBOLS.get(op, op))} {n:,}" for op, n in kinds[:KINDS])
    more = f", {count(len(kinds) - KINDS, 'other kind')}" if len(kinds) > KINDS else ""
    yield "operations", f"{sum(n for _, n in kinds):,}: {text}{more}"
    yield "depth", f"{graph.output.depth:,}"
    params = [card for card in cards if card.role == "param"]
    yield "parameters", f"{len(params):,}, of {count(sum(card.summary.size for card in params), 'number')}"
    yield "output", f"{extent(graph.output.summary.shape)}, {graph.output.summary.line}"
    found = sorted(
        ((card.gradient.rms, i) for i, card in enumerate(cards) if card.gradient and isfinite(card.gradient.rms))
    )
    for word, (rms, i) in zip(("smallest ∇", "largest ∇"), found[:1] + found[-1:], strict=False):
        yield word, f"{number(rms)} at {_called(cards[i], i)}"
    for i, card in enumerate(cards):
        for what in card.first:
            x = card.summary if what == "value" else card.gradient
            yield f"! {what}", f"{(x and x.trouble) or 'nan or inf'} first at {_called(card, i)}"
            return  # the first is where to look


def _called(card: Card, i: int) -> str:
    return f"{plain(card.path or SYMBOLS.get(card.op, card.op) or 'a leaf')}, card {i:,}"


def overview(graph: Graph, writer: Writer) -> tuple[str, str]:
    """Give the card in DOT, and in SVG as Graphviz would."""
    told = list(rows(graph))
    title = writer.title or f"{len(graph.cards):,} cards"
    lines = [cell(font(markup(title, 2 * CUT), "op text", 14, bold=True), ' ALIGN="LEFT" COLSPAN="2"')]
    lines += [
        cell(font(markup(word), "muted", 10), ' ALIGN="RIGHT"')
        + cell(font(markup(text, 200), "op text", 11), ' ALIGN="LEFT"')
        for word, text in told
    ]
    lines.append(cell(font(ADVICE, "muted", 9), ' ALIGN="LEFT" COLSPAN="2"'))
    dot = (
        f'digraph autograd_mini {{\n  graph [bgcolor="{LIGHT["paper"]}" pad=.2]\n'
        f'  n0 [shape=box {FONT} style="rounded,filled" penwidth=1.1 color="{LIGHT["op line"]}" '
        f'fillcolor="{LIGHT["op"]}" label=<{table(lines, 3)}>]\n}}\n'
    )
    width = max(50 + 4.4 * len(ADVICE), 50 + 8 * len(title), *(140 + 6.2 * min(len(text), 200) for _, text in told))
    height = LINE * (len(told) + 3) + 8

    def line(x: float, n: float, text: str, size: float, color: str, more: str = "") -> str:
        return (
            f'<text x="{x}" y="{n * LINE + 12}" font-family="Helvetica,Arial,sans-serif" font-size="{size}" '
            f'fill="{LIGHT[color]}"{more}>{escape(plain(text, 200))}</text>'
        )

    body = [line(24, 1, title, 14, "op text", ' font-weight="bold"')]
    for n, (word, text) in enumerate(told, 2):
        body.append(line(100, n, word, 10, "fault line" if word[0] == "!" else "muted", ' text-anchor="end"'))
        body.append(line(110, n, text, 11, "op text"))
    body.append(line(24, len(told) + 2, ADVICE, 9, "muted"))
    right, low = width - 8, height - 4
    return dot, (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}pt" height="{height}pt" '
        f'viewBox="0 0 {width:.0f} {height}"><polygon fill="{LIGHT["paper"]}" '
        f'points="0,0 {width:.0f},0 {width:.0f},{height} 0,{height}"/>'
        f'<path fill="{LIGHT["op"]}" stroke="{LIGHT["op line"]}" d="M20,8H{right - 12:.0f}q12,0 12,12V{low - 12}'
        f'q0,12 -12,12H20q-12,0 -12,-12V20q0,-12 12,-12z"/>{"".join(body)}</svg>'
    )
