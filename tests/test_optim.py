"""Optimisers and schedules, step for step against PyTorch.

Some of PyTorch's steps are kept in ``golden/torch_steps.json``; ``python -m tests.test_optim`` writes them
again, and ``pytest -m oracle`` compares with the PyTorch that is installed.
"""

from __future__ import annotations

import copy
import io
import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_mini as ag
from autograd_mini import Tensor, nn, optim
from autograd_mini.optim.optimizer import JOINED, PIECE
from tests.benchmarks import optimiser_step

GOLDEN = Path(__file__).parent / "golden" / "torch_steps.json"
STEPS = 12
SETTINGS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1},
    "SGD, weight decay": {"lr": 0.1, "weight_decay": 0.2},
    "SGD, momentum": {"lr": 0.05, "momentum": 0.9},
    "SGD, dampening": {"lr": 0.1, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.1},
    "SGD, Nesterov": {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
    "Adam": {"lr": 0.1},
    "Adam, betas and eps": {"lr": 0.02, "betas": (0.5, 0.9), "eps": 1e-3},
    "Adam, weight decay": {"lr": 0.1, "weight_decay": 0.3},
    "Adam, AMSGrad": {"lr": 0.3, "betas": (0.8, 0.7), "amsgrad": True, "weight_decay": 0.1},
    "AdamW": {"lr": 0.1},
    "AdamW, weight decay": {"lr": 0.1, "weight_decay": 0.4, "betas": (0.7, 0.99)},
    "AdamW, AMSGrad": {"lr": 0.2, "betas": (0.9, 0.6), "amsgrad": True},
    "RMSprop": {"lr": 0.03},
    "RMSprop, momentum": {"lr": 0.01, "alpha": 0.9, "momentum": 0.8, "weight_decay": 0.1},
    "RMSprop, centred": {"lr": 0.02, "centered": True, "eps": 1e-4},
    "RMSprop, centred with momentum": {"lr": 0.01, "alpha": 0.95, "centered": True, "momentum": 0.9},
    "Adagrad": {"lr": 0.3},
    "Adagrad, decay": {"lr": 0.5, "lr_decay": 0.1, "weight_decay": 0.2},
    "Adagrad, initial value": {"lr": 0.2, "initial_accumulator_value": 0.5, "eps": 1e-3},
}
KINDS = ["SGD, Nesterov", "Adam, AMSGrad", "AdamW", "RMSprop, centred with momentum", "Adagrad, decay"]
A = np.array([[1.0, 0.3, -0.2], [0.3, 2.0, 0.1], [-0.2, 0.1, 0.5]])
START = [np.array([1.0, -2.0, 3.0]), np.array(0.7)]
Change = Callable[[int, Any, Any, Any], None]  # (step, optimizer, x, s): what happens before a step


def nothing(step: int, optimizer: Any, x: Any, s: Any) -> None:
    pass


def make(name: str, parameters: Any) -> Any:
    return getattr(optim, name.split(",")[0])(parameters, **SETTINGS[name])


def ours(name: str, steps: int = STEPS, change: Change = nothing) -> list[list[float]]:
    x, s = (Tensor(a) for a in START)
    optimizer = make(name, [x, s])
    path = []
    for i in range(steps):
        optimizer.zero_grad()
        (x @ A @ x / 2 + ag.sin(x).sum() * s + s**4).backward()
        change(i, optimizer, x, s)
        optimizer.step()
        path.append([*x.data.tolist(), s.item()])
    return path


def torchs(name: str, steps: int = STEPS, change: Change = nothing) -> list[list[float]]:
    import torch

    x, s = (torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in START)
    optimizer = getattr(torch.optim, name.split(",")[0])([x, s], **SETTINGS[name])
    path = []
    for i in range(steps):
        optimizer.zero_grad()
        (x @ torch.tensor(A) @ x / 2 + torch.sin(x).sum() * s + s**4).backward()
        change(i, optimizer, x, s)
        optimizer.step()
        path.append([*x.detach().tolist(), s.item()])
    return path


@pytest.mark.parametrize("name", SETTINGS)
def test_every_step_equals_pytorchs(name: str) -> None:
    assert_allclose(ours(name), json.loads(GOLDEN.read_text())[name], rtol=1e-12)


def skipping(step: int, optimizer: Any, x: Any, s: Any) -> None:
    """Leave one out in some steps, the other in others; change settings, and data."""
    if step % 5 == 2:
        s.grad = None
    if step % 7 == 3:
        x.grad = None
    if step == 20:
        optimizer.param_groups[0]["lr"] /= 2
        optimizer.param_groups[0]["weight_decay"] = 0.05
    if step in (25, 30):
        x.data = x.data * 1.5
        s.data = s.data + 0.25


@pytest.mark.oracle
@pytest.mark.parametrize("change", [nothing, skipping])
@pytest.mark.parametrize("name", SETTINGS)
def test_fifty_steps_equal_those_of_the_installed_pytorch(name: str, change: Change) -> None:
    assert_allclose(ours(name, 50, change), torchs(name, 50, change), rtol=1e-11)


@pytest.mark.oracle
@pytest.mark.parametrize("name", KINDS)
def test_groups_equal_those_of_pytorch(name: str) -> None:
    import torch

    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in ((3, 2), (2,), (4,))]
    mine, theirs = [Tensor(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    optimizers = []
    for (w, b, _), library in ((mine, optim), (theirs, torch.optim)):
        groups = [{"params": [w]}, {"params": [b], "lr": 0.3, "weight_decay": 0.2}]
        optimizers.append(getattr(library, name.split(",")[0])(groups, **SETTINGS[name]))
    for i in range(50):
        if i == 10:
            for (_, _, late), optimizer in zip((mine, theirs), optimizers, strict=True):
                optimizer.add_param_group({"params": [late], "lr": 0.01})
        gradients = [rng.standard_normal(a.shape) for a in arrays]
        for p, q, g in zip(mine, theirs, gradients, strict=True):
            p.grad, q.grad = g, torch.tensor(g)
        for optimizer in optimizers:
            optimizer.step()
        for p, q in zip(mine, theirs, strict=True):
            assert_allclose(p.data, q.detach().numpy(), rtol=1e-11)


# ---- the flat arrays ---------------------------------------------------------------------------------

SHAPES = [(), (3,), (2, 3), (0, 2), (), (JOINED,), (JOINED + 1,), (PIECE + 7,), (3, PIECE // 2)]


def gathered(rng: np.random.Generator, dtype: str) -> list[Tensor]:
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in SHAPES]
    return [Tensor(a) for a in arrays] + [Tensor(np.asfortranarray(arrays[i])) for i in (2, 8)]


@pytest.mark.parametrize("name", KINDS)
def test_together_is_bit_for_bit_each_on_its_own(name: str, rng: np.random.Generator) -> None:
    together = gathered(rng, "float64") + gathered(rng, "float32")
    apart = [Tensor(p.data) for p in together]
    one, many = make(name, together), [make(name, [p]) for p in apart]
    for i in range(6):
        for p, q in zip(together, apart, strict=True):
            p.grad = q.grad = None
            p.requires_grad = q.requires_grad = True
            if rng.random() < 0.8 or i == 5:
                g = rng.standard_normal(p.shape).astype(p.dtype)
                p.grad, q.grad = g.copy(order="F")[()], g[()]
                if rng.random() < 0.1:
                    p.requires_grad = q.requires_grad = False
            if rng.random() < 0.2:
                p.data = q.data = rng.standard_normal(p.shape)
        one.step()
        for optimizer in many:
            optimizer.step()
        for p, q in zip(together, apart, strict=True):
            assert_array_equal(p.data, q.data)
            assert type(p.data) is type(q.data)
            assert p.dtype == q.dtype
    for p, optimizer in zip(together, many, strict=True):
        mine, (theirs,) = one.state[p], optimizer.state.values()
        assert mine.keys() == theirs.keys()
        for key in mine:
            assert_array_equal(mine[key], theirs[key])


def test_what_shares_an_array_still_moves_alone() -> None:
    a, b, c = Tensor([1.0, 2.0]), Tensor([[3.0]]), Tensor(4.0)
    optimizer = optim.SGD([a, b, c], lr=1.0)
    for p in (a, b, c):
        p.grad = np.ones(p.shape)[()]
    optimizer.step()
    b.data -= 10
    c.data = 8.0
    assert_array_equal(a.data, [0, 1])
    assert_array_equal(b.data, [[-8]])
    optimizer.step()
    assert [*a.data, *b.data[0], c.item()] == [-1, 0, -9, 7]


def test_two_optimisers_may_share_a_parameter() -> None:
    a, b, c = Tensor([1.0, 2.0]), Tensor([3.0]), Tensor([4.0])
    one, other = optim.SGD([a, b], lr=1.0), optim.SGD([b, c], lr=10.0)
    for _ in range(2):
        for p in (a, b, c):
            p.grad = np.ones(p.shape)
        one.step()
        other.step()
    assert [*a.data, *b.data, *c.data] == [-1, 0, 3 - 22, 4 - 20]


def test_a_graph_from_before_a_step_refuses() -> None:
    a, b, frozen = Tensor([1.0, 2.0]), Tensor(3.0), Tensor([4.0], requires_grad=False)
    optimizer = optim.SGD([a, b, frozen], lr=0.1)
    for _ in range(2):
        y, z, w = (a * a).sum(), b * b, (frozen * Tensor(2.0)).sum()
        optimizer.zero_grad()
        (y + z).backward()
        optimizer.step()
        for loss in (y, z):
            with pytest.raises(RuntimeError, match="changed after 'multiply'"):
                loss.backward()
        w.backward()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("twin", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_goes_on_by_itself(name: str, twin: Any, rng: np.random.Generator) -> None:
    p, s = Tensor(rng.standard_normal(3)), Tensor(0.5)
    optimizer = make(name, [p, s])

    def step(optimizer: Any, p: Tensor, s: Tensor) -> list[float]:
        optimizer.zero_grad()
        ((p * p).sum() * s + s * s).backward()
        optimizer.step()
        return [*p.data, s.item()]

    step(optimizer, p, s)
    other = twin((optimizer, p, s))
    again = twin((optimizer, p, s))
    gone = [step(*other) for _ in range(3)]
    assert [step(*again) for _ in range(3)] == gone
    assert [step(optimizer, p, s) for _ in range(3)] == gone


def test_a_gradient_of_another_shape_is_refused_and_nothing_moves() -> None:
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    optimizer = optim.SGD([a, b], lr=1.0)
    a.grad, b.grad = np.ones(2), np.ones(1)
    with pytest.raises(ValueError, match=r"a parameter of shape \(2,\) has a gradient of shape \(1,\)"):
        optimizer.step()
    assert_array_equal(a.data, [1, 2])


def test_a_momentum_that_comes_later_counts() -> None:
    p = Tensor([0.0])
    optimizer = optim.SGD([p], lr=1.0)
    p.grad = np.ones(1)
    optimizer.step()
    optimizer.param_groups[0]["momentum"] = 0.5
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.step()
    optimizer.step()
    assert_array_equal(p.data, [-1 - 1 - 1.5])
    optimizer.param_groups[0]["momentum"] = 0.0
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.step()
    assert_array_equal(p.data, [-1 - 1 - 1.5 - 1])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", KINDS)
def test_a_gradient_that_is_not_finite_is_not_hidden(name: str, bad: float) -> None:
    p = Tensor([1.0, 1.0])
    optimizer = make(name, [p])
    p.grad = np.array([bad, 1.0])
    with np.errstate(invalid="ignore"):
        optimizer.step()
    assert not np.isfinite(p.data[0])
    assert np.isfinite(p.data[1])


def test_centred_rmsprop_survives_a_gradient_that_stays_the_same() -> None:
    p = Tensor([0.0])
    p.grad = np.array([0.7])
    optimizer = optim.RMSprop([p], lr=1e-12, alpha=0.5, centered=True)
    for _ in range(200):  # the variance is then zero up to rounding, on either side
        optimizer.step()
    assert np.isfinite(p.data[0])


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad])
def test_what_has_no_gradient_or_is_frozen_stays(kind: Any) -> None:
    moved, unused, frozen = Tensor(1.0), Tensor(1.0), Tensor(1.0, requires_grad=False)
    frozen.grad = np.float64(1)
    optimizer = kind([moved, unused, frozen], lr=0.1)
    (moved * 2).backward()
    optimizer.step()
    assert moved.item() < 1
    assert unused.item() == frozen.item() == 1
    optimizer.zero_grad()
    assert moved.grad is None


def test_a_step_keeps_dtype_and_leaves_the_gradient_alone() -> None:
    p = Tensor(np.ones(2, np.float32))
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        p.sum().backward()
        kept = p.grad
        optimizer.step()
        assert_array_equal(kept, 1)
        kept[:] = 100  # nor does the optimiser hold it
    assert p.dtype == np.float32
    assert_allclose(p.data, 1 - 0.1 * (1 + 1.9 + 2.71), rtol=1e-6)


def test_a_step_moves_no_array_of_the_users() -> None:
    mine = np.ones(2)
    p = Tensor(np.zeros(2))
    p.data = mine
    p.sum().backward()
    optim.SGD([p], lr=1.0).step()
    assert_array_equal(mine, 1)
    assert_array_equal(p.data, 0)


P = [Tensor(1.0)]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optim.SGD([], lr=0.1), ValueError, "needs at least one parameter"),
        (lambda: optim.SGD(P[0], lr=0.1), TypeError, r"a list of Tensors, not one Tensor: write \[tensor\]"),
        (lambda: optim.SGD(ag.nn.Linear(1, 1), lr=1), TypeError, r"not a module: write model\.parameters\(\)"),
        (lambda: optim.SGD([P[0] * 2], lr=0.1), TypeError, r"leaf Tensors, such as model\.parameters\(\) gives, not"),
        (lambda: optim.SGD([np.ones(2)], lr=0.1), TypeError, "leaf Tensors"),
        (lambda: optim.SGD(P * 2, lr=0.1), ValueError, "stands twice"),
        (lambda: optim.SGD(P, lr=0), ValueError, "lr must be positive, not 0"),
        (lambda: optim.SGD(P, lr=float("nan")), ValueError, "lr must be positive, not nan"),
        (lambda: optim.SGD(P, lr=1, weight_decay=-1), ValueError, "weight_decay must be not negative, not -1"),
        (lambda: optim.SGD(P, lr=1, momentum=1), ValueError, "momentum must be from 0 up to, and without, 1, not 1"),
        (lambda: optim.SGD(P, lr=1, nesterov=True), ValueError, "momentum must be positive for nesterov=True"),
        (lambda: optim.Adam(P, betas=(0.9, 1.0)), ValueError, "each of betas must be from 0 up to"),
        (lambda: optim.Adam(P, eps=0), ValueError, "eps must be positive, not 0"),
        (lambda: optim.SGD(iter(()), lr=1), ValueError, "a generator gives its own only once"),
        (lambda: optim.SGD(P, lr=float("inf")), ValueError, "lr must be positive, not inf"),
        (lambda: optim.SGD(P, lr=1, l1=-1), ValueError, "l1 must be not negative, not -1"),
        (lambda: optim.SGD(P, 1, 0.9, 0.1, nesterov=True), ValueError, "and dampening 0, not 0.9 and 0.1"),
        (lambda: optim.RMSprop(P, alpha=1), ValueError, "alpha must be from 0 up to"),
        (lambda: optim.RMSprop(P, momentum=-1), ValueError, "momentum must be from 0 up to"),
        (lambda: optim.Adagrad(P, lr_decay=-1), ValueError, "lr_decay must be not negative"),
        (lambda: optim.Adagrad(P, initial_accumulator_value=-1), ValueError, "initial_accumulator_value must be not"),
        (lambda: optim.AdamW(P, weight_decay=-1), ValueError, "weight_decay must be not negative"),
        (lambda: optim.Adam([{"params": P}, {"params": P}]), ValueError, "stands twice"),
        (lambda: optim.Adam([{"params": P, "eps": -1}]), ValueError, "eps must be positive, not -1"),
        (
            lambda: optim.Adam([{"params": P, "learning_rate": 1}]),
            TypeError,
            "may have lr, weight_decay, .*'learning_r",
        ),
        (lambda: optim.Adam([{"lr": 1}]), TypeError, 'a group of Adam has "params"'),
        (lambda: optim.Adam([{"params": []}]), ValueError, "needs at least one parameter"),
    ],
)
def test_wrong_settings_are_named(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_an_optimizer_of_ones_own_states_its_update() -> None:
    class Sign(optim.Optimizer):
        def update(self, p: Any, g: Any, t: int, state: Any, group: Any) -> None:
            p -= group["lr"] * np.sign(g)

    p = Tensor([1.0, -1.0])
    ag.sum(p * p).backward()
    Sign([p], lr=0.25).step()
    assert_array_equal(p.data, [0.75, -0.75])
    with pytest.raises(NotImplementedError, match=r"Optimizer has no update\(\)"):
        optim.Optimizer([p], lr=1).step()


def test_an_optimizer_says_what_it_has() -> None:
    groups = [{"params": [Tensor(np.ones((20, 100)))]}, {"params": [Tensor(1.0)], "lr": 1.0}]
    lines = repr(optim.SGD(groups, lr=0.5)).splitlines()
    assert [lines[0], len(lines)] == ["SGD()", 3]
    assert lines[1].startswith("  2,000 parameters: lr=0.5, weight_decay=0.0")
    assert lines[2].startswith("  1 parameters: lr=1.0")


# ---- state -------------------------------------------------------------------------------------------


def stored(state: Any) -> Any:
    """Take a state through bytes: its arrays through those of a .npz, all else through JSON."""
    arrays: dict[str, Any] = {}

    def split(x: Any, path: str) -> Any:
        if isinstance(x, np.ndarray):
            arrays[path] = x
            return {"array": path}
        if isinstance(x, dict):
            return {key: split(value, f"{path}.{key}") for key, value in x.items()}
        return x

    def join(x: dict[str, Any]) -> Any:
        return found[x["array"]] if "array" in x else x

    text = json.dumps(split(state, "state"), allow_nan=False)
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    found = np.load(file)
    return json.loads(text, object_hook=join)


class Run:
    """A small training with a schedule, whose state can be taken and given."""

    def __init__(self, name: str) -> None:
        self.model = nn.MLP([3, 5, 2], rng=0)
        self.scale = Tensor(1.0)
        groups = [{"params": self.model.parameters()}, {"params": [self.scale], "lr": 0.02}]
        self.optimizer = make(name, groups)
        parts = [optim.LinearLR(self.optimizer, total_iters=3), optim.CosineAnnealingLR(self.optimizer, 20)]
        self.schedule = optim.SequentialLR(self.optimizer, parts, milestones=[4])
        self.parts = (self.model, self.optimizer, self.schedule)

    def steps(self, start: int, end: int) -> list[float]:
        losses = []
        for i in range(start, end):
            rng = np.random.default_rng(i)
            loss = nn.mse_loss(self.model(rng.standard_normal((4, 3))) * self.scale, rng.standard_normal((4, 2)))
            self.optimizer.zero_grad()
            loss.backward()
            if i % 4 == 1:
                self.scale.grad = None
            self.optimizer.step()
            self.schedule.step()
            losses.append(loss.item())
        return losses


@pytest.mark.parametrize("name", SETTINGS)
def test_resumed_training_is_bit_for_bit_that_which_was_not_interrupted(name: str) -> None:
    whole, first, second = Run(name), Run(name), Run(name)
    losses = whole.steps(0, 16)
    assert first.steps(0, 7) == losses[:7]
    taken = {str(i): part.state_dict() for i, part in enumerate(first.parts)}
    scale = first.scale.data
    first.steps(7, 9)  # what was taken is a copy
    saved = stored(taken)
    second.steps(0, 2)  # and what was there before does not matter
    for _ in range(2):  # nor is what was given changed
        for i, part in enumerate(second.parts):
            part.load_state_dict(saved[str(i)])
        second.scale.data = scale
        assert second.steps(7, 16) == losses[7:]
    for p, q in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        assert_array_equal(p.data, q.data)


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    p, q = Tensor([1.0, 2.0]), Tensor([3.0])
    p.grad = np.ones(2)
    adam = optim.Adam([p])
    adam.step()
    saved = adam.state_dict()
    wrong = copy.deepcopy(saved)
    wrong["param_groups"][0]["eps"] = -1.0
    less = copy.deepcopy(saved)
    del less["param_groups"][0]["betas"]
    for optimizer, state, message in (
        (optim.SGD([p], lr=1), saved, "that of Adam, not of SGD"),
        (optim.SGD([p], lr=1), {}, "that of None, not of SGD"),
        (optim.Adam([p, q]), saved, r"of groups of \[1\] parameters, and here they are of \[2\]"),
        (
            optim.Adam([q]),
            saved,
            r"parameter 0, of shape \(1,\), remembers t, m, v, and this is t of \(\), m of \(2,\)",
        ),
        (optim.Adam([p]), wrong, "eps must be positive, not -1"),
        (optim.Adam([p]), less, "lacks the settings betas"),
        (optim.Adam([p], amsgrad=True), {**saved, "state": {"0": {"t": 1}}}, "remembers t, m, v, and this is t of"),
    ):
        before = optimizer.state_dict()
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_dict(state)
        assert optimizer.state_dict() == before
    with pytest.raises(ValueError, match="that of Adam, not of StepLR"):
        optim.StepLR(adam, 2).load_state_dict(saved)
    with pytest.raises(ValueError, match="that of StepLR, not of ReduceLROnPlateau"):
        optim.ReduceLROnPlateau(adam).load_state_dict(optim.StepLR(adam, 2).state_dict())


# ---- schedules ---------------------------------------------------------------------------------------

Library = Any  # ours, or PyTorch's
SCHEDULES: dict[str, Callable[[Library, Any], Any]] = {
    "step": lambda to, o: to.StepLR(o, 7, gamma=0.3),
    "exponential": lambda to, o: to.ExponentialLR(o, 0.93),
    "cosine": lambda to, o: to.CosineAnnealingLR(o, 50),
    "cosine with a floor": lambda to, o: to.CosineAnnealingLR(o, 30, eta_min=0.01),
    "linear": lambda to, o: to.LinearLR(o),
    "linear down": lambda to, o: to.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=20),
    "lambda": lambda to, o: to.LambdaLR(o, lambda t: 1 / (1 + t)),
    "lambda for each": lambda to, o: to.LambdaLR(o, [lambda t: 1 / (1 + t), lambda t: 0.9**t]),
    "one cycle": lambda to, o: to.OneCycleLR(o, 0.5, 50),
    "one cycle, linear": lambda to, o: to.OneCycleLR(o, [0.5, 0.2], 60, anneal_strategy="linear", pct_start=0.4),
    "one cycle, three phases": lambda to, o: to.OneCycleLR(o, 0.5, 50, three_phase=True, div_factor=10),
    "one cycle, no way up": lambda to, o: to.OneCycleLR(o, 0.5, 50, pct_start=0.0, final_div_factor=100),
    "one cycle, momentum": lambda to, o: to.OneCycleLR(o, 0.5, 55, base_momentum=[0.7, 0.5], max_momentum=0.8),
    "one cycle, no momentum": lambda to, o: to.OneCycleLR(o, 0.5, 50, cycle_momentum=False),
    "warm-up, then cosine": lambda to, o: to.SequentialLR(
        o, [to.LinearLR(o, 0.1, total_iters=10), to.CosineAnnealingLR(o, 40)], milestones=[10]
    ),
    "three in turn": lambda to, o: to.SequentialLR(
        o, [to.LinearLR(o), to.ExponentialLR(o, 0.9), to.StepLR(o, 4)], milestones=[5, 20]
    ),
    "chained": lambda to, o: to.ChainedScheduler([to.LinearLR(o, 0.2, total_iters=8), to.ExponentialLR(o, 0.95)]),
    "chained cosine": lambda to, o: to.ChainedScheduler([to.CosineAnnealingLR(o, 60), to.StepLR(o, 9, 0.5)]),
}
PLATEAUS: list[dict[str, Any]] = [
    {"patience": 2},
    {"patience": 0, "factor": 0.5, "cooldown": 3},
    {"patience": 1, "mode": "max", "threshold": 0.05, "min_lr": [0.01, 0.001]},
    {"patience": 1, "threshold": 0.1, "threshold_mode": "abs", "factor": 0.7, "min_lr": 0.02},
    {"patience": 3, "mode": "max", "threshold": 0.1, "threshold_mode": "abs", "eps": 1e-3},
]


def groups(tensor: Any) -> list[dict[str, Any]]:
    return [{"params": [tensor([1.0])]}, {"params": [tensor([2.0])], "lr": 0.05}]


@pytest.mark.oracle
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_rate_equals_pytorchs(name: str, kind: str) -> None:
    import torch

    settings = {"lr": 0.1, "momentum": 0.9} if kind == "SGD" else {"lr": 0.1}
    mine = getattr(optim, kind)(groups(Tensor), **settings)
    theirs = getattr(torch.optim, kind)(groups(lambda x: torch.tensor(x, requires_grad=True)), **settings)
    schedule, other = SCHEDULES[name](optim, mine), SCHEDULES[name](torch.optim.lr_scheduler, theirs)
    for _ in range(50):
        for group, its in zip(mine.param_groups, theirs.param_groups, strict=True):
            assert_allclose(group["lr"], its["lr"], rtol=1e-9, atol=1e-15)
            for key in ("momentum", "betas"):
                assert_allclose(group.get(key, 0), its.get(key, 0), rtol=1e-12)
        assert schedule.get_last_lr() == [group["lr"] for group in mine.param_groups]
        theirs.step()
        schedule.step()
        other.step()


@pytest.mark.oracle
@pytest.mark.parametrize("settings", PLATEAUS)
def test_plateaus_equal_pytorchs(settings: dict[str, Any], rng: np.random.Generator) -> None:
    import torch

    mine = optim.SGD(groups(Tensor), lr=0.1)
    theirs = torch.optim.SGD(groups(lambda x: torch.tensor(x, requires_grad=True)), lr=0.1)
    schedule = optim.ReduceLROnPlateau(mine, **settings)
    other = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **settings)
    for t in range(50):
        metric = float(1 / (1 + t) + 0.2 * rng.random()) if t % 13 else float("nan")
        schedule.step(metric)
        other.step(metric)
        assert [group["lr"] for group in mine.param_groups] == [group["lr"] for group in theirs.param_groups]


def rates(schedule: Any, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        found.append(schedule.optimizer.param_groups[0]["lr"])
        schedule.step()
    return found


def test_rates_by_hand() -> None:
    def sgd() -> Any:
        return optim.SGD([Tensor(1.0)], lr=1.0, momentum=0.5)

    assert rates(optim.StepLR(sgd(), 2, 0.5), 5) == [1, 1, 0.5, 0.5, 0.25]
    assert rates(optim.ExponentialLR(sgd(), 0.5), 3) == [1, 0.5, 0.25]
    assert_allclose(rates(optim.CosineAnnealingLR(sgd(), 2, 0.5), 5), [1, 0.75, 0.5, 0.75, 1])
    assert rates(optim.LinearLR(sgd(), 0.5, total_iters=2), 4) == [0.5, 0.75, 1, 1]
    assert rates(optim.LambdaLR(sgd(), lambda t: 2.0**t), 3) == [1, 2, 4]
    assert_allclose(rates(optim.OneCycleLR(sgd(), 2.0, 4, pct_start=0.5, div_factor=2, final_div_factor=10), 4),
                    [1, 2, 1.05, 0.1])  # fmt: skip
    optimizer = sgd()
    plateau = optim.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    seen = []
    for metric in (3.0, Tensor(2.0), 2.0, 2.0, 1.0, 1.0, 1.0):
        plateau.step(metric)
        seen.append(optimizer.param_groups[0]["lr"])
    assert seen == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_a_plateau_resumes() -> None:
    runs = []
    for interrupted in (False, True):
        optimizer = optim.SGD([Tensor(1.0)], lr=1.0)
        plateau = optim.ReduceLROnPlateau(optimizer, patience=2, cooldown=2)
        for i, metric in enumerate([3.0, 3.0, 3.0, 3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]):
            if interrupted and i == 5:
                saved = stored({"o": optimizer.state_dict(), "p": plateau.state_dict()})
                optimizer = optim.SGD([Tensor(1.0)], lr=1.0)
                plateau = optim.ReduceLROnPlateau(optimizer, patience=2, cooldown=2)
                optimizer.load_state_dict(saved["o"])
                plateau.load_state_dict(saved["p"])
            plateau.step(metric)
        runs.append(optimizer.param_groups[0]["lr"])
    assert runs[0] == runs[1]
    assert runs[0] < 0.05


def test_two_owners_of_a_rate_are_noticed() -> None:
    optimizer = optim.SGD([Tensor(1.0)], lr=1.0)
    one, other = optim.StepLR(optimizer, 1), optim.ExponentialLR(optimizer, 0.9)
    one.step()
    with pytest.raises(RuntimeError, match="SequentialLR or ChainedScheduler, and step only that"):
        other.step()


S = optim.SGD([Tensor(1.0)], lr=1.0)
G = optim.Adagrad([Tensor(1.0)])


def test_schedules_in_a_chain_multiply() -> None:
    optimizer = optim.SGD([Tensor(1.0)], lr=2.0)
    parts = [optim.StepLR(optimizer, 2, 0.5), optim.ExponentialLR(optimizer, 0.25)]
    assert rates(optim.ChainedScheduler(parts), 4) == [2.0, 0.5, 2 / 32, 2 / 128]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optim.StepLR([Tensor(1.0)], 2), TypeError, "a schedule is that of an optimiser, not of"),
        (lambda: optim.StepLR(S, 0), ValueError, "step_size must be positive, not 0"),
        (lambda: optim.ExponentialLR(S, -1), ValueError, "gamma must be positive, not -1"),
        (lambda: optim.CosineAnnealingLR(S, 0), ValueError, "T_max must be positive, not 0"),
        (lambda: optim.LinearLR(S, 0), ValueError, "start_factor must be above 0 and at most 1, not 0"),
        (lambda: optim.LinearLR(S, end_factor=2), ValueError, "end_factor must be from 0 to 1, not 2"),
        (lambda: optim.LambdaLR(S, [abs, abs]), ValueError, "one for each of the 1 groups, not 2"),
        (lambda: optim.OneCycleLR(S, 1, 10, anneal_strategy="sin"), ValueError, "'cos' or 'linear', not 'sin'"),
        (lambda: optim.OneCycleLR(S, 1, 1), ValueError, "total_steps must be at least 2, not 1"),
        (lambda: optim.OneCycleLR(G, 1, 10), ValueError, "Adagrad has no momentum to cycle: pass cycle_momentum=False"),
        (lambda: rates(optim.OneCycleLR(S, 1, 3), 5), ValueError, "the cycle has 3 steps, and this is one more"),
        (lambda: optim.SequentialLR(S, [optim.StepLR(S, 1)], [3]), ValueError, r"have 0 milestones .* not \[3\]"),
        (lambda: optim.SequentialLR(S, [optim.ReduceLROnPlateau(S)], []), TypeError, "of the number of steps"),
        (lambda: optim.SequentialLR(G, [optim.StepLR(S, 1)], []), ValueError, "of several optimisers"),
        (lambda: optim.ChainedScheduler([]), ValueError, "at least one schedule"),
        (lambda: optim.Schedule(S), NotImplementedError, r"Schedule has no settings\(\)"),
        (lambda: optim.ReduceLROnPlateau(S, "least"), ValueError, "mode is 'min' or 'max'"),
        (lambda: optim.ReduceLROnPlateau(S, factor=1.0), ValueError, "factor must be from 0 up to"),
    ],
)  # fmt: skip
def test_wrong_schedules_are_named(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


# ---- clipping and penalties ----------------------------------------------------------------------------


def with_gradients(*gradients: Any) -> list[Tensor]:
    parameters = []
    for g in gradients:
        parameters.append(Tensor(np.zeros(np.shape(g), getattr(g, "dtype", np.float64))))
        parameters[-1].grad = g
    return parameters


@pytest.mark.oracle
@pytest.mark.parametrize("kind", [1.0, 2.0, 3.5, np.inf])
@pytest.mark.parametrize("most", [0.5, 100.0])
def test_clipping_equals_pytorchs(kind: float, most: float, rng: np.random.Generator) -> None:
    import torch

    gradients = [rng.standard_normal(shape)[()] for shape in ((3, 2), (), (4,))] + [np.array(2.5)[()]]
    mine = [*with_gradients(*gradients), Tensor(1.0)]
    theirs = [torch.tensor(g, requires_grad=True) for g in gradients]
    for p, g in zip(theirs, gradients, strict=True):
        p.grad = torch.tensor(g)
    norm, other = (
        library.clip_grad_norm_(parameters, most, kind)
        for library, parameters in ((optim, mine), (torch.nn.utils, theirs))
    )
    assert_allclose(norm, other.item(), rtol=1e-12)
    for p, q in zip(mine, theirs, strict=False):
        assert_allclose(p.grad, q.grad.numpy(), rtol=1e-12)
    optim.clip_grad_value_(mine, 0.1)
    torch.nn.utils.clip_grad_value_(theirs, 0.1)
    for p, q in zip(mine, theirs, strict=False):
        assert_allclose(p.grad, q.grad.numpy(), rtol=1e-12)
    assert mine[-1].grad is None


def test_clipping_happens_in_place_and_keeps_dtypes() -> None:
    g = np.array([3.0, 0.0], np.float32)
    p, s = with_gradients(g, np.float32(4))
    assert optim.clip_grad_norm_([p, s], 1.0) == 5
    assert p.grad is g
    assert_allclose([*g, s.grad], [0.6, 0, 0.8], rtol=1e-6)
    optim.clip_grad_value_(iter([p, s]), 0.5)
    assert p.grad is g
    assert_array_equal([*g, s.grad], [0.5, 0, 0.5])
    assert g.dtype == s.grad.dtype == np.float32
    assert optim.clip_grad_norm_([p], 100.0, np.inf) == 0.5
    assert optim.clip_grad_norm_([Tensor(1.0)], 1.0) == 0


@pytest.mark.parametrize("kind", [2.0, 3.0])
def test_the_norm_of_huge_and_tiny_gradients_is_right(kind: float) -> None:
    for g in (np.array([3e200, 4e200]), np.array([3e30, 4e30], np.float32), np.array([3e-30, 4e-30], np.float32)):
        (p,) = with_gradients(g.copy())
        norm = optim.clip_grad_norm_([p, *with_gradients(np.zeros((0, 2)))], 1.0, kind)
        assert_allclose(norm, np.float64(g[1]) * (1 + 0.75**kind) ** (1 / kind), rtol=1e-6)
        if norm > 1:
            assert_allclose(np.linalg.norm(p.grad, kind), 1, rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_clipping_does_not_hide_what_is_not_finite(bad: float) -> None:
    p, q = with_gradients(np.array([bad, 1.0]), np.array([2.0]))
    with pytest.raises(FloatingPointError, match=f"the norm of the gradients is {bad}"):
        optim.clip_grad_norm_([p, q], 1.0, error_if_nonfinite=True)
    assert_array_equal(q.grad, 2)
    with np.errstate(invalid="ignore"):
        assert not np.isfinite(optim.clip_grad_norm_([p, q], 1.0))
    assert np.isnan(p.grad[0])
    (p,) = with_gradients(np.array([np.nan]))
    optim.clip_grad_value_([p], 1.0)
    assert np.isnan(p.grad[0])


def test_limits_of_clipping_are_positive() -> None:
    for call in (
        lambda: optim.clip_grad_norm_(P, 0),
        lambda: optim.clip_grad_norm_(P, 1, 0),
        lambda: optim.clip_grad_value_(P, -1),
    ):
        with pytest.raises(ValueError, match="must be positive, not"):
            call()


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.RMSprop, optim.Adagrad])
def test_a_penalty_in_the_loss_does_what_the_setting_does(kind: Any) -> None:
    w, v = [Tensor([1.0, -2.0, 0.0]), Tensor(3.0)], [Tensor([1.0, -2.0, 0.0]), Tensor(3.0)]
    explicit, setting = kind(w, lr=0.01), kind(v, lr=0.01, weight_decay=0.2, l1=0.3)
    for _ in range(5):
        explicit.zero_grad()
        setting.zero_grad()
        (ag.cos(w[0]).sum() * w[1] + 0.1 * optim.l2_penalty(w) + 0.3 * optim.l1_penalty(w)).backward()
        (ag.cos(v[0]).sum() * v[1]).backward()
        explicit.step()
        setting.step()
        assert_allclose(w[0].data, v[0].data, rtol=1e-12)
        assert_allclose(w[1].data, v[1].data, rtol=1e-12)


def test_the_l1_of_adamw_enters_the_gradient_and_its_decay_does_not() -> None:
    p = Tensor([2.0])
    p.grad = np.zeros(1)
    optimizer = optim.AdamW([p], lr=0.1, weight_decay=0.5, l1=1.0)
    optimizer.step()
    assert_allclose(p.data, 2 * (1 - 0.05) - 0.1, rtol=1e-7)


# ---- minimize ------------------------------------------------------------------------------------------


def test_minimize_keeps_the_form() -> None:
    pytest.importorskip("scipy")

    def f(p: Any) -> Any:
        return ((p["a"] - 1) ** 2).sum() + (p["b"][0] + 2) ** 2 + ((p["b"][1] - p["a"].sum()) ** 2).sum()

    start = {"a": np.zeros((2, 2), np.float32), "b": (3.0, Tensor([1.0, 2.0]))}
    result = optim.minimize(f, start)
    assert result.success
    assert_allclose(result.x["a"], np.ones((2, 2)), atol=1e-3)
    assert (result.x["a"].dtype, type(result.x["b"])) == (np.float32, tuple)
    assert_allclose(result.x["b"][0], -2, atol=1e-4)
    assert_allclose(result.x["b"][1].data, 4, atol=1e-2)
    assert_array_equal(start["b"][1].data, [1, 2])
    assert optim.minimize(lambda x: (x - 3) ** 2, 0, bounds=[(0, 1)]).x == 1


def test_minimize_moves_a_module_and_nothing_frozen() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 3))
    y = x @ np.array([[1.0], [-2.0], [0.5]])
    model = nn.Linear(3, 1, rng=0)
    model.bias.data = [0.25]
    model.bias.requires_grad = False
    result = optim.minimize(lambda model: nn.mse_loss(model(x), y), model, tol=1e-12)
    assert result.x is model
    wanted = np.linalg.lstsq(x, y - 0.25, rcond=None)[0]
    assert_allclose(model.weight.data, wanted, atol=1e-5)
    assert_array_equal(model.bias.data, [0.25])
    assert model.weight.grad is None
    assert isinstance(result, optimize.OptimizeResult)


def test_minimize_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("scipy")
    with pytest.raises(ValueError, match="result is one number, not one of shape"):
        optim.minimize(lambda x: x, np.ones(2))
    frozen = nn.Linear(2, 1, bias=False)
    frozen.weight.requires_grad = False
    for nowhere in ((), np.ones((0, 2)), frozen):
        with pytest.raises(ValueError, match="nothing to minimise by"):
            optim.minimize(lambda x: 1.0, nowhere)
    with pytest.raises(TypeError, match="real numbers, not complex"):
        optim.minimize(lambda x: x, 1j)
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "autograd_mini\[train\]"'):
        optim.minimize(lambda x: x, 1.0)


# ---- the benchmark -------------------------------------------------------------------------------------


def test_the_benchmark_prints_its_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"few": ([(2, 3), ()], "float64"), "single": ([(PIECE + 1,)], "float32")}
    monkeypatch.setattr(optimiser_step, "MODELS", models)
    optimiser_step.main(["--seconds", "0.001"])
    printed = capsys.readouterr().out
    assert "| few, float64 |" in printed
    assert "| single, float32 |" in printed


def test_the_benchmark_refuses_a_step_that_computes_something_else() -> None:
    both, arrays, tensors = optimiser_step.steps("Adam", [(2, 3)], "float64")
    arrays[0] += 0.1
    with pytest.raises(SystemExit, match=r"few, Adam: a parameter of shape \(2, 3\) differs"):
        optimiser_step.agree("Adam", "few", both, arrays, tensors)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({name: torchs(name) for name in SETTINGS}, indent=1) + "\n")
