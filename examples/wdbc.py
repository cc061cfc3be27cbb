"""Fetch, split, learn, predict and compare optimisers: the Wisconsin breast-cancer data, from CSV to confusion matrix.

The network is 30-800-400-2 with ReLU, He's initial weights and softmax cross-entropy. Without a command, all run in
turn. Scikit-learn has the data without the ids of the patients, so `fetch` numbers the rows instead. How many of the
held-out tumours are right depends on which are held out: with the seeds 0 to 14 it is 94.4 to 98.6 %, on average 97.1.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autograd_mini as ag
from autograd_mini.files import replacing

FEATURES = 30
CLASSES = ["B", "M"]  # benign, malignant; the place of each is its class id
SIZES = [FEATURES, 800, 400, len(CLASSES)]
PATIENCE = 10  # epochs without improvement
AMBER, GREEN, GREY = "#B26A00", "#00805A", "#5B6775"


class Table(NamedTuple):
    """A CSV: the lines as they are, 30 measurements of each, and the class ids."""

    rows: list[list[str]]
    x: Any
    y: Any


def measurement(text: str) -> float:
    """Parse a length, an area or a ratio."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise ValueError(f"a measurement is a number and not negative, unlike {text!r}")
    return number


def parsed(row: list[str]) -> tuple[list[float], int]:
    """Give the measurements and the class id of a row."""
    if len(row) != 2 + FEATURES:
        raise ValueError(f"a row is an id, M or B, and {FEATURES} measurements, not {len(row)} columns")
    if row[1] not in CLASSES:
        raise ValueError(f"a diagnosis is M or B, not {row[1]!r}")
    return [measurement(text) for text in row[2:]], CLASSES.index(row[1])


def is_header(row: list[str]) -> bool:
    """Tell names, which begin with letters, from measurements, which begin with digits."""
    return len(row) >= 2 + FEATURES and not any(text in CLASSES or text[:1].isdigit() for text in row)


def read(path: Path) -> Table:
    """Read the CSV as it is published, with or without a header.

    Raises
    ------
    ValueError
        If there is no row, or there are bad ones: all are named by their lines.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, skipinitialspace=True)
            lines = [(reader.line_num, [text.strip() for text in row]) for row in reader if row]
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}: the commands fetch and split write the usual ones") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no CSV: {error}") from error
    if lines and is_header(lines[0][1]):
        del lines[0]
    if not lines:
        raise ValueError(f"{path} has no row of data")
    found, faults = [], []
    for number, row in lines:
        try:
            found.append(parsed(row))
        except ValueError as error:
            faults.append(f"\n  line {number}: {error}")
    if faults:
        more = f"\n  and {len(faults) - 20} more" if len(faults) > 20 else ""
        raise ValueError(f"{path} has bad rows, {len(faults)} of {len(lines)}:{''.join(faults[:20])}{more}")
    x, y = zip(*found, strict=True)
    return Table([row for _, row in lines], np.array(x), np.array(y))


def write(path: Path, rows: Iterable[Iterable[Any]]) -> None:
    """Write a CSV."""
    with replacing(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def two_parts(table: Table, share: float, seed: int) -> tuple[Table, Table]:
    """Split a table at random so that both parts have the same share of either class."""
    from sklearn.model_selection import train_test_split

    both = train_test_split(range(len(table.y)), test_size=share, stratify=table.y, random_state=seed)
    first, second = (Table([table.rows[i] for i in part], table.x[part], table.y[part]) for part in both)
    return first, second


def network(seed: int) -> ag.nn.MLP:
    """Make the network."""
    return ag.nn.MLP(SIZES, activation="relu", init="kaiming_normal", rng=seed)


def hand_written(parameters: list[Any], x: Any, ids: Any) -> list[Any]:
    """Give the gradients of the mean cross-entropy as the tutorial derives them."""
    w1, b1, w2, b2, w3, b3 = parameters
    z1 = x @ w1 + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ w2 + b2
    a2 = np.maximum(z2, 0)
    z3 = a2 @ w3 + b3
    p = np.exp(z3 - z3.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    dz3 = (p - np.eye(len(CLASSES))[ids]) / len(x)
    dz2 = (dz3 @ w3.T) * (z2 > 0)
    dz1 = (dz2 @ w2.T) * (z1 > 0)
    return [x.T @ dz1, dz1.sum(axis=0), a1.T @ dz2, dz2.sum(axis=0), a2.T @ dz3, dz3.sum(axis=0)]


def learn(table: Table, make: Any, options: argparse.Namespace, **settings: Any) -> tuple[Any, Any, ag.train.History]:
    """Train with the optimiser that `make` gives, watching a fifth of the rows; give model, scaler and history."""
    from sklearn.preprocessing import StandardScaler

    seen, watched = two_parts(table, 0.2, options.seed)
    scaler = StandardScaler().fit(seen.x)
    model = network(options.seed)
    history = ag.train.fit(
        model,
        ag.nn.cross_entropy,
        make(model.parameters()),
        scaler.transform(seen.x),
        seen.y,
        batch_size=32,
        validation=(scaler.transform(watched.x), watched.y),
        metrics=["accuracy"],
        seed=options.seed,
        **settings,
    )
    return model, scaler, history


# -- the commands ----------------------------------------------------------------------------------


def fetch(path: Path, options: argparse.Namespace) -> None:
    """Write the data of scikit-learn as the CSV that was published; ids are numbers of rows."""
    from sklearn.datasets import load_breast_cancer

    x, benign = load_breast_cancer(return_X_y=True)
    write(path, ([i, "MB"[b], *row] for i, (row, b) in enumerate(zip(x.tolist(), benign, strict=True), 1)))
    print(f"wrote {path}: {len(x)} tumours, {np.sum(benign == 0)} of them malignant; the ids are numbers of rows")


def split(path: Path, options: argparse.Namespace) -> None:
    """Hold out a quarter of the rows, with the same share of malignant ones."""
    parts = two_parts(read(path), 0.25, options.seed)
    for name, part in zip(("wdbc_train.csv", "wdbc_held_out.csv"), parts, strict=True):
        write(options.out / name, part.rows)
        print(f"wrote {options.out / name}: {len(part.y)} tumours, {part.y.mean():.1%} of them malignant")


def train(path: Path, options: argparse.Namespace) -> None:
    """Learn until the loss of a fifth of the rows, which are not learned, stops falling; save model and scaler."""
    from sklearn.preprocessing import StandardScaler

    table = read(path)
    model = network(options.seed)
    x, y = StandardScaler().fit_transform(table.x)[:32], table.y[:32]
    ag.nn.cross_entropy(model(x), y).backward()
    by_hand = hand_written([p.data for p in model.parameters()], x, y)
    difference = max(np.abs(p.grad - g).max() for p, g in zip(model.parameters(), by_hand, strict=True))
    print(f"gradients of {'-'.join(map(str, SIZES))}: at most {difference:.1e} from those written by hand")

    stopping = ag.train.EarlyStopping(PATIENCE, min_delta=1e-3)
    model, scaler, history = learn(
        table, lambda p: ag.optim.Adam(p, lr=1e-3), options, epochs=2 if options.quick else 200, callbacks=[stopping]
    )
    loss, accuracy = (history[f"validation_{name}"][stopping.epoch - 1] for name in ("loss", "accuracy"))
    print(
        f"Adam: {history.epochs} epochs, the best is {stopping.epoch}: validation loss {loss:.4f}, {accuracy:.1%} right"
    )

    place = options.out / "wdbc.safetensors"
    ag.save(place, model, scaler=scaler, history=history, meta={"classes": CLASSES, "seed": options.seed})
    figure = history.plot()
    for axes in figure.axes:
        axes.axvline(stopping.epoch, color=GREY, linestyle=":", label="these weights are kept")
        axes.legend(frameon=False)
    figure.savefig(options.out / "wdbc_train.png", dpi=120)
    print(f"wrote {place} and wdbc_train.png")


def predict(path: Path, options: argparse.Namespace) -> None:
    """Tell what the saved model makes of a CSV, and how often it is right."""
    from matplotlib.figure import Figure
    from sklearn.metrics import confusion_matrix

    table = read(path)
    saved = ag.load(options.out / "wdbc.safetensors")
    logits = ag.train.predict(saved.model, saved.scaler.transform(table.x))
    guess, malignant = logits.argmax(axis=1), ag.softmax(logits, axis=1)[:, 1]
    loss = ag.nn.cross_entropy(logits, table.y)
    counts = confusion_matrix(table.y, guess, labels=[0, 1])
    print(f"{path}: {np.mean(guess == table.y):.2%} of {len(table.y)} are right, loss {loss:.4f}")
    print("            predicted B  predicted M")
    for name, row in zip(("benign", "malignant"), counts, strict=True):
        print(f"{name:<10}{row[0]:13}{row[1]:13}")

    place = options.out / "wdbc_predictions.csv"
    write(
        place,
        [
            ("id", "diagnosis", "predicted", "probability of M"),
            *((row[0], row[1], CLASSES[k], float(p)) for row, k, p in zip(table.rows, guess, malignant, strict=True)),
        ],
    )
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.6])
    left.imshow(counts, cmap="Greys", vmin=0, vmax=8 * counts.max())
    for i, j in np.ndindex(2, 2):
        left.text(j, i, counts[i, j], ha="center", va="center", fontsize=16, color=GREEN if i == j else AMBER)
    left.set(title=path.name, xlabel="predicted", ylabel="diagnosis", xticks=[0, 1], yticks=[0, 1])
    left.set_xticklabels(CLASSES)
    left.set_yticklabels(CLASSES)
    edges = np.linspace(0, 1, 21)
    right.hist([malignant[table.y == k] for k in (0, 1)], edges, color=[GREEN, AMBER], label=["benign", "malignant"])
    right.set(title="how sure it is", xlabel="probability of M", ylabel="tumours", yscale="log")
    right.legend(frameon=False)
    right.grid(alpha=0.25)
    right.spines[["top", "right"]].set_visible(False)
    figure.savefig(options.out / "wdbc_predict.png", dpi=120)
    print(f"wrote {place} and wdbc_predict.png")


def compare(path: Path, options: argparse.Namespace) -> None:
    """Train from the same weights, on the same batches, by SGD, RMSprop and Adam."""
    from matplotlib.figure import Figure

    table = read(path)
    optimisers = {
        "SGD, lr 0.05": (GREY, lambda p: ag.optim.SGD(p, lr=0.05)),
        "RMSprop, lr 0.0001": (AMBER, lambda p: ag.optim.RMSprop(p, lr=1e-4)),
        "Adam, lr 0.001": (GREEN, lambda p: ag.optim.Adam(p, lr=1e-3)),
    }
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, (colour, make) in optimisers.items():
        _, _, history = learn(table, make, options, epochs=2 if options.quick else 40)
        losses = history["validation_loss"]
        best = int(losses.argmin())
        epochs = range(1, history.epochs + 1)
        axes.plot(epochs, history["loss"], color=colour, linewidth=1, linestyle="--")
        axes.plot(epochs, losses, color=colour, label=name)
        axes.plot(best + 1, losses[best], "o", color=colour)
        accuracy = history["validation_accuracy"][best]
        print(f"{name:<20} best in epoch {best + 1:2}: validation loss {losses[best]:.4f}, {accuracy:.1%} right")
    axes.plot([], [], color="black", linewidth=1, linestyle="--", label="training")
    axes.plot([], [], color="black", marker="o", label="validation, and its best epoch")
    axes.set(title="30-800-400-2 from the same weights", xlabel="epoch", ylabel="cross-entropy", yscale="log")
    axes.legend(frameon=False, fontsize="small")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(options.out / "wdbc_compare.png", dpi=120)
    print(f"wrote {options.out / 'wdbc_compare.png'}")


COMMANDS = {  # in turn, and the CSV that each is about
    "fetch": (fetch, "wdbc.csv"),
    "split": (split, "wdbc.csv"),
    "train": (train, "wdbc_train.csv"),
    "predict": (predict, "wdbc_held_out.csv"),
    "compare": (compare, "wdbc_train.csv"),
}


def main(arguments: list[str] | None = None) -> None:
    """Run the example."""
    usual = argparse.Namespace(quick=False, out=Path("autograd-mini-out"), seed=42, csv=None)
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--quick", action="store_true", help="two epochs")
    common.add_argument("--out", type=Path, metavar="DIR", help=f"where all files are; default {usual.out}")
    common.add_argument("--seed", type=int, metavar="N", help=f"of splits, weights and order; default {usual.seed}")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[common])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", help="by default all of them, in turn:")
    for name, (function, file) in COMMANDS.items():
        command = commands.add_parser(name, parents=[common], description=function.__doc__, help=function.__doc__)
        command.add_argument("csv", nargs="?", type=Path, help=f"default DIR/{file}")
    options = parser.parse_args(arguments, usual)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        for name in [options.command] if options.command else COMMANDS:
            function, file = COMMANDS[name]
            function(options.csv or options.out / file, options)
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
