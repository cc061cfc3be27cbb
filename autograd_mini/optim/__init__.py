"""Optimisers: they move parameters against their gradients, as PyTorch's of the same name do."""

from .adagrad import Adagrad
from .adam import Adam, AdamW
from .clipping import clip_grad_norm_, clip_grad_value_
from .minimize import minimize
from .optimizer import Optimizer
from .penalties import l1_penalty, l2_penalty
from .rmsprop import RMSprop
from .schedules import (
    ChainedScheduler,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    Schedule,
    SequentialLR,
    StepLR,
)
from .sgd import SGD

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "ChainedScheduler", "CosineAnnealingLR", "ExponentialLR", "LambdaLR", "LinearLR",
    "OneCycleLR", "Optimizer", "RMSprop", "ReduceLROnPlateau", "Schedule", "SequentialLR", "StepLR", "clip_grad_norm_",
    "clip_grad_value_", "l1_penalty", "l2_penalty", "minimize",
]  # fmt: skip
