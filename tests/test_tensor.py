"""What a Tensor takes, refuses, shows, and how NumPy's functions treat it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_mini as ag
from autograd_mini import Tensor

# ---- values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_dtypes_are_kept(dtype: str) -> None:
    x = Tensor(np.ones(2, dtype))
    (x * 2.0).sum().backward()
    assert x.dtype == x.grad.dtype == (x * 2.0).dtype == dtype


@pytest.mark.parametrize("data", [3, [1, 2], np.arange(3), np.array([True, False]), True, np.int8(1)])
def test_integers_and_booleans_become_float64(data: object) -> None:
    assert Tensor(data).dtype == np.float64


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (1j, "a Tensor holds real numbers, not complex128: use its .real and .imag"),
        (np.array([1 + 2j]), "complex128"),
        ("text", "a Tensor holds real numbers, not <U4"),
        (None, "not object"),
        (object(), "not object"),
        (np.array(["2026-01-01"], "datetime64[D]"), "datetime64"),
    ],
)
def test_other_data_is_refused(data: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Tensor(data)
    with pytest.raises(TypeError, match="real numbers"):
        Tensor(1.0) * data


def test_odd_floating_dtypes_become_the_native_ones() -> None:
    assert Tensor(np.ones(2, ">f8")).dtype.isnative
    assert Tensor(np.ones(2, ">f4")).dtype == np.float64
    assert Tensor(np.ones(2, np.longdouble)).dtype == np.float64


def test_new_data_of_a_scalar_keep_its_dtype() -> None:
    x = Tensor(np.float32(1))
    x.data += np.float64(0.5)
    assert (type(x.data), x.item()) == (np.float32, 1.5)


def test_a_tensor_copies_its_data() -> None:
    data = np.ones(2)
    x = Tensor(data)
    data[0] = 5
    assert_array_equal(x.data, 1)
    x.data = data
    x.data -= 1
    assert_array_equal(data, [5, 1])


def test_values_without_axes_are_numpy_scalars() -> None:
    x = Tensor(np.array(2.0))
    for t in (x, x * x, ag.exp(x), x.reshape(1).reshape(()), Tensor([1.0, 2.0])[0], Tensor([[3.0]]).squeeze(), x.T):
        assert type(t.data) is np.float64
    assert type(Tensor(np.float32(1)).data) is np.float32


def test_attributes() -> None:
    x = Tensor(np.arange(6.0).reshape(2, 3))
    assert (x.shape, x.ndim, x.size, x.dtype, x.grad, x.requires_grad) == ((2, 3), 2, 6, np.float64, None, True)
    assert_array_equal(x.T.data, x.data.T)
    assert_array_equal(x.mT.data, x.data.T)
    assert Tensor(np.ones((2, 3, 4))).mT.shape == (2, 4, 3)
    assert Tensor([2.5]).item() == 2.5
    assert type(Tensor([2.5]).item()) is float
    assert not x.detach().requires_grad
    with pytest.raises(ValueError, match=r"\.mT transposes matrices"):
        Tensor([1.0]).mT  # noqa: B018  # the property raises


def test_requires_grad_false_freezes() -> None:
    x, frozen = Tensor(2.0), Tensor(3.0, requires_grad=False)
    (x * frozen).backward()
    assert x.grad == 3
    assert frozen.grad is None


def test_assigned_data_keeps_shape_and_dtype() -> None:
    x = Tensor(np.ones(2, np.float32))
    x.data = [3, 4]
    assert x.dtype == np.float32
    with pytest.raises(ValueError, match=r"\.data has shape \(2,\), not \(3,\): make a new Tensor"):
        x.data = np.ones(3)


def test_assigned_data_is_checked_like_new_data() -> None:
    x = Tensor(1.0)
    for wrong in (None, "2.5", 1j):
        with pytest.raises(TypeError, match=r"\.data holds real numbers"):
            x.data = wrong
    assert x.item() == 1


def test_the_data_of_a_result_cannot_be_written_to() -> None:
    y = Tensor([1.0, 2.0]) * 2
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 5


def test_nep_50_decides_dtypes() -> None:
    x = Tensor(np.ones(2, np.float32))
    assert (x * 2.0).dtype == (2 * x).dtype == np.float32
    assert (x * np.float64(2)).dtype == (x * np.ones(2)).dtype == np.float64
    assert (x * np.ones(2, np.float16)).dtype == np.float32
    (x * np.ones(2)).sum().backward()
    assert x.grad.dtype == np.float32


# ---- Python's protocols ----------------------------------------------------------------------------


def test_repr() -> None:
    assert repr(Tensor(1.5)) == "Tensor(1.5)"
    assert repr(Tensor([1, 2], requires_grad=False)) == "Tensor([1., 2.], requires_grad=False)"
    assert repr(Tensor(np.float32(1)) * 2) == "Tensor(2., dtype=float32, op='multiply')"
    assert repr(Tensor([[1, 2], [3, 4]])) == "Tensor([[1., 2.],\n        [3., 4.]])"
    assert len(repr(Tensor(np.ones((1000, 1000))))) < 1000
    assert f"{Tensor(1.23456):.2f}" == "1.23"
    assert f"{Tensor(1.5)}" == "Tensor(1.5)"


def test_bool_len_iter_and_in_are_numpys() -> None:
    x = Tensor([1.0, 2.0])
    assert len(x) == 2
    assert [t.item() for t in x] == [1, 2]
    assert Tensor(1.0)
    assert not Tensor([0.0])
    assert 2 in x
    assert 3 not in x
    constant = Tensor(2.5, requires_grad=False)
    assert (float(constant), int(constant)) == (2.5, 2)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(x)
    with pytest.raises(TypeError, match="unsized"):
        len(Tensor(1.0))
    with pytest.raises(TypeError, match="iteration over a Tensor without axes"):
        iter(Tensor(1.0))


def test_comparisons_give_plain_arrays() -> None:
    x = Tensor([1.0, 2.0])
    for got, wanted in [
        (x == 1, [True, False]), (x != 1, [False, True]), (x < 2, [True, False]), (x <= x, [True, True]),
        (x > 1, [False, True]),
        (x // 2, [0, 1]), (4 // x, [4, 2]), (x >= 2, [False, True]),
        (np.ones(2) < x, [False, True]), (np.isnan(x), [False, False]),
    ]:  # fmt: skip
        assert type(got) is np.ndarray
        assert_array_equal(got, wanted)
    assert {x: 1}[x] == 1  # and yet a Tensor is a key


def test_operators_with_reflections() -> None:
    x = Tensor(3.0)
    for got, wanted in [
        (2 + x, 5), (2 - x, -1), (2 * x, 6), (6 / x, 2), (2**x, 8), (x**2, 9), (-x, -3), (+x, 3), (abs(-x), 3),
        (np.float64(2) * x, 6), (np.float32(2) - x, -1), (x - np.int64(1), 2), (x * True, 3),
    ]:  # fmt: skip
        assert isinstance(got, Tensor)
        assert got.item() == wanted
    v = Tensor([1.0, 2.0])
    assert_array_equal((np.ones((3, 2)) @ v).data, [3, 3, 3])
    assert_array_equal(([1, 1] @ v).data, 3)
    assert_array_equal((v + [1, 1]).data, [2, 3])


# ---- NumPy -----------------------------------------------------------------------------------------


def test_numpy_functions_take_tensors() -> None:
    x, a = Tensor([[1.0, 2.0], [3.0, 4.0]]), np.ones((2, 2))
    for got, wanted in [
        (np.exp(x), np.exp(x.data)), (np.add(x, a), x.data + 1), (np.add(a, x), x.data + 1), (a @ x, a @ x.data),
        (np.sum(x, axis=0), [4, 6]), (np.sum(x, 1), [3, 7]), (np.mean(x, (0, 1), keepdims=True), [[2.5]]),
        (np.max(x, 1), [2, 4]), (np.amin(x), 1), (np.var(x, ddof=1), np.var(x.data, ddof=1)),
        (np.std(x), np.std(x.data)),
        (np.concatenate([x, a], -1), np.concatenate([x.data, a], -1)), (np.stack((a, x)), np.stack((a, x.data))),
        (np.where(a > 0, x, 0), x.data), (np.where(x > 2, x, -x), [[-1, -2], [3, 4]]),
        (np.reshape(x, (4,)), [1, 2, 3, 4]), (np.ravel(x), [1, 2, 3, 4]), (np.transpose(x), x.data.T),
        (np.swapaxes(x, 0, 1), x.data.T), (np.expand_dims(x, 0), x.data[None]), (np.squeeze(x[None]), x.data),
        (np.broadcast_to(x, (3, 2, 2)), np.broadcast_to(x.data, (3, 2, 2))), (np.add.reduce(x), [4, 6]),
        (np.sum(x, axis=None, dtype=None, out=None), 10), (x.transpose(1, 0), x.data.T), (x.transpose((0, 1)), x.data),
        (np.sum(x[0, 0], axis=0), 1), (np.maximum.reduce(x, axis=None), 4), (np.abs(-x), x.data),
        (np.matmul(x, a), x.data @ a),
    ]:  # fmt: skip
        assert isinstance(got, Tensor)
        assert got.requires_grad
        assert_array_equal(got.data, wanted)


def test_functions_without_derivative_give_plain_arrays() -> None:
    x = Tensor([3.0, -1.5])
    for got, wanted in [
        (np.argmax(x), 0), (np.sign(x), [1, -1]), (np.floor(x), [3, -2]), (np.argsort(x), [1, 0]), (np.shape(x), (2,)),
        (np.zeros_like(x), [0, 0]), (np.isfinite(x), [True, True]), (np.round(x), [3, -2]), (np.where(x > 0)[0], [0]),
        (np.allclose(x, x), True), (np.size(x), 2),
    ]:  # fmt: skip
        assert not isinstance(got, Tensor)
        assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.asarray(x), r"does not turn into an array by itself.*t\.data"),
        (lambda x: np.array([x, x]), "ag.stack or ag.concatenate"),
        (lambda x: Tensor([1.0, x[0]]), "ag.stack"),
        (
            lambda x: np.linalg.eigvals(x),
            r"np\.linalg\.eigvals takes no Tensor: its results are complex.*linalg\.eigh",
        ),
        (lambda x: np.emath.sqrt(x), r"sqrt has no derivative rule.* nearest.*np\.sqrt"),
        (lambda x: np.fft.fft(x), r"np\.fft\.fft has no derivative rule.*ag\.primitive states one"),
        (lambda x: np.exp(x, out=np.empty(2)), r"cannot write a Tensor into an array.*a = a \+ t"),
        (lambda x: np.exp(x, where=np.array([True, False])), r"np\.exp of a Tensor has no keyword where="),
        (lambda x: np.add.reduceat(x, [0]), r"np\.add of a Tensor has no method reduceat"),
        (lambda x: np.sum(x, dtype=np.float32), r"np\.sum of a Tensor takes .*axis.*dtype"),
        (lambda x: np.subtract.accumulate(x), r"np\.subtract of a Tensor has no method accumulate"),
        (lambda x: np.maximum.accumulate(x, out=np.empty(2)), r"np\.maximum\.accumulate of a Tensor takes .*out"),
        (lambda x: np.quantile(x, 0.5, method="lower"), r"np\.quantile of a Tensor takes .*method"),
        (lambda x: np.quantile([1.0, 2.0], x), r"not by the fraction q: pass q\.data"),
        (lambda x: np.percentile(x, x), r"not by the fraction q: pass q\.data"),
        (lambda x: np.quantile(x, [x[0], 0.5]), "gradient would be lost"),
        (lambda x: np.zeros(2, like=x), r"np\.zeros takes no Tensor: it takes lengths"),
        (lambda x: np.copyto(np.ones(2), x), r"np\.copyto takes no Tensor.*ag\.set_at"),
        (lambda x: np.modf(x, where=x > 1), r"np\.modf of a Tensor has no keyword where="),
        (lambda x: np.ones(2).__iadd__(x), "cannot write a Tensor into an array"),
        (lambda x: x[x], "does not turn into an array"),
    ],
)
def test_what_has_no_rule_raises_at_the_call_and_names_a_way(call: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call(Tensor([1.0, 2.0]))


def test_an_empty_list_is_an_index() -> None:
    x = Tensor(np.ones((2, 3)))
    assert x[[]].shape == (0, 3)
    assert x[:, []].shape == (2, 0)


def test_a_frozen_tensor_is_an_array_for_numpy() -> None:
    assert_array_equal(np.asarray(Tensor([1.0, 2.0], requires_grad=False)), [1, 2])


def test_transpose_takes_as_many_axes_as_there_are() -> None:
    with pytest.raises(ValueError, match="axes don't match"):
        Tensor([[1.0, 2.0]]).transpose(0)


# ---- errors of backward ----------------------------------------------------------------------------


def test_backward_of_many_numbers() -> None:
    with pytest.raises(
        ValueError, match=r"starts from a scalar, not from shape \(2,\): call \.sum\(\) first, or pass a"
    ):
        Tensor([1.0, 2.0]).backward()
    x = Tensor([3.0])
    (x * x).backward()  # one entry is as good as a scalar
    assert_array_equal(x.grad, [6])


def test_backward_of_a_constant() -> None:
    with pytest.raises(RuntimeError, match="depends on nothing differentiable"):
        (Tensor(1.0, requires_grad=False) * 2).backward()


def test_backward_with_a_seed() -> None:
    x = Tensor([1.0, 2.0])
    (x * x).backward([1, 10])
    assert_array_equal(x.grad, [2, 40])
    with pytest.raises(ValueError, match=r"has the shape of the value, \(2,\), not \(3,\)"):
        (x * x).backward(np.ones(3))


# ---- stability, where CONVENTIONS.md has no row ------------------------------------------------------


def test_the_stable_functions_are_accurate_and_do_not_warn() -> None:
    x = np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_allclose(ag.sigmoid(x), [0, np.exp(-40) / (1 + np.exp(-40)), 0.5, 1, 1], rtol=1e-15)
        assert_allclose(ag.softplus(x), [0, np.exp(-40), np.log(2), 40, 1000], rtol=1e-15)
        assert_allclose(ag.logsumexp(x), 1000)
        assert_allclose(ag.softmax(x).sum(), 1)
        for f in (ag.sigmoid, ag.softplus, ag.logsumexp, ag.softmax, ag.log_softmax):
            slope = ag.grad(lambda t, f=f: ag.sum(f(t)))(x)
            assert np.all(np.isfinite(slope))


def test_methods_that_leave_the_graph() -> None:
    x = np.array([[1.4, 0.0], [2.6, 3.5]])
    t = Tensor(x)
    for call in (
        lambda a: a.argmax(),
        lambda a: a.argmin(axis=1),
        lambda a: a.all(axis=0),
        lambda a: a.any(),
        lambda a: a.round(),
        lambda a: a.nonzero()[0],
        lambda a: a[1].searchsorted([3.0]),
        lambda a: a.argpartition(1),
        lambda a: np.array(a.tolist()),
        lambda a: a.imag,
    ):
        found = call(t)
        assert not isinstance(found, Tensor)
        np.testing.assert_array_equal(found, call(x), strict=True)
    assert t.real is t.conj() is t.conjugate() is t
    assert Tensor(2.5).tolist() == 2.5
