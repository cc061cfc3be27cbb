"""A small reverse-mode automatic-differentiation engine on NumPy that shows its work."""

from . import nn, optim, testing
from .core import no_grad, primitive
from .derivatives import grad, value_and_grad
from .draw import Drawing, draw
from .ops import (
    absolute,
    add,
    broadcast_to,
    concatenate,
    cos,
    divide,
    exp,
    expand_dims,
    leaky_relu,
    log,
    log_softmax,
    logsumexp,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    multiply,
    negative,
    power,
    ravel,
    relu,
    reshape,
    sigmoid,
    sin,
    softmax,
    softplus,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    subtract,
    sum,
    swapaxes,
    tanh,
    transpose,
    var,
    where,
)  # fmt: skip
from .tensor import Tensor

__all__ = [
    "Drawing", "Tensor", "absolute", "add", "broadcast_to", "concatenate", "cos", "divide", "draw", "exp",
    "expand_dims", "grad", "leaky_relu", "log", "log_softmax", "logsumexp", "matmul", "max", "maximum", "mean",
    "min", "minimum", "multiply", "negative", "nn", "no_grad", "optim", "power", "primitive", "ravel", "relu",
    "reshape", "sigmoid", "sin", "softmax", "softplus", "sqrt", "square", "squeeze", "stack", "std", "subtract",
    "sum", "swapaxes", "tanh", "testing", "transpose", "value_and_grad", "var", "where",
]  # fmt: skip
