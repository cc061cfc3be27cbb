"""Checked drawings: what differences say of every gradient, which edge is guilty, and what it has spoilt."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini.draw import checked as checks
from autograd_mini.draw.checked import ENTRIES, mark
from autograd_mini.draw.graph import collect
from autograd_mini.draw.summary import number
from autograd_mini.testing import RuleCheck

from .operations import ROWS, samples

broken_sin = ag.primitive("sin", np.sin, lambda g, y, x: g * y)
leaky = ag.primitive("leaky", lambda x: np.where(x > 0, x, 0.1 * x), lambda g, y, x: np.where(x > 0, g, 0.1 * g))
slow_leak = ag.primitive("leaky", leaky.op.forward, lambda g, y, x: np.where(x > 0, g, 0.2 * g))
turned = ag.primitive("turned", lambda x: x.mT, lambda g, y, x: g)


def diamond(sin):
    """The graph of the picture: x is used four times."""
    x = ag.Tensor(1.5)
    a, s = x * x, sin(x)
    p = a * s
    return p + x, {"x": x, "a": a, "s": s, "p": p}


def shown(card):
    """Give the gradient of a card as it is shown."""
    return number(card.gradient.rms) if card.gradient.shape else card.gradient.line


def checked(output, **options):
    """Give the cards that have gradients, checked."""
    return [card for card in ag.draw(output, check=True, **options).graph.cards if card.gradient]


# -- what is said ----------------------------------------------------------------------------------------


def test_a_wrong_rule_and_what_it_spoils_are_marked():
    output, names = diamond(broken_sin)
    drawing = ag.draw(output, names=names, check=True)
    cards = {card.name or card.op: card for card in drawing.graph.cards}
    assert {name: (card.verdict, card.numeric) for name, card in cards.items()} == {
        "x": ("wrong", "4.15"), "a": ("right", "0.997"), "s": ("right", "2.25"), "p": ("right", "1"),
        "add": ("right", "1"),
    }  # fmt: skip
    assert cards["s"].faults == {0: "∇ 2.24, numeric 0.159"}
    assert re.findall("<B>([✓✗] [^<]*)", drawing.dot.partition("n0 [")[2]) == [
        "✗ numeric 4.15", "✓ numeric 0.997", "✓ numeric 2.25", "✓ numeric 1", "✓ numeric 1", "✗ ∇ 2.24, numeric 0.159",
    ]  # fmt: skip
    legend = drawing.dot.partition("node [")[0]
    assert "✓ analytic = finite difference" in legend
    assert "✗ disagrees" in legend
    assert "✗ 1 edge with a wrong rule: sin by x, ∇ 2.24, numeric 0.159. 1 gradient spoilt" in legend
    assert drawing.description.endswith(
        "✗ 1 edge with a wrong rule: sin by x, ∇ 2.24, numeric 0.159. 1 gradient spoilt"
    )


def test_the_card_and_the_edge_are_red():
    output, names = diamond(broken_sin)
    svg = ag.draw(output, names=names, check=True).svg
    red = {
        element.get("id", "").rpartition("-")[2]
        for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}g")
        if any(part.get("stroke") == "#b3201a" for part in element)
    }
    assert red == {"n0", "e2"}
    assert 'fill="#fdedeb" stroke="#b3201a"' in svg


def test_where_all_is_right_nothing_is_blamed():
    output, names = diamond(ag.sin)
    drawing = ag.draw(output, names=names, check=True)
    assert "✗" not in drawing.dot + drawing.text
    assert "Every gradient is complete." in drawing.html
    assert drawing.description.endswith("; ✓ every rule agrees with differences")
    assert [card.numeric for card in drawing.graph.cards] == list(map(shown, drawing.graph.cards))
    unchecked = ag.draw(output, names=names)
    assert not re.search("[✓✗]|numeric", unchecked.dot + unchecked.text + unchecked.description)


def test_the_tree_marks_gradients_and_blames_rules():
    output, names = diamond(broken_sin)
    assert ag.draw(output, names=names, check=True).text == (
        "                 value  gradient\n"
        "◎ +              3.74   ✓ ∇ 1\n"
        "├─ × p           2.24   ✓ ∇ 1\n"
        "│  ├─ × a        2.25   ✓ ∇ 0.997\n"
        "│  │  ├─ θ x #1  1.5    ✗ ∇ 6.24   numeric 4.15\n"
        "│  │  └─ → #1 x\n"
        "│  └─ sin s      0.997  ✓ ∇ 2.25\n"
        "│     └─ → #1 x\n"
        "└─ → #1 x\n"
        "✗ 1 edge with a wrong rule: sin by x, ∇ 2.24, numeric 0.159. 1 gradient spoilt\n"
    )


def test_hints_tell_it_too():
    output, names = diamond(broken_sin)
    svg = ag.draw(output, names=names, check=True).svg
    hints = [title.text for title in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}title")]
    assert "scalar; the rule is wrong: ∇ 2.24, numeric 0.159" in hints
    assert sum("✗ numeric 4.15" in hint for hint in hints) == 1
    assert sum("✓ numeric" in hint for hint in hints) == 4


def test_what_a_rule_raised_is_only_text(monkeypatch):
    x = ag.Tensor(1.0)
    y = ag.sin(x)
    report = type("Report", (), {"checks": {y: [RuleCheck(y, 0, "wrong", raised="<b>&evil;")]}})
    monkeypatch.setattr(checks, "check_graph", lambda output: report)
    drawing = ag.draw(y, check=True)
    assert "✗ &lt;b&gt;&amp;evil;" in drawing.dot
    assert "✗ <b>&evil;" in ET.fromstring(drawing.svg).itertext()


# -- the numbers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS[::6], ids=lambda row: row.name)
def test_differences_say_what_right_rules_say(row):
    case = samples(row)[0]
    leaves = [ag.Tensor(np.array(x)) for x in case.operands()]
    with np.errstate(all="ignore"):
        output = row.apply(*leaves, **case.params)
        output = ag.sum(ag.sin(output) * np.random.default_rng(0).normal(size=output.shape))
        graph = collect(output, {}, True)
        mark(output, graph)
    for card in graph.cards:
        if card.gradient and "kink" not in card.numeric:
            assert card.verdict == "right"
            assert card.numeric == shown(card) or card.gradient.rms < 1e-12, card.op


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_they_are_taken_in_float64(dtype):
    rng = np.random.default_rng(0)
    model = ag.nn.MLP([8, 16, 3], activation="relu", rng=0, dtype=dtype)
    loss = ag.nn.mse_loss(model(rng.normal(size=(5, 8)).astype(dtype)), np.zeros((5, 3), dtype))
    for card in checked(loss):
        assert card.verdict == "right"
        assert float(card.numeric.replace("−", "-")) == pytest.approx(card.gradient.rms, rel=0.02)


@pytest.mark.parametrize("wrong", [{0}, {2}, {0, 1, 2}])
def test_they_are_those_of_the_right_rules_however_many_are_wrong(wrong):
    def loss(wrong):
        rng = np.random.default_rng(0)
        h = rng.normal(size=(16, 8))
        for i in range(3):
            h = (slow_leak if i in wrong else leaky)(h @ ag.Tensor(rng.normal(0, 0.5, (8, 8))))
        return ag.mean(h * h)

    found, right = checked(loss(wrong)), checked(loss(set()))
    first = max(wrong)
    activations = [i for i, card in enumerate(found) if card.op == "leaky"]
    for i, (card, want) in enumerate(zip(found, right, strict=True)):
        assert card.numeric.partition(",")[0] == want.numeric == shown(want)
        # what stands before the last wrong operation is behind it on the way back, the weights of later layers are not
        assert (card.verdict == "wrong") == (i < activations[first])
        assert bool(card.faults) == (i in {activations[k] for k in wrong})


def test_of_the_same_size_is_not_the_same():
    rng = np.random.default_rng(0)
    x, w = ag.Tensor(rng.normal(size=(4, 4))), rng.normal(size=(4, 4))
    card, *others = checked(ag.sum(turned(x) * w))
    off = 100 * np.linalg.norm(w - w.T) / np.linalg.norm(w)
    assert card.numeric == f"{shown(card)}, off by {number(off)}%"
    assert {other.verdict for other in others} == {"right"}
    [fault] = others[0].faults.values()
    assert fault == f"∇ {shown(card)}, numeric {card.numeric}"


def test_a_gradient_that_a_wrong_rule_does_not_reach_is_right():
    x, w = ag.Tensor([1.0, 2.0]), ag.Tensor(2.0)
    double = ag.primitive("double", lambda x: 2 * x, lambda g, y, x: g)
    cards = checked(ag.sum(double(x) * 0.0) + w, names={"x": x, "w": w})
    assert {card.verdict for card in cards} == {"right"}  # nothing times two is nothing
    assert [card.op for card in cards if card.faults] == ["double"]
    assert [card.numeric for card in cards if card.path] == ["0", "1"]


def test_at_a_kink_both_sides_are_told():
    x = ag.Tensor(0.0)
    assert [(card.verdict, card.numeric) for card in checked(ag.relu(x))] == [
        ("right", "0 … 1, a kink"),
        ("right", "1"),
    ]
    assert checked(ag.sum(ag.absolute(ag.Tensor(np.zeros(3)))))[0].numeric == "−1 … 1, a kink"
    assert checked(ag.sum(ag.relu(ag.Tensor([1.0, 1e-7]))))[0].numeric == "1"  # it is near, not at


def test_zero_empty_large_and_small():
    assert checked(ag.sin(ag.Tensor(np.pi / 2)))[0].numeric == "0"
    assert checked(ag.sum(ag.Tensor(np.zeros((0, 3))) * 2.0))[0].numeric == "0"
    assert checked(ag.sin(ag.Tensor(1e6)))[0].numeric == number(np.cos(1e6))
    assert checked(broken_sin(ag.Tensor(1e6)))[0].numeric == number(np.cos(1e6))
    y = ag.Tensor(1.0)
    for _ in range(100):
        y = y * 0.5
    assert checked(y)[0].numeric == number(0.5**100)  # which no difference of the whole would show
    assert {card.numeric for card in checked(ag.sum(ag.Tensor(np.ones(5)) * 1e-150))} == {"1e−150", "1"}


def test_what_is_not_finite_has_no_number():
    with np.errstate(all="ignore"):
        x = ag.Tensor([4.0, -1.0])
        drawing = ag.draw(ag.sum(ag.sqrt(x)), check=True)
        safe = checked(ag.sum(ag.where(x > 0, ag.log(x), 0.0)))
    assert [(card.verdict, card.numeric) for card in drawing.graph.cards] == [
        ("unknown", "unknown"),
        ("unknown", "unknown"),
        ("right", "1"),
    ]
    assert "– no finite difference" in drawing.dot
    assert "– numeric unknown" in drawing.dot
    assert (safe[0].verdict, safe[0].numeric) == ("right", shown(safe[0]))  # what is not selected has no part


def test_of_a_large_operand_it_is_only_said_that_the_rule_is_wrong():
    x = ag.Tensor(np.linspace(-1, 1, ENTRIES + 1))
    drawing = ag.draw(ag.sum(slow_leak(x * 2.0)), check=True)
    assert "✗ the rule is wrong<" in drawing.dot
    assert [card.numeric for card in drawing.graph.cards if card.verdict == "wrong"] == ["unknown", "unknown"]
    card = checked(ag.sum(slow_leak(ag.Tensor(np.linspace(-1, 1, 1000)))))[0]
    assert card.numeric == number(np.sqrt((1 + 0.1**2) / 2))


def test_the_cost_of_a_card_does_not_grow_with_the_graph():
    calls = 0

    def forward(x):
        nonlocal calls
        calls += 1
        return np.tanh(x)

    tanh = ag.primitive("tanh", forward, lambda g, y, x: g * (1 - y * y))
    counts = []
    for steps in (20, 200):
        y = ag.Tensor(0.5)
        for _ in range(steps):
            y = tanh(y)
        calls = 0
        ag.draw(y, check=True)
        counts.append(calls / steps)
    assert counts[0] == counts[1] < 20


def test_operands_are_taken_as_they_were_and_gradients_left_alone():
    x = ag.Tensor([1.0, 2.0])
    y = x * 2.0
    z = y * y
    y += 5.0
    cards = checked(ag.sum(z))
    assert [card.numeric for card in cards] == list(map(shown, cards))
    assert x.grad is None


def test_what_is_too_large_to_be_drawn_is_not_checked(monkeypatch):
    monkeypatch.setattr(checks, "check_graph", lambda output: pytest.fail("it was checked"))
    with pytest.raises(ValueError, match="3 cards, more than max_nodes=2"):
        ag.draw(ag.sin(ag.sin(ag.Tensor(1.0))), check=True, max_nodes=2)


def test_checks_are_of_every_card():
    x = ag.Tensor(1.0)
    for options in ({"fold": True}, {"focus": x}, {"grads": False}):
        with pytest.raises(ValueError, match="check=True marks every card"):
            ag.draw(ag.sin(x), check=True, **options)


# -- what moves ------------------------------------------------------------------------------------------


def test_the_steps_name_the_wrong_rule_and_what_it_spoilt():
    output, names = diamond(broken_sin)
    html = ag.draw(output, names=names, check=True).html
    assert "The rule for x is wrong: \\u2207 2.24, numeric 0.159." in html
    assert "Spoilt by a wrong rule: x = 6.24, numeric 4.15." in html
    assert "Every gradient is complete." not in html


def test_the_verdict_appears_with_the_gradient():
    output, names = diamond(broken_sin)
    root = ET.fromstring(ag.draw(output, names=names, check=True).animated_svg)
    space = "{http://www.w3.org/2000/svg}"
    parts = {g.get("id", "").rpartition("-")[2]: list(g) for g in root.iter(f"{space}g")}
    kind = {(part.text or "").strip(): part.get("class", "") for part in parts["n0"] + parts["e2"]}
    assert kind["✗ numeric 4.15"].startswith("grad from")
    assert kind["✗ ∇ 2.24, numeric 0.159"].startswith("grad fault from")
    ground = parts["e2"][[(part.text or "")[:1] for part in parts["e2"]].index("✗") - 1]
    assert ground.get("fill") == "#b3201a"
    assert ground.get("class") == kind["✗ ∇ 2.24, numeric 0.159"]
