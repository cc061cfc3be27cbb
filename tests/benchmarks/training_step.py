"""Time a whole training step beside the same step written by hand: ``python -m tests.benchmarks.training_step``.

Everything runs interleaved in one process with one BLAS thread, and the figure to read is the ratio.
A step is forward, backward and SGD update. Before anything is timed, all engines take the same
three steps, and their losses must agree.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import autograd_mini as ag

from .timing import interleaved, machine, ratio

Array = np.ndarray[Any, Any]
Step = Callable[[], float]
LR = 0.01


class Network(NamedTuple):
    """A network of the comparison, and the ratio to hand-written NumPy that is wanted."""

    name: str
    sizes: tuple[int, ...]
    batch: int
    dtype: str
    activation: str
    loss: str  # "mse": the outputs are activated too; "cross_entropy": they are logits
    goal: float


NETWORKS = (
    Network("XOR 2-3-2, batch 4", (2, 3, 2), 4, "float64", "sigmoid", "mse", 1.5),
    Network("digits 64-50-10, batch 32", (64, 50, 10), 32, "float64", "tanh", "cross_entropy", 1.35),
    Network("8-64-32-32-32-8, one sample", (8, 64, 32, 32, 32, 8), 1, "float64", "tanh", "mse", 1.4),
    Network("30-800-400-2, batch 32", (30, 800, 400, 2), 32, "float32", "relu", "cross_entropy", 1.03),
    Network("784-1024-1024-10, batch 256", (784, 1024, 1024, 10), 256, "float32", "relu", "cross_entropy", 1.03),
)


class Problem(NamedTuple):
    """A batch, and the parameters that every engine starts from."""

    x: Array
    y: Array
    weights: list[Array]
    biases: list[Array]

    def copies(self) -> tuple[list[Array], list[Array]]:
        return [w.copy() for w in self.weights], [b.copy() for b in self.biases]


def problem(net: Network) -> Problem:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((net.batch, net.sizes[0])).astype(net.dtype)
    if net.loss == "mse":
        y = rng.uniform(size=(net.batch, net.sizes[-1])).astype(net.dtype)
    else:
        y = rng.integers(net.sizes[-1], size=net.batch)
    pairs = list(zip(net.sizes, net.sizes[1:], strict=False))
    weights = [(rng.standard_normal(pair) * np.sqrt(2 / sum(pair))).astype(net.dtype) for pair in pairs]
    return Problem(x, y, weights, [np.zeros(m, net.dtype) for _, m in pairs])


# ---- the step by hand, as the tutorials write it ---------------------------------------------------


def hand_sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


HAND: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "sigmoid": (hand_sigmoid, lambda d, h: d * h * (1 - h)),
    "tanh": (np.tanh, lambda d, h: d * (1 - h * h)),
    "relu": (lambda x: np.maximum(x, 0), lambda d, h: d * (h > 0)),
}


def hand(net: Network, p: Problem) -> Step:
    weights, biases = p.copies()
    x, y, n, last = p.x, p.y, net.batch, len(p.weights) - 1
    activate, slope = HAND[net.activation]
    rows = np.arange(n)

    def step() -> float:
        layers = [x]
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            layers.append(activate(layers[-1] @ w + b))
        z = layers[-1] @ weights[-1] + biases[-1]
        if net.loss == "mse":
            out = activate(z)
            difference = out - y
            loss = np.mean(difference * difference)
            d = slope(difference * (2 / difference.size), out)
        else:
            z = z - z.max(axis=1, keepdims=True)
            log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
            loss = -log_p[rows, y].mean()
            d = np.exp(log_p)
            d[rows, y] -= 1
            d /= n
        gradients = []
        for i in range(last, -1, -1):
            h = layers[i]
            gradients.append((weights[i], h.T @ d))
            gradients.append((biases[i], d.sum(axis=0)))
            if i:
                d = slope(d @ weights[i].T, h)
        for parameter, gradient in gradients:
            parameter -= LR * gradient
        return float(loss)

    return step


# ---- this library ----------------------------------------------------------------------------------


def autograd_mini(net: Network, p: Problem) -> Step:
    model = ag.nn.MLP(net.sizes, activation=net.activation, dtype=net.dtype)
    state = {}
    for i, (w, b) in enumerate(zip(p.weights, p.biases, strict=True)):
        state[f"layers.{2 * i}.weight"], state[f"layers.{2 * i}.bias"] = w, b
    model.load_state_dict(state)
    if net.loss == "mse":
        model.layers.append(type(model.layers[1])())
    optimizer = ag.optim.SGD(model.parameters(), lr=LR)
    loss_of = getattr(ag.nn, f"{net.loss}_loss" if net.loss == "mse" else net.loss)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(p.x), p.y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


# ---- the peers -------------------------------------------------------------------------------------


def pytorch(net: Network, p: Problem) -> Step:
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    weights, biases = ([torch.tensor(a, requires_grad=True) for a in arrays] for arrays in p.copies())
    x, y = torch.tensor(p.x), torch.tensor(p.y)
    activate = getattr(torch, net.activation)
    loss_of = getattr(functional, f"{net.loss}_loss" if net.loss == "mse" else net.loss)
    optimizer = torch.optim.SGD([*weights, *biases], lr=LR)

    def step() -> float:
        h = x
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            h = activate(h @ w + b)
        z = h @ weights[-1] + biases[-1]
        loss = loss_of(activate(z) if net.loss == "mse" else z, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def jax_jit(net: Network, p: Problem) -> Step:
    import jax
    from jax import numpy as jnp

    jax.config.update("jax_enable_x64", True)
    activate = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}[net.activation]
    x, y = jnp.asarray(p.x), jnp.asarray(p.y)
    parameters = [[jnp.asarray(a) for a in arrays] for arrays in p.copies()]

    def loss_of(parameters: Any) -> Any:
        *hidden, (w, b) = zip(*parameters, strict=True)
        h = x
        for v, c in hidden:
            h = activate(h @ v + c)
        z = h @ w + b
        if net.loss == "mse":
            return jnp.mean((activate(z) - y) ** 2)
        return -jnp.mean(jax.nn.log_softmax(z)[jnp.arange(net.batch), y])

    @jax.jit
    def update(parameters: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(parameters)
        return loss, jax.tree.map(lambda a, g: a - LR * g, parameters, gradients)

    def step() -> float:
        nonlocal parameters
        loss, parameters = jax.block_until_ready(update(parameters))
        return float(loss)

    return step


def hips_autograd(net: Network, p: Problem) -> Step:
    from autograd import numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    activations = {"sigmoid": lambda x: 1 / (1 + anp.exp(-x)), "tanh": anp.tanh, "relu": lambda x: anp.maximum(x, 0)}
    activate, rows = activations[net.activation], np.arange(net.batch)

    def loss_of(parameters: Any) -> Any:
        *hidden, (w, b) = zip(*parameters, strict=True)
        h = p.x
        for v, c in hidden:
            h = activate(h @ v + c)
        z = h @ w + b
        if net.loss == "mse":
            return anp.mean((activate(z) - p.y) ** 2)
        return -anp.mean((z - logsumexp(z, axis=1, keepdims=True))[rows, p.y])

    parameters = p.copies()
    both = value_and_grad(loss_of)

    def step() -> float:
        loss, gradients = both(parameters)
        for arrays, slopes in zip(parameters, gradients, strict=True):
            for a, g in zip(arrays, slopes, strict=True):
                a -= LR * g
        return float(loss)

    return step


def mygrad(net: Network, p: Problem) -> Step:
    import mygrad as mg
    from mygrad.nnet.losses import softmax_crossentropy

    activations = {"sigmoid": mg.nnet.sigmoid, "tanh": mg.tanh, "relu": mg.nnet.relu}
    activate = activations[net.activation]
    weights, biases = ([mg.tensor(a) for a in arrays] for arrays in p.copies())

    def step() -> float:
        h = p.x
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            h = activate(h @ w + b)
        z = h @ weights[-1] + biases[-1]
        loss = mg.mean((activate(z) - p.y) ** 2) if net.loss == "mse" else softmax_crossentropy(z, p.y)
        loss.backward()
        for parameter in (*weights, *biases):
            parameter.data -= LR * parameter.grad
        return float(loss.data)

    return step


ENGINES: dict[str, tuple[str, Callable[[Network, Problem], Step]]] = {
    "hand NumPy": ("numpy", hand),
    "autograd_mini": ("numpy", autograd_mini),
    "PyTorch": ("torch", pytorch),
    "JAX jit": ("jax", jax_jit),
    "HIPS autograd": ("autograd", hips_autograd),
    "MyGrad": ("mygrad", mygrad),
}


def agree(net: Network, steps: dict[str, Step]) -> None:
    """Take three steps with each engine; a loss that differs means that it computes something else."""
    losses = {name: [step() for _ in range(3)] for name, step in steps.items()}
    tolerance = 1e-9 if net.dtype == "float64" else 1e-4
    for name, values in losses.items():
        if not np.allclose(values, losses["hand NumPy"], rtol=tolerance, atol=0):
            raise SystemExit(f"{net.name}: {name} has the losses {values}, by hand they are {losses['hand NumPy']}")


# ---- one operation at a time -----------------------------------------------------------------------

OPERATIONS = 800  # a chain that the recursion of micrograd can still walk


def chain(x: Any, w: Any, b: Any) -> Any:
    for _ in range(OPERATIONS // 2):
        x = x * w + b
    return x


def per_operation(make: Callable[[], tuple[Any, Any, Any]], seed: Any = None) -> Callable[[], tuple[float, float]]:
    def run() -> tuple[float, float]:
        leaves = make()
        start = time.perf_counter()
        y = chain(*leaves)
        middle = time.perf_counter()
        y.backward() if seed is None else y.backward(seed)
        return middle - start, time.perf_counter() - middle

    return run


def operations_table() -> list[str]:
    small, ones = np.full(32, 0.5), np.ones(32)
    runs = {
        "autograd_mini, scalars": per_operation(lambda: (ag.Tensor(0.5), ag.Tensor(0.3), ag.Tensor(0.1))),
        "autograd_mini, vectors of 32": per_operation(
            lambda: (ag.Tensor(small), ag.Tensor(small), ag.Tensor(small)), ones
        ),
    }
    if find_spec("micrograd"):
        from micrograd.engine import Value

        runs["micrograd, scalars"] = per_operation(lambda: (Value(0.5), Value(0.3), Value(0.1)))
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(101):
        for name, run in runs.items():
            times[name].append(run())
    lines = ["| chain of x * w + b | forward | backward | together |", "|---|---|---|---|"]
    for name, pairs in times.items():
        both = [statistics.median(column) for column in (*zip(*pairs, strict=True), [a + b for a, b in pairs])]
        lines.append(f"| {name} | " + " | ".join(f"{t / OPERATIONS * 1e9:,.0f} ns" for t in both) + " |")
    return lines


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.training_step", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="also the other engines that are installed")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to measure each network (default 10)")
    options = parser.parse_args(arguments)
    engines = {
        name: build
        for name, (package, build) in ENGINES.items()
        if package == "numpy" or (options.peers and find_spec(package))
    }
    print(machine(), "\n")
    others = [name for name in engines if name not in ("hand NumPy", "autograd_mini")]
    print(
        "| one training step | hand NumPy | autograd_mini | ratio | goal |" + "".join(f" {name} |" for name in others)
    )
    print("|---" * (5 + len(others)) + "|")
    for net in NETWORKS:
        p = problem(net)
        steps = {name: build(net, p) for name, build in engines.items()}
        agree(net, steps)
        times = interleaved(steps, options.seconds)
        by_hand, ours = (statistics.median(times[name]) * 1e6 for name in ("hand NumPy", "autograd_mini"))
        print(
            f"| {net.name}, {net.dtype} | {by_hand:,.1f} µs | {ours:,.1f} µs "
            f"| **{ratio(times, 'autograd_mini', 'hand NumPy'):.2f}** | {net.goal} |"
            + "".join(f" {ratio(times, name, 'hand NumPy'):.2f} |" for name in others),
            flush=True,
        )
    print("", *operations_table(), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
