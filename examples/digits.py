"""Read handwritten digits: softmax regression, and MLPs with one, two and three hidden layers of tanh.

Learning rate 0.5, batches of 32, 10 epochs, as in the tutorial; and what the initial weights change.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import autograd_mini as ag
from autograd_mini.nn import init

INITIAL = {
    "zeros": init.zeros,
    "normal, 0.01": lambda shape, rng: init.normal(shape, rng, std=0.01),
    "Glorot": init.xavier_uniform,
    "normal, 3": lambda shape, rng: init.normal(shape, rng, std=3.0),
}


def hand_written(parameters: list[Any], x: Any, ids: Any) -> list[Any]:
    """Give the gradients of the mean cross-entropy of a 64-50-10 network as the tutorial derives them."""
    w1, b1, w2, b2 = parameters
    h = np.tanh(x @ w1 + b1)
    z = h @ w2 + b2
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    dz = (p - np.eye(10)[ids]) / len(x)
    dh = (dz @ w2.T) * (1 - h * h)
    return [x.T @ dh, dh.sum(axis=0), h.T @ dz, dz.sum(axis=0)]


def main(arguments: list[str] | None = None) -> None:
    """Run the example."""
    from matplotlib.figure import Figure
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two epochs")
    parser.add_argument("--out", type=Path, default=Path("autograd-mini-out"), metavar="DIR")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)

    images, ids = load_digits(return_X_y=True)
    x, x_held, y, y_held = train_test_split(images / 16, ids, test_size=0.25, stratify=ids, random_state=0)
    print(f"softmax([234, 3, 4]) = {ag.softmax([234, 3, 4])}, without overflow")

    model = ag.nn.MLP([64, 50, 10], rng=0)
    ag.nn.cross_entropy(model(x[:32]), y[:32]).backward()
    by_hand = hand_written([p.data for p in model.parameters()], x[:32], y[:32])
    difference = max(np.abs(p.grad - g).max() for p, g in zip(model.parameters(), by_hand, strict=True))
    print(f"gradients of 64-50-10: at most {difference:.1e} from those written by hand")

    def learn(name: str, model: ag.nn.MLP) -> ag.train.History:
        history = ag.train.fit(
            model,
            ag.nn.cross_entropy,
            ag.optim.SGD(model.parameters(), lr=0.5),
            x,
            y,
            epochs=2 if options.quick else 10,
            batch_size=32,
            validation=(x_held, y_held),
            metrics=["accuracy"],
            seed=0,
        )
        loss, accuracy = history["loss"][-1], history["validation_accuracy"][-1]
        print(f"{name:<34} loss {loss:8.4f}   held out {accuracy:6.1%}")
        return history

    networks = {
        "softmax regression": [64, 10],
        "MLP 64-50-10": [64, 50, 10],
        "MLP 64-50-50-10": [64, 50, 50, 10],
        "MLP 64-50-50-50-10": [64, 50, 50, 50, 10],
    }
    histories = {name: learn(name, ag.nn.MLP(sizes, rng=0)) for name, sizes in networks.items()}
    initial = {
        name: learn(f"MLP 64-50-10, weights {name}", ag.nn.MLP([64, 50, 10], init=f, rng=0))
        for name, f in INITIAL.items()
    }

    figure = Figure(figsize=(11, 7), layout="constrained")
    for row, (title, shown) in enumerate((("networks", histories), ("initial weights of 64-50-10", initial))):
        for column, series in enumerate(("loss", "validation_accuracy")):
            axes = figure.add_subplot(2, 2, 2 * row + column + 1)
            for name, history in shown.items():
                axes.plot(range(1, history.epochs + 1), history[series], marker=".", label=name)
            axes.set(title=title, xlabel="epoch", ylabel=("training loss", "accuracy, held out")[column])
            axes.set_yscale("linear" if column else "log")
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False, fontsize="small")
    figure.savefig(options.out / "digits.png", dpi=120)
    print(f"wrote {options.out / 'digits.png'}")


if __name__ == "__main__":
    main()
