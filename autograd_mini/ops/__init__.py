"""The calculus: every differentiable operation, one module a family, each under NumPy's name if it has one."""

from . import activations, arranging, convolution, elementwise, indexing, linalg, reductions, sampled, scans, shape
from .activations import *
from .arranging import *
from .convolution import *
from .decompositions import norm
from .elementwise import *
from .indexing import *
from .linalg import *
from .reductions import *
from .sampled import *
from .scans import *
from .shape import *

__all__ = [
    *activations.__all__, *arranging.__all__, *convolution.__all__, *elementwise.__all__, *indexing.__all__,
    *linalg.__all__, "norm", *reductions.__all__, *sampled.__all__, *scans.__all__, *shape.__all__,
]  # fmt: skip
