"""The loop: batches in, gradients back, a step; and what is known after every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core import value_of
from ..extras import extra
from ..nn import Module
from ..optim import Optimizer, ReduceLROnPlateau, clip_grad_norm_
from .callbacks import Callback
from .data import batches, paired, predict
from .history import VALIDATION, History

Metric = Callable[[Any, Any], float]


class TrainingError(ArithmeticError):
    """The loss is not finite any more. The model is as it was before the step that could not be done.

    Attributes
    ----------
    what : str
        Where it happened: the message without the advice.
    history : History
        The epochs before.
    """

    def __init__(self, what: str, history: History) -> None:
        super().__init__(f"{what}: try a smaller learning rate or clip=, and look for NaN in the data")
        self.what, self.history = what, history


class Training:
    """What callbacks see: `model`, `optimizer`, `schedule`, the `history` so far, and why it stopped, if it did."""

    def __init__(self, model: Module, optimizer: Optimizer, schedule: Any, history: History) -> None:
        self.model, self.optimizer, self.schedule, self.history = model, optimizer, schedule, history

    def stop(self, reason: str) -> None:
        """Let no epoch follow. The reason can be read in ``history.stopped``."""
        self.history.stopped = reason


def fit(
    model: Module,
    loss: Callable[[Any, Any], Any],
    optimizer: Optimizer,
    x: Any,
    y: Any,
    *,
    epochs: int,
    batch_size: int = 32,
    validation: tuple[Any, Any] | None = None,
    metrics: Sequence[str] | Mapping[str, Metric] = (),
    schedule: Any = None,
    schedule_every: str = "epoch",
    callbacks: Iterable[Callback] = (),
    clip: float | None = None,
    seed: int | None = None,
    history: History | None = None,
    progress: bool = True,
) -> History:
    """Train `model`: for every batch a forward pass, the loss, a backward pass and a step of the optimiser.

    Parameters
    ----------
    model : Module
        In training mode while it learns; in evaluation mode while it is measured, and in the end.
    loss : callable
        ``loss(model(x), y)`` gives one number, the mean over the batch.
    optimizer : Optimizer
    x, y : array of shape (n, ...)
    epochs : int
        How often to go through all samples, those in `history` included.
    batch_size : int
        At least 1; 1 is online learning.
    validation : tuple of two arrays, optional
        Samples that are measured after each epoch, and not learned.
    metrics : sequence of str, or dict of str to callable
        Names of scikit-learn's metrics ("accuracy", "f1", "r2", "mean_absolute_error" ...), or functions
        of ``(y, output)``. Where the output has one axis more than `y`, a metric of a name is given the
        class of the largest entry.
    schedule : Schedule, optional
        Of the learning rate. `ReduceLROnPlateau` is given the loss of the validation, if there is one.
    schedule_every : "epoch" or "batch"
        After what the schedule takes a step.
    callbacks : iterable of Callback
        `EarlyStopping`, `Checkpoint`, or others.
    clip : float, optional
        The largest norm of all gradients together; larger ones are scaled down to it. The series
        "gradient_norm" then holds the largest of each epoch, before that; `math.inf` only measures.
    seed : int, optional
        Of the order of the samples: with it, and a seeded model, the same training comes out the same.
    history : History, optional
        Of the epochs before, from `load`: the training goes on where it was.
    progress : bool
        Whether to show a bar with the loss, the metrics, the learning rate and samples per second.

    Returns
    -------
    History
        "loss", the metrics and "lr"; of the validation "validation_loss", and so on. Its
        attribute `stopped` tells why the training ended before its time, if it did. Ctrl-C ends it
        like that: the model keeps what it has learned.

    Raises
    ------
    TrainingError
        If the loss is not finite; it names the epoch, the batch, and the first parameter whose
        gradient is not finite.
    ValueError
        If the arrays are not of one length.
    ModuleNotFoundError
        If tqdm (for the bar) or scikit-learn (for metrics by name) is missing.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
    >>> model = ag.nn.MLP([1, 16, 1], rng=0)
    >>> optimizer = ag.optim.Adam(model.parameters(), lr=0.05)
    >>> history = ag.train.fit(model, ag.nn.mse_loss, optimizer, x, x**2, epochs=100, seed=0, progress=False)
    >>> bool(history["loss"][-1] < 0.01)
    True
    """
    n = paired(x, y)
    if validation is not None:
        paired(*validation)
    if epochs < 0:
        raise ValueError(f"epochs counts how often to go through all samples: 0 or more, not {epochs}")
    measures = _measures(metrics)
    training = Training(model, optimizer, schedule, History() if history is None else history)
    history = training.history
    history.stopped = None
    callbacks = list(callbacks)
    watches = isinstance(schedule, ReduceLROnPlateau)
    if schedule_every not in ("epoch", "batch") or (watches and schedule_every == "batch"):
        raise ValueError(
            f"a schedule steps every 'epoch' or, unless it watches a loss, 'batch', not {schedule_every!r}"
        )
    left = max(epochs - history.epochs, 0)
    bar = extra("tqdm", "train").tqdm(total=left * n, unit=" samples", unit_scale=True, disable=not progress)
    try:
        with bar, np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for epoch in range(history.epochs + 1, epochs + 1):
                model.train()
                total, norm, outputs, targets = 0.0, 0.0, [], []
                order = None if seed is None else (seed, epoch)
                for i, (xs, ys) in enumerate(batches(x, y, batch_size, seed=order), 1):
                    output = model(xs)
                    value = loss(output, ys)
                    optimizer.zero_grad()
                    value.backward()
                    number = value.item()
                    if not math.isfinite(number):
                        raise TrainingError(_diagnosis(model, number, epoch, i), history)
                    if clip is not None:
                        norm = max(norm, clip_grad_norm_(model.parameters(), clip))
                    optimizer.step()
                    if schedule is not None and schedule_every == "batch":
                        schedule.step()
                    total += number * len(xs)
                    if measures:
                        outputs.append(output.data)
                        targets.append(ys)
                    if bar.update(len(xs)):
                        bar.set_postfix(
                            epoch=epoch,
                            loss=f"{number:.4g}",
                            lr=f"{optimizer.param_groups[0]['lr']:.3g}",
                            refresh=False,
                        )
                values = {"loss": total / n, "lr": optimizer.param_groups[0]["lr"]}
                if clip is not None:
                    values["gradient_norm"] = norm
                values |= {name: f(np.concatenate(targets), np.concatenate(outputs)) for name, f in measures.items()}
                if validation is not None:
                    output = predict(model, validation[0])
                    values[f"{VALIDATION}loss"] = float(value_of(loss(output, validation[1])))
                    values |= {f"{VALIDATION}{name}": f(validation[1], output) for name, f in measures.items()}
                history.append(values)
                shown = {name: f"{value:.4g}" for name, value in values.items()}
                bar.set_postfix({"epoch": epoch, **shown}, refresh=False)
                if schedule is not None and schedule_every == "epoch":
                    schedule.step(*[values.get(f"{VALIDATION}loss", values["loss"])] * watches)
                for callback in callbacks:
                    callback.after_epoch(training)
                if history.stopped:
                    break
    except KeyboardInterrupt:
        training.stop("interrupted")
    finally:
        model.eval()
    for callback in callbacks:
        callback.after_training(training)
    return history


def _diagnosis(model: Module, loss: float, epoch: int, batch: int) -> str:
    """Say where a loss came from that is not finite."""
    text = f"the loss is {loss} in epoch {epoch}, batch {batch}"
    for what, attribute in (("gradient", "grad"), ("value", "data")):
        for path, tensor in model.named_parameters():
            array = getattr(tensor, attribute)
            if array is not None and not np.all(np.isfinite(array)):
                text += f"; the first parameter whose {what} is not finite is {path}, of shape {tensor.shape}"
                break
    return text


def _measures(metrics: Sequence[str] | Mapping[str, Metric]) -> dict[str, Metric]:
    """Find scikit-learn's functions for names."""
    if isinstance(metrics, Mapping):
        return dict(metrics)
    if isinstance(metrics, str):
        raise TypeError(f"metrics is a list of names, not one: write metrics=[{metrics!r}]")
    return {name: _named(name) for name in metrics}


def _named(name: str) -> Metric:
    known = extra("sklearn.metrics", "train")
    found = next((f for key in (f"{name}_score", name) if callable(f := getattr(known, key, None))), None)
    if found is None:
        raise ValueError(f"scikit-learn has no metric {name!r}: see sklearn.metrics, or pass a dict of functions")

    def metric(y: Any, output: Any) -> float:
        return float(found(y, output.argmax(axis=-1) if output.ndim == np.ndim(y) + 1 else output))

    return metric
