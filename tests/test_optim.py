"""Optimisers, step for step against PyTorch.

PyTorch's steps are kept in ``golden/torch_steps.json``; ``python -m tests.test_optim`` writes them
again, and ``pytest -m oracle`` compares with the PyTorch that is installed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_mini as ag
from autograd_mini import Tensor, optim

GOLDEN = Path(__file__).parent / "golden" / "torch_steps.json"
STEPS = 12
SETTINGS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1},
    "SGD, weight decay": {"lr": 0.1, "weight_decay": 0.2},
    "SGD, momentum": {"lr": 0.05, "momentum": 0.9},
    "SGD, Nesterov": {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
    "Adam": {"lr": 0.1},
    "Adam, betas and eps": {"lr": 0.02, "betas": (0.5, 0.9), "eps": 1e-3},
    "Adam, weight decay": {"lr": 0.1, "weight_decay": 0.3},
}
A = np.array([[1.0, 0.3, -0.2], [0.3, 2.0, 0.1], [-0.2, 0.1, 0.5]])
START = [np.array([1.0, -2.0, 3.0]), np.array(0.7)]


def ours(name: str) -> list[list[float]]:
    x, s = (Tensor(a) for a in START)
    optimizer = getattr(optim, name.split(",")[0])([x, s], **SETTINGS[name])
    path = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        (x @ A @ x / 2 + ag.sin(x).sum() * s + s**4).backward()
        optimizer.step()
        path.append([*x.data.tolist(), s.item()])
    return path


def torchs(name: str) -> list[list[float]]:
    import torch

    x, s = (torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in START)
    optimizer = getattr(torch.optim, name.split(",")[0])([x, s], **SETTINGS[name])
    path = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        (x @ torch.tensor(A) @ x / 2 + torch.sin(x).sum() * s + s**4).backward()
        optimizer.step()
        path.append([*x.detach().tolist(), s.item()])
    return path


@pytest.mark.parametrize("name", SETTINGS)
def test_every_step_equals_pytorchs(name: str) -> None:
    assert_allclose(ours(name), json.loads(GOLDEN.read_text())[name], rtol=1e-12)


@pytest.mark.oracle
@pytest.mark.parametrize("name", SETTINGS)
def test_every_step_equals_that_of_the_installed_pytorch(name: str) -> None:
    assert_allclose(ours(name), torchs(name), rtol=1e-12)


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_what_has_no_gradient_or_is_frozen_stays(make: Any) -> None:
    moved, unused, frozen = Tensor(1.0), Tensor(1.0), Tensor(1.0, requires_grad=False)
    frozen.grad = np.float64(1)
    optimizer = make([moved, unused, frozen], lr=0.1)
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
