"""Modules, layers and losses. Nothing here knows a derivative."""

from . import losses
from .layers import (
    MLP,
    LeakyReLU,
    Linear,
    LogSoftmax,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
)  # fmt: skip
from .losses import *
from .module import Module

__all__ = [
    "MLP", "LeakyReLU", "Linear", "LogSoftmax", "Module", "ReLU", "Sequential", "Sigmoid", "Softmax", "Softplus", "Tanh",
    *losses.__all__,
]  # fmt: skip
