"""What a training was like, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..extras import extra


class History(Mapping[str, Any]):
    """Series of numbers, one for each epoch: ``history["loss"]`` is an array.

    Parameters
    ----------
    series : mapping of str to sequence of float, optional
        What was so far, as `to_dict` gives it; all of one length.

    Attributes
    ----------
    stopped : str or None
        Why the training ended before its time.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> history = ag.train.History()
    >>> history.append({"loss": 0.5, "accuracy": 0.8})
    >>> history.append({"loss": 0.25, "accuracy": 0.9})
    >>> history["loss"]
    array([0.5 , 0.25])
    """

    def __init__(self, series: Mapping[str, Sequence[float]] | None = None) -> None:
        self._series = {name: [float(x) for x in xs] for name, xs in (series or {}).items()}
        lengths = {name: len(xs) for name, xs in self._series.items()}
        self.stopped: str | None = None
        if len(set(lengths.values())) > 1:
            raise ValueError(f"every series of a history has one number an epoch, and these have {lengths}")

    def append(self, values: Mapping[str, float]) -> None:
        """Add an epoch: a number for each of the series."""
        if self._series and set(values) != set(self._series):
            raise ValueError(f"this history has {', '.join(self._series)}, and this epoch {', '.join(values)}")
        for name, x in values.items():
            self._series.setdefault(name, []).append(float(x))

    @property
    def epochs(self) -> int:
        """How many epochs there were."""
        return len(next(iter(self._series.values()), []))

    def __getitem__(self, name: str) -> Any:
        return np.array(self._series[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {xs[-1]:.4g}" for name, xs in self._series.items() if xs)
        return f"<History of {self.epochs} epochs{': ' + last if last else ''}>"

    def to_dict(self) -> dict[str, list[float]]:
        """Give plain lists, for JSON for instance."""
        return {name: list(xs) for name, xs in self._series.items()}

    def plot(self) -> Any:
        """Plot every series by epoch, training and validation together; the learning rate if it changed.

        Returns
        -------
        matplotlib.figure.Figure
            Not shown and not written: ``history.plot().savefig("curves.png")``.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is missing.
        """
        figure_type = extra("matplotlib.figure", "train").Figure
        names = [name for name in self if not name.startswith(VALIDATION) and (name != "lr" or np.ptp(self[name]))]
        epochs = range(1, self.epochs + 1)
        figure = figure_type(figsize=(4.5 * max(len(names), 1), 3.6), layout="constrained")
        for i, name in enumerate(names):
            axes = figure.add_subplot(1, len(names), i + 1)
            axes.plot(epochs, self[name], color="#B26A00", label="training")
            if VALIDATION + name in self:
                axes.plot(epochs, self[VALIDATION + name], color="#00805A", linestyle="--", label="validation")
                axes.legend(frameon=False)
            positive = all(np.all(self[key] > 0) for key in (name, VALIDATION + name) if key in self)
            axes.set(title=name, xlabel="epoch", yscale="log" if name == "loss" and positive else "linear")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
        return figure


VALIDATION = "validation_"
