"""Checks of derivatives, for users and for the tests of this package."""

from .gradcheck import GradientError, gradcheck
from .graph import GraphReport, RuleCheck, check_graph

__all__ = ["GradientError", "GraphReport", "RuleCheck", "check_graph", "gradcheck"]
