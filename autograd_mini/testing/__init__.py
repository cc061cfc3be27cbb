"""Checks of derivatives, for users and for the tests of this package."""

from .gradcheck import GradientError, gradcheck
from .graph import GraphReport, RuleCheck, check_graph
from .operation import check_against, check_op

__all__ = ["GradientError", "GraphReport", "RuleCheck", "check_against", "check_graph", "check_op", "gradcheck"]
