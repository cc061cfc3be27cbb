"""The command line: ``python -m autograd_mini`` trains an MLP on real handwritten digits and draws its graph."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from . import nn, optim
from .core import no_grad
from .draw import draw
from .files import replacing

Array = np.ndarray[Any, Any]


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with code 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def parser() -> Parser:
    """Build the parser of the command line."""
    parser = Parser(
        prog="python -m autograd_mini",
        description="Train an MLP on 1,797 handwritten digits of 8×8 pixels, and write its graph, learning curves and "
        "weights.",
    )
    add = parser.add_argument
    add(
        "--seed",
        type=whole(0, 2**32 - 1),
        default=0,
        metavar="N",
        help="of split, weights and order (default 0)",
    )
    add("--epochs", type=whole(1), default=30, metavar="N", help="how often to see every image (default 30)")
    add("--batch-size", type=whole(1), default=32, metavar="N", help="images a step (default 32)")
    add("--lr", type=positive, default=0.05, metavar="X", help="learning rate (default 0.05)")
    add("--hidden", type=whole(1), nargs="+", default=[50], metavar="N", help="sizes of hidden layers (default 50)")
    add("--out", type=Path, default=Path("autograd-mini-out"), metavar="DIR", help="default autograd-mini-out")
    return parser


def whole(least: int, most: int = 10**6) -> Callable[[str], int]:
    """Make a type of argument: a whole number from `least` to `most`."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"takes a whole number from {least} to {most}, not {text!r}")
        return number

    return parse


def positive(text: str) -> float:
    """Parse a type of argument: a positive number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"takes a positive number, not {text!r}")
    return number


def digits(seed: int) -> tuple[Array, Array, Array, Array]:
    """Load the digits, scale them to 0 … 1, and hold out a stratified quarter."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    x, x_held, y, y_held = train_test_split(images / 16, labels, test_size=0.25, stratify=labels, random_state=seed)
    return x, y, x_held, y_held


def batches(count: int, size: int, rng: np.random.Generator) -> Iterator[Array]:
    """Give the numbers from 0 to `count` in random order, `size` at a time."""
    order = rng.permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]


def accuracy(model: nn.Module, x: Array, y: Array) -> float:
    """Give the share of images whose largest logit is that of their class."""
    with no_grad():
        return float(np.mean(np.argmax(model(x), axis=1) == y))


def plot(history: Sequence[tuple[float, float, float]], path: Path) -> None:
    """Plot loss and accuracy by epoch."""
    from matplotlib.figure import Figure

    loss, train, held = zip(*history, strict=True)
    epochs = range(1, len(history) + 1)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, loss, color="#B26A00")
    left.set(title="training loss", xlabel="epoch", yscale="log")
    right.plot(epochs, train, color="#5B6775", linestyle="--", label="training")
    right.plot(epochs, held, color="#00805A", label="held out")
    right.set(title="accuracy", xlabel="epoch")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as draft:
        figure.savefig(draft, format="png", dpi=150)


def train(options: argparse.Namespace) -> None:
    """Train, say what came of it, and write the three files."""
    from safetensors.numpy import save
    from tqdm import tqdm

    options.out.mkdir(parents=True, exist_ok=True)
    x, y, x_held, y_held = digits(options.seed)
    rng = np.random.default_rng(options.seed)
    sizes = [x.shape[1], *options.hidden, 10]
    model = nn.MLP(sizes, activation="tanh", rng=rng)
    optimizer = optim.SGD(model.parameters(), lr=options.lr, momentum=0.9)
    print(f"{len(x):,} images to learn from, {len(x_held)} held out; an MLP {'-'.join(map(str, sizes))} with tanh")

    history = []
    steps = math.ceil(len(x) / options.batch_size)
    with (
        tqdm(total=options.epochs * steps, unit="step", leave=False) as bar,
        np.errstate(over="ignore", invalid="ignore"),
    ):
        for epoch in range(1, options.epochs + 1):
            total = 0.0
            for batch in batches(len(x), options.batch_size, rng):
                loss = nn.cross_entropy(model(x[batch]), y[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
                bar.update()
            history.append((total / len(x), accuracy(model, x, y), accuracy(model, x_held, y_held)))
            line = "epoch {:3d}   loss {:<9.4g} accuracy {:7.2%}   held out {:7.2%}".format(epoch, *history[-1])
            bar.write(line, file=sys.stdout)
            if not math.isfinite(total):
                raise TrainingError(f"the loss is {total} in epoch {epoch}: try a smaller --lr than {options.lr:g}")

    images, labels = x[: options.batch_size], y[: options.batch_size]
    drawing = draw(
        nn.cross_entropy(model(images), labels),
        names={"model": model, "images": images, "labels": labels},
        title=f"Digits classifier {' → '.join(map(str, sizes))}, trained for {options.epochs} epochs",
    )
    description = {"sizes": sizes, "activation": "tanh", "input": "pixels / 16", "seed": options.seed}
    with replacing(options.out / "model.safetensors") as draft:
        draft.write_bytes(save(model.state_dict(), {"autograd_mini": json.dumps(description)}))
    plot(history, options.out / "curves.png")
    drawing.save(options.out / "graph.svg")
    print(f"wrote {options.out / 'graph.svg'}, curves.png and model.safetensors")


class TrainingError(Exception):
    """Something that ends the program with one line."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Raises
    ------
    SystemExit
        With code 2 and one line if an argument is wrong, a package is missing, a file cannot be
        written, or the training does not converge.
    """
    line = parser()
    options = line.parse_args(arguments)
    try:
        train(options)
    except ModuleNotFoundError as error:
        line.error(f'{error.name} is missing: pip install "autograd_mini[svg,train]"')
    except (TrainingError, OSError, RuntimeError, MemoryError) as error:
        line.error(str(error))
    except KeyboardInterrupt:
        line.exit(130, "stopped; nothing was written\n")


if __name__ == "__main__":
    main()
