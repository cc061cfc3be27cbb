"""What happens after each epoch: stop early, write a checkpoint, or anything else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .saving import save

if TYPE_CHECKING:
    from .fit import Training


class Callback:
    """Something that `fit` calls after every epoch, and at the end.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> class Watch(ag.train.Callback):
    ...     def after_epoch(self, training):
    ...         if training.history["loss"][-1] < 0.01:
    ...             training.stop("the loss is small enough")
    """

    def after_epoch(self, training: Training) -> None:
        """Act on `training`: its `model`, `optimizer`, `schedule`, `history`; ``training.stop(reason)`` ends it."""

    def after_training(self, training: Training) -> None:
        """Act when no epoch follows: all are done, somebody stopped, or Ctrl-C was pressed."""


class EarlyStopping(Callback):
    """Stop when a series of the history has not improved for some epochs, and go back to the best weights.

    Parameters
    ----------
    patience : int
        So many epochs in a row without improvement, at least 1.
    monitor : str
        The series, for instance "validation_loss" or "validation_accuracy".
    mode : "min" or "max"
        Which is better.
    min_delta : float
        An improvement is larger than this; not negative.
    restore : bool
        Whether the model ends with the weights of the best epoch.

    Attributes
    ----------
    epoch : int
        The best so far, from 1.

    References
    ----------
    .. [1] Prechelt, "Early stopping - but when?", in *Neural Networks: Tricks of the Trade*, 1998.
    """

    def __init__(
        self,
        patience: int = 10,
        monitor: str = "validation_loss",
        mode: str = "min",
        min_delta: float = 0.0,
        restore: bool = True,
    ) -> None:
        if patience < 1:
            raise ValueError(f"patience is a number of epochs and at least 1, not {patience}")
        if mode not in ("min", "max"):
            raise ValueError(f"mode is 'min' or 'max', whichever is better, not {mode!r}")
        if min_delta < 0:
            raise ValueError(f"min_delta is not negative, and this is {min_delta}")
        self.patience, self.monitor, self.min_delta, self.restore = patience, monitor, min_delta, restore
        self.sign = 1 if mode == "min" else -1
        self.best: float = np.inf
        self.epoch = 0
        self.weights: dict[str, Any] | None = None

    def after_epoch(self, training: Training) -> None:
        history = training.history
        if self.monitor not in history:
            raise ValueError(
                f"early stopping watches {self.monitor!r}, and the history has only {', '.join(history)}: pass "
                "validation= to fit, or another monitor="
            )
        value = self.sign * history[self.monitor][-1]
        if value < self.best - self.min_delta:
            self.best, self.epoch = value, history.epochs
            if self.restore:
                self.weights = training.model.state_dict()
        elif history.epochs - self.epoch >= self.patience:
            training.stop(
                f"{self.monitor} has not improved on {self.sign * self.best:.6g} of epoch {self.epoch} for "
                f"{self.patience} epochs"
            )

    def after_training(self, training: Training) -> None:
        if self.weights is not None:
            training.model.load_state_dict(self.weights)


class Checkpoint(Callback):
    """Write model, optimiser, schedule and history into one file, from which the training can go on.

    Parameters
    ----------
    path : str or Path
        Written anew each time; at any moment it is whole.
    every : int
        After so many epochs, at least 1, and at the end.
    """

    def __init__(self, path: str | Path, every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"a checkpoint is written every so many epochs, at least 1, not {every}")
        self.path, self.every = Path(path), every

    def after_epoch(self, training: Training) -> None:
        if training.history.epochs % self.every == 0:
            self.after_training(training)

    def after_training(self, training: Training) -> None:
        save(
            self.path,
            training.model,
            optimizer=training.optimizer,
            schedule=training.schedule,
            history=training.history,
        )
