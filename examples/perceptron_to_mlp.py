"""From one neuron to a network of five layers, learned online: one sample, one step.

The tutorial writes the backward pass of both by hand. Here nobody does, and the gradients are the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import autograd_mini as ag

SIZES = [8, 64, 32, 32, 32, 8]


def hand_written(weights: list[Any], biases: list[Any], x: Any, target: Any) -> list[Any]:
    """Give the gradients of the mean squared error as the tutorial computes them, layer by layer from the last."""
    activations = [x]
    for w, b in zip(weights, biases, strict=True):
        activations.append(1 / (1 + np.exp(-(activations[-1] @ w + b))))
    error = 2 * (activations[-1] - target) / target.size
    gradients = []
    for w, before, after in zip(weights[::-1], activations[-2::-1], activations[:0:-1], strict=True):
        delta = error * after * (1 - after)
        gradients += [delta.sum(axis=0), before.T @ delta]
        error = delta @ w.T
    return gradients[::-1]


def largest_difference(model: ag.nn.MLP, x: Any) -> float:
    """Compare the gradients of `model` with those by hand."""
    ag.nn.mse_loss(model(x), x).backward()
    parameters = model.parameters()
    arrays = [p.data for p in parameters]
    by_hand = hand_written(arrays[::2], arrays[1::2], x, x)
    return max(float(np.abs(p.grad - g).max()) for p, g in zip(parameters, by_hand, strict=True))


def main(arguments: list[str] | None = None) -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples and two epochs")
    parser.add_argument("--out", type=Path, default=Path("autograd-mini-out"), metavar="DIR")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    samples, epochs = (100, 2) if options.quick else (1000, 10)

    np.random.seed(42)  # the tutorial's numbers
    first, second = np.random.uniform(size=8), np.random.uniform(size=8)
    print(f"MSE of eight uniform numbers against the next eight: {ag.nn.mse_loss(first, second)!r}")

    rng = np.random.default_rng(0)
    histories = {}

    def learn(name: str, model: ag.nn.Module, lr: float, x: Any, y: Any) -> None:
        optimizer = ag.optim.SGD(model.parameters(), lr=lr)
        history = ag.train.fit(model, ag.nn.mse_loss, optimizer, x, y, epochs=epochs, batch_size=1, seed=0)
        histories[name] = history["loss"]
        print(f"{name}: MSE {history['loss'][0]:.6f} in the first epoch, {history['loss'][-1]:.6f} in the last")

    x = rng.uniform(size=(samples, 16))
    perceptron = ag.nn.Sequential(ag.nn.Linear(16, 1, rng=0), ag.nn.Sigmoid())
    learn("perceptron, the mean of its 16 inputs, lr 0.1", perceptron, 0.1, x, x.mean(axis=1, keepdims=True))

    x = rng.uniform(size=(samples, 8))
    model = ag.nn.MLP(SIZES, activation="sigmoid", output_activation="sigmoid", rng=0)
    print(f"gradients of the MLP: at most {largest_difference(model, x[:1]):.1e} from those written by hand")
    for activation, lr in (("sigmoid", 1e-3), ("sigmoid", 1.0), ("tanh", 1.0)):
        model = ag.nn.MLP(SIZES, activation=activation, output_activation="sigmoid", rng=0)
        learn(f"MLP {'-'.join(map(str, SIZES))}, the identity, {activation}, lr {lr:g}", model, lr, x, x)

    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, losses in histories.items():
        axes.plot(range(1, epochs + 1), losses, marker=".", label=name)
    axes.axhline(x.var(), color="#5B6775", linestyle=":", label="always the mean of the identity's inputs")
    axes.set(xlabel="epoch", ylabel="MSE", yscale="log", title="Learning online")
    axes.legend(frameon=False, fontsize="small")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(options.out / "perceptron_to_mlp.png", dpi=120)
    print(f"wrote {options.out / 'perceptron_to_mlp.png'}")


if __name__ == "__main__":
    main()
