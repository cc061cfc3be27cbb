"""`Tensor`: the user's face of a node. Operators, methods, `backward()`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from . import numpy_protocol, ops
from .core import Node, ancestors, assume, clock, is_recording, leaf, mode, past, result, sweep
from .numpy_protocol import plain
from .ops import elementwise as e
from .ops.linalg import matmul_p
from .ops.shape import astype_p, identity_p

FLOATS = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64))


def _real(data: Any, what: str, keep_integers: bool = False) -> Any:
    """Copy `data` into an array of real numbers, or say why it is none."""
    array = np.array(data)
    kind = array.dtype.kind
    if kind in "iubf" and not keep_integers:
        array = array.astype(array.dtype if array.dtype in FLOATS else np.float64)
    elif kind == "c":
        raise TypeError(f"{what} holds real numbers, not {array.dtype}: use its .real and .imag as two")
    elif kind not in "fiub":
        raise TypeError(f"{what} holds real numbers, not {array.dtype} (from {type(data).__name__}): convert it first")
    return array[()]


def _reflected(apply: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: apply(other, self)


def _plain(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *args, **kwargs: f(np.asarray(self.value), *plain(args), **plain(kwargs))


def _in_place(apply: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: self._update(lambda x: apply(x, other))


class Tensor(Node):
    """An array whose operations are recorded, so that what is computed from it can be differentiated.

    Parameters
    ----------
    data : array_like
        Copied. float16, float32 and float64 keep their dtype; integers and booleans become float64.
        Complex numbers, strings and objects are refused.
    requires_grad : bool
        False makes it a constant that is carried along, for instance a frozen weight.
    name : str, optional
        What drawings call it. A module gives names to the Tensors that it holds and that have none.

    Attributes
    ----------
    data : ndarray, or NumPy scalar where there are no axes
    grad : like `data`, or None
        The sum of what each `backward()` found, on leaves.

    Notes
    -----
    An ndarray beside a Tensor is a constant. It is not copied: do not overwrite it, nor parts of
    ``t.data``, between the forward and the backward pass. Assigning to ``t.data`` is noticed.

    ``t += x`` and ``t[index] = value`` are recorded: `t` becomes the result, in its own shape and dtype, and
    what used it before, views of it too, keeps the old value. A leaf that is being differentiated refuses.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> x = ag.Tensor([1.0, 2.0, 3.0])
    >>> (x * x).sum().backward()
    >>> x.grad
    array([2., 4., 6.])
    """

    __slots__ = ()
    array, number = np.ndarray, np.float64
    __hash__ = object.__hash__  # by identity, though == compares entries

    def __init__(self, data: ArrayLike, requires_grad: bool = True, *, name: str | None = None) -> None:
        self.value = _real(data, "a Tensor")
        self.age = next(clock)
        self.grad = None
        leaf(self, bool(requires_grad))
        if name is not None:
            self.name = str(name)

    @staticmethod
    def constant(x: Any) -> Any:
        """Take what stands beside a Tensor in an operation: a number or an array of real numbers."""
        kind = type(x)
        if kind is float or kind is int or kind is bool:
            return x
        if ((kind is np.ndarray and x.ndim) or isinstance(x, np.generic)) and x.dtype.kind in "fiub":
            return x
        return _real(x, "an operand", keep_integers=True)

    # -- the value ---------------------------------------------------------------------------------

    @staticmethod
    def taken(value: Any) -> Any:
        """Take what a forward gave: a NumPy scalar as it is, a Python number or a list as an array."""
        return value if isinstance(value, (np.generic, np.ndarray)) else _real(value, "the result of a primitive")

    @property
    def data(self) -> Any:
        """The array itself; of a result it cannot be written to.

        Assigning to it is what an optimiser does to a leaf: a graph that used the old data then refuses.
        """
        if self.op is None or not self.value.shape:
            return self.value
        view = self.value.view()
        view.flags.writeable = False
        return view

    @data.setter
    def data(self, data: ArrayLike) -> None:
        if self.op is not None:
            raise RuntimeError(
                f"this Tensor is the result of {self.op.name!r}, and other data would belie its gradient: "
                "assign to the data of a leaf, or take .detach() of this one first"
            )
        value = data if data is self.value else np.asarray(_real(data, ".data")).astype(self.dtype)
        if value.shape != self.value.shape:
            raise ValueError(
                f".data has shape {self.value.shape}, not {value.shape}: make a new Tensor to change shape"
            )
        self.value = value[()]
        self.age = next(clock)

    def _update(self, f: Callable[[Self], Any]) -> Self:
        """Become ``f(self)``, whose first operand is this one: what ``t += x`` and ``t[index] = value`` do.

        What used this Tensor before, views of it too, keeps the old value. Shape and dtype stay. Where
        nothing is recorded, it is a leaf's data that changes.
        """
        if is_recording() and self.requires_grad and (self.op is None or self.op is identity_p.op):
            raise RuntimeError(
                "what is being differentiated cannot be updated in place: write t = t + x, or "
                "t = ag.set_at(t, index, value), or work on a copy, t = t.copy(); to change its data, as an optimiser "
                "does, use ag.no_grad()"
            )
        old = type(self).__new__(type(self))
        assume(old, self)
        new = f(old)
        if new.shape != self.shape:
            raise ValueError(
                f"an update in place keeps the shape, {self.shape}, and this would give {new.shape}: make a new Tensor"
            )
        if new.op is None:
            self.data = new.value
            return self
        assume(self, new if new.dtype == self.dtype else astype_p(new, dtype=self.dtype))
        self.marks = (old, *self.marks)
        ancestors(self, since=old.age)  # lets what used the older self hold that, not what now holds it in turn
        return self

    shape = property(attrgetter("value.shape"))
    ndim = property(attrgetter("value.ndim"))
    size = property(attrgetter("value.size"))
    dtype = property(attrgetter("value.dtype"))

    def item(self) -> float:
        """Give the only entry as a Python float."""
        return float(self.value.item())

    def detach(self) -> Self:
        """Give a constant Tensor of a copy of this data."""
        return type(self)(self.value, requires_grad=False)

    def __repr__(self) -> str:
        text = np.array2string(np.asarray(self.value), separator=", ", prefix="Tensor(", threshold=100)
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        origin = f", op={self.op.name!r}" if self.op else "" if self.requires_grad else ", requires_grad=False"
        return f"Tensor({text}{dtype}{origin})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show the graph in a notebook, if it is small."""
        from .draw import bundle  # here, as what only a picture needs is not to be loaded with the library

        return bundle(self)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else repr(self)

    def __len__(self) -> int:
        return len(np.asarray(self.value))

    def __iter__(self) -> Iterator[Self]:
        if not self.shape:
            raise TypeError("iteration over a Tensor without axes: take its .item()")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        if self.requires_grad and is_recording():
            raise TypeError(
                "a Tensor that is being differentiated does not turn into a Python number by itself, for its gradient "
                "would be lost: take t.item(), or stay with Tensors (ag.stack joins them)"
            )
        return float(self.value)

    def __int__(self) -> int:
        return int(float(self))

    def __contains__(self, x: Any) -> bool:
        return bool(np.any(self.value == plain(x)))

    # -- comparisons leave the graph ---------------------------------------------------------------

    def __eq__(self, other: object) -> Any:
        return self.value == plain(other)

    def __ne__(self, other: object) -> Any:
        return self.value != plain(other)

    def __lt__(self, other: Any) -> Any:
        return self.value < plain(other)

    def __le__(self, other: Any) -> Any:
        return self.value <= plain(other)

    def __gt__(self, other: Any) -> Any:
        return self.value > plain(other)

    def __ge__(self, other: Any) -> Any:
        return self.value >= plain(other)

    def __floordiv__(self, other: Any) -> Any:
        return self.value // plain(other)

    def __rfloordiv__(self, other: Any) -> Any:
        return plain(other) // self.value

    # -- operators and methods ---------------------------------------------------------------------

    __add__, __radd__ = e.add_p, _reflected(e.add_p)
    __sub__, __rsub__ = e.sub_p, _reflected(e.sub_p)
    __mul__, __rmul__ = e.mul_p, _reflected(e.mul_p)
    __truediv__, __rtruediv__ = e.div_p, _reflected(e.div_p)
    __pow__, __rpow__ = e.pow_p, _reflected(e.pow_p)
    __mod__, __rmod__ = e.mod_p, _reflected(e.mod_p)
    __divmod__, __rdivmod__ = e.divmod, _reflected(e.divmod)
    __matmul__, __rmatmul__ = matmul_p, _reflected(matmul_p)
    __iadd__, __isub__ = _in_place(e.add_p), _in_place(e.sub_p)
    __imul__, __itruediv__ = _in_place(e.mul_p), _in_place(e.div_p)
    __ipow__, __imod__, __imatmul__ = _in_place(e.pow_p), _in_place(e.mod_p), _in_place(matmul_p)
    __neg__ = e.neg_p
    __abs__ = e.abs_p

    sum, mean, max, min, var, std = ops.sum, ops.mean, ops.max, ops.min, ops.var, ops.std
    ravel, swapaxes, squeeze = ops.ravel, ops.swapaxes, ops.squeeze
    prod, cumsum, cumprod = ops.prod, ops.cumsum, ops.cumprod
    dot, clip, flatten = ops.dot, ops.clip, ops.ravel
    repeat, take, compress, argsort = ops.repeat, ops.take, ops.compress, ops.argsort
    diagonal, trace, copy = ops.diagonal, ops.trace, ops.copy
    all, any, argmax, argmin = _plain(np.all), _plain(np.any), _plain(np.argmax), _plain(np.argmin)
    argpartition, nonzero, searchsorted = ops.argpartition, _plain(np.nonzero), _plain(np.searchsorted)
    round, tolist = _plain(np.round), _plain(np.ndarray.tolist)

    def __pos__(self) -> Self:
        return self

    def __getitem__(self, index: Any) -> Self:
        item: Self = ops.getitem(self, index)
        return item

    def __setitem__(self, index: Any, value: Any) -> None:
        self._update(lambda x: ops.set_at(x, index, value))

    def sort(self, axis: int = -1) -> None:
        """Put the entries along `axis` in order, in place; entries that tie stay in theirs."""
        self._update(lambda x: ops.sort(x, axis))

    def partition(self, kth: Any, axis: int = -1) -> None:
        """Put entry number `kth` in its place along `axis`, smaller ones before it, in place."""
        self._update(lambda x: ops.partition(x, kth, axis))

    def fill(self, value: Any) -> None:
        """Make all entries `value`, in place."""
        self[...] = value

    @property
    def real(self) -> Self:
        return self

    @property
    def imag(self) -> Any:
        return np.zeros_like(self.value)

    def conjugate(self) -> Self:
        """Give this Tensor itself, for its entries are real."""
        return self

    conj = conjugate

    def reshape(self, *shape: Any, order: str = "C") -> Self:
        """Give the entries another shape: ``t.reshape(2, -1)`` or ``t.reshape((2, -1))``."""
        reshaped: Self = ops.reshape(self, shape[0] if len(shape) == 1 else shape, order)
        return reshaped

    def transpose(self, *axes: Any) -> Self:
        """Permute the axes; reverse them by default."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        transposed: Self = ops.transpose(self, order or None)
        return transposed

    def astype(self, dtype: DTypeLike) -> Any:
        """Convert to another floating dtype; any other leaves the graph and gives a plain array."""
        if np.dtype(dtype).kind == "f":
            return astype_p(self, dtype=np.dtype(dtype))
        return self.value.astype(dtype)

    @property
    def T(self) -> Self:
        return self.transpose()

    @property
    def mT(self) -> Self:
        if self.ndim < 2:
            raise ValueError(f".mT transposes matrices, and this Tensor has shape {self.shape}")
        transposed: Self = ops.swapaxes(self, -1, -2)
        return transposed

    # -- the backward pass -------------------------------------------------------------------------

    def backward(self, seed: ArrayLike | None = None, *, retain_graph: bool = True) -> None:
        """Add the derivatives of this value to the `.grad` of every leaf behind it.

        A second call adds exactly the same again.

        Parameters
        ----------
        seed : array_like, optional
            The derivative of whatever is wanted with respect to this value, of its shape. May be
            left out where there is only one entry; then it is 1.
        retain_graph : bool
            False frees the graph on the way, which halves the peak of memory; it can then not be
            gone through again.

        Raises
        ------
        ValueError
            If there are several entries and no seed, or a seed of another shape.
        RuntimeError
            If nothing behind this value requires a gradient, if data changed since it was
            recorded, or if the graph was freed.
        """
        if not self.requires_grad:
            raise RuntimeError(
                "backward() of a value that depends on nothing differentiable: it came from constants, from Tensors "
                "with requires_grad=False, or from inside no_grad()"
            )
        value = self.value
        if seed is None:
            if value.size != 1:
                raise ValueError(
                    f"backward() starts from a scalar, not from shape {self.shape}: call .sum() first, or pass a seed "
                    "of that shape"
                )
            one = value.dtype.type(1)
            seed = np.full(value.shape, one) if value.shape else one
        else:
            seed = _real(plain(seed), "a seed").astype(value.dtype)
            if np.shape(seed) != self.shape:
                raise ValueError(
                    f"the seed of backward() has the shape of the value, {self.shape}, not {np.shape(seed)}"
                )
        # gathered first: where the sweep raises, no gradient has changed
        for node, ct in [step for step in sweep(self, seed, free=not retain_graph) if step[0].op is None]:
            node.grad = ct if node.grad is None else node.grad + ct

    # -- NumPy, pickle and copy --------------------------------------------------------------------

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self.requires_grad:
            raise TypeError(
                "a Tensor that is being differentiated does not turn into an array by itself, for its gradient would "
                "be lost: take t.data (or t.detach()), or join Tensors with ag.stack or ag.concatenate"
            )
        return np.array(self.value, dtype, copy=copy)

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return numpy_protocol.ufunc(function, method, inputs, kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return numpy_protocol.function(function, args, kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        """Flatten the graph into rows, oldest first, so that neither pickle nor deepcopy recurses along it."""
        if self.op is None:
            return _leaf, (type(self), self.value, self.requires_grad, self.grad, getattr(self, "name", None))
        nodes = ancestors(self)
        row = {node: i for i, node in enumerate(nodes)}
        starts = sorted({start for node in nodes for _, start in node.scopes})
        rows = []
        for node in nodes:
            xs = past(node)
            if any(isinstance(x, Node) and x.age > node.age for x in xs):
                raise RuntimeError(
                    f"the data of an operand of {node.op!r} changed since it was recorded, so a copy of the graph "
                    "would have wrong gradients: run the forward pass again"
                )
            operands = [(row[x], None) if isinstance(x, Node) and x in row else (None, x) for x in xs]
            marks = [*((label, starts.index(start)) for label, start in node.scopes), *filter(None, [node.line])]
            begun = bisect_left(starts, node.age)  # how many scopes began before this node
            rows.append((type(node), node.value, node.op, operands, node.params, marks, begun, node.grad))
        return _graph, (rows,)


def _leaf(kind: type[Tensor], value: Any, requires_grad: bool, grad: Any, name: str | None = None) -> Tensor:
    tensor = kind(value, requires_grad)
    if name is not None:
        tensor.name = name
    tensor.grad = None if grad is None else grad.copy()
    return tensor


def _graph(rows: list[tuple[Any, ...]]) -> Node:
    nodes: list[Node] = []
    starts: list[int] = []
    for kind, value, op, operands, params, marks, begun, grad in rows:
        starts += [next(clock) for _ in range(begun - len(starts))]
        operands = tuple(x if i is None else nodes[i] for i, x in operands)
        with mode(recording=True):
            node = result(kind, value, op, operands, params, True)
        node.marks = tuple(x if isinstance(x, str) else (x[0], starts[x[1]]) for x in marks)
        node.grad = grad
        nodes.append(node)
    return nodes[-1]
