"""The calculus: every differentiable operation, one module a family."""

from .elementwise import (
    absolute,
    add,
    cos,
    divide,
    exp,
    leaky_relu,
    log,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    relu,
    sigmoid,
    sin,
    softplus,
    sqrt,
    square,
    subtract,
    tanh,
    where,
)
from .indexing import getitem
from .linalg import matmul
from .reductions import log_softmax, logsumexp, max, mean, min, softmax, std, sum, var
from .shape import broadcast_to, concatenate, expand_dims, ravel, reshape, squeeze, stack, swapaxes, transpose

__all__ = [
    "absolute", "add", "broadcast_to", "concatenate", "cos", "divide", "exp", "expand_dims", "getitem", "leaky_relu",
    "log", "log_softmax", "logsumexp", "matmul", "max", "maximum", "mean", "min", "minimum", "multiply", "negative",
    "power", "ravel", "relu", "reshape", "sigmoid", "sin", "softmax", "softplus", "sqrt", "square", "squeeze",
    "stack", "std", "subtract", "sum", "swapaxes", "tanh", "transpose", "var", "where",
]  # fmt: skip
