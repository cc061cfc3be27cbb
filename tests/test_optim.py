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
    for (w, b, late), library in ((mine, optim), (theirs, torch.optim)):
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
    optimizer.step()
    optimizer.step()
    assert_array_equal(p.data, [-1 - 1 - 1.5])


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
    p.grad = np.array([0.1])
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


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({name: torchs(name) for name in SETTINGS}, indent=1) + "\n")
