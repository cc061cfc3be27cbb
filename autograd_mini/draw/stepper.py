"""The backward sweep as a page: one HTML file that fetches nothing, to be stepped through."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any
from xml.etree import ElementTree as ET

from .animation import accents, marked, themed
from .dot import plain
from .theme import PALETTE
from .walks import Send, Step, Walks

ZOOM = 1.3  # of the picture in a page of its own
MOST = 4  # wrong gradients that are named
Said = tuple[str, str, bool]  # what happens, what there is to note, and whether that is an error


def page(svg: str, walks: Walks, title: str, theme: str = "auto") -> str:
    """Write the page.

    Parameters
    ----------
    svg : str
        The finished drawing.
    walks : Walks
        Of the same graph.
    title : str
        What the page is called.
    theme : "auto", "light" or "dark"
        That of the drawing.
    """
    root, _ = marked(svg, walks)
    del root.attrib["style"]  # the page has its own
    for side in ("width", "height"):
        root.set(side, f"{float(root.attrib[side].removesuffix('pt')) * ZOOM:.0f}pt")
    place = files(__package__)
    sheet, style, script = (place.joinpath(f"stepper.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_digest(script)}'"
    return Template(sheet).substitute(
        policy=f"{policy}; base-uri 'none'; form-action 'none'",
        title=escape(plain(title)),
        scheme="light dark" if theme == "auto" else theme,
        style=f"{_colors(theme)}{accents('figure', theme)}\n{style}",
        steps=len(walks.sweep),
        svg=ET.tostring(root, encoding="unicode"),
        unit=" (root mean square)" if walks.arrays else "",
        data=_json(_data(walks)),
        script=script,
    )


def _digest(script: str) -> str:
    return b64encode(sha256(script.encode()).digest()).decode()


def _json(data: Any) -> str:
    """Write data that may stand in a script element, whatever text is in it."""
    text = json.dumps(data, separators=(",", ":"))  # ASCII: line separators are escaped
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def _colors(theme: str) -> str:
    """Give the palette to the page, as variables of CSS."""
    names = {what: "--" + what.replace(",", "").replace(" ", "-") for what in PALETTE}
    colors = [";".join(f"{names[what]}:{pair[i]}" for what, pair in PALETTE.items()) for i in (0, 1)]
    return themed(lambda i: f":root{{{colors[i]}}}", theme)


def _data(walks: Walks) -> dict[str, Any]:
    """Give what the script needs: cards in the order of the sweep, and steps that name them by their place in it."""
    place = {i: at for at, i in enumerate(walks.names)}
    cards = [
        {
            "number": i,
            "name": name,
            "line": walks.lines[i],
            "expects": max(walks.uses[i], 1),  # the output gets the seed
            "right": walks.totals[i],
            "plus": ", " if i in walks.arrays else " + ",
        }
        for i, name in walks.names.items()
    ]

    def steps(way: list[Step]) -> list[dict[str, Any]]:
        return [
            {
                "card": place[step.card],
                "gradient": step.gradient,
                "sends": [asdict(sent) | {"to": place[sent.to]} for sent in step.sends],
            }
            for step in way
        ]

    return {
        "cards": cards,
        "wrong": walks.wrong,
        "sweep": {"steps": steps(walks.sweep), "said": list(_said(walks, walks.sweep))},
        "naive": {"steps": steps(walks.naive), "said": list(_said(walks, walks.naive))},
    }


def _said(walks: Walks, way: list[Step]) -> Iterator[Said]:
    """Say what happens at every step of a way, and before the first."""
    names, faults = walks.names, walks.faults
    output = next(iter(names))
    got, gone, early = dict.fromkeys(names, 0), set(), False
    rule = "Every card waits until all that it is to get has come, and then sends."
    if way is walks.naive:
        rule = "Every card sends once, as soon as the walk comes to it, whatever it has got by then."
    yield f"Step 0 of {len(way)}. The start: the gradient of {names[output]} is {walks.totals[output]}.", rule, False
    for n, step in enumerate(way, 1):
        this, expects = names[step.card], walks.uses[step.card]
        sends = [f"{names[sent.to]}{_amount(sent, step.gradient, sent.to in walks.arrays)}" for sent in step.sends]
        bad = [
            f"The rule for {names[sent.to]} is wrong: {fault}."
            for sent in step.sends
            if (fault := faults.get(sent.edge))
        ]
        good = []
        if got[step.card] < expects:
            early = True
            bad.append(
                f"Too early: {this} has {got[step.card]} of {expects} contributions, and sends {step.gradient} on in "
                f"place of {walks.totals[step.card]}."
            )
        gone.add(step.card)
        for sent in step.sends:
            got[sent.to] += 1
            if sent.to in gone:
                bad.append(f"Too late: {names[sent.to]} has sent already, and never sends this {sent.amount} on.")
        for i, total in {sent.to: sent.total for sent in step.sends if walks.uses[sent.to] > 1}.items():
            missing = walks.uses[i] - got[i]
            state = f"waits for {missing} more" if missing else f"is complete: {total}"
            good.append(f"{names[i]} has {got[i]} of {walks.uses[i]} contributions and {state}.")
        wrong = n == len(way) and way is walks.naive and bool(walks.wrong)
        if wrong:
            bad.append(_verdict(walks))
        if n == len(way) and walks.spoilt:
            bad.append(_spoilt(walks))
        elif n == len(way) and not wrong:
            good.append("Every gradient is right all the same." if early else "Every gradient is complete.")
        yield f"Step {n} of {len(way)}. {this} sends back: {'; '.join(sends)}.", " ".join(bad or good), bool(bad)


def _amount(sent: Send, gradient: str, array: bool) -> str:
    """Write what is sent, with the multiplication that gave it where it is one."""
    if not sent.local:
        return f": rms {sent.amount}" if array else f" = {sent.amount}"
    return f" = {sent.local} × {f'({gradient})' if gradient.startswith('−') else gradient} = {sent.amount}"


def _verdict(walks: Walks) -> str:
    """Say which gradients the naive walk got wrong."""
    found = [f"{walks.names[i]} = {amount}, not {walks.totals[i]}" for i, amount in walks.wrong.items()]
    return f"Wrong in the end: {_some(found)}."


def _spoilt(walks: Walks) -> str:
    """Say which gradients a wrong rule has a part in."""
    found = [f"{walks.names[i]} = {walks.totals[i]}, numeric {numeric}" for i, numeric in walks.spoilt.items()]
    return f"Spoilt by a wrong rule: {_some(found)}."


def _some(found: list[str]) -> str:
    """Join sentences, or the first of many."""
    return "; ".join(found[:MOST]) + (f"; and {len(found) - MOST} more" if len(found) > MOST else "")
