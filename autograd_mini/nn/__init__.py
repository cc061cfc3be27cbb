"""Modules, layers and losses. Nothing here knows a derivative."""

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
from .losses import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from .module import Module

__all__ = [
    "MLP", "LeakyReLU", "Linear", "LogSoftmax", "Module", "ReLU", "Sequential", "Sigmoid", "Softmax",
    "Softplus", "Tanh", "binary_cross_entropy_with_logits", "cross_entropy", "mse_loss",
]  # fmt: skip
