"""The pictures of docs/gallery.md: `python -m tests.gallery` draws them and writes the page; tests compare both."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np

import autograd_mini as ag
from autograd_mini.files import replacing

PICTURES = Path(__file__).parents[1] / "docs" / "gallery"


def xor():
    """The picture of the README: what it trains there, after 100 steps."""
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    model = ag.nn.MLP([2, 3, 2], activation="tanh", rng=0)
    optimizer = ag.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        ag.nn.cross_entropy(model(x), y).backward()
        optimizer.step()
    loss = ag.nn.cross_entropy(model(x), y)
    return ag.draw(loss, names={"model": model, "x": x, "y": y}, title="XOR, after 100 steps")


def neuron():
    """Scalars: value and gradient on each card, the local derivative on each edge. The gradient of a card is that
    derivative times the gradient of the next, so that the chain rule can be checked by eye."""
    x1, x2, w1, w2, b = map(ag.Tensor, (2.0, 0.0, -3.0, 1.0, 6.8813735870195432))
    y = ag.tanh(x1 * w1 + x2 * w2 + b)
    names = {"x1": x1, "x2": x2, "neuron": {"w1": w1, "w2": w2, "b": b}}
    return ag.draw(y, names=names, title="tanh(x1·w1 + x2·w2 + b)")


def contributions():
    """What is used several times: an edge for each use, and on it the gradient that is sent back. The card shows their
    sum. Below is the same for a terminal: `text`, or in colours `show()`."""
    x = ag.Tensor(1.5)
    return ag.draw(x * x * ag.sin(x) + x, names={"x": x}, title="x·x·sin(x) + x")


def sweep():
    """The backward sweep, step by step. The picture moves by itself, without a script: `animated_svg`; who asks for
    reduced motion sees it standing still. The page has buttons, a slider and the arrow keys, and also shows what a walk
    without topological order would have sent."""
    x = ag.Tensor(1.5)
    a, s = x * x, ag.sin(x)
    p = a * s
    return ag.draw(p + x, names={"x": x, "a": a, "s": s, "p": p}, title="The backward sweep")


def check():
    """With `check=True` differences have their say on every card. Here the rule of the sine was broken on purpose: its
    edge and every gradient that it spoils are red."""
    sin = ag.primitive("sin", np.sin, lambda g, y, x: g * y)
    x = ag.Tensor(1.5)
    a, s = x * x, sin(x)
    p = a * s
    y = p + x
    names = {"x": x, "a": a, "s": s, "p": p, "y": y}
    return ag.draw(y, names=names, title="Numeric gradient check, node by node", check=True)


def check_tensors():
    """The same of tensors: both numbers are root mean squares. A rule that was not transposed gives the right size, and
    is off all the same. At the kink of the relu differences from the left and from the right are told."""
    rng = np.random.default_rng(0)
    turned = ag.primitive("turned", lambda x: x.mT, lambda g, y, x: g)
    x, w, b = ag.Tensor(rng.normal(size=(4, 4))), ag.Tensor(rng.normal(size=(4, 4))), ag.Tensor(0.0)
    y = ag.sum(turned(x) * ag.tanh(w)) + ag.relu(b)
    return ag.draw(y, names={"x": x, "w": w, "b": b}, title="Who forgot to transpose?", check=True)


def difference():
    """Two graphs side by side: what is added, removed, or of another shape, matched by scope, operation and name."""
    x = np.ones((8, 4))
    before, after = ag.nn.MLP([4, 16, 2], rng=0), ag.nn.MLP([4, 32, 32, 2], activation="relu", rng=0)
    a, b = ag.mean(before(x) ** 2), ag.mean(after(x) ** 2)
    names, names_b = {"model": before, "x": x}, {"model": after, "x": x}
    return ag.draw.diff(a, b, names=names, names_b=names_b, title="Wider and deeper, with another activation")


def classifier():
    """Tensors: a box for each module, shapes on the edges, mean and standard deviation on the cards. Gradients are
    coloured by their size, and edges are as wide as what flows back along them; where nothing does they are dashed."""
    rng = np.random.default_rng(0)
    x, y = rng.random((64, 64)), rng.integers(0, 10, 64)
    model = ag.nn.MLP([64, 50, 10], activation="relu", rng=0)
    loss = ag.nn.cross_entropy(model(x), y)
    return ag.draw(loss, names={"model": model, "x": x, "y": y}, title="64 → 50 → 10, at initialisation")


def classifier_dark():
    """The same for a dark page. Unless a theme is asked for, an SVG follows the page that it stands in."""
    rng = np.random.default_rng(0)
    x, y = rng.random((64, 64)), rng.integers(0, 10, 64)
    model = ag.nn.MLP([64, 50, 10], activation="relu", rng=0)
    loss = ag.nn.cross_entropy(model(x), y)
    return ag.draw(loss, names={"model": model, "x": x, "y": y}, title="64 → 50 → 10, in the dark", theme="dark")


def attention():
    """Boxes of one's own: what is computed inside of `ag.scope` is drawn in one. Two residual paths go round them."""
    rng = np.random.default_rng(0)
    shapes = {"Wq": (16, 16), "Wk": (16, 16), "Wv": (16, 16), "Wo": (16, 16), "W1": (16, 32), "W2": (32, 16)}
    p = {name: ag.Tensor(rng.normal(0, 0.25, shape)) for name, shape in shapes.items()}
    x = ag.Tensor(rng.normal(size=(8, 16)))
    with ag.scope("attention"):
        scores = (x @ p["Wq"]) @ (x @ p["Wk"]).T / 4
        h = x + ag.softmax(scores) @ (x @ p["Wv"]) @ p["Wo"]
    with ag.scope("mlp"):
        h = h + ag.relu(h @ p["W1"]) @ p["W2"]
    return ag.draw(ag.mean(h * h), names={"x": x, "block": p}, title="A transformer block")


def vanishing():
    """What is repeated is folded: one card for 99 layers, with the gradient of each as a cell of heat, from the first
    to the last. Here the gradients vanish on their way back, and the drawing says so."""
    rng = np.random.default_rng(0)
    x, y, p = rng.random((32, 64)), rng.integers(0, 10, 32), {}
    h = x
    for i in range(1, 101):
        with ag.scope(f"layer {i}"):
            p[f"W{i}"] = ag.Tensor(rng.normal(0, 0.25, (h.shape[1], 32)))
            p[f"b{i}"] = ag.Tensor(np.zeros(32))
            h = ag.sigmoid(h @ p[f"W{i}"] + p[f"b{i}"])
    with ag.scope("head"):
        p["W"] = ag.Tensor(rng.normal(0, 0.25, (32, 10)))
        h = h @ p["W"]
    with ag.scope("cross-entropy"):
        loss = ag.nn.cross_entropy(h, y)
    return ag.draw(loss, names={"x": x, "y": y, "model": p}, title="100 layers with the sigmoid")


def exploding():
    """The opposite: weights so large that each layer sends back more than it got."""
    rng = np.random.default_rng(0)
    h, p = rng.normal(size=(32, 32)), {}
    for i in range(1, 41):
        with ag.scope(f"layer {i}"):
            p[f"W{i}"] = ag.Tensor(rng.normal(0, 0.4, (32, 32)))
            h = ag.sin(h @ p[f"W{i}"])
    return ag.draw(ag.mean(h * h), names={"model": p}, title="40 layers with the sine", fold=True)


def frozen():
    """Parameters that are frozen are dashed, and so are the ways to them. An input that is differentiated is none of
    the parameters, which are those of the modules, dicts and lists in `names`."""
    model, x = ag.nn.MLP([4, 8, 2], rng=0), ag.Tensor(np.linspace(-1, 1, 20).reshape(5, 4))
    model.layers[0].requires_grad_(False)
    return ag.draw(ag.mean(model(x) ** 2), names={"model": model, "x": x}, title="A frozen layer")


def not_finite():
    """Where it begins: the first value that is not finite, and the edge along which the first such gradient is sent,
    are red. What only inherits it is marked, no more."""
    x, w = ag.Tensor([4.0, 0.0, -1.0]), ag.Tensor([1.0, 2.0, 3.0])
    with np.errstate(invalid="ignore"):
        y = (ag.sqrt(x * w) * 2).sum()
    return ag.draw(y, names={"x": x, "w": w}, title="The root of a negative number")


def near():
    """A part of a large graph: what is at most three edges away from one weight."""
    model = ag.nn.MLP([8] + [16] * 60 + [3], rng=0)
    loss = model(np.ones((5, 8))).sum()
    return ag.draw(loss, names={"model": model}, focus="model.layers.40.weight", hops=3, title="One layer of sixty")


def summary():
    """Of 100,000 cards or more there is no picture: a card says what there is, and no Graphviz is started."""
    x = y = ag.Tensor(0.5)
    for _ in range(50_000):
        y = ag.sin(y) * 1.0001
    return ag.draw(y, names={"x": x}, title="A long chain")


FORMS: dict[str, Callable[[ag.Drawing], str]] = {  # suffix -> what is written
    ".svg": lambda drawing: drawing.svg,
    ".moving.svg": lambda drawing: drawing.animated_svg,
    ".html": lambda drawing: drawing.html,
}

GALLERY: dict[str, tuple[str, Callable[[], ag.Drawing], tuple[str, ...]]] = {
    "xor": ("The picture of the README", xor, (".svg",)),
    "neuron": ("A neuron", neuron, (".svg",)),
    "contributions": ("A value that is used four times", contributions, (".svg", ".txt")),
    "sweep": ("The sweep", sweep, (".moving.svg", ".html")),
    "check": ("A rule that is wrong", check, (".svg",)),
    "check-tensors": ("A wrong rule of tensors", check_tensors, (".svg",)),
    "classifier": ("A classifier", classifier, (".svg",)),
    "classifier-dark": ("A classifier in the dark", classifier_dark, (".svg",)),
    "attention": ("Attention", attention, (".svg",)),
    "vanishing": ("Gradients that vanish", vanishing, (".svg",)),
    "exploding": ("Gradients that explode", exploding, (".svg",)),
    "frozen": ("A frozen layer", frozen, (".svg",)),
    "not-finite": ("Where nan begins", not_finite, (".svg",)),
    "near": ("A part of a graph", near, (".svg",)),
    "difference": ("The difference of two graphs", difference, (".svg",)),
    "summary": ("A graph too large to be drawn", summary, (".svg",)),
}

HEAD = """# Gallery

Every kind of drawing that `ag.draw` makes, with the code that made it. The SVG follows the theme of the page; hovering
over a card shows shape, dtype and statistics, over an edge what it carries. What is computed in
`with ag.source_lines():` shows its source line too.

```python
import numpy as np
import autograd_mini as ag
```
"""


def page() -> str:
    """Give the text of docs/gallery.md."""
    parts = [HEAD]
    for name, (title, sample, forms) in GALLERY.items():
        source, doc = inspect.getsource(sample), inspect.getdoc(sample) or ""
        source = source.replace(f'    """{sample.__doc__}"""\n', "")
        parts.append(f"## {title}\n\n{doc}\n")
        for form in forms:
            if form == ".txt":
                parts.append(f"```text\n{sample().text}```\n")
            elif form == ".html":
                parts.append(f"[{title}, as a page](gallery/{name}.html): to be opened in a browser.\n")
            else:
                parts.append(f"![{title}](gallery/{name}{form})\n")
        parts.append(f"```python\n{source}```\n")
    return "\n".join(parts)


def files() -> dict[str, Callable[[], str]]:
    """Give the files of the gallery: their names, and what makes the text of each."""
    return {
        name + form: lambda sample=sample, write=FORMS[form]: write(sample())
        for name, (_, sample, forms) in GALLERY.items()
        for form in forms
        if form in FORMS
    }


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    for name, write in files().items():
        with replacing(PICTURES / name) as draft:
            draft.write_text(write(), encoding="utf-8")
    with replacing(PICTURES.with_suffix(".md")) as draft:
        draft.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
