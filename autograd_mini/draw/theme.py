"""The colours: each once, for a light and for a dark page.

The DOT carries the light ones. In the SVG the light colour is the key by which the dark theme finds
the dark one, so no light colour stands for two things. Text and ground differ by 4.5:1 or more.
"""

from __future__ import annotations

from typing import NamedTuple

# what: (light, dark)
PALETTE = {
    "paper":        ("#FDFDFE", "#0D1117"),
    "box":          ("#F5F7FA", "#131920"),  # a cluster
    "box line":     ("#C9D1D9", "#36414D"),
    "muted":        ("#566270", "#9AA7B4"),  # text that stands back
    "gradient":     ("#B83A08", "#FFA36B"),
    "edge":         ("#8592A0", "#6E7B88"),
    "edge, none":   ("#B4BEC8", "#4C5763"),  # no gradient flows along it
    "no gradient":  ("#E6E9EC", "#262D36"),  # a chip without heat
    "op":           ("#FFFFFF", "#1B222B"),
    "op line":      ("#5B6775", "#8B98A6"),
    "op text":      ("#17202A", "#F0F4F8"),
    "param":        ("#FFF3DB", "#33260D"),
    "param line":   ("#B26A00", "#E0A040"),
    "param text":   ("#5A3600", "#FBE2B5"),
    "data":         ("#E8F2FA", "#11283A"),
    "data line":    ("#3B7EA8", "#5BA3D0"),
    "data text":    ("#0F3A52", "#CFE6F7"),
    "loss":         ("#E0F4EC", "#0B2E22"),
    "loss line":    ("#00805A", "#2FBF8F"),
    "loss text":    ("#00402D", "#C9F5E3"),
    "weak text":    ("#16202B", "#E8EDF2"),  # on the heat of -1, 0 and 1
    "strong text":  ("#FFFFFB", "#0B1016"),  # on the rest
    "heat -3":      ("#1B4478", "#A9D2F8"),
    "heat -2":      ("#3670B0", "#6FAEE6"),
    "heat -1":      ("#C4D9EC", "#27496B"),
    "heat 0":       ("#EBEDEC", "#2B333C"),
    "heat 1":       ("#F7D3AB", "#68401A"),
    "heat 2":       ("#B5560C", "#E8913F"),
    "heat 3":       ("#843002", "#FFC78D"),
    "sum":          ("#FCE9DE", "#382417"),  # a chip with contributions
    "odd":          ("#5B1670", "#E7B4F5"),  # nan or inf
    "alarm":        ("#A1260D", "#FFB199"),  # what is called out
    "fault":        ("#FDEDEB", "#34181A"),  # a card where they first appear
    "fault line":   ("#B3201A", "#FF9A90"),
}  # fmt: skip
LIGHT = {what: light for what, (light, _) in PALETTE.items()}
DARK = dict(PALETTE.values())  # light -> dark
HEAT = range(-3, 4)  # decades below and above the middle gradient


class Role(NamedTuple):
    """How a kind of card is told apart: by glyph and border as well as by colour."""

    glyph: str
    word: str  # in the legend
    paint: str  # its colours: "data" has "data", "data line" and "data text"
    style: str
    width: float


ROLES = {
    "data": Role("▷", "data, no gradient", "data", "rounded,filled,dashed", 1.1),
    "input": Role("▷", "input", "data", "rounded,filled", 1.1),
    "param": Role("θ", "parameter", "param", "rounded,filled", 2),
    "frozen": Role("θ", "frozen parameter", "param", "rounded,filled,dashed", 1.1),
    "op": Role("", "operation", "op", "rounded,filled", 1.1),
    "fold": Role("≡", "several, folded", "op", "rounded,filled", 2),
    "loss": Role("◎", "loss", "loss", "rounded,filled,bold", 2.2),
}


class Mark(NamedTuple):
    """How what was checked is told apart: by glyph as well as by the colours of ground and text."""

    glyph: str
    word: str  # in the legend
    paint: tuple[str, str]


MARKS = {
    "right": Mark("✓", "analytic = finite difference", ("loss", "loss text")),
    "wrong": Mark("✗", "disagrees", ("fault line", "strong text")),
    "unknown": Mark("–", "no finite difference", ("no gradient", "muted")),
}


def chip(level: int) -> tuple[str, str]:
    """Give the names of ground and text of a heat."""
    return f"heat {level}", "weak text" if abs(level) < 2 else "strong text"
