"""Checks of derivatives, for users and for the tests of this package."""

from .gradcheck import GradientError, gradcheck

__all__ = ["GradientError", "gradcheck"]
