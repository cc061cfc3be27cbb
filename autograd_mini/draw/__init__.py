"""Drawings of a recorded graph: what was computed, from what, and the gradient of everything."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ..core import Node, ancestors
from ..files import replacing
from .diff import diff, having
from .dot import Writer
from .fold import focus as near
from .fold import fold as folded
from .graph import Graph, collect
from .text import bare, show, tree
from .theme import DARK
from .walks import Walks, still, walk

__all__ = ["Drawing", "draw"]

LARGE = 100_000  # cards; of so many there is a summary, and Graphviz is not started
SMALL = 150  # cards; a larger graph is folded, and does not show itself in a notebook
THEMES = ("auto", "light", "dark")


class Drawing:
    """A picture of a graph, as it was when it was drawn. It shows itself in a notebook.

    Attributes
    ----------
    graph : Graph
        What is drawn: cards with their values, gradients and edges, in boxes; nothing of it is folded.
    dot : str
        The drawing in DOT, the language of Graphviz; the same for the same graph in every process.
    svg : str
        The drawing in SVG, to be put in a page or a file as it is. Making it needs Graphviz.
    animated_svg : str
        The same, with the gradients appearing in the order of the sweep; it has no script, and plays in an ``<img>``.
    html : str
        A page of its own to step through the sweep in a browser; it fetches nothing.
    text : str
        The whole graph as a tree, in at most 100 columns. It needs no Graphviz.
    """

    def __init__(
        self,
        dot: str,
        title: str,
        description: str,
        graph: Graph,
        tree: Callable[[], str],
        theme: str = "auto",
        raw: str = "",
        walks: Callable[[], Walks] | None = None,
    ) -> None:
        self.dot, self.title, self.description, self.graph, self.theme = dot, title, description, graph, theme
        self._tree = tree
        self._raw = raw  # what Graphviz would give, where it is not asked
        self._walks = walks  # where the whole graph is drawn, card by card

    @cached_property
    def svg(self) -> str:
        """The drawing in SVG, to be put in a page or a file as it is."""
        from hashlib import sha256  # here, as what only a picture needs is not to be loaded with the library

        from .engines import render
        from .svg import finish

        prefix = "ag" + sha256((self.theme + self.dot).encode()).hexdigest()[:12]
        raw = self._raw.encode() or render(self.dot, "svg")
        return finish(raw, prefix, self.title, self.description, self.theme == "auto")

    def to_graphviz(self) -> Any:
        """Give the drawing to the package `graphviz`, as a ``graphviz.Digraph``, to be added to or rendered there.

        Raises
        ------
        ModuleNotFoundError
            If it is not installed: nothing else here needs it.
        """
        try:
            from graphviz import Digraph
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("graphviz is missing: pip install graphviz", name="graphviz") from error
        _, *body, _ = self.dot.splitlines(keepends=True)  # it writes the braces itself
        return Digraph("autograd_mini", body=body)

    @cached_property
    def walks(self) -> Walks:
        """The sweep step by step, and what a walk in another order would have sent."""
        if self._walks is None:
            raise ValueError(
                "this drawing has no gradients to step through: draw() a result that has, with grads=True, and as a "
                "whole, with fold=False and without focus="
            )
        return self._walks()

    @cached_property
    def text(self) -> str:
        """The whole graph as a tree, in at most 100 columns. It needs no Graphviz."""
        return bare(self._tree())

    def show(self) -> None:
        """Print the tree, on a terminal in colours."""
        show(self._tree())

    @cached_property
    def animated_svg(self) -> str:
        """The drawing as an SVG in which the sweep runs."""
        from .animation import animate

        return animate(self.svg, self.walks, self.theme)

    @cached_property
    def html(self) -> str:
        """The drawing as a page to step through."""
        from .stepper import page

        return page(self.svg, self.walks, self.title, self.theme)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing into a file, whole or not at all, and give its path.

        Parameters
        ----------
        path : path
            Its suffix says in which format: .txt, .svg, .dot, .png, .pdf or .html.

        Raises
        ------
        ValueError
            If the suffix is another, or a page is to be made of a drawing without gradients.
        RuntimeError
            If there is no Graphviz to make it (.dot and .txt need none).
        """
        path = Path(path)
        form = FORMS.get(path.suffix.lower())
        if form is None:
            raise ValueError(f"a drawing is saved as {', '.join(FORMS)}, not as {path.name!r}: change the suffix")
        content = form(self)
        with replacing(path) as draft:
            draft.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def _image(self, form: str) -> bytes:
        from .engines import render

        return render(self.dot.replace("graph [", "graph [dpi=192 ", 1), form)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg, "text/plain": repr(self)}
        except RuntimeError as error:  # a notebook goes on without a picture
            return {"text/plain": f"{self!r}\n{error}"}

    def __repr__(self) -> str:
        return f"<Drawing: {self.description}>"


FORMS: dict[str, Callable[[Drawing], str | bytes]] = {  # suffix -> what is written
    ".txt": lambda drawing: drawing.text,
    ".svg": lambda drawing: drawing.svg,
    ".dot": lambda drawing: drawing.dot,
    ".png": lambda drawing: drawing._image("png"),
    ".pdf": lambda drawing: drawing._image("pdf"),
    ".html": lambda drawing: drawing.html,
}


@having(diff)
def draw(
    output: Node,
    *,
    grads: bool = True,
    values: bool = True,
    names: Mapping[str, Any] | None = None,
    title: str | None = None,
    direction: str | None = None,
    fold: bool | str = "auto",
    max_nodes: int = 2000,
    focus: Node | str | None = None,
    hops: int = 2,
    theme: str = "auto",
    check: bool = False,
) -> Drawing:
    """Draw how `output` was computed: a card a value, an edge a use, a box a module or a scope.

    The gradients are computed for the drawing, those of the sum of the entries of `output`; it
    makes no difference whether `backward()` was called, and no `.grad` changes.

    Parameters
    ----------
    output : Tensor
        What is drawn with everything behind it: as a rule the loss.
    grads, values : bool
        Whether to show them.
    names : dict, optional
        What to call Tensors and arrays: ``{"x": x, "model": model}``. A module gives names to all its
        parameters, and a dict or a list to what it holds. What they hold is drawn as parameters, and
        other Tensors then as inputs. A name of nothing in the drawing gives a warning.
    title : str, optional
        Stands above the drawing.
    direction : "LR" or "TB", optional
        From left to right or from top to bottom; by default the former, unless the graph is deep.
    fold : bool or "auto"
        Draw what is repeated three times or more, one after the other, as one card with the gradients of
        all. By default where there are more than 150 cards; of 100,000 there is a summary only.
    max_nodes : int
        Refuse to draw more cards than these.
    focus : Tensor or str, optional
        Draw only what is at most `hops` edges away from this Tensor, or what `names` calls so.
    hops : int
        See `focus`.
    theme : "auto", "light" or "dark"
        By default, the SVG is as dark as the page it stands in.
    check : bool
        Check every rule against differences of its own operation, as `testing.check_graph` does; mark the
        edge of one that is wrong, and every gradient that it has spoilt; and say beside each gradient what
        differences say: for an array, the root mean square. Every card is drawn. It takes a millisecond or two
        a card, as only the operations that use it are evaluated anew. Where a rule is wrong, they are for each
        entry of its operand; if those are more than 4,096, what is spoilt has no number.

    Raises
    ------
    ValueError
        If there are more cards than `max_nodes`, or `focus` is not among them; or if something is to be
        folded, left out or without gradients that is to be checked.
    RuntimeError
        If the graph was freed, or its data changed since it was recorded; ``grads=False`` draws it.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> x = ag.Tensor(2.0)
    >>> drawing = ag.draw(x * x, names={"x": x})
    >>> drawing.save("square.svg").name
    'square.svg'
    """
    if not isinstance(output, Node):
        raise TypeError(f"draw() takes the Tensor that was computed, not {type(output).__name__}")
    if direction not in (None, "LR", "TB"):
        raise ValueError(f'direction is "LR" (left to right) or "TB" (top to bottom), not {direction!r}')
    if theme not in THEMES:
        raise ValueError(f"theme is one of {', '.join(map(repr, THEMES))}, not {theme!r}")
    if fold not in (True, False, "auto"):
        raise ValueError(f'fold is True, False or "auto" (where there are more than {SMALL} cards), not {fold!r}')
    if check and (fold is True or focus is not None or not grads):
        raise ValueError("check=True marks every card and its gradient: leave out fold=True, focus= and grads=False")
    graph = shown = collect(output, names or {}, grads)
    if graph.unused:
        warnings.warn(
            f"names= of which nothing is in this drawing: {', '.join(graph.unused)}. They were not used, or through a "
            "copy",
            stacklevel=2,
        )
    if check:
        fold = False
    if fold == "auto" and focus is None and len(graph.cards) >= LARGE:
        from .overview import overview

        writer = Writer(graph, values, title, direction)
        return _painted(*overview(graph, writer), writer, graph, values, theme)
    if focus is not None:
        shown = near(graph, graph.find(focus), hops)
    if fold is True or (fold == "auto" and len(shown.cards) > SMALL):
        shown = folded(shown)
    if len(shown.cards) > max_nodes:
        raise ValueError(
            f"this drawing has {len(shown.cards):,} cards, more than max_nodes={max_nodes:,}: draw a part of it with "
            "focus=, fold what is repeated with fold=True, or pass a larger max_nodes="
        )
    if check:
        from .checked import mark

        mark(output, graph)
    writer = Writer(shown, values, title, direction)
    walks = partial(walk, still(output), graph) if grads and output.op and shown is graph else None
    return _painted(writer.text(), "", writer, graph, values, theme, walks)


def _painted(
    dot: str,
    raw: str,
    writer: Writer,
    graph: Graph,
    values: bool,
    theme: str,
    walks: Callable[[], Walks] | None = None,
) -> Drawing:
    """Make the drawing, in dark colours if they are wanted everywhere."""
    if theme == "dark":  # what the user calls things is escaped, and has no quotes
        dot, raw = (re.sub(r'"(#[0-9A-F]{6})"', lambda color: f'"{DARK[color[1]]}"', text) for text in (dot, raw))
    text = partial(tree, graph, values, writer.title)
    return Drawing(dot, writer.title or "Computation graph", writer.description(), graph, text, theme, raw, walks)


def bundle(output: Node) -> dict[str, str]:
    """Give what a notebook shows of a Tensor: its graph, if there is one and it is small, else its text."""
    text = {"text/plain": repr(output)}
    if not output.op or len(ancestors(output)) > SMALL:
        return text
    try:
        return {"image/svg+xml": draw(output).svg, **text}
    except RuntimeError:  # there is no Graphviz, or the graph was freed
        return text
