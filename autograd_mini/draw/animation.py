"""The backward sweep as a moving picture: an SVG without script, for an `<img>` or a README."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable
from itertools import accumulate, pairwise
from xml.etree import ElementTree as ET

from .svg import NAMESPACE, local
from .theme import PALETTE
from .walks import Walks

PACE = 1.2  # seconds a step
LONGEST = 60.0  # seconds of a round; the steps of a long walk are quicker
REST = 3  # steps of standing still at the end
ACCENT = [color.lower() for color in PALETTE["gradient"]]
SHAPES = ("path", "polygon", "polyline", "ellipse")


def marked(svg: str, walks: Walks) -> tuple[ET.Element, dict[str, ET.Element]]:
    """Take a finished drawing apart for moving it.

    What belongs to a gradient gets the class "grad": on a card its number also "figure", and a sum of
    contributions "terms". Every card and edge that a gradient comes to gets a copy of its outline,
    "glow"; an edge also a "trace", which stays when the glow has gone, a "dot" with its motion, and a
    label where there is room and need of it. What is said of a wrong rule is also "fault".

    Returns
    -------
    Element, dict
        The drawing, and its cards and edges by name: ``n0``, ``e0``.
    """
    root = ET.fromstring(svg)
    for element in root.iter():
        element.tag = local(element)
    root.set("xmlns", NAMESPACE)
    prefix = root.attrib["id"] + "-"
    groups = {g.attrib["id"].removeprefix(prefix): g for g in root.iter("g") if "id" in g.attrib}
    parts = {}
    for i in walks.totals:
        card = parts[f"n{i}"] = groups[f"n{i}"]
        inside = next(at for at, part in enumerate(card, 1) if part.tag in SHAPES)
        _mark(card[inside:])
        card.insert(inside, _line(card[inside - 1], "glow"))
    for sent in (sent for step in walks.sweep for sent in step.sends):
        edge = parts[f"e{sent.edge}"] = groups[f"e{sent.edge}"]
        path = next(edge.iter("path"))
        labels = [text for text in edge.iter("text") if "∇" in (text.text or "")]
        ground = [part for part in edge if part.tag in SHAPES][2:]  # behind the line and its head: what text stands on
        free = next(edge.iter("text"), None) is None
        at = list(edge).index(path) + 1
        edge[at:at] = [_line(path, "trace"), _line(path, "glow")]
        dot = ET.SubElement(edge, "circle", {"r": "4.5", "class": "dot"})
        backwards = {"path": path.attrib["d"], "calcMode": "linear", "keyTimes": "0;1", "keyPoints": "1;0"}
        ET.SubElement(dot, "animateMotion", backwards | {"begin": "indefinite", "dur": "0.9s", "fill": "freeze"})
        if free and (sent.local or walks.uses[sent.to] > 1):
            labels = [_label(edge, path.attrib["d"], f"∇ {sent.amount}")]
        for part in labels + ground:
            part.set("class", "grad fault" if ground else "grad")
    return root, parts


def themed(rules: Callable[[int], str], theme: str) -> str:
    """Give a style that is `rules` of 0 on a light page and of 1 on a dark one; "light" and "dark" are always so."""
    if theme != "auto":
        return rules(("light", "dark").index(theme))
    return f"{rules(0)}@media (prefers-color-scheme: dark){{{rules(1)}}}"


def accents(selector: str, theme: str) -> str:
    """Give the style of what `marked` added, inside `selector`."""
    color = PALETTE["gradient"]
    return themed(
        lambda i: f"{selector} .dot{{fill:{color[i]}}}{selector} :is(.glow,.trace){{stroke:{color[i]}}}", theme
    )


def animate(svg: str, walks: Walks, theme: str = "auto") -> str:
    """Let the gradients of a finished drawing appear in the order of the sweep, over and over.

    What appears does so by keyframes of CSS, the dots run along the edges by SMIL. Who asks for
    reduced motion sees the whole picture, standing still.

    Parameters
    ----------
    svg : str
        What `Drawing.svg` is.
    walks : Walks
        Of the same graph.
    theme : "auto", "light" or "dark"
        That of the drawing.
    """
    still = ET.fromstring(svg).attrib["id"]
    prefix = f"{still}m"  # it may stand in a page beside the one that does not move
    root, parts = marked(svg.replace(still, prefix), walks)
    beats = len(walks.sweep) + 1 + REST
    length = min(beats * PACE, LONGEST)
    arrival = {}
    for n, step in enumerate(walks.sweep, 1):
        _appear(parts[f"n{step.card}"], {"glow": f"during{n}"})
        for sent in step.sends:
            arrival[sent.to] = n
            edge = parts[f"e{sent.edge}"]
            _appear(edge, {"glow": f"during{n}", "dot": f"during{n}", "trace": f"from{n}", "grad": f"from{n}"})
            timing = {"keyTimes": f"0;{n / beats:.5f};{(n + 0.7) / beats:.5f};1", "keyPoints": "1;1;0;0"}
            for motion in edge.iter("animateMotion"):
                motion.attrib |= {"begin": "0s", "dur": f"{length:g}s", "repeatCount": "indefinite"} | timing
    for i, n in arrival.items():
        _appear(parts[f"n{i}"], {"grad": f"from{n}"})
    rules = [
        accents(f"#{prefix}", theme),
        f"#{prefix} :is(.glow,.dot){{opacity:0}}#{prefix} .trace{{opacity:.6}}",
        f"#{prefix} :is(.glow,.dot,.trace,.grad){{animation:none {length:g}s infinite}}",
    ]
    for n in range(1, len(walks.sweep) + 1):
        begin, arrive, end = (100 * (n + part) / beats for part in (0, 0.7, 1))
        soft = 5 / beats
        during, since = f"{prefix}-during{n}", f"{prefix}-from{n}"
        rules += [
            f"@keyframes {during}{{0%,{begin:.3f}%{{opacity:0}}{begin + soft:.3f}%,{end - soft:.3f}%{{opacity:1}}"
            f"{end:.3f}%,100%{{opacity:0}}}}",
            f"@keyframes {since}{{0%,{arrive:.3f}%{{opacity:0}}{arrive + soft:.3f}%,100%{{opacity:1}}}}",
            f"#{prefix} .during{n}{{animation-name:{during}}}#{prefix} .from{n}{{animation-name:{since}}}",
        ]
    rules.append(f"@media (prefers-reduced-motion: reduce){{#{prefix} *{{animation:none!important}}}}")
    ET.SubElement(root, "style").text = "".join(rules)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode") + "\n"


def _mark(parts: list[ET.Element]) -> None:
    """Find what belongs to the gradient on a card: text of its colour, the number behind it, and chips that tell of it.

    The ground of a chip stands before its text; what stands on none may be the user's.
    """
    ground: list[ET.Element] = []
    number = False  # is what comes next
    for part in parts:
        text = (part.text or "").strip()
        if part.tag in SHAPES:
            ground.append(part)
        elif part.tag == "text" and text:
            own = part.get("fill") in ACCENT
            if own or number or (ground and ("∇" in text or "numeric" in text)):
                kind = " terms" if text.startswith("Σ") else " figure" if number or "∇" in text else ""
                part.set("class", f"grad{kind}")
                for shape in ground:
                    shape.set("class", "grad")
            number, ground = own and text == "grad", []


def _appear(part: ET.Element, times: dict[str, str]) -> None:
    """Give what is of a class in `part` a second class, that of the time when it appears."""
    for element in part.iter():
        kind = element.get("class", "")
        time = times.get(kind.partition(" ")[0])
        if time:
            element.set("class", f"{kind} {time}")


def _line(shape: ET.Element, kind: str) -> ET.Element:
    """Copy the outline of a shape."""
    outline = {name: text for name, text in shape.attrib.items() if name in ("d", "points", "cx", "cy", "rx", "ry")}
    width = {"glow": "3.5", "trace": "2"}[kind]
    return ET.Element(shape.tag, {**outline, "fill": "none", "stroke-width": width, "class": kind})


def _label(edge: ET.Element, d: str, text: str) -> ET.Element:
    """Write `text` beside the middle of the path `d`, on its upper side."""
    middle, along = _middle(d)
    across = (along / (abs(along) or 1)) * 1j
    across *= -1 if across.imag > 0 else 1
    width, height = 2.4 * len(text), 4.0  # half of them
    middle += across * (width * abs(across.real) + height * abs(across.imag) + 2)
    place = {"x": f"{middle.real:.2f}", "y": f"{middle.imag + 3:.2f}", "text-anchor": "middle"}
    look = {"font-family": "Helvetica,Arial,sans-serif", "font-size": "9.00", "fill": ACCENT[0]}
    label = ET.SubElement(edge, "text", place | look)
    label.text = text
    return label


def _middle(d: str) -> tuple[complex, complex]:
    """Find the middle of a path of cubic Bézier curves, and its direction there."""
    numbers = [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", d)]
    points = [complex(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    line = points[:1]
    for a, b, c, e in zip(points[:-3:3], points[1:-2:3], points[2:-1:3], points[3::3], strict=True):
        for t in (0.125 * k for k in range(1, 9)):
            s = 1 - t
            line.append(s**3 * a + 3 * s * s * t * b + 3 * s * t * t * c + t**3 * e)
    lengths = [abs(q - p) for p, q in pairwise(line)]
    k = min(bisect(list(accumulate(lengths)), sum(lengths) / 2), len(lengths) - 1)
    return (line[k] + line[k + 1]) / 2, line[k + 1] - line[k]
