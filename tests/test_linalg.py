"""What the table of operations does not say about products and `ag.linalg`."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from inspect import signature
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini import Tensor
from autograd_mini.ops import decompositions
from autograd_mini.testing import gradcheck

from .operations.decompositions import projected
from .operations.linalg import FORMS, summed
from .operations.table import Case

X = np.array([[4.0, 1, 0], [1, 3, 1], [0, 1, 2]])


def test_arrays_are_left_to_numpys_own_functions() -> None:
    class Witness:
        def __array_function__(self, function: Callable[..., Any], *_: Any) -> Callable[..., Any]:
            return function

    elsewhere = {"cross", "matmul", "matrix_transpose", "tensordot", "vecdot"}  # theirs lead to those of `numpy`
    for name in sorted(set(ag.linalg.__all__) - elsewhere):
        ours, theirs = (getattr(namespace.linalg, name) for namespace in (ag, np))
        needed = [x for x in signature(theirs).parameters.values() if x.default is x.empty]
        assert ours(*([[Witness()] * 2] if name == "multi_dot" else [Witness()] * len(needed))) is theirs
    np.testing.assert_array_equal(ag.linalg.pinv(X, hermitian=True), np.linalg.pinv(X, hermitian=True))


def test_settings_are_by_default_those_of_numpy() -> None:
    x = X + np.triu(np.full((3, 3), 0.5), 1)  # not symmetric: which triangle is read makes a difference
    alone = "cholesky", "cond", "diagonal", "eigvalsh", "matrix_norm", "norm", "pinv", "svdvals", "trace", "vector_norm"
    for name in alone:
        f = getattr(np.linalg, name)
        np.testing.assert_allclose(f(Tensor(x)).data, f(x), rtol=1e-12, err_msg=name, strict=True)
    for name in ("eigh", "qr", "svd"):
        for ours, theirs in zip(getattr(np.linalg, name)(Tensor(x)), getattr(np.linalg, name)(x), strict=True):
            np.testing.assert_allclose(ours.data, theirs, rtol=1e-12, err_msg=name)
    a = np.random.default_rng(0).normal(size=(2, 2, 2, 2))
    np.testing.assert_allclose(np.linalg.tensorinv(Tensor(a)).data, np.linalg.tensorinv(a))
    axes = (iter((0, 2)) for _ in range(2))  # any iterable
    y, theirs = (np.linalg.tensorsolve(x, a[0, 0], next(axes)) for x in (Tensor(a), a))
    np.testing.assert_allclose(y.data, theirs)


def test_lists_give_what_numpy_gives() -> None:
    untold = {"cross", "multi_dot", "solve", "lstsq", "matmul", "matrix_power"}
    tabled = {"outer", "tensorinv", "tensorsolve"}  # they take no matrix; the table of operations has them
    for name in sorted(set(ag.linalg.__all__) - tabled - untold):
        arguments = [X.tolist()] * (2 if name in ("tensordot", "vecdot") else 1)
        ours, theirs = (getattr(namespace.linalg, name)(*arguments) for namespace in (ag, np))
        for x, y in zip(ours, theirs, strict=True) if isinstance(theirs, tuple) else [(ours, theirs)]:
            np.testing.assert_array_equal(x, y, strict=True)
        assert type(ours) is type(theirs)


def test_factorisations_are_the_named_tuples_of_numpy() -> None:
    for name in ("eigh", "qr", "slogdet", "svd"):
        ours, theirs = (getattr(np.linalg, name)(x) for x in (Tensor(X), X))
        assert type(ours) is type(theirs)
        for x, y in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(getattr(x, "data", x) if isinstance(x, Tensor) else x, y)
    assert not isinstance(ag.linalg.slogdet(Tensor(X)).sign, Tensor)


def test_lstsq_gives_the_four_results_of_numpy() -> None:
    rng = np.random.default_rng(0)
    for m, n in ((4, 2), (3, 3), (2, 4), (3, 0), (0, 2)):
        for b in (rng.normal(size=m), rng.normal(size=(m, 2))):
            a = rng.normal(size=(m, n))
            ours, theirs = ag.linalg.lstsq(Tensor(a), b), np.linalg.lstsq(a, b)
            for x, y in zip(ours, theirs, strict=True):
                x = x.data if isinstance(x, Tensor) else x
                assert np.shape(x) == np.shape(y)
                np.testing.assert_allclose(x, y)
            assert ours[2] == theirs[2]
            gradcheck(lambda a, b: [y for y in ag.linalg.lstsq(a, b) if isinstance(y, Tensor)], a, b)
            assert isinstance(ag.linalg.lstsq(a, Tensor(b))[1], Tensor)
    with pytest.raises(np.linalg.LinAlgError, match="rank 1 has no derivative"):
        ag.linalg.lstsq(Tensor(np.ones((3, 2))), np.ones(3))
    assert ag.linalg.lstsq(Tensor(1e-20 * X), X[0])[2] == 3
    for faint, rcond in ((np.diag(np.float32([1, 1e-9])), None), (np.diag([1, 1e-17]), 1e-18)):
        assert ag.linalg.lstsq(Tensor(faint), np.ones(2), rcond)[2] == 2
        assert np.linalg.lstsq(faint, np.ones(2), rcond)[2] == 2
    for a, rank, rcond in (
        (X, 2, 0.5),
        (np.diag([1, 0.5, 2]), 2, 0.25),
        (np.ones((3, 2)), 1, -1),
        (np.diag([1, 1e-17, 1]), 2, 0),
    ):
        assert np.linalg.lstsq(a, X[0], rcond)[2] == rank
        with pytest.raises(np.linalg.LinAlgError, match=f"rank {rank} has no derivative"):
            ag.linalg.lstsq(Tensor(a), X[0], rcond)


@pytest.mark.parametrize("rcond", [None, 0.1, 1e-20])
@pytest.mark.parametrize("smallest", [0.01, 5e-16, 1e-16])
def test_the_rank_of_lstsq_is_numpys(rcond: Any, smallest: float) -> None:
    a, b = np.eye(4, 2) * [1, smallest], np.arange(4.0)
    x, _, rank, _ = np.linalg.lstsq(a, b, rcond)
    if rank == 2:
        np.testing.assert_array_equal(ag.linalg.lstsq(Tensor(a), b, rcond)[0].data, x)
    else:
        with pytest.raises(np.linalg.LinAlgError, match="rank 1 has no derivative"):
            ag.linalg.lstsq(Tensor(a), b, rcond)


def test_tensorsolve_takes_axes_one_by_one() -> None:
    a = np.random.default_rng(0).normal(size=(2, 2, 2, 2))
    found = np.linalg.tensorsolve(Tensor(a), a[0, 0], iter([0, 2])).data
    np.testing.assert_array_equal(found, np.linalg.tensorsolve(a, a[0, 0], (0, 2)))


def test_what_has_no_derivative_is_refused() -> None:
    for shape in ((3, 2), (2, 3, 2)):
        for wrong in (ag.linalg.svd, lambda x: ag.linalg.qr(x, "complete"), lambda x: ag.linalg.qr(x, "raw")):
            with pytest.raises(ValueError, match="full_matrices=False|reduced"):
                wrong(Tensor(np.ones(shape)))
    with pytest.raises(ValueError, match=r'qr of a Tensor of shape \(3,\) has mode "reduced" or "r", not .complete.'):
        ag.linalg.qr(Tensor(X[0]), "complete")
    for f in (ag.linalg.inv, ag.linalg.det, ag.linalg.svdvals, ag.linalg.eigvalsh):
        with pytest.raises(TypeError, match="float16"):
            f(Tensor(np.eye(2, dtype=np.float16)))
    for shape in ((3, 2), (2,)):
        with pytest.raises(np.linalg.LinAlgError, match=re.escape(f"of square matrices, not of shape {shape}")):
            ag.linalg.matrix_power(Tensor(np.ones(shape)), 2)
    with pytest.raises(TypeError, match="integer"):
        ag.linalg.matrix_power(Tensor(X), 2.0)
    for p in (None, "fro", 1):
        with pytest.raises(np.linalg.LinAlgError, match=r"an empty matrix .* the shape is \(2, 0, 0\)"):
            ag.linalg.cond(Tensor(np.ones((2, 0, 0))), p)
    with pytest.raises(np.linalg.LinAlgError, match=r"two or more matrices, not shapes \[\(2, 2\)\]"):
        ag.linalg.multi_dot([Tensor(np.ones((2, 2)))])
    with pytest.raises(np.linalg.LinAlgError, match="two or more matrices"):
        ag.linalg.multi_dot([Tensor(X), X[None], X])
    with pytest.raises(ValueError, match="three components"):
        ag.cross(Tensor([1, 2]), [3, 4])
    with pytest.raises(ValueError, match="equal lengths"):
        ag.tensordot(Tensor(np.ones((2, 3))), np.ones((2, 3)), 1)
    for label in (-1, 52):
        with pytest.raises(ValueError, match="integers from 0 to 51"):
            ag.einsum(Tensor([1]), [label])
    with pytest.raises(TypeError):
        ag.einsum(Tensor([1]), [0.5])


def test_a_complete_factor_is_the_reduced_one_where_it_adds_no_columns() -> None:
    for x in (X, X[:2], np.stack([X, 2 * X])):
        for ours, theirs in zip(ag.linalg.qr(Tensor(x), "complete"), np.linalg.qr(x, "complete"), strict=True):
            np.testing.assert_array_equal(ours.data, theirs)


def test_chains_are_multiplied_in_the_cheapest_order() -> None:
    @cache
    def least(*sizes: int) -> int:
        n = len(sizes)
        splits = range(1, n - 1)
        return min(
            [least(*sizes[: k + 1]) + least(*sizes[k:]) + sizes[0] * sizes[k] * sizes[-1] for k in splits], default=0
        )

    def spent(y: Any) -> int:
        if y.op is None:
            return 0
        a, b = y.operands
        return spent(a) + spent(b) + a.shape[0] * a.shape[1] * b.shape[1]

    rng = np.random.default_rng(0)
    for n in (2, 3, 4, 5, 6) * 8:
        sizes = rng.integers(1, 9, n + 1).tolist()
        y = ag.linalg.multi_dot([Tensor(np.ones(shape)) for shape in pairwise(sizes)])
        assert spent(y) == least(*sizes)
    vectors = [Tensor(X[0]), X, X[1]]
    assert ag.linalg.multi_dot(tuple(vectors)).shape == ag.linalg.multi_dot(vectors).shape == ()
    assert [x.shape for x in vectors] == [(3,), (3, 3), (3,)]  # the list is left alone


def test_norms_at_zero_and_at_ties() -> None:
    zero = Tensor([0, 0])
    for ord in (2, 1, 3, 1.5):
        ag.linalg.vector_norm(zero, ord=ord).backward()
    np.testing.assert_array_equal(zero.grad, [0, 0])
    tied = Tensor([2, -2])
    ag.linalg.vector_norm(tied, ord=np.inf).backward()
    np.testing.assert_array_equal(tied.grad, [0.5, -0.5])
    for along in ({}, {"axis": 0}, {"axis": 1, "keepdims": True}):
        theirs = np.linalg.vector_norm(X, ord=0, **along)
        ours = ag.linalg.vector_norm(Tensor(X), ord=0, **along)
        assert not isinstance(ours, Tensor)
        np.testing.assert_array_equal(ours, theirs, strict=True)
    for ord in (np.inf, -np.inf):
        assert ag.linalg.vector_norm(Tensor([2, -1, 3, -2]), ord=ord).data == np.linalg.norm([2, -1, 3, -2], ord)
    for ord in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        for f in (np.linalg.norm, np.linalg.cond):
            x = X + np.triu(X, 1)  # not symmetric: its rows are not its columns
            np.testing.assert_allclose(f(Tensor(x), ord).data, f(x, ord), strict=True)
    assert ag.linalg.vector_norm(Tensor(X[None]), keepdims=True).shape == (1, 1, 1)
    assert ag.linalg.norm(Tensor(X), "f").data == np.linalg.norm(X)
    for p in (None, 2, -2):
        x = np.float32([[[1, 0], [0, 0]], [[0, 0], [0, 0]], [[2, 0], [0, 1]]])
        np.testing.assert_array_equal(ag.linalg.cond(Tensor(x), p).data, np.linalg.cond(x, p), strict=True)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_einsum(form: str) -> None:
    for case in cases_of(form):

        def f(*xs: Any, case: Case = case) -> Any:
            return ag.einsum(case.params["subscripts"], *xs)

        xs = case.operands()
        np.testing.assert_array_equal(f(*map(Tensor, xs)).data, np.einsum(form, *xs))
        gradcheck(f, *xs, directions=1)


def cases_of(form: str) -> list[Case]:
    from hypothesis import Phase, given, settings

    found: list[Case] = []

    @settings(max_examples=5, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(summed(form))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def test_the_path_of_einsum_may_be_given() -> None:
    path = ["einsum_path", (0, 1), (0, 1)]
    for form in ("ij,jk,kl->il", "ij,jk,kl->l"):
        gradcheck(lambda x, y, z, form=form: ag.einsum(form, x, y, z, optimize=path), X, X, X)
    for x in (X, Tensor(X)):
        with pytest.raises(KeyError, match="shortest"):
            ag.einsum("ij,jk,kl->il", x, x, x, optimize="shortest")


def test_the_einsum_of_arrays_is_that_of_numpy() -> None:
    same = ag.einsum("ij->i", X, dtype=np.float32, casting="same_kind")
    np.testing.assert_array_equal(same, np.einsum("ij->i", X.astype(np.float32)), strict=True)


@pytest.mark.parametrize("scale", [1e-10, 1, 1e10])
def test_the_second_derivative_of_det_keeps_its_digits(scale: float) -> None:
    found = ag.hessian(ag.linalg.det)(scale * X[:2, :2]).reshape(4, 4)
    np.testing.assert_allclose(found, np.fliplr(np.diag([1, -1, -1, 1])), atol=1e-15)


def test_singular_vectors_at_special_values() -> None:
    def planes(x: Any) -> Any:
        return projected(ag.linalg.svd(x, full_matrices=False).U[:, :2])

    for x in (np.diag([3.0, 2, 0]), np.eye(3, 2) * [2, 1]):
        gradcheck(planes, x)
    x = Tensor(np.eye(3, 2) * [2, 0])  # where a vector has no derivative
    planes(x).sum().backward()
    assert np.isnan(x.grad).any()


def test_a_factorisation_is_computed_once() -> None:
    asked = []

    def factorise(x: Any, power: int) -> list[Any]:
        asked.append(x)
        return [x**power]

    factors = decompositions._shared(factorise)
    one, two = np.array([[1.0, 2.0], [2.0, 3.0]])
    for i, (x, power) in enumerate([(one, 1), (one, 2), (two, 2), (two.astype(np.float32), 2), (one[:0], 2)]):
        for _ in range(2):
            np.testing.assert_array_equal(factors(x, power=power), [x**power], strict=True)
            assert len(asked) == i + 1
    with pytest.raises(np.linalg.LinAlgError):
        decompositions._shared(np.linalg.qr)(one[:0])  # which has not met anything yet


def test_factors_are_not_confused() -> None:
    def work(seed: int) -> bool:
        rng = np.random.default_rng(seed)
        ok = True
        for _ in range(50):
            x = rng.normal(size=(3, 3))
            u, s, v = ag.linalg.svd(Tensor(x))
            ok = ok and np.allclose((u * s @ v).data, x)
        return ok

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
    x = Tensor(X)
    before = ag.linalg.eigh(x)
    before.eigenvectors.value[:] = 0  # spoils nobody else's
    assert np.any(ag.linalg.eigh(x).eigenvectors.data)
    x.data = 2 * X
    np.testing.assert_allclose(ag.linalg.eigh(x).eigenvalues.data, 2 * before.eigenvalues.data)


def test_a_power_multiplies_no_more_than_it_needs() -> None:
    for n, wanted in ((1, 1e200), (-1, 1e-200)):  # the square would overflow
        np.testing.assert_allclose(ag.linalg.matrix_power(Tensor([[1e200]]), n).data, [[wanted]])


@pytest.mark.parametrize(
    "f", [lambda x: np.linalg.multi_dot([x]), *[lambda x, n=n: np.linalg.matrix_power(x, n) for n in (0, 1, 2)]]
)
def test_what_is_no_product_of_matrices_is_refused(f: Callable[..., Any]) -> None:
    for x in (np.ones((2, 3)), Tensor(np.ones((2, 3)))):
        with pytest.raises((np.linalg.LinAlgError, ValueError), match="square|two or more|two arrays"):
            f(x)


@pytest.mark.parametrize("f", [np.linalg.eigh, np.linalg.svd, np.linalg.qr])
def test_factors_are_those_of_what_the_array_holds_now(f: Callable[..., Any]) -> None:
    t = Tensor(np.diag([2.0, 3.0]))
    f(t)
    t.data[...] = np.diag([5.0, 7.0])
    for part, theirs in zip(f(t), f(t.data), strict=True):
        np.testing.assert_allclose(part.data, theirs)


@pytest.mark.parametrize(
    ("left", "right"), [((2, 3, 4), (5, 4, 2)), ((3, 4), (2, 4, 3)), ((2, 3, 4), (4, 2)), ((2, 3, 4), (4,))]
)
def test_dot_pairs_all_matrices(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(left), rng.standard_normal(right)
    np.testing.assert_allclose(ag.dot(Tensor(x), Tensor(y)).data, np.dot(x, y), rtol=1e-12)
    gradcheck(ag.dot, x, y)
