"""Read handwritten digits by a small convolutional network: two convolutions, a residual block, one linear layer.

It errs on about one held-out image in a hundred; the MLPs of `digits.py`, to which pixels have no neighbours, on
more than two.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np

import autograd_mini as ag
from autograd_mini import nn

BATCH = 64
AMBER, GREEN = "#B26A00", "#00805A"


def network(seed: int) -> nn.Sequential:
    """Make the network, of 8×8 images in one channel to ten logits."""
    rng = np.random.default_rng(seed)

    def convolution(channels: int, features: int) -> list[nn.Module]:
        kernel = nn.Conv2d(
            channels, features, 3, padding=1, bias=False, init=nn.init.kaiming_normal, rng=rng, dtype=np.float32
        )
        return [kernel, nn.BatchNorm2d(features, dtype=np.float32), nn.ReLU()]

    return nn.Sequential(
        *convolution(1, 16),
        *convolution(16, 32),
        nn.MaxPool2d(2),
        nn.Residual(nn.Sequential(*convolution(32, 32))),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5, rng=rng),
        nn.Linear(128, 10, rng=rng, dtype=np.float32),
    )


def show(history: ag.train.History, filters: Any, images: Any, ids: Any, guesses: Any) -> Any:
    """Draw the curves, the first filters, and the images that are read wrongly."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.4), layout="constrained")
    grid = figure.add_gridspec(2, 12, height_ratios=[2, 1])
    epochs = range(1, history.epochs + 1)
    for place, name in ((grid[0, :6], "loss"), (grid[0, 6:], "accuracy")):
        axes = figure.add_subplot(place)
        axes.plot(epochs, history[name], color=AMBER, label="training, with dropout")
        axes.plot(epochs, history[f"validation_{name}"], color=GREEN, label="held out")
        axes.set(title=name, xlabel="epoch", yscale="log" if name == "loss" else "linear")
        axes.legend(frameon=False)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)

    apart = np.pad(filters[:, 0], [(0, 0), (0, 1), (0, 1)], constant_values=np.nan)
    axes = figure.add_subplot(grid[1, :6])
    limit = np.abs(filters).max()
    colours = LinearSegmentedColormap.from_list("", [AMBER, "white", GREEN])
    mosaic = apart.reshape(2, 8, 4, 4).transpose(0, 2, 1, 3).reshape(8, 32)[:-1, :-1]
    axes.imshow(mosaic, cmap=colours, vmin=-limit, vmax=limit)
    axes.set_title("first filters: green adds, amber takes away", fontsize="medium")
    axes.set_axis_off()
    (wrong,) = np.nonzero(guesses != ids)
    for column, i in enumerate(wrong[:6], 6):
        axes = figure.add_subplot(grid[1, column])
        axes.imshow(images[i, 0], cmap="gray_r")
        axes.set_title(f"{ids[i]}, not {guesses[i]}", fontsize="small")
        axes.set_axis_off()
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Run the example."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two epochs")
    parser.add_argument("--out", type=Path, default=Path("autograd-mini-out"), metavar="DIR")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of split, weights and order (default 0)")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)

    images, ids = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    x, x_held, y, y_held = train_test_split(images, ids, test_size=0.25, stratify=ids, random_state=options.seed)
    model = network(options.seed)
    print(model.summary(x[:1]))

    epochs = 2 if options.quick else 25
    optimizer = ag.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-2)
    history = ag.train.fit(
        model,
        nn.cross_entropy,
        optimizer,
        x,
        y,
        epochs=epochs,
        batch_size=BATCH,
        validation=(x_held, y_held),
        metrics=["accuracy"],
        schedule=ag.optim.OneCycleLR(optimizer, 1e-2, total_steps=epochs * math.ceil(len(x) / BATCH)),
        schedule_every="batch",
        seed=options.seed,
    )
    guesses = ag.train.predict(model, x_held).argmax(axis=1)
    print(f"{np.mean(guesses == y_held):.2%} of {len(y_held)} held out are right after {epochs} epochs")

    figure = show(history, model[0].weight.data, x_held, y_held, guesses)
    figure.savefig(options.out / "conv_digits.png", dpi=120)
    print(f"wrote {options.out / 'conv_digits.png'}")


if __name__ == "__main__":
    main()
