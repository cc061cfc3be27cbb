"""A small reverse-mode automatic-differentiation engine on NumPy that shows its work.

PYTEST_DONT_REWRITE: to pytest, which finds its plugin inside, this is not a test, and may be imported before it starts.
"""

from . import linalg, nn, ops, optim, testing, train
from .calls import checkpoint, custom_vjp
from .core import no_grad, primitive, scope, source_lines
from .derivatives import (
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)  # fmt: skip
from .draw import Drawing, draw
from .ops import *
from .tensor import Tensor
from .train import load, save

__version__ = "0.1.0"

__all__ = [
    "Drawing", "Tensor", "checkpoint", "custom_vjp", "draw", "elementwise_grad", "grad", "hessian", "hvp", "jacobian",
    "jvp", "linalg", "load", "nn", "no_grad", "optim", "primitive", "save", "scope", "source_lines",
    "stop_gradient", "testing", "train", "value_and_grad", "vjp",
    *ops.__all__,
]  # fmt: skip
