"""The tree for the terminal: what it shows, that it is narrow and plain, and that no graph is too deep for it."""

import io
import re
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini.draw import draw
from autograd_mini.draw import engines as graphviz
from autograd_mini.draw.graph import collect
from autograd_mini.draw.text import COLUMNS, LINES, WIDEST, bare, clip, dye, show, tree, width

from .test_draw import HOSTILE, deep, mlp, neuron


def test_a_neuron_is_a_tree_of_values_and_gradients():
    output, names = neuron()
    assert draw(output, names=names, title="a neuron").text == (
        "a neuron\n"
        "                  value  gradient\n"
        "◎ tanh            0.707  ∇ 1\n"
        "└─ +              0.881  ∇ 0.5\n"
        "   ├─ +           −6     ∇ 0.5\n"
        "   │  ├─ ×        −6     ∇ 0.5\n"
        "   │  │  ├─ θ x1  2      ∇ −1.5\n"
        "   │  │  └─ θ w1  −3     ∇ 1\n"
        "   │  └─ ×        0      ∇ 0.5\n"
        "   │     ├─ θ x2  0      ∇ 0.5\n"
        "   │     └─ θ w2  1      ∇ 0\n"
        "   └─ θ b         6.88   ∇ 0.5\n"
    )


def test_tensors_show_shapes_and_modules():
    output, names = mlp()
    lines = draw(output, names=names).text.splitlines()
    assert lines[0].split() == ["shape", "value", "gradient", "rms"]
    assert [line.lstrip("│├└─ ").split("  ")[0] for line in lines[1:4]] == ["◎ mse", "+", "matmul"]
    [weight] = [line for line in lines if "θ weight" in line and "2×3" in line]
    assert weight.endswith("MLP / layers.0")
    [x] = [line for line in lines if "▷ x" in line]
    assert "∇" not in x
    assert "none" not in x


def test_what_is_switched_off_is_not_shown():
    output, names = mlp()
    text = draw(output, names=names, grads=False, values=False).text
    assert text.splitlines()[0].split() == ["shape"]
    assert not {"∇", "0.483"} & set(text.split())


def test_what_is_shared_is_shown_once_and_referred_to_afterwards():
    x = ag.Tensor(2.0)
    y = x * x
    text = draw(y * y + y, names={"x": x}).text
    assert [line.lstrip("│├└─ ").split("  ")[0] for line in text.splitlines()[1:]] == [
        "◎ +", "×", "× #1", "θ x #2", "→ #2 x", "→ #1 ×", "→ #1 ×",
    ]  # fmt: skip


def test_diamonds_are_shown_in_linear_space():
    x = y = ag.Tensor(1.0)
    for _ in range(40):
        y = ag.sin(y) + ag.cos(y)
    lines = draw(y, names={"x": x}).text.splitlines()[1:-1]
    assert len(lines) == 1 + 40 * 4
    assert len([line for line in lines if "→" in line]) == 40


def test_a_deep_graph_goes_straight_down():
    model = ag.nn.MLP([2, *[3] * 20, 1])
    x = np.ones((4, 2))
    lines = draw(ag.nn.mse_loss(model(x), np.ones((4, 1))), names={"model": model, "x": x}).text.splitlines()
    labels = [line.split("  ")[0] for line in lines]
    assert labels[1:8] == ["◎ mse(↓, ▷)", "├─ ▷", "↓ + θ", "├─ θ bias", "↓ @ θ", "├─ θ weight", "tanh"]
    assert labels[-4:-1] == ["matmul", "├─ ▷ x", "└─ θ weight"]
    assert lines[-1].startswith("↓ is the next operation")


def test_a_residual_is_shown_on_the_way_that_goes_straight_down():
    x = h = ag.Tensor(np.ones(2))
    for _ in range(20):
        h = h + ag.tanh(ag.exp(-h))
    lines = draw(h.sum(), names={"x": x}).text.splitlines()[1:-1]
    assert max(len(re.match(r"[│├└─ ]*", line)[0]) for line in lines) == 3
    assert [line.split("  ")[0] for line in lines[1:6]] == ["· + ↓", "├─ → #1 +", "tanh", "exp", "neg"]


def test_operands_keep_their_order_where_the_graph_goes_straight_down():
    def way(combine):
        _, y = deep(20)
        return draw(combine(y, ag.Tensor(1.0))).text.splitlines()[1]

    assert way(lambda a, b: a - b).startswith("◎ ↓ − θ ")
    assert way(lambda a, b: b - a).startswith("◎ θ − ↓ ")
    assert way(lambda a, b: ag.arctan2(b, a)).startswith("◎ arctan2(θ, ↓) ")


def test_a_chain_of_100_000_is_cut_with_a_sentence():
    x, y = deep(100_000)
    lines = bare(tree(collect(y, {"x": x}, True), True, "")).splitlines()
    assert len(lines) == 1 + LINES + 2
    assert lines[-1] == ("… and 99,801 of 100,001 more behind these: draw a value in between to see what is behind it")


def nested(levels):
    """Record a way that goes straight down, with one beside it that has one beside it, and so on."""
    y = ag.Tensor(0.5)
    for level in range(levels):
        main = ag.Tensor(0.5)
        for _ in range(2 * level + 9):
            main = ag.sin(main)
        y = main + y
    return y


def test_what_is_indented_too_far_is_cut():
    lines = draw(nested(5)).text.splitlines()
    assert not [line for line in lines if "…" in line]
    lines = draw(nested(30)).text.splitlines()
    assert max(map(width, lines)) <= COLUMNS
    assert [line for line in lines if line.endswith("└─ …")]
    assert lines[-1].startswith("… and ")


def test_constants_and_a_leaf_alone():
    assert draw(ag.Tensor(2.0)).text.splitlines()[1].split() == ["◎", "2", "∇", "1"]
    assert "▷" in draw(ag.Tensor(2.0) * 3).text
    assert draw(ag.Tensor(2.0, requires_grad=False)).text.splitlines()[1].split() == ["▷", "2"]


def test_what_is_not_finite_stands_out_and_what_gets_no_gradient_says_so():
    x, free = ag.Tensor([0.0, 1.0]), ag.Tensor(1.0)
    with np.errstate(all="ignore"):
        graph = collect((ag.log(x) * np.array([1.0, 2.0])).sum() + ag.stop_gradient(free), {}, True)
    assert dye("odd", "−inf") in tree(graph, True, "")


@given(st.lists(st.one_of(st.text(max_size=80), st.sampled_from(HOSTILE)), min_size=1, max_size=6), st.text())
def test_any_text_is_a_narrow_tree_without_control_characters(names, title):
    leaves = {name: ag.Tensor([1.0, -1e-300, 1e300]) for name in names}
    total = ag.Tensor(0.5)
    for leaf in leaves.values():
        total = ag.maximum(total, leaf)
    text = draw(total, names=leaves, title=title).text
    for line in text.removesuffix("\n").split("\n"):
        assert width(line) <= COLUMNS
        assert all(c.isprintable() for c in line)
    assert len(text.split("\n")) <= len(names) * 3 + 6


def test_clipping_counts_wide_characters_and_keeps_colours():
    assert clip("deep", 4) == "deep"
    assert clip("deeper", 4) == "dee…"
    assert clip("深い層だ", 6) == "深い…"
    assert clip("e\u0301e\u0301e\u0301", 3) == "e\u0301e\u0301e\u0301"
    assert clip(dye("param", "deeper"), 4) == "\x1b[33mdee…\x1b[0m"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_there_are_colours_on_a_terminal_only(monkeypatch, capsys):
    monkeypatch.delenv("NO_COLOR", raising=False)
    drawing = draw(neuron()[0])
    drawing.show()
    assert capsys.readouterr().out == drawing.text
    monkeypatch.setattr("sys.stdout", Terminal())
    drawing.show()
    printed = sys.stdout.getvalue()
    assert printed != drawing.text
    assert bare(printed) == drawing.text
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdout", Terminal())
    drawing.show()
    assert sys.stdout.getvalue() == drawing.text


def test_a_terminal_without_the_signs_gets_others():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    show("∇ 1\n", file)
    file.flush()
    assert file.buffer.getvalue() == b"? 1\n"


def test_the_tree_is_saved_and_needs_no_graphviz(tmp_path, monkeypatch):
    monkeypatch.setattr(graphviz, "commands", lambda form: pytest.fail("Graphviz was asked"))
    drawing = draw(neuron()[0])
    assert drawing.save(tmp_path / "graph.txt").read_text(encoding="utf-8") == drawing.text


def test_the_columns_leave_room_for_the_module():
    assert sum(WIDEST) + 2 * (len(WIDEST) - 1) <= COLUMNS
