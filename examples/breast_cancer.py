"""Tell malignant from benign tumours: 30 measurements, 5 hidden ReLUs, one sigmoid, binary cross-entropy + λΩ(θ).

First as in the tutorial, whose summed cost begins at chance and hardly moves; then so that it learns.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import autograd_mini as ag

DECAY = 1e-2  # λ, of Ω(θ) = the sum of all squared weights


def made(scale: float | None = None) -> ag.nn.MLP:
    """Make the network 30-5-1, with small random weights if their scale is given."""
    model = ag.nn.MLP([30, 5, 1], activation="relu", rng=0)
    if scale is not None:
        rng = np.random.default_rng(0)
        for weight in model.parameters()[::2]:
            weight.data = scale * rng.normal(size=weight.shape)
    return model


def cost(model: ag.nn.MLP, x: Any, y: Any) -> ag.Tensor:
    """Give the summed cross-entropy and the penalty; the sigmoid of the network is in the first."""
    penalty = sum(ag.sum(weight**2) for weight in model.parameters()[::2])
    return ag.nn.binary_cross_entropy_with_logits(model(x), y, reduction="sum") + DECAY * penalty


def hand_written(parameters: list[Any], x: Any, y: Any) -> list[Any]:
    """Give the gradients as the tutorial derives them."""
    w1, b1, w2, b2 = parameters
    z1 = x @ w1 + b1
    a1 = np.maximum(z1, 0)
    a2 = 1 / (1 + np.exp(-(a1 @ w2 + b2)))
    dz2 = a2 - y
    dz1 = (dz2 @ w2.T) * (z1 > 0)
    return [x.T @ dz1 + 2 * DECAY * w1, dz1.sum(axis=0), a1.T @ dz2 + 2 * DECAY * w2, dz2.sum(axis=0)]


def main(arguments: list[str] | None = None) -> None:
    """Run the example."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler
    from tqdm import trange

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps")
    parser.add_argument("--out", type=Path, default=Path("autograd-mini-out"), metavar="DIR")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)

    x, y = load_breast_cancer(return_X_y=True)
    y = y.reshape(-1, 1).astype(float)
    x_all = StandardScaler().fit_transform(x)
    print(
        f"{len(x)} tumours, {x.shape[1]} measurements; the cost at chance is {len(x)} ln 2 = {len(x) * np.log(2):.1f}"
    )

    model = made(scale=0.01)
    cost(model, x_all, y).backward()
    by_hand = hand_written([p.data for p in model.parameters()], x_all, y)
    difference = max(np.abs(p.grad - g).max() for p, g in zip(model.parameters(), by_hand, strict=True))
    print(f"gradients: at most {difference:.1e} from those written by hand")

    optimizer = ag.optim.SGD(model.parameters(), lr=1e-5)
    costs = []
    for _ in trange(100 if options.quick else 2000, desc="lr 1e-5", leave=False):
        value = cost(model, x_all, y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        costs.append(value.item())
    print(f"lr 1e-5, all samples a step: the cost falls from {costs[0]:.1f} to {costs[-1]:.1f} in {len(costs):,} steps")

    x_train, x_held, y_train, y_held = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
    scaler = StandardScaler().fit(x_train)
    model = made()
    history = ag.train.fit(
        model,
        lambda logits, y: (
            ag.nn.binary_cross_entropy_with_logits(logits, y)
            + DECAY / len(x_train) * ag.optim.l2_penalty(model.parameters()[::2])
        ),
        ag.optim.Adam(model.parameters(), lr=3e-3),
        scaler.transform(x_train),
        y_train,
        epochs=5 if options.quick else 40,
        validation=(scaler.transform(x_held), y_held),
        metrics={"accuracy": lambda y, logits: np.mean((logits > 0) == y)},
        seed=0,
    )
    print(f"Adam, lr 3e-3, batches of 32: {history['validation_accuracy'][-1]:.1%} of {len(x_held)} held out are right")

    figure = history.plot()
    figure.axes[0].set_title("cross-entropy and penalty")
    figure.savefig(options.out / "breast_cancer.png", dpi=120)
    print(f"wrote {options.out / 'breast_cancer.png'}")


if __name__ == "__main__":
    main()
