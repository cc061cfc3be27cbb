"""From Graphviz's SVG to one that may stand in any page: no link, no script, both themes, read aloud."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from .theme import PALETTE

NAMESPACE = "http://www.w3.org/2000/svg"
HINT = "{http://www.w3.org/1999/xlink}title"
TAGS = {"g", "path", "polygon", "polyline", "ellipse", "text"}
ATTRIBUTES = {
    "cx", "cy", "d", "fill", "font-family", "font-size", "font-style", "font-weight", "id", "points", "rx",
    "ry", "stroke", "stroke-dasharray", "stroke-width", "text-anchor", "transform", "x", "y",
}  # fmt: skip


def finish(raw: bytes, prefix: str, title: str, description: str, auto: bool = True) -> str:
    """Keep of Graphviz's SVG what is drawn, and add what a page needs.

    Parameters
    ----------
    raw : bytes
        What Graphviz gave. Its declaration, comments, links and anything unknown are left out; a
        tooltip becomes the `<title>` of its node, which browsers show on hovering.
    prefix : str
        Begins every id, so that two drawings in a page do not meet.
    title, description : str
        For who cannot see the drawing.
    auto : bool
        Whether it turns dark on a dark page.
    """
    source = ET.fromstring(raw)
    root = ET.Element(
        "svg",
        {
            "xmlns": NAMESPACE,
            "id": prefix,
            "viewBox": source.attrib["viewBox"],
            "width": source.attrib["width"],
            "height": source.attrib["height"],
            "role": "img",
            "aria-labelledby": f"{prefix}-title {prefix}-desc",
            "style": "max-width:100%;height:auto",
        },
    )
    ET.SubElement(root, "title", id=f"{prefix}-title").text = title
    ET.SubElement(root, "desc", id=f"{prefix}-desc").text = description
    todo = [(source, root)]
    while todo:
        old, new = todo.pop()
        hint = next((a.attrib[HINT] for a in old.iterfind("*/*") if HINT in a.attrib), None)
        if hint is not None and "id" in old.attrib:
            ET.SubElement(new, "title").text = hint
        for part in drawn(old):
            attributes = {name: text for name, text in part.attrib.items() if name in ATTRIBUTES}
            for name in {"fill", "stroke"} & attributes.keys():
                attributes[name] = attributes[name].lower()
            if "id" in attributes:
                attributes["id"] = f"{prefix}-{attributes['id']}"
            copy = ET.SubElement(new, local(part), attributes)
            copy.text = part.text if local(part) == "text" else None
            todo.append((part, copy))
    for group in root.iter("g"):
        lower(group)
    if auto:
        used = {(paint, part.get(paint, "")) for part in root.iter() for paint in ("fill", "stroke")}
        style = ET.Element("style")
        style.text = dark(prefix, used)
        root.insert(2, style)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode") + "\n"


def lower(group: ET.Element) -> None:
    """Set the lines of a group that have bold text, which Graphviz sets a point too high, beside those without."""
    lines = {text.get("y") for text in group.iterfind("text") if text.get("font-weight") == "bold"}
    for text in group.iterfind("text"):
        if text.get("y") in lines:
            text.set("y", f"{float(text.attrib['y']) + 1:.2f}")


def drawn(element: ET.Element) -> Iterator[ET.Element]:
    """Give the known elements directly inside, and those inside the links that Graphviz makes of tooltips."""
    todo = list(element)[::-1]
    while todo:
        part = todo.pop()
        if local(part) == "a" or part.get("id", "").startswith("a_"):
            todo += list(part)[::-1]
        elif local(part) in TAGS:
            yield part


def local(element: ET.Element) -> str:
    """Give the name of an element without its namespace, "" if it is of another."""
    namespace, _, name = element.tag.rpartition("}")
    return name if namespace == "{" + NAMESPACE else ""


def dark(prefix: str, used: set[tuple[str, str]]) -> str:
    """Give the style of a dark page: each colour of the light one names that which takes its place."""
    rules = (
        f'#{prefix} [{paint}="{light.lower()}"]{{{paint}:{dark}}}'
        for light, dark in PALETTE.values()
        for paint in ("fill", "stroke")
        if (paint, light.lower()) in used
    )
    return "@media (prefers-color-scheme: dark){" + "".join(rules) + "}"
