"""Initialisers: the distributions that they draw from."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from autograd_mini import nn
from autograd_mini.nn import init

SHAPE = (300, 200)
N = math.prod(SHAPE)


def normal_cdf(x: np.ndarray) -> np.ndarray:
    return np.array([math.erfc(-z / math.sqrt(2)) / 2 for z in x])


def follows(x: np.ndarray, cdf: Callable[[np.ndarray], np.ndarray]) -> None:
    """Kolmogorov's test: of 10,000 right samples, one is further away."""
    x = np.sort(x, axis=None)
    steps = np.arange(x.size + 1) / x.size
    distance = max(np.abs(cdf(x) - steps[1:]).max(), np.abs(cdf(x) - steps[:-1]).max())
    assert distance * math.sqrt(x.size) < 2.23


def follows_uniform(x: np.ndarray, low: float, high: float) -> None:
    assert low <= x.min() < x.max() < high
    follows(x, lambda x: (x - low) / (high - low))


def follows_normal(x: np.ndarray, mean: float, std: float) -> None:
    follows(x, lambda x: normal_cdf((x - mean) / std))


def test_fixed_values() -> None:
    assert_array_equal(init.zeros((2, 3)), np.zeros((2, 3)), strict=True)
    assert_array_equal(init.ones((2,)), np.ones(2), strict=True)
    assert_array_equal(init.constant((2, 1), value=3), np.full((2, 1), 3.0), strict=True)


def test_normal_and_uniform() -> None:
    follows_normal(init.normal(SHAPE, 0), 0, 1)
    follows_normal(init.normal(SHAPE, 0, mean=3, std=0.1), 3, 0.1)
    follows_uniform(init.uniform(SHAPE, 0), 0, 1)
    follows_uniform(init.uniform(SHAPE, 0, low=-2, high=5), -2, 5)


@pytest.mark.parametrize("bound", [0.5, 2.0, 3.0])
def test_truncated_normal(bound: float) -> None:
    x = (init.truncated_normal(SHAPE, 0, mean=1, std=0.02, bound=bound) - 1) / 0.02
    assert 0.99 * bound < np.abs(x).max() <= bound + 1e-12
    low, high = normal_cdf(np.array([-bound, bound]))
    follows(x, lambda x: (normal_cdf(x) - low) / (high - low))
    if bound == 2:
        assert x.std() == pytest.approx(0.8796, abs=0.005)


# each with the standard deviation that its paper gives, for 300 numbers in and 200 out
SCALED: list[tuple[Callable[..., Any], float]] = [
    (init.xavier_uniform, math.sqrt(2 / 500)),
    (init.xavier_normal, math.sqrt(2 / 500)),
    (partial(init.xavier_uniform, gain=5 / 3), 5 / 3 * math.sqrt(2 / 500)),
    (partial(init.xavier_normal, gain=0.1), 0.1 * math.sqrt(2 / 500)),
    (init.kaiming_uniform, math.sqrt(2 / 300)),
    (init.kaiming_normal, math.sqrt(2 / 300)),
    (partial(init.kaiming_uniform, mode="fan_out"), math.sqrt(2 / 200)),
    (partial(init.kaiming_normal, mode="fan_avg", gain=1), math.sqrt(1 / 250)),
    (init.lecun_uniform, math.sqrt(1 / 300)),
    (init.lecun_normal, math.sqrt(1 / 300)),
]


@pytest.mark.parametrize(("draw", "std"), SCALED)
def test_scaled_initialisers(draw: Callable[..., Any], std: float) -> None:
    name = getattr(draw, "func", draw).__name__
    # a linear weight is (in, out), and a kernel (out, in / groups, *lengths)
    for shape in (SHAPE, (8, 12, 25), (8, 12, 5, 5)):
        x = draw(shape, np.random.default_rng(0))
        assert x.shape == shape
        if name.endswith("uniform"):
            follows_uniform(x, -math.sqrt(3) * std, math.sqrt(3) * std)
        else:
            follows_normal(x, 0, std)


def test_the_variance_is_kept_through_layers() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 400))
    deep = nn.MLP([400] * 11, "relu", "relu", init=init.kaiming_normal, rng=rng)
    assert 0.5 < np.mean(deep(x).data ** 2) < 2
    assert np.mean(nn.MLP([400] * 11, "relu", "relu", init=init.lecun_normal, rng=rng)(x).data ** 2) < 0.01


def test_orthogonal() -> None:
    for shape in ((5, 3), (3, 5), (4, 4)):
        q = init.orthogonal(shape, 0, gain=2)
        few = q if shape[0] <= shape[1] else q.T
        assert_allclose(few @ few.T, 4 * np.eye(min(shape)), atol=1e-14)
    rows = init.orthogonal((6, 2, 3, 3), 0).reshape(6, 18)
    assert_allclose(rows @ rows.T, np.eye(6), atol=1e-14)


def test_orthogonal_matrices_are_equally_likely() -> None:
    rng = np.random.default_rng(0)
    draws = np.array([init.orthogonal((2, 2), rng) for _ in range(4000)])
    angle = np.arctan2(draws[:, 1, 0], draws[:, 0, 0])
    follows_uniform(angle, -math.pi, math.pi)
    turns = np.linalg.det(draws) > 0  # the others are reflections
    assert turns.mean() == pytest.approx(0.5, abs=0.03)


def test_gains() -> None:
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    with pytest.raises(ValueError, match="gains are known for linear, .*, not for 'gelu'"):
        init.calculate_gain("gelu")


@pytest.mark.oracle
@pytest.mark.parametrize("activation", init.GAINS)
def test_gains_are_pytorchs(activation: str) -> None:
    torch = pytest.importorskip("torch")
    for slope in (0.01, 0.3):
        theirs = torch.nn.init.calculate_gain(activation, slope)
        assert init.calculate_gain(activation, slope) == pytest.approx(theirs, rel=1e-15)


def test_what_cannot_be_drawn() -> None:
    for shape in ((3,), (), (3, 0)):
        with pytest.raises(ValueError, match="two axes or more and no empty one"):
            init.xavier_normal(shape)
        with pytest.raises(ValueError, match="two axes or more"):
            init.orthogonal(shape)
    with pytest.raises(ValueError, match="mode is one of fan_in, fan_out, fan_avg, not 'fan'"):
        init.kaiming_normal((2, 3), mode="fan")
    for bound in (0.01, 0, -1, math.nan):
        with pytest.raises(ValueError, match="use uniform for less"):
            init.truncated_normal((2, 3), bound=bound)


def test_a_seed_or_a_generator_decides() -> None:
    for name in init.__all__:
        draw = getattr(init, name)
        if name in ("calculate_gain", "constant"):
            continue
        assert_array_equal(draw((3, 4), 7), draw((3, 4), np.random.default_rng(7)), strict=True)
        rng = np.random.default_rng(7)
        assert np.array_equal(draw((3, 4), rng), draw((3, 4), rng)) == (name in ("zeros", "ones"))
