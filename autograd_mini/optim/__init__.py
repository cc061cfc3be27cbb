"""Optimisers: they move parameters against their gradients, as PyTorch's of the same name do."""

from .adam import Adam
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]
