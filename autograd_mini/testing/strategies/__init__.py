"""Hypothesis strategies: arrays, shapes, axes, indices, and whole programs of operations [1]_.

Hypothesis comes with ``pip install "autograd_mini[test]"``; nothing else in this package imports it. All
strategies shrink to what is simplest: programs to few operations on few numbers.

References
----------
.. [1] MacIver, Hatfield-Dodds and others, "Hypothesis: a new approach to property-based testing", JOSS 4 (2019).
"""

from ...extras import extra

extra("hypothesis", "test")  # first, so that a missing one is named with the line that brings it

from .arrays import axes, broadcastable_shapes, indices, mlps, shapes, tensors  # noqa: E402
from .programs import Program, Step, ops, programs  # noqa: E402
from .table import OPERATIONS, Operation  # noqa: E402

__all__ = [
    "OPERATIONS", "Operation", "Program", "Step", "axes", "broadcastable_shapes", "indices", "mlps", "ops",
    "programs", "shapes", "tensors",
]  # fmt: skip
