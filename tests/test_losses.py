"""Losses: by hand, at the edges, by central differences, and PyTorch's answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_mini as ag
from autograd_mini import Tensor, nn
from autograd_mini.testing import gradcheck

REDUCTIONS = ("mean", "sum", "none")


def some(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def shares(seed: int, *shape: int) -> np.ndarray:
    x = np.exp(some(seed, *shape))
    return x / x.sum(-1, keepdims=True)


A, B, P, Q = some(0, 4, 3), some(1, 4, 3), shares(2, 4, 3), shares(3, 4, 3)
W, V = P + Q, np.array([0.5, 2.0, 0.25])  # weights of entries, and of classes
IDS = np.array([0, 2, 1, 1])
SIGNS = np.where(B > 0, 1, -1)

# Each loss with what it compares, and its settings. PyTorch has those in which ids come last, and no hinge for signs.
CASES: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("mse_loss", A, B, {}),
    ("mse_loss", A, B, {"weight": W}),
    ("l1_loss", A, B, {}),
    ("l1_loss", A, B, {"weight": W}),
    ("huber_loss", A, B, {}),
    ("huber_loss", 3 * A, B, {"delta": 0.7}),
    ("huber_loss", A, B, {"weight": W}),
    ("binary_cross_entropy", P, Q, {}),
    ("binary_cross_entropy", P, Q, {"weight": W}),
    ("binary_cross_entropy", P, Q, {"weight": V}),
    ("binary_cross_entropy_with_logits", A, Q, {}),
    ("binary_cross_entropy_with_logits", A, Q, {"weight": W[:, :1], "pos_weight": V}),
    ("cross_entropy", A, IDS, {}),
    ("cross_entropy", A, IDS, {"weight": V}),
    ("cross_entropy", A, IDS, {"ignore_index": 1}),
    ("cross_entropy", A, np.array([0, -100, 1, 2]), {"ignore_index": -100, "weight": V, "label_smoothing": 0.2}),
    ("cross_entropy", A, IDS, {"label_smoothing": 0.1}),
    ("cross_entropy", A, IDS, {"label_smoothing": 1.0, "weight": V}),
    ("cross_entropy", A, Q, {}),
    ("cross_entropy", A, Q, {"weight": V, "label_smoothing": 0.3}),
    ("cross_entropy", A[0], IDS[0], {"weight": V, "label_smoothing": 0.1}),
    ("nll_loss", np.log(P), IDS, {}),
    ("nll_loss", np.log(P), IDS, {"weight": V}),
    ("nll_loss", np.log(P), IDS, {"weight": V, "ignore_index": 2}),
    ("kl_div", np.log(P), Q, {}),
    ("kl_div", np.log(P), np.eye(3)[IDS], {}),
    ("kl_div", np.log(P), np.log(Q), {"log_target": True}),
    ("hinge_loss", 2 * A, SIGNS, {}),
]
EVERY = pytest.mark.parametrize(
    ("name", "x", "target", "settings"), CASES, ids=[f"{name} {', '.join(settings)}" for name, _, _, settings in CASES]
)


@EVERY
def test_reductions(name: str, x: Any, target: Any, settings: dict[str, Any]) -> None:
    loss = getattr(nn, name)
    each = loss(Tensor(x), target, reduction="none", **settings)
    assert each.shape == (x.shape[:-1] if name in ("cross_entropy", "nll_loss") else x.shape)
    assert_allclose(loss(Tensor(x), target, reduction="sum", **settings).data, each.data.sum())
    mean = loss(Tensor(x), target, **settings)
    assert mean.shape == ()
    if not settings.keys() & {"weight", "ignore_index"}:
        assert_allclose(mean.data, each.data.mean())
    assert_allclose(loss(x, target, **settings), mean.data)  # arrays give a number
    with pytest.raises(ValueError, match='reduction is "mean", "sum" or "none", not \'avg\''):
        loss(x, target, reduction="avg", **settings)


@EVERY
def test_gradients_to_second_order(name: str, x: Any, target: Any, settings: dict[str, Any]) -> None:
    def loss(reduction: str) -> Callable[..., Any]:
        return lambda x, t=target: getattr(nn, name)(x, t, reduction=reduction, **settings)

    for reduction in REDUCTIONS:
        gradcheck(loss(reduction), x)
    if target is Q and name != "cross_entropy":  # of which a moved row would no longer add up to 1
        gradcheck(loss("mean"), x, target)


@EVERY
def test_the_dtype_is_kept(name: str, x: Any, target: Any, settings: dict[str, Any]) -> None:
    wide = getattr(nn, name)(x, target, **settings)
    for dtype in (np.float32, np.float16):
        for reduction in REDUCTIONS:
            low = Tensor(x.astype(dtype))
            t = target.astype(dtype) if target.dtype.kind == "f" else target
            loss = getattr(nn, name)(low, t, reduction=reduction, **settings)
            assert loss.dtype == dtype
            loss.backward(np.ones(loss.shape))
            assert low.grad.dtype == dtype
            if reduction == "mean":
                assert_allclose(loss.data, wide, rtol=2e-2 if dtype is np.float16 else 1e-5)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:reduction:UserWarning")  # PyTorch warns of the mean of kl_div
@EVERY
def test_losses_equal_pytorchs(name: str, x: Any, target: Any, settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")

    def hinge(x: Any, target: Any, reduction: str) -> Any:
        each = torch.clamp(1 - target * x, min=0)
        return each if reduction == "none" else getattr(each, reduction)()

    f = hinge if name == "hinge_loss" else getattr(torch.nn.functional, name)
    theirs = {key: torch.tensor(value) if isinstance(value, np.ndarray) else value for key, value in settings.items()}
    for reduction in (*REDUCTIONS, *["batchmean"] * (name == "kl_div")):
        ours, t = Tensor(x), torch.tensor(x, requires_grad=True)
        y = getattr(nn, name)(ours, target, reduction=reduction, **settings)
        z = f(t, torch.tensor(target), reduction=reduction, **theirs)
        assert_allclose(y.data, z.detach().numpy(), rtol=1e-12, atol=1e-14)
        ct = some(5, *y.shape)
        y.backward(ct)
        z.backward(torch.tensor(ct))
        assert_allclose(ours.grad, t.grad.numpy(), rtol=1e-11, atol=1e-13)


# ---- what is refused -------------------------------------------------------------------------------

COLUMN = np.ones((4, 1))


@pytest.mark.parametrize(
    "name",
    [
        "mse_loss", "l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "hinge_loss",
        "kl_div",
    ],
)  # fmt: skip
def test_shapes_that_would_broadcast_are_refused(name: str) -> None:
    for x, target in ((np.ones(4), COLUMN), (COLUMN, np.ones(4)), (np.ones((4, 3)), np.ones(3)), (np.ones(4), 1.0)):
        message = f"{name} compares arrays of one shape, not {np.shape(x)} and {np.shape(target)}: reshape one"
        for prediction in (x, Tensor(x)):
            with pytest.raises(ValueError, match=re.escape(message)):
                getattr(nn, name)(prediction, target)


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: nn.mse_loss(A, B, weight=V), "mse_loss takes weights of shape (4, 3), not (3,)"),
    (lambda: nn.l1_loss(A, B, weight=1.0), "l1_loss takes weights of shape (4, 3), not ()"),
    (lambda: nn.binary_cross_entropy(P, Q, weight=np.ones((2, 4, 3))), "weights of shape (4, 3), not (2, 4, 3)"),
    (lambda: nn.binary_cross_entropy(P[:, :1], Q[:, :1], weight=V), "weights of shape (4, 1), not (3,)"),
    (lambda: nn.binary_cross_entropy_with_logits(A, Q, pos_weight=np.ones(4)), "weights of shape (4, 3), not (4,)"),
    (lambda: nn.cross_entropy(A, IDS, weight=np.ones(4)), "weights of shape (3,), not (4,)"),
    (lambda: nn.huber_loss(A, B, delta=0), "delta is where the square ends, and positive, not 0"),
    (lambda: nn.binary_cross_entropy(A, Q), "predictions are probabilities from 0 to 1, and these reach from"),
    (lambda: nn.binary_cross_entropy(P, -Q), "targets are probabilities from 0 to 1, and these reach from"),
    (lambda: nn.cross_entropy(A, IDS, label_smoothing=1.5), "label_smoothing is from 0 to 1, not 1.5"),
    (lambda: nn.cross_entropy(A, Q, ignore_index=0), "ignore_index is a class id, and these targets are probabilities"),
    (lambda: nn.cross_entropy(A, 2 * Q, weight=V), "none negative, and 1 in sum in each row"),
    (lambda: nn.nll_loss(A, IDS[:2]), "nll_loss of log-probabilities (4, 3) takes class ids of shape (4,)"),
    (lambda: nn.nll_loss(1.0, 0), "nll_loss of log-probabilities takes a last axis of classes"),
    (lambda: nn.kl_div(A, -Q), "say log_target=True of logs"),
    (lambda: nn.hinge_loss(A, SIGNS > 0), "the targets of hinge_loss are -1 and 1: of 0 and 1, take 2 * target - 1"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_does_not_fit_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_ids_out_of_range_are_refused_also_where_others_are_ignored() -> None:
    for ids in ([0, 3, 1, 1], [0, -1, 1, 1]):
        for settings in ({}, {"weight": V}, {"ignore_index": -100}, {"label_smoothing": 0.1}, {"reduction": "sum"}):
            with pytest.raises(IndexError, match="class ids of 3 classes are from 0 to 2"):
                nn.cross_entropy(A, ids, **settings)
    with pytest.raises(TypeError, match="class ids are integers"):
        nn.cross_entropy(A, np.zeros(4), weight=V)


# ---- edges -----------------------------------------------------------------------------------------


def test_what_is_ignored_does_no_harm() -> None:
    logits = A.copy()
    logits[1] = np.nan
    x, few = Tensor(logits), Tensor(A[[0, 2, 3]])
    y = nn.cross_entropy(x, [0, 9, 1, 1], ignore_index=9)
    z = nn.cross_entropy(few, [0, 1, 1])
    y.backward()
    z.backward()
    assert_allclose(y.data, z.data)
    assert_allclose(x.grad, np.insert(few.grad, 1, 0, axis=0))


def test_a_class_without_weight_may_be_impossible() -> None:
    x = Tensor([[1.0, 2.0, -np.inf]])
    y = nn.cross_entropy(x, [0], weight=[1, 1, 0], label_smoothing=0.3)
    y.backward()
    assert np.isfinite(y.data)
    assert np.isfinite(x.grad).all()
    alone = nn.cross_entropy(Tensor(A), [2, 2, 2, 2], weight=[1, 1, 0])
    assert alone.item() == 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_losses_are_stable_at_a_thousand(dtype: Any) -> None:
    far = np.array([[1000, -1000, 0], [-1000, 1000, 0]], dtype)
    zero = np.zeros_like(far)
    signs = np.where(far > 0, 1, -1)
    log_p = ag.log_softmax(far)
    wanted = {
        nn.l1_loss: (far, zero, np.abs(far)),
        nn.huber_loss: (far, zero, np.maximum(np.abs(far) - 0.5, 0)),
        nn.hinge_loss: (far, -signs, np.maximum(1 + np.abs(far), 0)),
        nn.binary_cross_entropy_with_logits: (far, (far < 0).astype(dtype), np.abs(far) + np.log(2) * (far == 0)),
        nn.cross_entropy: (far, np.array([1, 0]), np.array([2000, 2000])),
        nn.nll_loss: (log_p, np.array([1, 0]), np.array([2000, 2000])),
        nn.kl_div: (log_p, np.eye(3, dtype=dtype)[[1, 0]], 2000 * np.eye(3)[[1, 0]]),
    }
    for loss, (x, target, value) in wanted.items():
        tensor = Tensor(x)
        y = loss(tensor, target, reduction="none")
        assert_allclose(y.data, value, rtol=1e-3 if dtype is np.float16 else 1e-6)
        y.backward(np.ones(y.shape))
        assert np.isfinite(tensor.grad).all(), loss
    huge = Tensor([1e300])  # of which there is no square
    nn.huber_loss(huge, [0.0]).backward()
    assert_array_equal(huge.grad, [1])


def test_l1_and_hinge_have_no_slope_at_their_kinks() -> None:
    x = Tensor([1.0])
    nn.l1_loss(x, [1.0]).backward()
    nn.hinge_loss(x, [1]).backward()
    assert_array_equal(x.grad, [0])


def test_kl_divergence_of_a_distribution() -> None:
    wanted = (Q * np.log(Q / P)).sum()
    assert_allclose(nn.kl_div(np.log(P), Q, reduction="batchmean"), wanted / 4)
    x, t = Tensor([[-1.0, -np.inf]]), Tensor([[1.0, 0.0]])
    y = nn.kl_div(x, t, reduction="sum")
    y.backward()
    assert y.item() == 1  # what cannot be was not wanted
    assert_array_equal(x.grad, [[-1, 0]])
    assert np.isfinite(t.grad).all()
    assert nn.kl_div(x, np.array([[0.0, -np.inf]]), log_target=True, reduction="sum").item() == 1


def test_whole_numbers_are_no_reason_to_widen() -> None:
    x = Tensor(np.ones((2, 3), np.float32))
    one_hot = np.eye(3, dtype=int)[:2]
    for loss in (
        nn.mse_loss,
        nn.l1_loss,
        nn.binary_cross_entropy,
        nn.binary_cross_entropy_with_logits,
        nn.cross_entropy,
    ):
        assert loss(x, one_hot).dtype == loss(x, one_hot > 0).dtype == np.float32


def test_a_weighted_mean_of_halves_does_not_overflow() -> None:
    x = Tensor(np.full(70_000, 2, np.float16))
    loss = nn.mse_loss(x, np.zeros(70_000, np.float16), weight=np.ones(70_000))
    assert loss.item() == 4


def test_weights_can_be_learned() -> None:
    gradcheck(lambda x, w: nn.mse_loss(x, B, weight=w), A, W)
    gradcheck(lambda x, w: nn.cross_entropy(x, IDS, weight=w, label_smoothing=0.1), A, V)
    gradcheck(lambda x, w: nn.binary_cross_entropy_with_logits(x, Q, weight=w, pos_weight=w), A, V)


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (nn.mse_loss, Tensor(np.zeros((0, 3)))),
        (nn.l1_loss, Tensor(np.zeros((0, 3)))),
        (nn.cross_entropy, np.zeros(0, int)),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_a_loss_of_nothing_is_nan_as_in_numpy_and_has_a_gradient(loss: Any, target: Any) -> None:
    leaves = [x for x in (Tensor(np.zeros((0, 3))), target) if isinstance(x, Tensor)]
    with pytest.warns(RuntimeWarning):
        nothing = loss(leaves[0], target)
    assert np.isnan(nothing.data)
    nothing.backward()
    assert all(x.grad.shape == (0, 3) for x in leaves)
