"""Learn the Zen of Python letter by letter, by a gated recurrent unit of a few lines, and then write some.

The cell is Cho's [1]_. Nothing here knows a derivative: the loop over the letters is recorded as it runs. The loss
has a floor, for the first letters of a window follow on nothing that the cell has seen.

.. [1] Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
   EMNLP 2014, equations (5) to (8).
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

import autograd_mini as ag
from autograd_mini import nn

WINDOW = 48  # so many letters a gradient goes back
BATCH = 16


class GatedUnit(nn.Module):
    """A cell: from an input and a state to the next state, which gates mix from the old one and a candidate."""

    def __init__(self, inputs: int, hidden: int, rng: np.random.Generator) -> None:
        self.gates = nn.Linear(inputs + hidden, 2 * hidden, rng=rng)
        self.candidate = nn.Linear(inputs + hidden, hidden, rng=rng)

    def forward(self, x: Any, h: Any) -> Any:
        """Take shapes (..., inputs) and (..., hidden), give shape (..., hidden)."""
        reset, keep = np.split(ag.sigmoid(self.gates(np.concatenate([x, h], axis=-1))), 2, axis=-1)
        candidate = ag.tanh(self.candidate(np.concatenate([x, reset * h], axis=-1)))
        return keep * h + (1 - keep) * candidate


class Writer(nn.Module):
    """From letters to logits of the letters that follow."""

    def __init__(self, letters: int, hidden: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.embedding = nn.Embedding(letters, 16, rng=rng)
        self.cell = GatedUnit(16, hidden, rng)
        self.output = nn.Linear(hidden, letters, rng=rng)
        self.start = ag.Tensor(np.zeros(hidden))

    def forward(self, ids: Any) -> Any:
        """Take ids of shape (n, time), give logits of shape (n, time, letters)."""
        x = self.embedding(ids)
        h = np.broadcast_to(self.start, (len(ids), *self.start.shape))
        states = []
        for t in range(ids.shape[1]):
            h = self.cell(x[:, t], h)
            states.append(h)
        return self.output(np.stack(states, axis=1))

    @ag.no_grad()
    def write(self, ids: list[int], length: int, temperature: float, rng: np.random.Generator) -> list[int]:
        """Go on after `ids`: each letter is drawn from the softmax of its logits, divided by the temperature."""
        h, ids = self.start, list(ids)
        for t in range(len(ids) + length - 1):
            h = self.cell(self.embedding(ids[t]), h)
            if t >= len(ids) - 1:
                p = ag.softmax(self.output(h) / temperature)
                ids.append(int(rng.choice(len(p), p=p)))
        return ids


def zen() -> str:
    """Give the Zen of Python, which prints itself when it is imported, and has its letters turned by 13."""
    with contextlib.redirect_stdout(io.StringIO()):
        import this
    return codecs.decode(this.s, "rot13")


def main(arguments: list[str] | None = None) -> None:
    """Run the example."""
    from matplotlib.figure import Figure

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two epochs")
    parser.add_argument("--out", type=Path, default=Path("autograd-mini-out"), metavar="DIR")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of weights and writing (default 0)")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)

    text = zen()
    letters = sorted(set(text))
    ids = np.array([letters.index(letter) for letter in text])
    windows = np.lib.stride_tricks.sliding_window_view(ids, WINDOW + 1)[::3]
    shares = np.bincount(ids) / len(ids)
    blind = -np.sum(shares * np.log(shares))
    print(
        f"{len(text)} letters, {len(letters)} different; knowing only how frequent each is costs {blind:.2f} a letter"
    )

    model = Writer(len(letters), 96, options.seed)
    epochs = 2 if options.quick else 25
    optimizer = ag.optim.Adam(model.parameters(), lr=1e-2)
    history = ag.train.fit(
        model,
        nn.cross_entropy,
        optimizer,
        windows[:, :-1],
        windows[:, 1:],
        epochs=epochs,
        batch_size=BATCH,
        schedule=ag.optim.CosineAnnealingLR(optimizer, epochs),
        clip=1.0,
        seed=options.seed,
    )
    print(f"cross-entropy {history['loss'][0]:.2f} a letter in the first epoch, {history['loss'][-1]:.2f} in the last")
    rng = np.random.default_rng(options.seed)
    for temperature in (0.5, 1.0, 1.5):
        written = model.write([letters.index("\n")], 240, temperature, rng)
        print(f"\ntemperature {temperature}:", *"".join(letters[i] for i in written[1:]).splitlines(), sep="\n  ")

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(1, epochs + 1), history["loss"], color="#B26A00", label="gated recurrent unit")
    axes.axhline(blind, color="#5B6775", linestyle=":", label="frequencies of letters")
    axes.set(title="The Zen of Python, letter by letter", xlabel="epoch", ylabel="cross-entropy a letter", yscale="log")
    axes.legend(frameon=False)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(options.out / "char_rnn.png", dpi=120)
    print(f"\nwrote {options.out / 'char_rnn.png'}")


if __name__ == "__main__":
    main()
