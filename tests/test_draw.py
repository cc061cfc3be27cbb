"""The drawing of a graph: what it shows, that it is the same everywhere, and that no text breaks it."""

import copy
import os
import pickle
import re
import shutil
import subprocess
import sys
import threading
import warnings
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import graphviz
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini.draw import Drawing, draw, engines
from autograd_mini.draw.dot import plain
from autograd_mini.draw.fold import focus, fold
from autograd_mini.draw.graph import collect
from autograd_mini.draw.summary import Summary, number
from autograd_mini.draw.theme import DARK, HEAT, PALETTE, ROLES, chip

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = [
    '"', "'", "\\", "\\N \\G \\E \\T", "x\\", "</TABLE>", "</TD></TR></TABLE>>] evil [label=<", "&", "&amp;", "&evil;",
    "&#0;", "a\nb\r\tc", "\x00\x1b[31m", "javascript:alert(1)", "<script>alert(1)</script>", "]]>", "<!-- -->",
    '" onload="alert(1)', "\u202eevil\u2066", "🙂👩‍👩‍👧 é ü ﷽", "{|}<port>; -> -- // /* */ #", "long " * 1000,
]  # fmt: skip


# -- what is drawn ---------------------------------------------------------------------------------


def neuron():
    """One tanh neuron, with round numbers for gradients."""
    x1, x2, w1, w2, b = map(ag.Tensor, (2.0, 0.0, -3.0, 1.0, 6.8813735870195432))
    return ag.tanh(x1 * w1 + x2 * w2 + b), {"x1": x1, "x2": x2, "w1": w1, "w2": w2, "b": b}


def mlp():
    """A small perceptron with a loss; every weight is given."""
    model = ag.nn.MLP([2, 3, 1])
    for tensor in model.parameters():
        tensor.data = np.linspace(-1, 0.5, tensor.size).reshape(tensor.shape)
    x, y = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[1.0], [1.0], [0.0]])
    return ag.nn.mse_loss(model(x), y), {"model": model, "x": x, "y": y}


def deep(steps):
    """A long chain."""
    x = y = ag.Tensor(0.5)
    for _ in range(steps):
        y = ag.sin(y)
    return x, y


def contributions():
    """A value that is used four times."""
    x = ag.Tensor(1.5)
    return x * x * ag.sin(x) + x, {"x": x}


def root():
    """A root that is not a number, and another that has no slope."""
    x = ag.Tensor([4.0, 0.0, -1.0])
    with np.errstate(all="ignore"):
        return (ag.sqrt(x * 3.0) * 2.0).sum(), {"x": x}


def layers():
    """A network of equal layers, each in its scope, and a head."""
    return layered(5)


SAMPLES = {"neuron": neuron, "mlp": mlp}
DRAWN = {**SAMPLES, "contributions": contributions, "root": root, "layers": layers}


@pytest.fixture(params=["wheel", "path"] if shutil.which("dot") else ["wheel"])
def engine(request, monkeypatch):
    """Each Graphviz that there is."""
    if request.param == "wheel":
        monkeypatch.setenv("PATH", "")
        assert len(engines.commands("svg")) == 1


@pytest.fixture
def no_graphviz(monkeypatch):
    """Neither `dot` nor `pygraphviz`."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(engines, "find_spec", lambda name: None)


def nodes(drawing):
    """Give the lines of the cards."""
    return re.findall(r"^ *(n\d+ \[.*)$", drawing.dot, re.MULTILINE)


def edges(drawing):
    """Give the edges as pairs of numbers."""
    return [(int(i), int(j)) for i, j in re.findall(r"^ *n(\d+) -> n(\d+) ", drawing.dot, re.MULTILINE)]


def words(text):
    """Give text without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^<>]*>", " ", text)).strip()


def card(drawing, what):
    """Give the text on the only card that has this text."""
    found = [words(re.search(r"label=<(.*)> id=", line)[1]) for line in nodes(drawing)]
    [only] = [text for text in found if re.search(what, text)]
    return only


@pytest.mark.parametrize("name", DRAWN)
def test_the_dot_is_the_golden_one(name):
    output, names = DRAWN[name]()
    drawing = draw(output, names=names, title=name, fold=name == "layers")
    assert drawing.dot == (GOLDEN / f"{name}.dot").read_text(encoding="utf-8")


def test_the_dot_does_not_depend_on_the_process():
    code = "from tests.test_draw import *; o, n = mlp(); print(hash('a'), draw(o, names=n).dot)"
    root = Path(__file__).parent.parent
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout.split(b" ", 1)
        for seed in "12"
    ]
    assert said[0][0] != said[1][0]
    assert said[0][1] == said[1][1]


def test_scalars_show_value_and_gradient():
    output, names = neuron()
    drawing = draw(output, names=names)
    assert card(drawing, "x1") == "θ x1 value 2 grad −1.5"
    assert card(drawing, "θ b") == "θ b value 6.88 grad 0.5"
    assert card(drawing, "tanh") == "tanh 0.707 ∇ 1 · seed"
    assert card(drawing, r"\+ value 0.881").endswith("grad 0.5")


def test_tensors_show_shape_summary_and_gradient():
    loss, names = mlp()
    drawing = draw(loss, names=names)
    assert card(drawing, "▷ x") == "▷ x 3×2 0.67 ± 0.47"
    assert re.fullmatch(r"θ weight 2×3 · 6 −0.25 ± 0.51 ∇ [\d.]+", card(drawing, "2×3"))
    assert "mse" in card(drawing, "seed")
    assert f"{number(loss.item())}" in card(drawing, "seed")


def test_gradients_are_those_of_backward():
    loss, names = mlp()
    drawing = draw(loss, names=names)
    loss.backward()
    for path, tensor in names["model"].named_parameters():
        rms = number(np.sqrt(np.mean(tensor.grad**2)))
        assert rms in card(drawing, f"{path.split('.')[-1]} {'×'.join(map(str, tensor.shape))} .*{rms}")


def test_before_and_after_backward_are_the_same():
    loss, names = mlp()
    before = draw(loss, names=names).dot
    loss.backward()
    assert draw(loss, names=names).dot == before


def test_drawing_leaves_gradients_alone():
    output, names = neuron()
    draw(output)
    assert all(x.grad is None for x in names.values())
    output.backward()
    grads = {name: x.grad for name, x in names.items()}
    draw(output)
    assert all(x.grad is grads[name] for name, x in names.items())


def test_an_optimiser_step_keeps_the_numbers_of_cards():
    loss, names = mlp()
    before = edges(draw(loss, names=names))
    loss.backward()
    ag.optim.SGD(names["model"].parameters(), 0.1).step()
    again = ag.nn.mse_loss(names["model"](names["x"]), names["y"])
    assert edges(draw(again, names=names)) == before


def test_a_square_keeps_both_edges(engine):
    x = ag.Tensor(3.0)
    drawing = draw(x * x)
    assert edges(drawing) == [(0, 1), (0, 1)]
    assert drawing.svg.count("marker") == 0
    assert len(re.findall(r'id="ag\w+-e\d+"', drawing.svg)) == 2


def test_an_array_used_twice_is_one_card_and_each_number_its_own():
    x, a = ag.Tensor(np.ones(3)), np.ones(3)
    assert len(nodes(draw(x * a + a))) == 4
    assert len(nodes(draw(x * 2.0 + 2.0))) == 5


def test_a_frozen_tensor_is_data_without_gradient():
    x, frozen = ag.Tensor(np.ones(2)), ag.Tensor(np.ones(2), requires_grad=False)
    drawing = draw((x * frozen).sum(), names={"frozen": frozen})
    assert card(drawing, "frozen") == "▷ frozen 2 [1, 1]"
    [line] = [line for line in nodes(drawing) if ">frozen<" in line]
    assert "dashed" in line
    assert "no gradient" in line


def test_class_ids_that_have_a_name_are_drawn():
    logits, ids = ag.Tensor(np.zeros((3, 2))), np.array([0, 1, 1])
    drawing = draw(ag.nn.cross_entropy(logits, ids), names={"y": ids})
    assert card(drawing, "y") == "▷ y 3 [0, 1, 1]"
    assert "y" not in draw(ag.nn.cross_entropy(logits, ids)).dot.split("> id=")[0]


def test_an_output_with_axes_is_seeded_with_ones():
    x = ag.Tensor(np.array([[1.0, 2.0]]))
    drawing = draw(x * x, names={"x": x})
    assert "∂ Σ output / ∂ card, from a seed of ones" in drawing.dot
    assert number(np.sqrt((4 + 16) / 2)) in card(drawing, "x")


def test_an_output_that_nothing_led_to_is_one_card():
    constant = draw(ag.Tensor(1.5, requires_grad=False))
    assert (len(nodes(constant)), edges(constant)) == (1, [])
    assert card(constant, "") == "▷ 1.5"
    leaf = draw(ag.Tensor(1.5))
    assert card(leaf, "") == "◎ 1.5 ∇ 1 · seed"


def test_gradients_and_values_can_be_left_out():
    loss, names = mlp()
    assert "∇" not in draw(loss, names=names, grads=False).dot
    bare = draw(loss, names=names, values=False)
    assert card(bare, "▷ x") == "▷ x 3×2"
    assert "value" not in bare.dot


def test_parameters_of_operations_are_in_the_hint():
    x = ag.Tensor(np.ones((2, 3)))
    assert r"\naxis = " in draw(ag.sum(x, axis=1).sum()).dot


def test_a_deep_graph_goes_down():
    assert "rankdir=LR" in draw(deep(3)[1]).dot
    assert "rankdir=TB" in draw(deep(30)[1]).dot
    assert "rankdir=TB" in draw(deep(3)[1], direction="TB").dot


def test_a_hundred_thousand_nodes_do_not_recurse(no_graphviz):
    x, y = deep(100_000)
    drawing = draw(y, names={"x": x})
    assert "sin 100,000" in drawing.dot
    assert "depth" in drawing.svg  # and no engine was started
    assert_safe(drawing.svg)
    assert draw(y, fold=False, max_nodes=200_000).dot.count("\n") > 200_000
    with pytest.raises(ValueError, match=r"100,001 cards, more than max_nodes=2,000"):
        draw(y, fold=False)


@pytest.mark.parametrize(
    "value", [0.0, np.nan, np.inf, -np.inf, 1e300, 1e-300, [], [[]], [np.nan, 1.0], [np.inf, -np.inf], [0.0] * 9]
)
def test_any_value_can_be_drawn(value, engine):
    x = ag.Tensor(value)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")
        drawing = draw((x * x).sum(), names={"x": x})
        assert ET.fromstring(drawing.svg).tag.endswith("svg")


def test_what_is_not_finite_is_marked():
    x = ag.Tensor([np.nan, 1.0, 2.0, 3.0])
    drawing = draw(x.sum() * np.inf, names={"x": x})
    assert card(drawing, "θ x") == "θ x 4 1 of 4 not finite ! ∇ inf ! nan first here"


@pytest.mark.parametrize(
    ("x", "text"),
    [(0.0, "0"), (-0.0, "0"), (2.0, "2"), (-1.5, "−1.5"), (0.00205, "0.00205"), (4.7e-6, "4.7e−6"), (1e-9, "1e−9"),
     (123456.0, "1.2e5"), (1234.5, "1234"), (99.96, "100"), (np.nan, "nan"), (-np.inf, "−inf"), (5e-324, "4.9e−324")],
)  # fmt: skip
def test_numbers_are_short(x, text):
    assert number(x) == text


def test_summaries_do_not_overflow():
    assert Summary.of(np.array([1e200, -1e200])).rms == pytest.approx(1e200)
    assert Summary.of(np.array([3e-200, -4e-200])).rms == pytest.approx(np.sqrt(12.5) * 1e-200)
    assert Summary.of(np.full(2, 6e4, np.float16)).mean == pytest.approx(6e4, rel=1e-3)
    assert Summary.of(np.zeros(5)).heat(1.0) == HEAT[0]
    assert [Summary.of(np.full(5, x)).heat(1.0) for x in (1e-9, 0.1, 1.0, 20.0, 1e9)] == [-3, -1, 0, 1, 3]
    assert Summary.of(np.array([np.nan])).heat(1.0) is None


def test_arrays_are_looked_through_together_as_each_alone():
    rng = np.random.default_rng(0)
    values = [
        rng.normal(size=shape) * scale for shape in ((3,), (2, 3), (3, 2), (1, 3)) for scale in (1, 1e200, 1e-200)
    ]
    values += [2.5, np.float32(1), np.array(-0.0), np.zeros((0, 3)), np.zeros(3), np.full((3, 1), np.nan)]
    values += [np.array([1, -np.inf, 0]), np.arange(3), np.array([True, False, True]), np.ones((3, 2), np.float16).T]
    values += [np.arange(6.0).reshape(2, 3).T, *rng.normal(size=(2, 300, 300))]
    together = Summary.each(values)
    assert [repr(x) for x in together] == [repr(Summary.of(x)) for x in values]
    for value, found in zip(values, together, strict=True):
        x = np.asarray(value, float)
        assert (found.shape, found.size) == (x.shape, x.size)
        assert found.odd == np.count_nonzero(~np.isfinite(x))
        assert repr(found.entries) == repr(tuple(x.ravel().tolist()) if x.ndim < 2 and x.size <= 3 else ())
        if 1e-100 < np.max(np.abs(x), initial=0) < 1e100:
            expected = x.min(), x.mean(), x.max(), x.std(), np.sqrt(np.mean(x * x))
            assert (found.least, found.mean, found.most, found.std, found.rms) == pytest.approx(expected)
            assert found.zeros == pytest.approx(np.mean(x == 0))


def test_only_of_a_large_graph_edges_are_left_bent():
    assert "nslimit" not in draw(deep(998)[1], fold=False).dot
    assert "nslimit=0" in draw(deep(999)[1], fold=False).dot
    assert "nslimit" not in draw(deep(999)[1], fold=True).dot


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(TypeError, match="takes the Tensor that was computed, not ndarray"):
        draw(np.ones(2))
    with pytest.raises(TypeError, match="a Tensor, an array or a module, not int"):
        draw(ag.Tensor(1.0), names={"x": 3})
    with pytest.raises(ValueError, match='"LR"'):
        draw(ag.Tensor(1.0), direction="up")


def test_a_freed_graph_is_refused():
    x = ag.Tensor(1.0)
    y = x * x
    y.backward(retain_graph=False)
    with pytest.raises(RuntimeError, match="freed"):
        draw(y)


def test_changed_data_is_refused_unless_gradients_are_left_out():
    x = ag.Tensor(1.0)
    y = x * x
    x.data = 2.0
    with pytest.raises(RuntimeError, match="changed"):
        draw(y)
    assert len(nodes(draw(y, grads=False))) == 2


def labels(drawing):
    """Give what is written on the edges."""
    return [words(text) for text in re.findall(r"^ *n\d+ -> n\d+ .* label=<(.*?)> tooltip", drawing.dot, re.MULTILINE)]


def hints(drawing):
    """Give what hovering over the edges says."""
    return re.findall(r'^ *n\d+ -> n\d+ .*tooltip="(.*)"\]', drawing.dot, re.MULTILINE)


# -- what flows along the edges --------------------------------------------------------------------


def test_edges_of_scalars_carry_the_local_derivative():
    output, names = neuron()
    drawing = draw(output, names=names)
    assert labels(drawing) == [f"∂ {x}" for x in ("−3", "2", "1", "0", "1", "1", "1", "1", "0.5")]
    assert hints(drawing)[0] == "sends back −3 × 0.5 = −1.5"
    assert "∂ on an edge" in words(drawing.dot)


def test_where_a_value_is_used_twice_edges_carry_gradients_and_the_card_their_sum():
    x = ag.Tensor(1.5)
    drawing = draw(x * x * ag.sin(x) - x, names={"x": x})
    assert labels(drawing) == [f"∇ {x}" for x in ("1.5", "1.5", "0.159", "0.997", "2.25", "1", "−1")]
    assert card(drawing, "x") == "θ x value 1.5 grad 2.15 Σ 1.5 + 1.5 + 0.159 − 1"
    stacked = draw(ag.stack([x * ag.Tensor(np.ones(2)), x * ag.Tensor(np.ones(2))]).sum(), names={"x": x})
    assert card(stacked, "θ x") == "θ x value 1.5 grad 4 Σ 2 + 2"
    tensor = ag.Tensor(np.ones(2))
    assert card(draw((tensor * tensor).sum(), names={"x": tensor}), "θ x") == "θ x 2 [1, 1] ∇ 2 · Σ 2"
    y = x
    for _ in range(9):
        y = y + x
    assert "Σ 1 + 1 + 1 + 1 + 1 + 1 + … (10 terms)" in card(draw(y, names={"x": x}), "θ x")


def test_no_derivative_is_shown_where_none_is_computed():
    output, names = neuron()
    assert labels(draw(output, names=names, grads=False)) == []
    frozen = draw(ag.Tensor(2.0) * ag.Tensor(3.0, requires_grad=False))
    assert labels(frozen) == ["∂ 3"]
    assert re.search(r"n1 -> n2 .*style=dashed.*no gradient flows here", frozen.dot)


def test_edges_of_tensors_carry_shapes_and_are_as_wide_as_their_gradient():
    x = ag.Tensor(np.ones((2, 3)))
    drawing = draw(((x * 1e-3).sum(axis=0) * 1e-2).sum(), names={"x": x})
    assert labels(drawing) == ["2×3", "1×3", "3", "3"]
    widths = [float(width) for width in re.findall(r"n\d+ -> n\d+ .*penwidth=([\d.]+)", drawing.dot)]
    by_edge = dict(zip(edges(drawing), widths, strict=True))
    used = [by_edge[i, j] for i, j in edges(drawing) if (i, j) in by_edge and by_edge[i, j] != 1]
    assert used == sorted(used)
    assert used[-1] - used[0] == pytest.approx(0.6 * 5)


# -- parameters, inputs, and what is frozen --------------------------------------------------------


def test_inputs_parameters_and_frozen_parameters_are_told_apart_where_it_is_known():
    model, x = ag.nn.MLP([2, 2, 1]), ag.Tensor(np.ones((1, 2)))
    model.layers[0].requires_grad_(False)
    drawing = draw(model(x).sum(), names={"model": model, "x": x})
    assert card(drawing, "▷").startswith("▷ x 1×2")
    frozen = [line for line in nodes(drawing) if "frozen parameter model.layers.0" in line]
    assert len(frozen) == 2
    assert all("dashed" in line and "∇" not in line for line in frozen)
    assert all(word in words(drawing.dot) for word in ("▷ input", "θ parameter ", "θ frozen parameter"))
    assert "θ parameter or input" in words(draw(model(x).sum()).dot)


def test_a_dict_or_a_list_holds_parameters():
    x, w, b = map(ag.Tensor, (1.0, 2.0, 3.0))
    drawing = draw(x * w + b, names={"x": x, "layer": {"w": w, "deep": [b]}})
    assert [card(drawing, what)[:3] for what in ("x", "w", "deep")] == ["▷ x", "θ w", "θ d"]
    assert "parameter layer.deep.0" in drawing.dot
    assert card(draw(x * w, names={"ws": [x, w]}), "ws.1").startswith("θ ws.1")


def test_tensors_may_have_names_and_those_of_modules_have():
    x = ag.Tensor(np.ones((1, 2)), name="my x")
    drawing = draw(ag.nn.Linear(2, 2)(x).sum(), names={})
    assert [card(drawing, what)[:8] for what in ("my x", "weight", "bias")] == ["θ my x 1", "θ weight", "θ bias 2"]
    assert card(draw(x * 2.0, names={"other": x}), "other").startswith("θ other")
    assert copy.deepcopy(x).name == pickle.loads(pickle.dumps(x)).name == "my x"
    holder = ag.nn.Module()
    holder.mine, holder.several = x, [ag.Tensor(1.0)]
    assert (x.name, holder.several[0].name) == ("my x", "several.0")
    assert not hasattr(x * 2.0, "name")


def test_a_name_of_nothing_in_the_drawing_gives_a_warning():
    x, other = ag.Tensor(np.ones(2)), ag.Tensor(np.ones(2))
    with pytest.warns(UserWarning, match=r"nothing is in this drawing: other, more\.") as caught:
        draw(x.sum(), names={"x": x, "other": other, "more": np.arange(3)})
    assert caught[0].filename == __file__


# -- where values cease to be finite ---------------------------------------------------------------


def test_the_first_value_and_the_first_gradient_that_are_not_finite_are_marked():
    x = ag.Tensor([4.0, -1.0])
    with np.errstate(all="ignore"):
        drawing = draw((ag.sqrt(x * 3.0) * 2.0).sum(), names={"x": x})
    assert card(drawing, "sqrt").endswith("! nan first here")
    assert card(drawing, "∇ nan first").startswith("×")  # to where sqrt sent it
    assert drawing.dot.count("first here") == 2
    red = [line for line in drawing.dot.splitlines() if "->" in line and "! ∇ nan" in line]
    assert len(red) == 1
    assert words(card(drawing, "x")).endswith("! ∇ nan")  # not the first


def test_scalars_that_are_not_finite_are_marked():
    x = ag.Tensor(0.0)
    with np.errstate(all="ignore"):
        drawing = draw(ag.log(x) * 0.0, names={"x": x})
    assert card(drawing, "log") == "log value ! −inf grad 0 ! inf first here"
    assert card(drawing, "θ x") == "θ x value 0 grad ! nan ! ∇ nan first here"
    assert "! nan" in card(drawing, "seed")


def test_gradients_that_vanish_or_explode_are_called_out():
    def chain(factor):
        y, ws = np.ones((1, 2)), [ag.Tensor(np.eye(2) * factor) for _ in range(8)]
        for w in ws:
            y = ag.tanh(y @ w)
        return draw(y.sum(), names={"ws": ws})

    assert "▼ vanishing: ∇ of the first parameters" in chain(5.0).dot
    assert "vanishing" not in chain(1.0).dot
    x = y = ag.Tensor(np.full(2, 1e-3))
    ws = [ag.Tensor(np.full(2, 9.0)) for _ in range(8)]
    for w in ws:
        y = ag.sin(y * w)
    exploding = draw((y * 1e-9 + ws[0] * 1e6 * x).sum(), names={"ws": ws})
    assert "▲ exploding" in exploding.dot
    assert "exploding" not in chain(5.0).dot


# -- less than everything --------------------------------------------------------------------------


def folds(drawing):
    """Give the text on the cards that stand for many."""
    found = [words(re.search(r"label=<(.*)> id=", line)[1]) for line in nodes(drawing)]
    return [text for text in found if " card" in text]


def layered(layers):
    """A network of equal layers, each in its scope, and a head."""
    h, ws = np.ones((3, 4)), []
    for i in range(1, layers + 1):
        with ag.scope(f"layer {i}"):
            ws.append(ag.Tensor(np.eye(4) * 0.5))
            h = ag.sigmoid(h @ ws[-1] + 1.0)
    with ag.scope("head"):
        return ag.mean(h * h), {"ws": ws}


def test_repeated_scopes_are_one_card_with_a_strip_of_heat():
    loss, names = layered(60)
    drawing = draw(loss, names=names)
    many, head = folds(drawing)
    assert re.fullmatch(r"layer 1 … 60 × 60 matmul → \+ → sigmoid θ 960 · 300 cards ∇ first .* ▼ vanishing", many)
    assert re.fullmatch(r"head × → mean 2 cards [\d.]+ ∇ 1 · seed", head)
    assert drawing.dot.count('FIXEDSIZE="TRUE"') == 60
    assert edges(drawing) == [(0, 1), (1, 2)]
    assert "303 cards folded into 3: 182 operations, 960 numbers in parameters" in drawing.dot
    assert repr(drawing).startswith("<Drawing: 303 cards folded into 3")
    assert len(drawing.graph.cards) == 303


def test_folding_can_be_asked_for_or_refused():
    loss, names = layered(5)
    assert folds(draw(loss, names=names)) == []
    assert "layer 1 … 5 × 5" in folds(draw(loss, names=names, fold=True))[0]
    assert folds(draw(layered(60)[0], fold=False)) == []
    assert folds(draw(layered(2)[0], fold=True)) == []  # twice is not often


def test_modules_fold_together_with_what_stands_between_them():
    model = ag.nn.MLP([4] * 12, rng=0)
    drawing = draw(model(np.ones((2, 4))).sum(), names={"model": model}, fold=True)
    assert boxes(drawing)[0][1] == "MLP"
    assert folds(drawing)[0].startswith("layers.0 … 18 × 10 matmul → + → tanh θ 200")


def test_a_chain_folds_without_scopes():
    drawing = draw(deep(1000)[1])
    assert folds(drawing)[0].startswith("sin × 999 999 cards")
    assert drawing.dot.count('FIXEDSIZE="TRUE"') == 100


def test_edges_between_folded_cards_are_one():
    h = ag.Tensor(np.ones(3))
    for i in range(4):
        with ag.scope(f"block {i}"):
            h = h + ag.tanh(h * 2.0)  # h comes in twice
    drawing = draw((h * h).sum(), fold=True)
    assert edges(drawing) == [(0, 1), (1, 2), (1, 2), (2, 3)]  # of a card that is not folded all are kept


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("+*s[]"), st.integers(1, 4)), max_size=60), st.booleans())
def test_any_graph_folds_into_one_in_order(steps, near):
    values, open_ = [ag.Tensor(np.ones(2))], []
    for what, back in steps:
        x, y = values[-1], values[-min(back, len(values))]
        if what == "[":
            open_.append(ag.scope(f"scope {len(values) % 3}"))
            open_[-1].__enter__()
        elif what == "]":
            if open_:
                open_.pop().__exit__()
        else:
            values.append(x + y if what == "+" else x * y * 0.5 if what == "*" else ag.sin(x))
    while open_:
        open_.pop().__exit__()
    full = collect(values[-1].sum(), {}, True)
    shown = fold(full)
    assert sum(card.fold.cards if card.fold else 1 for card in shown.cards) == len(full.cards)
    assert shown.output is shown.cards[-1]
    for i, each in enumerate(shown.cards):
        assert all(j < i for j in each.operands)
        assert len(each.operands) == len(each.sent) == len(each.slopes)
        assert all(i in shown.cards[j].users for j in each.operands)
    on_page, todo = [], [shown.page]
    while todo:
        for item in todo.pop().items:
            (on_page.append if isinstance(item, int) else todo.append)(item)
    assert sorted(on_page) == list(range(len(shown.cards)))
    if near:
        part = focus(full, len(full.cards) // 2, 1)
        whole = full.cards[len(full.cards) // 2]
        kept = {len(full.cards) // 2, *whole.operands, *whole.users}
        assert len(part.cards) == len(kept)
        seen = 2 * sum(len(each.operands) for each in part.cards) + sum(each.hidden for each in part.cards)
        assert seen == sum(len(full.cards[i].operands) + len(full.cards[i].users) for i in kept)


def test_what_a_shared_parameter_is_sent_is_counted_before_folding():
    w, h = ag.Tensor(np.eye(2) * 0.5), np.ones((1, 2))
    for i in range(5):
        with ag.scope(f"step {i}"):
            h = ag.tanh(h @ w)
    drawing = draw(h.sum(), names={"w": w}, fold=True)
    assert card(drawing, "θ w").endswith("Σ 5")
    assert "the sum of 5 contributions" in drawing.dot
    assert any("sends back gradients of rms up to" in hint for hint in hints(drawing))


def test_focus_shows_what_is_near():
    x, y = deep(50)
    drawing = draw(y, names={"x": x}, focus="x", hops=3)
    assert edges(drawing) == [(0, 1), (1, 2), (2, 3)]
    assert "4 of 51 cards: those at most 3 edges away from x" in drawing.dot
    assert card(drawing, "more edge").endswith("⋯ 1 more edge")
    assert len(nodes(draw(y, focus=x, hops=0))) == 1
    loss, names = mlp()
    near = draw(loss, names=names, focus=names["model"].layers[2].weight, hops=1)
    assert boxes(near) == [(0, "MLP", 0), (1, "layers.2", 2)]
    assert len(nodes(draw(loss, names=names, focus="matmul", hops=1))) == 4
    for wrong in ("z", ag.Tensor(1.0)):
        with pytest.raises(ValueError, match="focus="):
            draw(y, focus=wrong)


def test_a_graph_too_large_says_what_there_is_in_it():
    x = y = ag.Tensor(-1.0)
    for _ in range(50_001):
        y = ag.sin(y) * 1.0
    with np.errstate(all="ignore"):
        drawing = draw(ag.log(y), names={"x": x}, title="<b>&", theme="dark")
    said = words(drawing.dot)
    for text in ("100,003: sin 50,001, × 50,001, log 1", "depth 100,003", "smallest ∇", "! value nan first at log"):
        assert text in said
    assert "&lt;b&gt;&amp;" in assert_safe(drawing.svg) or "&lt;b&gt;&amp;" in drawing.svg
    assert "#FFFFFF" not in drawing.dot


# -- modules are boxes -----------------------------------------------------------------------------


def boxes(drawing):
    """Give the nesting of the clusters: (depth, label, cards directly inside)."""
    found, open_ = [], []
    for line in drawing.dot.splitlines():
        if "subgraph cluster_" in line:
            found.append([len(open_), "", 0])
            open_.append(found[-1])
        elif line.strip() == "}" and open_:
            open_.pop()
        elif line.strip().startswith("graph [label") and open_:
            open_[-1][1] = words(re.search("label=<(.*)> style", line)[1])
        elif re.match(r" *n\d+ \[", line) and open_:
            open_[-1][2] += 1
    return [tuple(box) for box in found]


def test_a_module_is_a_box_and_its_parameters_are_inside():
    loss, names = mlp()
    assert boxes(draw(loss, names=names)) == [(0, "MLP", 1), (1, "layers.0", 4), (1, "layers.2", 4)]


def test_a_module_of_one_card_is_no_box():
    assert boxes(draw(ag.nn.Tanh()(ag.Tensor(np.ones(2)) * 2.0).sum())) == []


def test_two_calls_of_a_module_are_two_boxes_and_what_they_share_is_in_neither():
    layer, x = ag.nn.Linear(2, 2, rng=0), np.ones((1, 2))
    drawing = draw(layer(layer(x)).sum(), names={"layer": layer})
    assert boxes(drawing) == [(0, "Linear", 2), (0, "Linear", 2)]
    assert len(nodes(drawing)) == 8


def test_a_scope_is_a_box_and_scopes_nest():
    x, model = ag.Tensor(np.ones((1, 2))), ag.nn.Linear(2, 2)
    with ag.scope("body"):
        with ag.scope("square"):
            y = x * x + 1
        y = model(y) * 2
    with ag.scope("nothing"), ag.no_grad():
        y * 3
    assert boxes(draw((y + y).sum())) == [(0, "body", 2), (1, "square", 4), (1, "Linear", 4)]


def test_a_scope_may_be_a_decorator_and_knows_its_thread():
    @ag.scope("step")
    def step(x, again):
        return step(x * x, again - 1) * x if again else x + x

    def elsewhere():
        found.append(ag.Tensor(1.0) * 2)

    found = []
    with ag.scope("mine"):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        mine = ag.Tensor(1.0) * 2
    assert [[label for label, _ in y.scopes] for y in (found[0], mine, mine * 2)] == [[], ["mine"], []]
    assert (mine * 2).scopes == ()
    assert boxes(draw(step(ag.Tensor(1.0), 2))) == [(0, "step", 3), (1, "step", 3)]


def test_hints_name_parameters_in_full():
    loss, names = mlp()
    assert "parameter model.layers.0.weight" in draw(loss, names=names).dot


# -- the picture -----------------------------------------------------------------------------------


def assert_safe(svg):
    """The SVG is well-formed and has nothing but shapes and text."""
    assert not re.search(r"<!|<\?|<a\b|<script|<image|<use|href|\son\w+=", re.sub(">[^<]*<", "><", svg))
    root = ET.fromstring(svg)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "g", "path", "polygon", "polyline", "ellipse", "text"}
    for element in root.iter():
        for name in element.attrib:
            assert "{" not in name
            assert not name.startswith("on")
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    return root


def text_of(root, tag):
    """Give all text in elements of a tag, without the differences of spaces."""
    return [" ".join((e.text or "").split()) for e in root.iter() if e.tag.endswith("}" + tag)]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_svg_is_safe_and_says_what_it_is(name, engine):
    output, names = SAMPLES[name]()
    root = assert_safe(draw(output, names=names, title=name).svg)
    assert (root.get("role"), text_of(root, "title")[0]) == ("img", name)
    assert re.search(r"operations, \d parameters", text_of(root, "desc")[0])
    assert "max-width:100%" in root.get("style")
    assert len(root.get("viewBox").split()) == 4


def test_the_text_of_a_chip_stands_in_its_middle(engine):
    output, names = mlp()
    parts = [part for part in ET.fromstring(draw(output, names=names).svg).iter() if part.get("fill")]
    chips = [(ground, text) for ground, text in pairwise(parts) if (text.text or "").startswith("∇ 0.")]
    assert len(chips) == 9
    for ground, text in chips:
        heights = [float(y) for y in re.findall(r",(-?[\d.]+)", ground.get("d"))]
        middle = float(text.get("y")) - 0.36 * float(text.get("font-size"))  # of a figure
        assert abs(middle - (min(heights) + max(heights)) / 2) < 1.2


def test_every_colour_has_a_dark_one(engine):
    loss, names = mlp()
    root = ET.fromstring(draw(loss, names=names, title="x").svg)
    [style] = text_of(root, "style")
    for element in root.iter():
        for paint in ("fill", "stroke"):
            color = element.get(paint, "none")
            assert color in ("none", "transparent") or f'[{paint}="{color}"]' in style


def test_hostile_text_is_only_text(engine):
    leaves = {name: ag.Tensor(1.0) for name in HOSTILE}
    total = ag.Tensor(0.0)
    for name, leaf in leaves.items():
        module = ag.nn.Module()
        module._label = name
        step = ag.primitive(name, lambda x: x + 1, lambda g, y, x: g)
        module.forward = lambda x, step=step: step(x * x)
        total = total + module(leaf) * module(module(leaf))
    drawing = draw(total, names=leaves, title=HOSTILE[6], fold=False)
    root = assert_safe(drawing.svg)
    shown, hints = text_of(root, "text"), text_of(root, "title")
    for name in HOSTILE:
        line = " ".join(plain(name).split())
        assert line in shown
        assert hints.count(line) >= 3 or not line
        assert any(hint.startswith(f"parameter {line} shape".replace("  ", " ")) for hint in hints)


def test_hostile_scopes_are_folded_as_text(engine):
    y = ag.Tensor(1.0)
    for name in HOSTILE:
        step = ag.primitive(name, lambda x: x + 1, lambda g, y, x: g)
        for _ in range(3):
            with ag.scope(name):
                y = step(step(y))
    root = assert_safe(draw(y, fold=True).svg)
    shown = text_of(root, "text")
    for name in HOSTILE:
        assert " ".join(plain(name).split()) in shown
    near = draw(y, names={HOSTILE[5]: y}, focus=y, hops=1)
    assert_safe(near.svg)
    assert "those at most 1 edges away" not in near.dot
    assert "those at most 1 edge away from" in near.dot


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=60), min_size=1, max_size=8), st.text(max_size=60))
def test_any_text_is_only_text(engine, names, title):
    leaves = {name: ag.Tensor(np.ones(2)) for name in names}
    total = ag.Tensor(0.0)
    for leaf in leaves.values():
        total = total + leaf.sum()
        for _ in range(3):
            with ag.scope(title):
                total = ag.sin(total) * 2.0
    root = assert_safe(draw(total, names=leaves, title=title).svg)
    for name in names:
        line = " ".join(plain(name).split())
        assert line in text_of(root, "text") or not line
    assert_safe(draw(total, names=leaves, fold=True, focus=leaves[names[0]], hops=20, theme="dark").svg)


def test_two_drawings_in_a_page_have_no_id_in_common(engine):
    first, second = (draw(*[f()[0]]).svg for f in SAMPLES.values())
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (first, second)]
    assert all(ids)
    assert not ids[0] & ids[1]
    assert all(len({i.split("-")[0] for i in each}) == 1 for each in ids)


def test_a_theme_can_be_chosen(engine, tmp_path):
    loss, names = mlp()
    auto, light, dark = (
        draw(loss, names={**names}, title="#FDFDFE", theme=theme) for theme in ("auto", "light", "dark")
    )
    assert "prefers-color-scheme" in auto.svg
    assert "<style" not in light.svg + dark.svg
    assert auto.dot == light.dot
    assert not set(re.findall(r'"(#[0-9A-F]{6})"', dark.dot)) - set(DARK.values())
    assert "#FDFDFE" in dark.svg  # the title is not a colour
    starts = [re.search(r'id="(ag\w+)"', drawing.svg)[1] for drawing in (auto, light, dark)]
    assert len(set(starts)) == 3
    assert dark.save(tmp_path / "dark.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="'auto', 'light', 'dark', not 'night'"):
        draw(loss, theme="night")
    with pytest.raises(ValueError, match='True, False or "auto"'):
        draw(loss, fold="always")


def luminance(color):
    """Relative luminance as WCAG 2 defines it."""
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


PAIRS = [
    *((text, role.paint) for role in ROLES.values() for text in (f"{role.paint} text", "muted", "gradient")),
    *((f"{role.paint} text", "fault") for role in ROLES.values()),
    ("muted", "fault"), ("gradient", "fault"), ("fault line", "fault"), ("strong text", "fault line"),
    *(("fault line", role.paint) for role in ROLES.values()), ("fault line", "paper"), ("fault line", "box"),
    ("gradient", "sum"), ("gradient", "paper"), ("gradient", "box"), ("alarm", "paper"), ("alarm", "op"),
    ("param text", "op"), ("param text", "loss"), ("alarm", "loss"),
    *(chip(level)[::-1] for level in HEAT),
    ("strong text", "odd"), ("muted", "no gradient"), ("muted", "paper"), ("op text", "paper"), ("muted", "box"),
]  # fmt: skip


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("pair", PAIRS, ids=" on ".join)
def test_text_stands_out(pair, theme):
    low, high = sorted(luminance(PALETTE[what][theme]) for what in pair)
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_no_light_colour_stands_for_two_things():
    assert len({light for light, _ in PALETTE.values()}) == len(PALETTE)


# -- files, notebooks, and no Graphviz -------------------------------------------------------------


def test_a_drawing_is_saved_in_the_format_of_its_suffix(tmp_path, engine):
    drawing = draw(neuron()[0])
    starts = {".svg": b"<svg", ".dot": b"digraph", ".png": b"\x89PNG", ".pdf": b"%PDF", ".SVG": b"<svg"}
    for suffix, start in starts.items():
        path = drawing.save(tmp_path / f"graph{suffix}")
        assert path.read_bytes().startswith(start)
    assert sorted(tmp_path.iterdir()) == sorted(tmp_path / f"graph{suffix}" for suffix in starts)


@pytest.mark.parametrize("name", ["graph.jpg", "graph", "graph.svg.exe", ".svg"])
def test_another_suffix_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"\.svg, \.dot, \.png, \.pdf, \.html, not as"):
        draw(ag.Tensor(1.0)).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "graph.dot"
    path.write_text("before")

    def fail(*_):
        raise OSError("full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="full"):
        draw(ag.Tensor(1.0)).save(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_notebook_shows_the_picture(engine):
    bundle = draw(neuron()[0])._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["text/plain"] == "<Drawing: 5 operations, 5 parameters; output: 0.707>"


def test_a_tensor_shows_its_graph_in_a_notebook_if_it_is_small(engine):
    output, _ = neuron()
    bundle = output._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["text/plain"] == repr(output)
    freed = ag.Tensor(1.0) * 2.0
    freed.backward(retain_graph=False)
    for plain_ in (ag.Tensor(1.0), deep(200)[1], freed):
        assert plain_._repr_mimebundle_() == {"text/plain": repr(plain_)}


def test_a_tensor_is_text_in_a_notebook_without_graphviz(no_graphviz):
    output, _ = neuron()
    assert output._repr_mimebundle_() == {"text/plain": repr(output)}


def test_the_package_graphviz_gets_the_drawing(monkeypatch):
    drawing = draw(neuron()[0], title='a "title" & more')
    digraph = drawing.to_graphviz()
    assert isinstance(digraph, graphviz.Digraph)
    assert digraph.source == drawing.dot
    if shutil.which("dot"):
        assert digraph.pipe("svg") == engines.render(drawing.dot, "svg")
    digraph.node("more")
    assert re.search(r"^\s+more$", digraph.source, re.MULTILINE)
    assert "more\n" not in drawing.dot
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ModuleNotFoundError, match="graphviz is missing: pip install graphviz"):
        drawing.to_graphviz()


def test_every_drawing_is_a_digraph():
    output, names = neuron()
    _, chain = deep(50_000)
    for drawing in (
        draw(output),
        draw(output, check=True),
        draw.diff(output, ag.sin(output), names=names),
        draw(chain),
    ):
        assert drawing.to_graphviz().source == drawing.dot


def test_without_graphviz_the_error_says_what_to_install(no_graphviz, tmp_path):
    drawing = draw(neuron()[0])
    with pytest.raises(RuntimeError, match=re.escape('pip install "autograd_mini[svg]"')):
        _ = drawing.svg
    with pytest.raises(RuntimeError, match="no Graphviz"):
        drawing.save(tmp_path / "graph.png")
    assert drawing.save(tmp_path / "graph.dot").read_text(encoding="utf-8") == drawing.dot
    bundle = drawing._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert "pip install" in bundle["text/plain"]


def child(code):
    """Give an engine that runs this code."""
    return lambda form: [[sys.executable, "-c", code]]


def test_a_layout_that_takes_too_long_is_stopped(monkeypatch):
    monkeypatch.setattr(engines, "commands", child("import time; time.sleep(60)"))
    monkeypatch.setattr(engines, "LIMIT", 0.2)
    with pytest.raises(RuntimeError, match="longer than"):
        _ = draw(ag.Tensor(1.0)).svg


def test_what_graphviz_complains_of_is_told(monkeypatch):
    monkeypatch.setattr(engines, "commands", child("raise SystemExit('bad plugin')"))
    with pytest.raises(RuntimeError, match="exit code 1: bad plugin"):
        _ = draw(ag.Tensor(1.0)).svg
    monkeypatch.setattr(engines, "commands", lambda form: [["/no/such/program"]])
    with pytest.raises(RuntimeError, match="could not be started"):
        _ = draw(ag.Tensor(1.0)).svg


def test_a_broken_engine_makes_way_for_the_next(monkeypatch):
    both = [child("raise SystemExit(1)")("svg")[0], *engines.commands("svg")]
    monkeypatch.setattr(engines, "commands", lambda form: both)
    assert draw(ag.Tensor(1.0)).svg.startswith("<svg")


def test_the_drawing_is_a_snapshot():
    x = ag.Tensor(2.0)
    drawing = draw(x * x)
    before = drawing.dot
    x.data = 3.0
    assert isinstance(drawing, Drawing)
    assert drawing.dot == before


if __name__ == "__main__":  # write the golden files anew, then look at them
    for name, sample in DRAWN.items():
        output, names = sample()
        draw(output, names=names, title=name, fold=name == "layers").save(GOLDEN / f"{name}.dot")
