"""Other libraries as oracles: what is written in NumPy's terms runs on their arrays, and they differentiate it.

A function of NumPy that meets an `Array` is looked up in its library by name; `pytorch.py` and `jax.py` say what has
another name there, or takes other arguments. What a library does not have raises `MissingError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

Function = Callable[..., Any]


class MissingError(NotImplementedError):
    """What a library does not have."""


def without(what: str) -> NoReturn:
    raise MissingError(what)


@dataclass(frozen=True)
class Library:
    """How a library holds an array and differentiates, and what it says in other words than NumPy."""

    name: str
    home: Any  # where NumPy's names are looked up
    kind: type  # of its arrays
    array: Function  # its array of one of NumPy's
    values_and_vjp: Function  # of a function that gives a list, with a cotangent for each
    grad: Function  # of the sum of a function
    functions: Mapping[str, Function]  # of NumPy: the same arguments
    rows: Mapping[str, Function]  # of the table of operations: the operands and parameters of the row

    def find(self, function: Any) -> Function:
        """Find what the library calls a function of NumPy."""
        name, linalg = function.__name__, function.__module__ == "numpy.linalg"
        own = linalg and self.functions.get(f"linalg.{name}")
        found = own or self.functions.get(name) or getattr(self.home.linalg if linalg else self.home, name, None)
        return found or without(f"{self.name} has no {name}")

    def slope(self, f: Function) -> Function:
        """Give the gradient of the sum of a function of one operand, itself in NumPy's terms."""
        return lambda x: self.wrap(self.grad(lambda x: bare(f(self.wrap(x))))(bare(x)))

    def own(self, row: str, params: Any) -> Function:
        """Let a row of the table of operations, which the library has under one name, take arrays of here."""
        return lambda *xs: self.rows[row](*bare(xs), **params)

    def wrap(self, y: Any) -> Any:
        if isinstance(y, tuple | list):
            return y._make(map(self.wrap, y)) if hasattr(y, "_make") else type(y)(map(self.wrap, y))
        return Array(self, y) if isinstance(y, self.kind) else y

    def numbers(self, f: Function, operands: Any, ct: Any = None) -> list[np.ndarray]:
        """Give the value of a function in NumPy's terms, and the cotangents of its operands.

        The cotangent of the value is `ct` if it has its shape, else ones.
        """
        ys, cts = self.pull_back(lambda *xs: [f(*xs)], [np.array(x) * 1.0 for x in operands], [ct])
        return [*ys, *cts]

    def pull_back(self, f: Function, xs: Any, cts: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Give the values in the list that a function in NumPy's terms gives, and the cotangents of its operands.

        Of the cotangents of the values those that do not have the shape are taken to be ones.
        """
        ys, found = self.values_and_vjp(lambda *xs: bare(f(*map(self.wrap, xs))), [self.array(x) for x in xs], cts)
        return [np.asarray(y) for y in ys], [np.asarray(ct) for ct in found]


class Namespace:
    """`ag`, of functions that a library has: for programs that are run by it."""

    def __init__(self, library: Library, home: Any = np) -> None:
        self._library, self._home = library, home

    def __getattr__(self, name: str) -> Any:
        library = self._library
        if name in ("linalg", "nn"):
            return Namespace(library, getattr(np, name, None))
        if own := OWN.get(name):
            return partial(own, library)
        if self._home is not np.linalg and name in library.rows:
            return lambda *xs, **params: library.wrap(library.rows[name](*map(bare, xs), **params))
        return getattr(self._home, name, None) or without(f"{library.name} has no {name}")


# What `ag` calls with other arguments than a row of the table of operations, or NumPy.
OWN: dict[str, Function] = {
    "getitem": lambda library, x, index: x[index],
    "set_at": lambda library, x, index, v: library.wrap(library.rows["set_at"](bare(x), bare(v), index)),
    "add_at": lambda library, x, index, v: library.wrap(library.rows["add_at"](bare(x), bare(v), index)),
    "embedding": lambda library, ids, weight: library.wrap(library.rows["embedding"](bare(weight), ids)),
    "norm": lambda library, x, **params: np.linalg.norm(x, **params),
    "checkpoint": lambda library, f: f,  # the same derivatives by another way
    "elementwise_grad": lambda library, f: library.slope(f),
}


class Array(NDArrayOperatorsMixin):
    """An array of another library, for NumPy's functions and operators."""

    def __init__(self, library: Library, bare: Any) -> None:
        self.library, self.bare = library, bare

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.library.wrap(self.library.find(function)(*bare(args), **bare(kwargs)))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        f = self.library.find(ufunc)
        if method != "__call__":
            f = getattr(f, method, None) or without(f"{self.library.name} has no {ufunc.__name__}.{method}")
            return self.library.wrap(f(*bare(args), **kwargs))
        arrays = [np.array(x, self.dtype) if type(x) in (int, float) else x for x in bare(args)]
        return self.library.wrap(f(*map(self.library.array, arrays), **kwargs))

    def __getitem__(self, index: Any) -> Any:
        return self.library.wrap(self.library.functions["getitem"](self.bare, index))

    shape = property(lambda self: tuple(self.bare.shape))
    ndim = property(lambda self: self.bare.ndim)
    dtype = property(lambda self: np.dtype(str(self.bare.dtype).removeprefix("torch.")))

    @property
    def mT(self) -> Any:
        return np.swapaxes(self, -1, -2)

    def astype(self, dtype: Any) -> Any:
        return np.astype(self, dtype)


def bare(x: Any) -> Any:
    """Take off every wrapper."""
    if type(x) in (tuple, list):
        return type(x)(map(bare, x))
    return {key: bare(value) for key, value in x.items()} if type(x) is dict else getattr(x, "bare", x)


def scan(f: Function) -> Function:
    """Let a scan along one axis take axis=None, and numbers."""
    return lambda x, axis=None: f(x.reshape(-1), 0) if axis is None or not x.ndim else f(x, axis % x.ndim)


def load(name: str) -> Library:
    return pytest.importorskip(f"{__name__}.{name}").LIBRARY
