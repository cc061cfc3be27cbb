"""Drawings of a recorded graph: what was computed, from what, and the gradient of everything."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ..core import Node
from ..files import replacing
from .diff import diff, having
from .dot import Writer
from .graph import collect
from .text import bare, show, tree

__all__ = ["Drawing", "draw"]

TEXTS = {".txt": "text", ".svg": "svg", ".dot": "dot"}  # suffix -> attribute of a Drawing
SUFFIXES = (*TEXTS, ".png", ".pdf")


class Drawing:
    """A picture of a graph, as it was when it was drawn. It shows itself in a notebook.

    Attributes
    ----------
    dot : str
        The drawing in DOT, the language of Graphviz; the same for the same graph in every process.
    svg : str
        The drawing in SVG, to be put in a page or a file as it is. Making it needs Graphviz.
    text : str
        The drawing as a tree, in at most 100 columns. It needs no Graphviz.
    """

    def __init__(self, dot: str, title: str, description: str, tree: Callable[[], str]) -> None:
        self.dot, self.title, self.description, self._tree = dot, title, description, tree

    @cached_property
    def text(self) -> str:
        """The drawing as a tree, in at most 100 columns. It needs no Graphviz."""
        return bare(self._tree())

    def show(self) -> None:
        """Print the tree, on a terminal in colours."""
        show(self._tree())

    @cached_property
    def svg(self) -> str:
        """The drawing in SVG, to be put in a page or a file as it is."""
        from hashlib import sha256  # here, as what only a picture needs is not to be loaded with the library

        from .engines import render
        from .svg import finish

        prefix = "ag" + sha256(self.dot.encode()).hexdigest()[:12]
        return finish(render(self.dot, "svg"), prefix, self.title, self.description)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing into a file, whole or not at all, and give its path.

        Parameters
        ----------
        path : path
            Its suffix says in which format: .svg, .dot, .png, .pdf or .txt.

        Raises
        ------
        ValueError
            If the suffix is another.
        RuntimeError
            If there is no Graphviz to make it (.dot and .txt need none).
        """
        path = Path(path)
        form = path.suffix.lower()
        if form not in SUFFIXES:
            raise ValueError(f"a drawing is saved as {', '.join(SUFFIXES)}, not as {path.name!r}: change the suffix")
        if form in TEXTS:
            content = getattr(self, TEXTS[form]).encode()
        else:
            from .engines import render

            content = render(self.dot.replace("graph [", "graph [dpi=192 ", 1), form[1:])
        with replacing(path) as draft:
            draft.write_bytes(content)
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg, "text/plain": repr(self)}
        except RuntimeError as error:  # a notebook goes on without a picture
            return {"text/plain": f"{self!r}\n{error}"}

    def __repr__(self) -> str:
        return f"<Drawing: {self.description}>"


@having(diff)
def draw(
    output: Node,
    *,
    names: Mapping[str, Any] | None = None,
    grads: bool = True,
    values: bool = True,
    title: str | None = None,
    direction: str | None = None,
    max_nodes: int = 2000,
) -> Drawing:
    """Draw how `output` was computed: a card a value, an edge a use, a box a module.

    The gradients are computed for the drawing, those of the sum of the entries of `output`; it
    makes no difference whether `backward()` was called, and no `.grad` changes.

    Parameters
    ----------
    output : Tensor
        What is drawn with everything behind it: as a rule the loss.
    names : dict, optional
        What to call Tensors and arrays: ``{"x": x, "model": model}``. A module gives names to all
        its parameters.
    grads, values : bool
        Whether to show them.
    title : str, optional
        Stands above the drawing.
    direction : "LR" or "TB", optional
        From left to right or from top to bottom; by default the former, unless the graph is deep.
    max_nodes : int
        Refuse to draw more cards than these.

    Raises
    ------
    ValueError
        If there are more cards than `max_nodes`.
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
    graph = collect(output, names or {}, grads, max_nodes)
    writer = Writer(graph, values, title, direction)
    text = partial(tree, graph, values, writer.title)
    return Drawing(writer.text(), writer.title or "Computation graph", writer.description(), text)
