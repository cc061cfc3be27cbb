"""Numbers in few characters: of an array, what fits on a card and what fits in a hint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import inf, isfinite, isnan, log10, sqrt
from typing import Any

import numpy as np

from .theme import HEAT


def number(x: float, figures: int = 3) -> str:
    """Write a number in few figures: ``0.00205``, ``−1.5``, ``4.7e−6``, ``nan``."""
    size = abs(x)
    if not isfinite(x):
        text = str(x)
    elif size < 1e5 and x == int(x):
        text = str(int(x))
    elif 1e-3 <= size < 1e5:
        text = f"{x:.{figures}g}" if size < 99.5 else f"{x:.0f}"
    else:
        mantissa, exponent = f"{x:.1e}".split("e")
        text = f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return text.replace("-", "−")


def extent(shape: tuple[int, ...]) -> str:
    """Write a shape: ``64×50``."""
    return "×".join(map(str, shape)) if shape else "scalar"


@cache
def _name(dtype: np.dtype[Any]) -> str:
    return str(dtype)  # takes as long as all the rest of a scalar


@dataclass(slots=True)
class Summary:
    """What there is to say about an array, which may be empty and need not be finite.

    `rms` is the root of the mean of the squares, `zeros` a share, and `odd` counts what is not finite.
    """

    shape: tuple[int, ...]
    dtype: str
    size: int
    least: float
    mean: float
    most: float
    std: float
    rms: float
    zeros: float
    odd: int
    entries: tuple[float, ...]  # the array itself where it is small

    @classmethod
    def of(cls, value: Any) -> Summary:
        """Look through an array, a NumPy scalar or a Python number."""
        if not (shape := np.shape(value)):  # the common case in graphs of scalars, in plain Python
            dtype = _name(value.dtype) if isinstance(value, (np.generic, np.ndarray)) else type(value).__name__
            x = float(value)
            return cls(shape, dtype, 1, x, x, x, 0.0, abs(x), float(x == 0), int(not isfinite(x)), (x,))
        size, dtype = value.size, _name(value.dtype)
        if not size:
            return cls(shape, dtype, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, ())
        with np.errstate(all="ignore"):
            flat = value.ravel().astype(np.float64)
            least, most = float(flat.min()), float(flat.max())
            peak = max(-least, most)
            # the squares of large or small numbers leave the range
            unit = 1.0 if 1e-100 < peak < 1e100 or not 0 < peak < inf else peak
            part = flat / unit if unit != 1 else flat
            mean = float(part.sum()) / size
            apart = part - mean
            rms, std = (unit * sqrt(float(x.dot(x)) / size) for x in (part, apart))
            mean *= unit
        zeros = 1 - int(np.count_nonzero(flat)) / size
        odd = 0 if isfinite(least) and isfinite(most) else size - int(np.count_nonzero(np.isfinite(flat)))
        entries = tuple(flat.tolist()) if len(shape) == 1 and flat.size <= 3 else ()
        return cls(shape, dtype, size, least, mean, most, std, rms, zeros, odd, entries)

    @property
    def line(self) -> str:
        """The value in a line: its entries, or where they lie."""
        if not self.shape:
            return number(self.mean)
        if not self.size:
            return "empty"
        if self.entries:
            return "[" + ", ".join(map(number, self.entries)) + "]"
        if self.odd:
            return f"{self.odd:,} of {self.size:,} not finite"
        if self.dtype.startswith(("int", "uint", "bool")):
            return f"{number(self.least)} … {number(self.most)}"
        if self.least == self.most:
            return f"all {number(self.most)}"
        mean = self.mean if abs(self.mean) > self.std / 1000 else 0.0  # or it is rounding
        return f"{number(mean, 2)} ± {number(self.std, 2)}"

    @property
    def trouble(self) -> str:
        """What is in it that is not finite: "nan" or "inf", or ""."""
        return "" if not self.odd else "nan" if isnan(self.rms) else "inf"

    @property
    def spread(self) -> str:
        """The value in a longer line: the ends and the middle of where its entries lie."""
        if not self.shape or not self.size:
            return self.line
        odd = f", {self.odd:,} not finite" if self.odd else ""
        ends = f"min {number(self.least)}, mean {number(self.mean)}, max {number(self.most)}"
        return f"{ends}, std {number(self.std)}{odd}"

    def heat(self, middle: float) -> int | None:
        """Give how many decades `rms` lies below or above `middle`, within the scale; None: not finite."""
        return heat(self.rms, middle)


def heat(rms: float, middle: float) -> int | None:
    """Give how many decades a gradient lies below or above `middle`, within the scale; None: not finite."""
    if not isfinite(rms):
        return None
    if not rms or not middle:
        return HEAT[0]
    return min(max(round(log10(rms) - log10(middle)), HEAT[0]), HEAT[-1])
