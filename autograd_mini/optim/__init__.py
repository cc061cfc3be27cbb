"""Optimisers: they move parameters against their gradients, as PyTorch's of the same name do."""

from .optimizer import Optimizer
from .sgd import SGD

from .adam import Adam  # isort: skip

__all__ = ["SGD", "Adam", "Optimizer"]
