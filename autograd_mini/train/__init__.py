"""Training: batches, `fit` with its callbacks, the history of a training, and files of what was learned."""

from .callbacks import Callback, Checkpoint, EarlyStopping
from .data import batches, predict
from .fit import Training, TrainingError, fit
from .history import History
from .saving import Saved, load, save

__all__ = [
    "Callback", "Checkpoint", "EarlyStopping", "History", "Saved", "Training", "TrainingError", "batches", "fit",
    "load", "predict", "save",
]  # fmt: skip
