"""The command line: ``python -m autograd_mini`` trains an MLP on real handwritten digits and draws its graph.

``python -m autograd_mini draw "tanh(x*w + b)" --at x=2 w=-3 b=6.88`` draws the graph of an expression.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from . import nn, optim, train
from .core import Node, ancestors, past
from .draw import draw
from .draw.dot import plain
from .draw.expression import TAKES, assign, record
from .extras import extra
from .files import replacing

Array = np.ndarray[Any, Any]


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with code 2."""
        self.exit(2, f"{self.prog}: {plain(message, 1000)}\n")


def parser() -> Parser:
    """Build the parser of the command line."""
    parser = Parser(
        prog="python -m autograd_mini",
        description="Train an MLP on 1,797 handwritten digits of 8×8 pixels, and write its graph, learning curves and "
        "weights.",
        epilog='With "draw" as the first argument it draws an expression instead: see "draw --help".',
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


def draw_parser() -> Parser:
    """Build the parser of the command that draws an expression."""
    parser = Parser(
        prog="python -m autograd_mini draw",
        description='Draw the graph of an expression, with its values and gradients, for instance "tanh(x*w + b)" --at '
        "x=2 w=-3 b=6.88 -o neuron.svg. The expression is not run as a program.",
        epilog=f"Functions: {', '.join(TAKES)}.",
    )
    add = parser.add_argument
    add(
        "expression",
        metavar="EXPRESSION",
        help="of numbers, lists, names, + - * / %% ** @ and functions",
    )
    add("--at", nargs="+", action="extend", default=[], metavar="x=2", help="the values of names: numbers or lists")
    add("-o", "--out", type=Path, metavar="FILE", help="its suffix says how to draw: without it, as text")
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


class Report(train.Callback):
    """Print a line after every epoch, above the bar."""

    def after_epoch(self, training: train.Training) -> None:
        history = training.history
        loss, accuracy, held = (history[name][-1] for name in ("loss", "accuracy", "validation_accuracy"))
        line = f"epoch {history.epochs:3d}   loss {loss:<9.4g} accuracy {accuracy:7.2%}   held out {held:7.2%}"
        extra("tqdm", "train").tqdm.write(line, file=sys.stdout)


def run(options: argparse.Namespace) -> None:
    """Train, say what came of it, and write the three files."""
    options.out.mkdir(parents=True, exist_ok=True)
    x, y, x_held, y_held = digits(options.seed)
    sizes = [x.shape[1], *options.hidden, 10]
    model = nn.MLP(sizes, activation="tanh", rng=options.seed)
    optimizer = optim.SGD(model.parameters(), lr=options.lr, momentum=0.9)
    print(f"{len(x):,} images to learn from, {len(x_held)} held out; an MLP {'-'.join(map(str, sizes))} with tanh")
    history = train.fit(
        model,
        nn.cross_entropy,
        optimizer,
        x,
        y,
        epochs=options.epochs,
        batch_size=options.batch_size,
        validation=(x_held, y_held),
        metrics=["accuracy"],
        callbacks=[Report()],
        seed=options.seed,
    )
    if history.stopped:
        raise KeyboardInterrupt
    images, labels = x[: options.batch_size], y[: options.batch_size]
    drawing = draw(
        nn.cross_entropy(model(images), labels),
        names={"model": model, "images": images, "labels": labels},
        title=f"Digits classifier {' → '.join(map(str, sizes))}, trained for {options.epochs} epochs",
    )
    train.save(options.out / "model.safetensors", model, history=history, meta={"input": "pixels / 16"})
    with replacing(options.out / "curves.png") as draft:
        history.plot().savefig(draft, format="png", dpi=150)
    drawing.save(options.out / "graph.svg")
    print(f"wrote {options.out / 'graph.svg'}, curves.png and model.safetensors")


def draw_expression(arguments: Sequence[str]) -> None:
    """Draw an expression into a file, or on the terminal."""
    line = draw_parser()
    if arguments and arguments[0].startswith("-") and arguments[0][1:2] not in ("h", "o", "-"):
        arguments = [*arguments[1:], "--", arguments[0]]  # -x*w is no option
    options = line.parse_args(arguments)
    try:
        values = [assign(text) for text in options.at]
        names = dict(values)
        if len(names) < len(values):
            line.error("argument --at: gives the same name two values")
        output = record(options.expression, names)
        used = {output, *(x for node in ancestors(output) for x in past(node) if isinstance(x, Node))}
        names = {name: value for name, value in names.items() if value in used}
        drawing = draw(output, names=names, title=options.expression.strip())
        if options.out is None:
            drawing.show()
        else:
            print(f"wrote {plain(drawing.save(options.out), 300)}")
    except (OSError, RuntimeError, ValueError) as error:
        line.error(str(error))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Raises
    ------
    SystemExit
        With code 2 and one line if an argument or an expression is wrong, a package is missing, a file cannot be
        written, or the training does not converge.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments[:1]) == ["draw"]:
        return draw_expression(arguments[1:])
    line = parser()
    options = line.parse_args(arguments)
    try:
        run(options)
    except ModuleNotFoundError as error:
        line.error(f'{error.name} is missing: pip install "autograd_mini[svg,train]"')
    except train.TrainingError as error:
        line.error(f"{error.what}: try a smaller --lr than {options.lr:g}")
    except (OSError, RuntimeError, MemoryError) as error:
        line.error(str(error))
    except KeyboardInterrupt:
        line.exit(130, "stopped; nothing was written\n")


if __name__ == "__main__":
    main()
