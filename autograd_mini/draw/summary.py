"""Numbers in few characters: of an array, what fits on a card and what fits in a hint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import inf, isfinite, isnan, log10, sqrt
from typing import Any

import numpy as np

from .theme import HEAT

STACK = 2**16  # numbers that are looked through at once


@lru_cache(2**12)  # the same stands on a card, in its hint and on its edges
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
        return cls.each([value])[0]

    @classmethod
    def each(cls, values: Sequence[Any]) -> list[Summary]:
        """Look through many, those of one size at once: a call of NumPy takes longer than a small array."""
        found: dict[int, Summary] = {}
        alike: dict[int, list[int]] = {}
        for i, value in enumerate(values):
            if not isinstance(value, np.ndarray) or not value.ndim:  # the common case in graphs of scalars
                x, dtype = float(value), _name(value.dtype) if hasattr(value, "dtype") else type(value).__name__
                found[i] = cls((), dtype, 1, x, x, x, 0.0, abs(x), float(x == 0), int(not isfinite(x)), (x,))
            elif not value.size:
                found[i] = cls(value.shape, _name(value.dtype), 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, ())
            else:
                alike.setdefault(value.size, []).append(i)
        for size, places in alike.items():
            many = max(1, STACK // size)
            for some in (places[i : i + many] for i in range(0, len(places), many)):
                flat = np.array([values[i].ravel() for i in some], np.float64)
                for i, row in zip(some, _statistics(flat), strict=True):
                    x = values[i]
                    entries = tuple(map(float, x.tolist())) if x.ndim == 1 and size <= 3 else ()
                    found[i] = cls(x.shape, _name(x.dtype), size, *row, entries)
        return [found[i] for i in range(len(values))]

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


def _statistics(flat: np.ndarray[Any, Any]) -> Iterator[tuple[float, float, float, float, float, float, int]]:
    """Give what a `Summary` says of each row, from `least` to `odd`; the rows are overwritten."""
    size = flat.shape[1]
    with np.errstate(all="ignore"):
        least, most = np.minimum.reduce(flat, 1).tolist(), np.maximum.reduce(flat, 1).tolist()
        peaks = [max(-low, high) for low, high in zip(least, most, strict=True)]
        odd = [0] * len(peaks) if all(map(isfinite, peaks)) else (size - np.isfinite(flat).sum(1)).tolist()
        zeros = (1 - (flat != 0).sum(1) / size).tolist()
        # the squares of large or small numbers leave the range
        units = [1.0 if 1e-100 < peak < 1e100 or not 0 < peak < inf else peak for peak in peaks]
        if any(unit != 1 for unit in units):
            flat /= np.array(units)[:, None]
        mean = np.add.reduce(flat, 1, keepdims=True) / size
        squares = np.vecdot(flat, flat).tolist()
        flat -= mean
        apart = np.vecdot(flat, flat).tolist()
    columns = least, mean[:, 0].tolist(), most, units, apart, squares, zeros, odd
    for low, middle, high, unit, a, b, zero, not_finite in zip(*columns, strict=True):
        yield low, unit * middle, high, unit * sqrt(a / size), unit * sqrt(b / size), zero, not_finite


def heat(rms: float, middle: float) -> int | None:
    """Give how many decades a gradient lies below or above `middle`, within the scale; None: not finite."""
    if not isfinite(rms):
        return None
    if not rms or not middle:
        return HEAT[0]
    return min(max(round(log10(rms) - log10(middle)), HEAT[0]), HEAT[-1])
