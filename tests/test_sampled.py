"""What the table of operations does not say about samples, polynomials, and what is put in, left out or taken apart."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor
from autograd_mini.testing import gradcheck

from .test_conventions import equal, gradient, gradients, nan


def test_between_and_beyond_the_points() -> None:
    xp, fp = [0.0, 1, 3], [1.0, 3, 2]
    equal(gradient(lambda x: ag.interp(x, xp, fp), [-1, 0, 0.5, 1, 2, 3, 4]), [0, 2, 2, -0.5, -0.5, 0, 0])
    x = [-np.inf, np.inf]
    assert [float(y) for y in gradients(lambda left, right: ag.interp(x, xp, fp, left, right), 5, 6)] == [1, 1]
    equal(gradients(lambda x, y: ag.interp([-1.0, 0.5, 9], x, y), xp, fp)[1], [1.5, 0.5, 1])
    equal(ag.interp(Tensor([0, 2.0]), [1.0], [7.0]).data, [7, 7])


@pytest.mark.parametrize("f", [np.convolve, np.correlate], ids=lambda f: f.__name__)
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_signals_of_any_two_lengths(f: Callable[..., Any], mode: str) -> None:
    rng = np.random.default_rng(0)
    for n, m in itertools.product(range(1, 7), repeat=2):
        x, y = rng.standard_normal(n), rng.standard_normal(m)
        np.testing.assert_array_equal(f(Tensor(x), y, mode).data, f(x, y, mode))  # to the last digit
        gradcheck(lambda x, y: f(x, y, mode), x, y, order=2, directions=1)
    np.testing.assert_array_equal(f([2.0], Tensor(x), mode).data, f([2.0], x, mode))


@pytest.mark.parametrize("other", [2, 2.5, np.float64(2), np.int8(2), [1, 2.5], np.zeros(0, np.int8)], ids=repr)
@pytest.mark.parametrize("num", [0, 1, 2, 3])
def test_a_row_of_points_has_numpys_type(other: Any, num: int) -> None:
    x = np.float16(1)
    for f in (lambda x: np.linspace(x, other, num), lambda x: np.linspace(other, x, num)):
        np.testing.assert_array_equal(f(Tensor(x)).data, f(x), strict=True)


def test_what_is_flat_beyond_the_points_is_so_at_infinity() -> None:
    xp, fp = [0.0, 1, 3], [1.0, 3, 2]
    x, dx, df = gradients(ag.interp, [-np.inf, np.inf], xp, fp)
    equal(x, [0, 0])
    equal(dx, [0, 0, 0])
    equal(df, [1, 0, 1])


def test_samples_at_even_coordinates_have_the_slopes_of_steps() -> None:
    f, x = np.random.default_rng(0).standard_normal(9), np.arange(9) * 3.0  # the numbers are NumPy's to the last digit
    for edge_order in (1, 2):
        equal(ag.gradient(Tensor(f), x, edge_order=edge_order).data, np.gradient(f, x, edge_order=edge_order))


def test_slopes_of_whole_numbers_are_not_whole() -> None:
    found = ag.gradient([1, 4, 2], Tensor(0.75)).data
    np.testing.assert_array_equal(found, np.gradient([1, 4, 2], 0.75), strict=True)


def test_coordinates_are_differentiated_even_if_they_are_even() -> None:
    gradcheck(lambda f, x: ag.gradient(f, x), np.array([1.0, 4, 9, 16]), np.arange(4.0), order=2)
    gradcheck(lambda f, h: ag.gradient(f, h, edge_order=2), np.array([1.0, 4, 9, 16]), np.array(0.5), order=2)


def test_what_is_not_a_number_is_passed_over() -> None:
    x = [3, nan, 1, 2, nan, 10]
    equal(gradient(ag.nanmedian, x), [0.5, 0, 0, 0.5, 0, 0])
    equal(gradient(lambda x: ag.nanquantile(x, [0, 1]), x), [0, 0, 1, 0, 0, 1])
    equal(gradient(ag.nancumsum, x), [6, 0, 4, 3, 0, 1])
    with pytest.warns(RuntimeWarning):
        equal(gradient(ag.nanmedian, [nan, nan]), [0, 0])


def test_steps_and_parts() -> None:
    equal(gradient(lambda y: ag.heaviside([-1, 0, 1], y), [5, 5, 5]), [0, 1, 0])
    assert not isinstance(ag.heaviside(Tensor([1.0]), 0.5), Tensor)
    equal(gradient(lambda y: ag.where(Tensor([-1.0, 0, nan]), y, 7), [5, 5, 5]), [1, 0, 1])
    equal(ag.modf(Tensor([-2.5, np.inf]))[0].data, [-0.5, 0])
    equal(gradient(lambda x: ag.frexp(x)[0], [8, 0, -3]), [1 / 16, 1, 0.25])
    quotient, remainder = divmod(7.0, Tensor([2, -2]))
    assert not isinstance(quotient, Tensor)
    equal(quotient, [3, -4])
    equal(remainder.data, [1, -1])


def test_the_type_of_a_piecewise_function_does_not_depend_on_its_numbers() -> None:
    x = Tensor([1.0, 2])
    for conditions in ([x < 0], [x > 0], [[False, False]]):
        y = ag.piecewise(x, conditions, [lambda x: x * x])
        assert isinstance(y, Tensor)
        assert y.dtype == x.dtype
    equal(gradient(lambda x: ag.piecewise(x, [x > 0], [ag.log, 0.0]), [2, 0, -1]), [0.5, 0, 0])


def test_integers_do_not_swallow_a_derivative() -> None:
    v = Tensor([0.5])
    for y in (ag.insert(np.array([1, 2]), 0, v), ag.ediff1d(np.array([1, 2]), v), ag.append(np.array([1, 2]), v)):
        assert isinstance(y, Tensor)
        assert 0.5 in y.data


def test_correlations_do_not_exceed_one() -> None:
    x = np.array([0.1, 0.2, 0.3, 0.7])
    for other in (3 * x, -3 * x):
        c = ag.corrcoef(Tensor(x), other)
        assert np.all(abs(c.data) <= 1)
    assert ag.corrcoef(Tensor(x)).data == 1


@pytest.mark.parametrize("slope", [3, -3])
def test_correlations_of_one_have_a_second_derivative(slope: float) -> None:
    def one_less_square(x: Any, y: Any) -> Any:
        """Half of what a correlation of 1 falls short, by how far apart the directions of both are: not clipped."""
        x, y = (x - ag.mean(x), y - ag.mean(y))
        return ag.sum((x / ag.norm(x) - np.sign(slope) * y / ag.norm(y)) ** 2) / 2

    rng = np.random.default_rng(0)
    for x in rng.standard_normal((8, 4)):  # in some of them the rounding is beyond 1
        assert np.all(abs(ag.corrcoef(Tensor(x), slope * x).data) <= 1)
        curved = ag.hessian(lambda y, x=x: ag.corrcoef(x, y)[0, 1])(slope * x)
        expected = -np.sign(slope) * ag.hessian(lambda y, x=x: one_less_square(x, y))(slope * x)
        np.testing.assert_allclose(curved, expected, rtol=1e-9, atol=1e-9)


def test_going_back_through_a_filter_is_linear_in_the_length_of_the_signal() -> None:
    x, kernel = np.ones(1_000_000), np.ones(3)  # the square of the length would take minutes
    for mode in ("full", "same", "valid"):
        dx, dk = ag.grad(lambda x, k, mode=mode: ag.sum(ag.convolve(x, k, mode)), (0, 1))(x, kernel)
        assert np.all(dx[2:-2] == 3)
        assert abs(dk - 1_000_000).max() <= 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ag.insert(x, x, 1), r"places are integers.*astype\(int\)"),
        (lambda x: ag.delete(x, x), r"places are integers.*astype\(int\)"),
        (lambda x: ag.delete(x, [x[0]]), "does not turn into an array"),
        (lambda x: ag.extract(x, x), "does not turn into an array"),
        (lambda x: ag.bincount(x), "does not turn into an array"),
        (lambda x: ag.bincount([0, 1, 1], x[0]), "depth"),
        (lambda x: ag.resize(x, -1), "non-negative"),
        (lambda x: ag.trim_zeros(x[None]), r"of a vector, not of shape \(1, 3\): slice it"),
        (lambda x: ag.apply_along_axis(ag.sum, 0, x[:, None][:, :0]), r"no vector .*along axis 0 of shape \(3, 0\)"),
        (lambda x: ag.piecewise(x, [x > 0], [1, 2, 3]), "argument 2 is longer"),
        (lambda x: ag.cumulative_sum(x[None]), r"shape \(1, 3\).*pass axis="),
        (lambda x: ag.gradient(x, 1, 2), "one for each of 1 axes, not 2"),
        (lambda x: ag.gradient(x, [1, 2]), r"a number or 3 coordinates along axis 0, not shape \(2,\)"),
        (lambda x: ag.gradient(x[:, None] * x, [1, 2, 3]), "one for each of 2 axes, not 1"),
        (lambda x: ag.gradient(x, axis=(0, -1)), "repeated axis"),
        (lambda x: ag.gradient(x, edge_order=3), "edge_order 1 or 2, not 3"),
        (lambda x: ag.gradient(x[:1]), "takes 2 samples or more, not 1"),
        (lambda x: ag.convolve(x, x, "some"), "'full', 'same' or 'valid', not 'some'"),
        (lambda x: ag.linspace(x, 1, -1), "num >= 0 numbers, not -1"),
        (lambda x: ag.linspace(x, 1, 2.5), "integer"),
        (lambda x: ag.cov(x[:1]), "covariance of 1 observations divides by 0"),
        (lambda x: ag.polyder(x, -1), "not -1: polyint integrates"),
        (lambda x: ag.polyint(x, -1), "not -1: polyder differentiates"),
        (lambda x: ag.nanquantile(x, x), r"not by the fraction q: pass q\.data"),
        (lambda x: ag.matrix_transpose(x), r"shape \(3,\)"),
        (lambda x: ag.linalg.outer(x[None], x), r"vectors, not shapes \(\(1, 3\), \(3,\)\)"),
        (lambda x: ag.linalg.tensorinv(x, 0), "at least one, and got ind=0"),
        (lambda x: ag.linalg.tensorsolve(x[:, None] * x, x[None]), r"not a of shape \(3, 3\)"),
        (lambda x: ag.linalg.norm(x[:, None] * x, 3), '"fro", "nuc", 1, 2, inf or the negative of one, not 3'),
    ],
)
def test_what_cannot_be_answered_is_refused(call: Callable[[Any], Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        call(Tensor([1.0, 2, 3]))


def test_the_covariance_of_columns_with_a_row_beside_them() -> None:
    m = np.arange(6.0).reshape(2, 3) ** 2
    for y in (np.array([[1.0, 5.0]]), m[:, ::-1] ** 2):  # NumPy takes one row as it is
        np.testing.assert_allclose(np.cov(Tensor(m), y, rowvar=False).data, np.cov(m, y, rowvar=False))
    equal(np.cov(Tensor(m[:1]), rowvar=False, ddof=0).data, np.zeros((3, 3)))  # but not of the first
