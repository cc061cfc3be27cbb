"""A small reverse-mode automatic-differentiation engine on NumPy that shows its work."""

from . import linalg, nn, ops, optim, testing
from .core import no_grad, primitive
from .derivatives import grad, value_and_grad
from .draw import Drawing, draw
from .ops import *
from .tensor import Tensor

__all__ = [
    "Drawing", "Tensor", "draw", "grad", "linalg", "nn", "no_grad", "optim", "primitive", "testing", "value_and_grad",
    *ops.__all__,
]  # fmt: skip
