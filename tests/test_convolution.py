"""Convolution, pooling and embedding: small values by hand, what is refused, and PyTorch's answers."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_mini as ag
from autograd_mini import Tensor, core
from autograd_mini.ops.convolution import unwindows_p, windows_p

# -- by hand -------------------------------------------------------------------------------------------


def test_convolution_does_not_flip_the_kernel() -> None:
    x, w, b = Tensor([[[1, 2, 3, 4]]]), Tensor([[[1, 10]]]), Tensor([100])
    y = ag.conv1d(x, w, b)
    assert_array_equal(y.data, [[[121, 132, 143]]])
    y.backward([[[1, 2, 3]]])
    assert_array_equal(x.grad, [[[1, 12, 23, 30]]])
    assert_array_equal(w.grad, [[[14, 20]]])
    assert_array_equal(b.grad, [6])


def test_convolution_in_two_dimensions() -> None:
    x, w = np.arange(9.0).reshape(1, 3, 3), np.array([[[[1.0, 2], [3, 4]]]])
    assert_array_equal(ag.conv2d(x, w), [[[27, 37], [57, 67]]])
    assert_array_equal(ag.conv2d(x, w, padding="same"), [[[27, 37, 17], [57, 67, 29], [20, 23, 8]]])
    assert_array_equal(ag.conv2d(x, w, padding=(1, 0), stride=(2, 1)), [[[4, 11], [57, 67]]])
    assert_array_equal(ag.conv2d(x, w, dilation=2), [[[0 + 4 + 18 + 32]]])


def test_groups_see_only_their_channels() -> None:
    x = np.array([[[1.0, 2], [3, 4]]])
    assert_array_equal(ag.conv1d(x, np.array([[[1.0]], [[10]]]), groups=2), [[[1, 2], [30, 40]]])


def test_pooling() -> None:
    x = np.array([[1.0, 5, 2, 0, 9], [3, 4, 8, 7, 6]])
    assert_array_equal(ag.max_pool1d(x, 2), [[5, 2], [4, 8]])
    assert_array_equal(ag.max_pool1d([*x, x[0] + 10], 2), [[5, 2], [4, 8], [15, 12]])
    assert_array_equal(ag.max_pool1d(-x, 3, stride=2, padding=1), [[-1, 0, 0], [-3, -4, -6]])
    assert_array_equal(ag.max_pool2d(x, 2, stride=(1, 1)), [[5, 8, 8, 9]])
    assert_array_equal(ag.avg_pool1d(x, 2), [[3, 1], [3.5, 7.5]])
    assert_array_equal(ag.avg_pool2d(x, 2, stride=3), [[3.25, 5.5]])
    assert_array_equal(ag.avg_pool1d(x[0], 2, padding=1), [0.5, 3.5, 4.5])
    assert_array_equal(ag.avg_pool2d(x, 2, padding=1), [[0.25, 1.75, 2.25], [0.75, 3, 3.25]])


def test_windows_and_their_sum_are_adjoint(rng: np.random.Generator) -> None:
    grid = {"stride": (2, 1), "dilation": (1, 2)}
    x = rng.standard_normal((3, 6, 7))
    y = windows_p(x, kernel=(3, 2), **grid)
    assert y.shape == (3, 2, 3, 2, 5)
    assert_array_equal(y[1, 1, :, 1, 3], x[:, 2 + 1, 3 + 2])
    z = rng.standard_normal(y.shape)
    assert_allclose((y * z).sum(), (x * unwindows_p(z, shape=(6, 7), **grid)).sum())


def test_half_precision_adds_up_in_single() -> None:
    many = np.ones((4096, 1), np.float16)  # all fall on one entry, and 2048 + 1 is 2048 in half precision
    added = unwindows_p(many, shape=(1,), stride=(1,), dilation=(0,))
    assert_array_equal(added, np.array([4096], np.float16), strict=True)


def test_without_recording_a_tensor_comes_out() -> None:
    x, w = np.ones((1, 1, 3)), np.ones((1, 1, 2))
    for a, b in [(Tensor(x, False), Tensor(w, False)), (Tensor(x, False), w), (x, Tensor(w, False))]:
        y = ag.conv1d(a, b)
        assert isinstance(y, Tensor)
        assert not y.requires_grad
    with ag.no_grad():
        y = ag.conv1d(Tensor(x), Tensor(w))
    assert isinstance(y, Tensor)
    assert y.op is None
    w = Tensor(w)
    ag.conv1d(Tensor(x, False), w).sum().backward()
    assert_array_equal(w.grad, [[[2, 2]]])


def test_without_a_graph_the_windows_are_not_copied() -> None:
    x, w = np.ones((4, 30, 30)), Tensor(np.ones((4, 4, 3, 3)))

    def peak(x: Any, w: Any) -> int:
        tracemalloc.start()
        try:
            ag.conv2d(x, w)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    least = peak(x, w.data)
    assert peak(Tensor(x, False), w) < 1.5 * least
    with ag.no_grad():
        assert peak(Tensor(x), w) < 1.5 * least


def test_dropout_keeps_the_dtype_and_what_lies_on_the_edge() -> None:
    x = np.float32([1, 2, 3])
    for p, kept in [(0, [1, 2, 3]), (np.float64(0.5), [0, 4, 6])]:
        drawn = SimpleNamespace(random=lambda shape: np.array([0, 0.5, 0.75]).reshape(shape))
        assert_array_equal(ag.dropout(x, p, drawn), np.float32(kept), strict=True)


def test_embedding_and_one_hot() -> None:
    w = Tensor([[1, 2], [3, 4], [5, 6]])
    ids = np.array([[0, 2], [2, 2]])
    y = ag.embedding(ids, w)
    ids[:] = 1  # the ids are copied
    assert_array_equal(y.data, [[[1, 2], [5, 6]], [[5, 6], [5, 6]]])
    y.sum().backward()
    assert_array_equal(w.grad, [[1, 1], [0, 0], [3, 3]])
    assert_array_equal(ag.one_hot([[0, 2]], 3), [[[1.0, 0, 0], [0, 0, 1]]], strict=True)
    assert ag.one_hot(1, 2, np.float32).dtype == np.float32
    assert ag.one_hot(np.zeros(0, int), 2).shape == (0, 2)
    assert not isinstance(ag.one_hot([0], 1), core.Node)


# -- what is refused -----------------------------------------------------------------------------------

X, W, V = np.ones((2, 4, 5, 5)), np.ones((6, 4, 3, 3)), np.ones((3, 2))

REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: ag.conv2d(X[0, 0], W), "(..., channels, *2 lengths) and a weight of shape (out, channels / groups, *2"),
    (lambda: ag.conv1d(X, W), "not (2, 4, 5, 5) and (6, 4, 3, 3)"),
    (lambda: ag.conv2d(X, W, groups=2), "whose second is 4 / 2, not a weight (6, 4, 3, 3)"),
    (lambda: ag.conv2d(X, W[:5, :2], groups=2), "whose first axis is a multiple of 2"),
    (lambda: ag.conv2d(X, W, groups=0), "groups is an integer of at least 1"),
    (lambda: ag.conv2d(X, W, np.ones(4)), "takes a bias (6,), not (4,)"),
    (lambda: ag.conv2d(X, W, stride=0), "stride is an integer of at least 1, or a tuple of 2 such, not 0"),
    (lambda: ag.conv2d(X, W, stride=(1, 1, 1)), "or a tuple of 2 such, not (1, 1, 1)"),
    (lambda: ag.conv2d(X, W, stride=(1, 1.5)), "or a tuple of 2 such, not (1, 1.5)"),
    (lambda: ag.conv2d(X, W, dilation=1.5), "dilation is an integer of at least 1"),
    (lambda: ag.conv2d(X, W, padding=-1), "padding is an integer of at least 0"),
    (lambda: ag.conv2d(X, W, padding="full"), "padding is 'same', 'valid', or in numbers, not 'full'"),
    (lambda: ag.conv2d(X, W, padding="same", stride=2), "padding='same' needs a stride of 1, not (2, 2)"),
    (lambda: ag.conv2d(X, W, padding="same", stride=[1, 2]), "padding='same' needs a stride of 1, not (1, 2)"),
    (lambda: ag.conv2d(X[..., :2], W), "(5, 2) with the padding, are shorter than the kernel, which spans (3, 3) with"),
    (lambda: ag.conv2d(X, W, dilation=4, padding=1), "its last axes, (7, 7) with the padding, are shorter"),
    (lambda: ag.conv2d(X, W[..., :0]), "the kernel is an integer of at least 1"),
    (lambda: ag.max_pool2d(X[0, 0, 0], 2), "an array with at least 2 axes, not of shape (5,)"),
    (lambda: ag.max_pool2d(X, 0), "kernel_size is an integer of at least 1"),
    (lambda: ag.max_pool2d(X, 2, stride=0), "stride is an integer of at least 1"),
    (lambda: ag.avg_pool2d(X, 2, padding=-1), "padding is an integer of at least 0"),
    (lambda: ag.max_pool2d(X, 3, padding=2), "at most half of the kernel (3, 3), not 2"),
    (lambda: ag.avg_pool2d(X, 6), "of shape (2, 4, 5, 5): its last axes, (5, 5)"),
    (lambda: ag.max_pool1d(X[..., :0], 2, padding=1), "or empty"),
    (lambda: ag.embedding([0], V[0]), "a weight of shape (classes, features), not (2,)"),
    (lambda: ag.dropout(X, 1.5, np.random.default_rng()), "a probability from 0 to 1, not 1.5"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_does_not_fit_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_ids_are_integers_in_range() -> None:
    for ids in ([-1, 0], [0, 3]):
        for call in (lambda ids: ag.embedding(ids, V), lambda ids: ag.one_hot(ids, 3)):
            with pytest.raises(IndexError, match="ids of 3 classes are from 0 to 2"):
                call(ids)
    for ids in ([0.0], [True], Tensor([1])):
        with pytest.raises(TypeError, match="ids are integers"):
            ag.embedding(ids, V)


# -- beside PyTorch ------------------------------------------------------------------------------------


def beside_torch(name: str, operands: list[np.ndarray], **params: Any) -> None:
    """Compare the value and the gradients of all operands."""
    torch = pytest.importorskip("torch")
    theirs = [torch.tensor(x, requires_grad=True) for x in operands]
    z = getattr(torch.nn.functional, name)(*theirs, **params)
    ours = [Tensor(x) for x in operands]
    y = getattr(ag, name)(*ours, **params)
    ct = np.random.default_rng(1).standard_normal(y.shape)
    y.backward(ct)
    z.backward(torch.tensor(ct))
    assert_allclose(y.data, z.detach().numpy(), rtol=1e-12, atol=1e-12)
    for x, t in zip(ours, theirs, strict=True):
        assert_allclose(x.grad, t.grad.numpy(), rtol=1e-12, atol=1e-11)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("seed", range(40))
def test_convolution_equals_pytorchs(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def some(low: int, high: int) -> tuple[int, ...]:
        return tuple(rng.integers(low, high + 1, n).tolist())

    groups, inner, features = (int(i) for i in rng.integers(1, 4, 3))
    same = rng.random() < 0.2
    params = {"stride": (1,) * n if same else some(1, 3), "dilation": some(1, 3), "groups": groups}
    x = rng.standard_normal((int(rng.integers(1, 4)), groups * inner, *some(10, 12)))
    w, b = rng.standard_normal((groups * features, inner, *some(1, 4))), rng.standard_normal(groups * features)
    operands = [x, w, b][: int(rng.integers(2, 4))]
    beside_torch(f"conv{n}d", operands, padding="same" if same else some(0, 3), **params)
    beside_torch(f"conv{n}d", [x[0], *operands[1:]], padding="valid", **params)


@pytest.mark.oracle
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("seed", range(40))
def test_pooling_equals_pytorchs(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (2, 3, *rng.integers(4, 9, n))).astype(float)  # many ties
    kernel = rng.integers(1, 5, n)
    params: dict[str, Any] = {"kernel_size": tuple(kernel.tolist())}
    params["padding"] = tuple(rng.integers(0, kernel // 2 + 1).tolist())
    params["stride"] = None if rng.random() < 0.3 else tuple(rng.integers(1, 4, n).tolist())
    beside_torch(f"max_pool{n}d", [x], **params)
    beside_torch(f"max_pool{n}d", [np.where(x > 0, -np.inf, x)], **params)
    beside_torch(f"avg_pool{n}d", [x], **params, count_include_pad=bool(rng.integers(2)))


@pytest.mark.oracle
def test_embedding_equals_pytorchs(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    weight, ids = rng.standard_normal((7, 3)), rng.integers(0, 7, (4, 5))
    w, t = Tensor(weight), torch.tensor(weight, requires_grad=True)
    y, z = ag.embedding(ids, w), torch.nn.functional.embedding(torch.tensor(ids), t)
    assert_array_equal(y.data, z.detach().numpy())
    (y * y).sum().backward()
    (z * z).sum().backward()
    assert_allclose(w.grad, t.grad.numpy(), rtol=1e-12)
