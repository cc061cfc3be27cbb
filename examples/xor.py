"""Learn XOR with 2-3-2 and 2-50-2 sigmoid networks, squared error and L2; then let a network explode, and tame it.

All four points are one batch, and the loss is ½ Σ (y − t)² + ½ λ Σ w², over the weights without the biases. Sigmoid
outputs keep every error below 1, so what explodes has linear outputs. Its hidden units are ELUs, whose curvature grows
with the weights while it learns, from 5 to 13 and more; at the learning rate 0.3, steps overshoot above 2 / 0.3 = 6.7.
Stronger L2 keeps the weights small and the curvature near 8: the loss wavers and stays larger, but does not explode.
The setting is narrow: at the rate 0.25 most runs survive by themselves, and at 0.35 that L2 saves few. With hidden
sigmoids L2 alone would not help, since their curvature is large from the start.
"""

from __future__ import annotations

import argparse
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

import autograd_mini as ag
from autograd_mini.nn import init

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
TARGET = np.eye(2)[[0, 1, 1, 0]]
AMBER, GREEN, GREY = "#B26A00", "#00805A", "#5B6775"
GRID = np.linspace(-0.5, 1.5, 81)

SIGMOID = {"2-3-2": ([2, 3, 2], 5.0, 1e-4), "2-50-2": ([2, 50, 2], 0.5, 1e-4)}  # sizes, learning rate, λ
RATE = 0.3
RUNS: dict[str, dict[str, float]] = {
    "nothing done": {},
    "clipped at norm 0.5": {"clip": 0.5},
    "lr × 0.98 each step": {"gamma": 0.98},
    "λ = 0.1, not 0.0001": {"decay": 0.1},
}


def hand_written(parameters: list[Any], decay: float) -> list[Any]:
    """Give the gradients of a sigmoid network as the tutorial derives them."""
    w1, b1, w2, b2 = parameters
    h = 1 / (1 + np.exp(-(X @ w1 + b1)))
    y = 1 / (1 + np.exp(-(h @ w2 + b2)))
    dz2 = (y - TARGET) * y * (1 - y)
    dz1 = (dz2 @ w2.T) * h * (1 - h)
    return [X.T @ dz1 + decay * w1, dz1.sum(axis=0), h.T @ dz2 + decay * w2, dz2.sum(axis=0)]


def objective(model: ag.nn.MLP, decay: float) -> Any:
    """Make the loss: half the squared errors, and half of λ times the squared weights."""
    weights = model.parameters()[::2]
    return lambda y, t: 0.5 * ag.nn.mse_loss(y, t, reduction="sum") + 0.5 * decay * ag.optim.l2_penalty(weights)


def accuracy(target: Any, output: Any) -> float:
    """Give the share of the points whose larger output is the right one."""
    return float(np.mean(output.argmax(axis=1) == target.argmax(axis=1)))


class Boundary(ag.train.Callback):
    """Keep what the network answers all over the plane: its second output less its first."""

    def __init__(self, steps: int, frames: int) -> None:
        self.steps = set(np.geomspace(1, steps, frames).round())  # it changes less and less
        self.frames: list[tuple[int, Any]] = []
        self.plane = np.stack(np.meshgrid(GRID, GRID), axis=-1).reshape(-1, 2)

    def after_epoch(self, training: ag.train.Training) -> None:
        """Look at the network."""
        step = training.history.epochs
        if step in self.steps:
            first, second = ag.train.predict(training.model, self.plane).T
            self.frames.append((step, (second - first).reshape(GRID.size, GRID.size)))


def explode(seed: int, steps: int, decay: float = 1e-4, clip: float = inf, gamma: float = 1.0) -> dict[str, Any]:
    """Train a 2-50-2 ELU network, step by step, until the loss is not finite, and note loss and gradient norm."""
    from tqdm import trange

    x = 2 * X - 1
    small = lambda shape, rng: init.xavier_normal(shape, rng, gain=0.3)
    model = ag.nn.MLP([2, 50, 2], activation="elu", init=small, rng=seed)
    optimizer = ag.optim.SGD(model.parameters(), lr=RATE)
    schedule = ag.optim.ExponentialLR(optimizer, gamma)
    loss = objective(model, decay)
    losses, norms = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in trange(steps, desc="exploding, or not", leave=False):
            output = model(x)
            value = loss(output, TARGET)
            optimizer.zero_grad()
            value.backward()
            norm = ag.optim.clip_grad_norm_(model.parameters(), clip)  # the norm before
            if not np.isfinite(value.item() + norm):
                break
            losses.append(value.item())
            norms.append(norm)
            optimizer.step()
            schedule.step()
    finite = len(losses) == steps
    error = 0.5 * float(np.sum((output.data - TARGET) ** 2)) if finite else inf
    learned = error < 0.5 and accuracy(TARGET, output.data) == 1
    end = f"½ Σ (y − t)² = {error:.2g}" if finite else f"overflow in step {len(losses) + 1}"
    return {"loss": losses, "norm": norms, "finite": finite, "learned": learned, "end": end}


def main(arguments: list[str] | None = None) -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps, and fewer frames")
    parser.add_argument("--out", type=Path, default=Path("autograd-mini-out"), metavar="DIR")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)

    for name, (sizes, lr, decay) in SIGMOID.items():
        model = ag.nn.MLP(sizes, activation="sigmoid", output_activation="sigmoid", rng=0)
        loss = objective(model, decay)
        loss(model(X), TARGET).backward()
        by_hand = hand_written([p.data for p in model.parameters()], decay)
        difference = max(np.abs(p.grad - g).max() for p, g in zip(model.parameters(), by_hand, strict=True))
        print(f"gradients of {name}: at most {difference:.1e} from those written by hand")

        steps = 1000 if options.quick else 3000
        boundary = Boundary(steps, frames=8 if options.quick else 70)
        history = ag.train.fit(
            model,
            loss,
            ag.optim.SGD(model.parameters(), lr=lr),
            X,
            TARGET,
            epochs=steps,
            metrics={"accuracy": accuracy},
            callbacks=[boundary],
            seed=0,
        )
        right, last = history["accuracy"][-1], history["loss"][-1]
        print(f"{name}, lr {lr:g}, λ {decay:g}: accuracy {right:.0%}, loss {last:.4f} after {steps:,} steps")
        panels(
            history, boundary, f"XOR by {name}, learning rate {lr:g}, λ = {decay:g}", options.out / f"xor_{name}.png"
        )
        animate(history, boundary, options.out / f"xor_{name}.gif")

    steps, seeds = 300, 2 if options.quick else 20
    shown = {}
    print(f"2-50-2 with ELUs and linear outputs, inputs ±1, lr {RATE:g}, {steps} steps, {seeds} initial weights:")
    for name, remedy in RUNS.items():
        runs = [explode(seed, steps, **remedy) for seed in range(seeds)]
        shown[name] = run = runs[0]
        exploded, learned = sum(not r["finite"] for r in runs), sum(r["learned"] for r in runs)
        print(
            f"  {name:<20} {exploded:>2} explode, {learned:>2} learn XOR; the first: largest gradient norm "
            f"{max(run['norm']):.2g}, {run['end']}"
        )
    side_by_side(shown, options.out / "xor_explosion.png")


def draw_plane(axes: Any, values: Any) -> None:
    """Draw the answers, the line where both outputs are equal, if there is one yet, and the four points."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("amber to green", [AMBER, "#FFFFFF", GREEN])
    axes.contourf(GRID, GRID, values, levels=np.linspace(-1, 1, 12), cmap=shades, vmin=-1.5, vmax=1.5, zorder=0)
    if values.min() < 0 < values.max():
        axes.contour(GRID, GRID, values, levels=[0], colors=GREY, linewidths=2, zorder=1)
    for label, (colour, marker) in enumerate(((AMBER, "o"), (GREEN, "s"))):
        points = X[TARGET[:, label] == 1]
        axes.scatter(*points.T, s=110, color=colour, marker=marker, edgecolor="white", linewidth=1.5, zorder=3)
    axes.set(xticks=[0, 1], yticks=[0, 1], xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    axes.spines[:].set_visible(False)


def plain(axes: Any) -> None:
    """Give axes the look of the house."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def panels(history: ag.train.History, boundary: Boundary, title: str, path: Path) -> None:
    """Draw accuracy, decision boundary and loss."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.7), layout="constrained")
    figure.suptitle(title)
    left, middle, right = figure.subplots(1, 3)
    steps = range(1, history.epochs + 1)
    left.plot(steps, history["accuracy"], color=GREEN)
    left.set(title="accuracy", xlabel="step", xscale="log", ylim=(-0.03, 1.03), yticks=[0, 0.25, 0.5, 0.75, 1])
    left.yaxis.set_major_formatter("{x:.0%}")
    draw_plane(middle, boundary.frames[-1][1])
    middle.set_title("decision boundary")
    right.plot(steps, history["loss"], color=AMBER)
    right.set(title="loss", xlabel="step", xscale="log", yscale="log")
    for axes in (left, right):
        plain(axes)
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


def animate(history: ag.train.History, boundary: Boundary, path: Path) -> None:
    """Show the decision boundary as it is learned."""
    from matplotlib.animation import PillowWriter
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6, 3.8))
    axes = figure.add_axes((0.13, 0.13, 0.82, 0.78))
    writer = PillowWriter(fps=10)
    with writer.saving(figure, path, dpi=90):
        for step, values in boundary.frames + boundary.frames[-1:] * 8:  # a while to look at the end
            axes.clear()
            draw_plane(axes, values)
            axes.set_title(f"step {step:,}: loss {history['loss'][step - 1]:.3f}", fontsize="medium")
            writer.grab_frame()
    print(f"wrote {path}")


def side_by_side(runs: dict[str, dict[str, Any]], path: Path) -> None:
    """Draw loss and gradient norm of the four runs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 3.9), layout="constrained")
    figure.suptitle(f"2-50-2, learning rate {RATE:g}: one run explodes, and the same run tamed in three ways")
    for axes, (name, run) in zip(figure.subplots(1, 4, sharex=True, sharey=True), runs.items(), strict=True):
        steps = range(1, len(run["loss"]) + 1)
        axes.plot(steps, run["norm"], color=GREEN, label="gradient norm, before clipping", linewidth=0.9)
        axes.plot(steps, run["loss"], color=AMBER, label="loss, with the penalty", linewidth=1.2)
        axes.set(title=f"{name}\n{run['end']}", xlabel="step", yscale="log", ylim=(1e-4, 1e4))
        plain(axes)
    figure.axes[0].legend(frameon=False, loc="lower right", fontsize="small")
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
