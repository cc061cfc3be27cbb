"""The drawing of how one graph differs from another: what is paired, what is said of it, and how it looks."""

import inspect
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini.draw.diff import HOPS, KINDS, SMALL, match
from autograd_mini.draw.graph import collect
from autograd_mini.draw.theme import PALETTE

from .test_draw import HOSTILE, deep, edges, nodes


def net(sizes, activation="tanh", dtype="float64"):
    """A perceptron with a loss, and its names."""
    model = ag.nn.MLP(sizes, activation=activation, rng=0, dtype=dtype)
    x, y = np.ones((4, sizes[0]), dtype), np.zeros((4, sizes[-1]), dtype)
    return ag.nn.mse_loss(model(x), y), {"model": model, "x": x, "y": y}


def compare(a, b):
    (old, names), (new, names_b) = a, b
    return ag.draw.diff(old, new, names=names, names_b=names_b)


def listed(drawing):
    """Give the first line, and the words of the others."""
    first, *lines = drawing.text.splitlines()
    return first, [re.split(r"  +", line) for line in lines]


def test_equal_graphs_have_no_difference():
    drawing = compare(net([2, 3, 1]), net([2, 3, 1]))
    assert listed(drawing) == ("0 added, 0 removed, 0 changed, 12 the same", [])
    assert len(nodes(drawing)) == 12
    assert "penwidth=2 " not in drawing.dot


def test_another_activation_is_one_removed_and_one_added():
    first, lines = listed(compare(net([2, 3, 1]), net([2, 3, 1], "relu")))
    assert first == "1 added, 1 removed, 0 changed, 11 the same"
    assert lines == [["+ relu", "4×3", "MLP / layers.1"], ["− tanh", "4×3", "MLP / layers.1"]]


def test_another_width_is_changed_shapes():
    first, lines = listed(compare(net([2, 3, 1]), net([2, 5, 1])))
    assert first == "0 added, 0 removed, 6 changed, 6 the same"
    assert ["≠ θ weight", "2×3 → 2×5", "MLP / layers.0"] in lines
    assert ["≠ tanh", "4×3 → 4×5", "MLP / layers.1"] in lines
    assert ["≠ θ weight", "3×1 → 5×1", "MLP / layers.2"] in lines


def test_another_layer_is_added():
    drawing = compare(net([2, 3, 3]), net([2, 3, 3, 3]))
    first, lines = listed(drawing)
    assert first == "5 added, 0 removed, 0 changed, 12 the same"
    assert {scope for *_, scope in lines} == {"MLP / layers.3", "MLP / layers.4"}
    colors = [KINDS[kind].line for kind in ("added", "removed")]
    added, removed = (drawing.dot.count(f'color="{PALETTE[color][0]}" style=') for color in colors)
    assert (added, removed) == (6, 1)  # the edge from the old last layer to the loss


def test_another_dtype_is_a_change():
    _, lines = listed(compare(net([2, 1]), net([2, 1], dtype="float32")))
    assert all(line[1] == "float64 → float32" for line in lines)
    assert len(lines) == 7


x, w = ag.Tensor(2.0), ag.Tensor(3.0)
v = ag.Tensor(np.ones((3, 3)))


@pytest.mark.parametrize(
    ("a", "b", "lines"),
    [
        (x - w, w - x, [["≠ subtract", "operands in another order"]]),
        (x - w, x + w, [["+ add", "scalar"], ["− subtract", "scalar"]]),
        (x**2, x**3, [["+ ▷ 3", "scalar"], ["− ▷ 2", "scalar"]]),
        (x * w, x * x, [["− θ w", "scalar"]]),
        (ag.sin(ag.sin(ag.sin(x))), ag.sin(ag.sin(x)), [["− sin", "scalar"]]),
        (ag.sin(x), ag.sin(ag.sin(x)), [["+ sin", "scalar"]]),
        (ag.exp(x * w), ag.exp(x * w), []),
        (x, x, []),
        (x, w, [["+ ◎ w", "scalar"], ["− ◎ x", "scalar"]]),
        (v.sum(axis=0), v.sum(axis=1), [["≠ sum", "1×3 → 3×1, axis 0 → 1"]]),
        ((x * w) + (x * 5), (x * 5) + (x * w), [["≠ add", "operands in another order"]]),
        (x * w + ag.exp(x), x * w + ag.exp(w), [["≠ exp", "other operands"]]),
    ],
)
def test_expressions(a, b, lines):
    drawing = ag.draw.diff(a, b, names={"x": x, "w": w})
    assert listed(drawing)[1] == lines


def test_what_is_the_same_behind_is_paired_however_far_it_moved():
    def graph(change):
        a = ag.tanh(x * w + 1)
        return collect(change(a * ag.exp(a)), {"x": x, "w": w}, False)

    old, new = graph(lambda y: y), graph(lambda y: ag.log(ag.cosh(y) + 2) * 7)
    pairs = match(old, new)
    assert set(pairs) == set(range(len(old.cards)))
    assert [old.cards[i].op for i in pairs] == [new.cards[j].op for j in pairs.values()]


def test_long_graphs_are_compared_in_linear_time_and_drawn_where_they_differ():
    a, b = deep(20_000)[1], ag.exp(deep(10_000)[1])
    for _ in range(10_000):
        b = ag.sin(b)
    drawing = ag.draw.diff(a, b)
    assert listed(drawing)[0] == "1 added, 0 removed, 0 changed, 20,001 the same"
    assert len(nodes(drawing)) == 1 + 2 * HOPS
    assert "19,997 cards further away are the same and not shown" in drawing.dot


def test_graphs_with_nothing_in_common_are_compared():
    a = deep(SMALL)[1]
    b = ag.Tensor(0.5)
    for _ in range(300):
        b = ag.cos(b)
    first, lines = listed(ag.draw.diff(a, b))
    assert first == f"300 added, {SMALL} removed, 0 changed, 1 the same"
    assert lines[-1] == ["… and 250 more"]


def test_parallel_edges_are_counted():
    drawing = ag.draw.diff(x * x, x * w, names={"x": x, "w": w})
    assert sorted(edges(drawing)) == [(0, 2), (0, 2), (1, 2)]
    assert drawing.dot.count("style=dashed penwidth=2") == 1  # x goes in once, no longer twice


def test_it_is_drawn_and_saved_as_a_drawing_is(tmp_path):
    drawing = ag.draw.diff(x * w, ag.tanh(x * w), names={"x": x, "w": w}, title="with tanh")
    assert isinstance(drawing, ag.Drawing)
    text = " ".join(ET.fromstring(drawing.svg).itertext())
    for word in ("with tanh", "+ added", "the same", "+ tanh", "θ x"):
        assert word in text
    assert "− removed" not in text
    assert drawing.save(tmp_path / "diff.dot").read_text(encoding="utf-8") == drawing.dot
    assert drawing.save(tmp_path / "diff.txt").read_text(encoding="utf-8").splitlines() == [
        "with tanh", "1 added, 0 removed, 0 changed, 3 the same", "+ tanh  scalar",
    ]  # fmt: skip


@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE)), min_size=2, max_size=2, unique=True))
def test_any_text_is_only_text(names):
    drawing = ag.draw.diff(x * w, x + w, names=dict(zip(names, (x, w), strict=True)), title=names[0])
    root = ET.fromstring(drawing.svg)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"a", "script", "image", "foreignObject"}
    assert len(re.findall(r"^  [no]\d+ \[", drawing.dot, re.MULTILINE)) == 4
    assert all(line.isprintable() for line in drawing.text.removesuffix("\n").split("\n"))


def test_signs_and_colours_differ():
    assert len({kind.sign for kind in KINDS.values()}) == len({kind.ground for kind in KINDS.values()}) == len(KINDS)


def test_draw_is_a_function_still():
    assert inspect.isfunction(ag.draw)
    assert "names" in inspect.signature(ag.draw).parameters
    assert inspect.isfunction(ag.draw.diff)


def test_something_else_is_refused():
    with pytest.raises(TypeError, match=r"draw\.diff\(\) takes the two Tensors that were computed, not float"):
        ag.draw.diff(x, 2.0)
