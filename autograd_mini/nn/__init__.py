"""Modules, layers, initialisers and losses. Nothing here knows a derivative."""

from . import functions, init, losses
from .functions import *
from .layers import Conv1d, Conv2d, Dropout, Embedding, Flatten, Linear, Residual, Sequential
from .losses import *
from .mlp import MLP
from .module import Module
from .normalisation import BatchNorm1d, BatchNorm2d, LayerNorm

__all__ = [
    "MLP", "BatchNorm1d", "BatchNorm2d", "Conv1d", "Conv2d", "Dropout", "Embedding", "Flatten", "LayerNorm", "Linear",
    "Module", "Residual", "Sequential", "init", *functions.__all__, *losses.__all__,
]  # fmt: skip
