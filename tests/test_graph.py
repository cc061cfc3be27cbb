"""The graph: order, depth, memory, threads, the guard, pickling."""

from __future__ import annotations

import copy
import gc
import math
import operator
import pickle
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import autograd_mini as ag
from autograd_mini import core
from autograd_mini.core import ancestors, is_recording, sweep
from autograd_mini.ops import indexing

cube = ag.primitive("cube", lambda x: x**3, lambda g, y, x: g * 3 * x**2)


def mlp_loss(rng: np.random.Generator) -> tuple[list[ag.Tensor], ag.Tensor]:
    parameters = [ag.Tensor(rng.standard_normal(shape)) for shape in ((3, 4), (4,), (4, 2))]
    w, b, v = parameters
    return parameters, ag.mean(ag.square(ag.tanh(rng.standard_normal((5, 3)) @ w + b) @ v))


# ---- order and depth -------------------------------------------------------------------------------


def test_the_sweep_is_a_generator_in_order_of_age() -> None:
    x = ag.Tensor(2.0)
    y = x * x + ag.sin(x) * x
    steps = sweep(y, np.float64(1))
    assert next(steps) == (y, 1.0)
    ages = [node.age for node, _ in steps]
    assert ages == sorted(ages, reverse=True)


def test_a_million_operations_forward_and_backward() -> None:
    x = y = ag.Tensor(1.0)
    for _ in range(1_000_000):
        y = -y
    y.backward()
    assert x.grad == 1
    del y  # neither does freeing recurse


def test_a_diamond_of_2_to_the_100_paths_takes_100_steps() -> None:
    x = y = ag.Tensor(1.0)
    for _ in range(100):
        y = y + y
    assert sum(1 for _ in sweep(y, np.float64(1))) == 101
    y.backward()
    assert x.grad == 2.0**100


def test_a_node_waits_for_all_its_contributions() -> None:
    x = ag.Tensor(3.0)
    early = x * 2
    late = early * early
    y = late * early + early  # the youngest use of `early` is met first
    y.backward()
    assert x.grad == 2 * (3 * 6.0**2 + 1)


def test_operands_of_one_node_may_be_the_same() -> None:
    x = ag.Tensor([[1.0, 2.0], [3.0, 4.0]])
    (x @ x).sum().backward()
    assert_array_equal(x.grad, [[7.0, 11.0], [9.0, 13.0]])


def test_only_the_cotangents_that_are_needed_are_computed() -> None:
    x, y = ag.Tensor(2.0), ag.Tensor(3.0)
    a, b = x * x, y * y
    z = a + b
    assert [node for node, _ in sweep(z, np.float64(1), needed={a, x})] == [z, a, x]


@pytest.mark.parametrize("join", [lambda x, y, z: ag.clip(x, y, z), lambda *xs: ag.stack(xs), lambda x, y, _: x + y])
def test_a_result_of_what_is_frozen_is_frozen(join: Callable[..., ag.Tensor]) -> None:
    frozen, leaf = ag.Tensor(1.0, requires_grad=False), ag.Tensor(2.0)
    assert not join(frozen, frozen, frozen).requires_grad
    assert join(frozen, leaf, frozen).requires_grad
    assert join(leaf, frozen, frozen).requires_grad


# ---- backward --------------------------------------------------------------------------------------


def test_the_gradient_of_a_number_is_a_number() -> None:
    boxed = ag.primitive("boxed", lambda x: x * 2, lambda g, y, x: np.asarray(g * 2))
    for beside in (1.0, np.ones(3), np.ones((2, 3))):
        x = ag.Tensor(2.0)
        y = ag.sum(boxed(x) * beside)
        assert type(dict(sweep(y, np.float64(1)))[x]) is np.float64
        y.backward()
        assert type(x.grad) is np.float64


def test_a_second_backward_adds_exactly_the_same_again(rng: np.random.Generator) -> None:
    parameters, loss = mlp_loss(rng)
    loss.backward()
    first = [p.grad.copy() for p in parameters]
    loss.backward()
    for p, grad in zip(parameters, first, strict=True):
        assert_array_equal(p.grad, 2 * grad)


def test_a_freed_graph_says_how_to_keep_it(rng: np.random.Generator) -> None:
    parameters, loss = mlp_loss(rng)
    other = loss * 2
    loss.backward(retain_graph=False)
    assert parameters[0].grad is not None
    for output in (loss, other):
        with pytest.raises(RuntimeError, match=r"freed by backward\(retain_graph=False\): leave retain_graph=True"):
            output.backward()


def test_retain_graph_false_frees_memory_on_the_way() -> None:
    x = ag.Tensor(np.ones(1000))
    y = x * 2
    inner = weakref.ref(y)
    z = (y * 3).sum()
    del y
    z.backward(retain_graph=False)
    assert inner() is None


def test_a_gradient_is_nobody_elses_array() -> None:
    x, y = ag.Tensor(np.ones(3)), ag.Tensor(np.ones(3))
    seed = np.ones(3)
    (x + y).backward(seed)
    x.grad += 1
    assert_array_equal(y.grad, 1)
    assert_array_equal(seed, 1)
    leaf = ag.Tensor(np.ones(3))
    leaf.backward(seed)
    leaf.grad += 1
    assert_array_equal(seed, 1)
    z = ag.Tensor(np.ones((2, 3)))
    z.T.sum().backward()
    z.grad += 1  # not a read-only view of a broadcast scalar


def test_parts_of_an_array_share_one_cotangent(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    put = indexing._put
    monkeypatch.setattr(indexing, "_put", lambda *args: made.append(args) or put(*args))
    x = ag.Tensor(np.arange(12.0).reshape(4, 3))
    rows = x * 1.0
    for y in (x, rows):  # a leaf and a result
        made.clear()
        x.grad = None
        ag.sum(y[0] * y[1] + y[2] * y[3]).backward()
        assert len(made) == 1
        assert_array_equal(x.grad, x.data[[1, 0, 3, 2]])


def test_parts_beside_other_uses_and_indices_that_repeat() -> None:
    x = ag.Tensor(np.arange(4.0))
    y = x * 1.0
    z = ag.sum(y[1:] * 2) + ag.sum(y) + ag.sum(y[[0, 0, 3]]) + y[2] * 5 + ag.sum(y[y > 1]) + ag.sum(y + y)
    seen = dict(sweep(z, np.float64(1)))
    assert_array_equal(seen[x], [5, 5, 11, 7])
    half = ag.Tensor(np.ones(2, np.float16))
    ag.sum(half[[0] * 3000] + half[1]).backward()  # half precision would stop at 2048
    assert_array_equal(half.grad, [3000, 3000])


def test_parts_that_two_operands_are_handed_at_once() -> None:
    x, y, w = ag.Tensor(np.arange(3.0)), ag.Tensor(np.arange(3.0)), np.array([3.0, 4, 5])
    a, b = x * 1.0, y * 1.0
    parts = [a[:1], a[1:], b[:2] * 2]
    z = ag.sum((a + b) * w)  # on the way back they are handed the same array, before the parts come
    ag.add(z, sum(ag.sum(part) for part in parts)).backward()
    assert_array_equal(x.grad, w + 1)
    assert_array_equal(y.grad, w + [2, 2, 0])


def test_gradients_of_scalars_are_numpy_scalars() -> None:
    x = ag.Tensor(2.0)
    (x * np.ones((2, 3))).sum().backward()
    assert type(x.grad) is np.float64
    assert x.grad == 6


def test_an_error_in_the_sweep_changes_no_gradient() -> None:
    x, w = ag.Tensor(1.0), ag.Tensor(2.0)
    y = x * w
    fresh = ag.Tensor(1.0)
    z = y * fresh
    w.data = 3.0
    with pytest.raises(RuntimeError, match="changed after 'multiply'"):
        z.backward()
    assert fresh.grad is None
    assert x.grad is None


# ---- the guard -------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["assign", "in place", "SGD", "Adam", "load_state_dict"])
def test_changing_data_between_forward_and_backward_raises(change: str) -> None:
    layer = ag.nn.Linear(2, 1, rng=0)
    loss = layer(np.ones((3, 2))).sum()
    loss.backward()
    match change:
        case "assign":
            layer.weight.data = np.zeros((2, 1))
        case "in place":
            layer.weight.data -= 0.1
        case "SGD" | "Adam":
            getattr(ag.optim, change)(layer.parameters(), lr=0.1).step()
        case "load_state_dict":
            layer.load_state_dict(layer.state_dict())
    with pytest.raises(RuntimeError, match="changed after .* run the forward pass again, or change data only after"):
        loss.backward()
    with pytest.raises(RuntimeError, match="changed since it was recorded"):
        pickle.dumps(loss)


def test_changing_a_frozen_operand_raises_too() -> None:
    x, frozen = ag.Tensor(1.0), ag.Tensor(2.0, requires_grad=False)
    y = x * frozen
    frozen.data = 5.0
    with pytest.raises(RuntimeError, match="changed after 'multiply'"):
        y.backward()


def test_a_view_of_a_frozen_tensor_does_not_change_with_it() -> None:
    frozen, x = ag.Tensor([1.0, 2.0, 3.0], requires_grad=False), ag.Tensor(np.ones(3))
    with ag.no_grad():
        other = x[::-1]
    y = (x * frozen[:] * other).sum()
    frozen.data += np.ones(3)
    y.backward()
    assert_array_equal(x.grad, [1, 2, 3])


def test_what_a_primitive_hands_on_does_not_change_with_its_operand() -> None:
    mirror = ag.primitive("mirror", lambda x: x, lambda g, y, x: -g)
    x, frozen = ag.Tensor([1.0, 2.0]), ag.Tensor([1.0, 2.0], requires_grad=False) * 1
    other = mirror(frozen)
    y = (x * other).sum()
    frozen.data += np.ones(2)
    y.backward()
    assert_array_equal(other.data, [1, 2])
    assert_array_equal(x.grad, [1, 2])


def test_an_index_a_condition_and_fractions_may_change_after_their_use() -> None:
    x = ag.Tensor([1.0, 2.0, 3.0])
    index, condition, q = np.array([0, 0, 2]), np.array([True, False, True]), np.array([0, 1])
    y = (x[index] * ag.where(condition, x, 0)).sum() + ag.quantile(x, q).sum()
    index[:], condition[:], q[:] = 1, False, 0
    y.backward()
    assert_array_equal(x.grad, [3, 0, 7])


def test_the_data_of_a_result_cannot_be_assigned() -> None:
    y = ag.Tensor(1.0) * 2
    with pytest.raises(RuntimeError, match=r"result of 'multiply'.*\.detach\(\)"):
        y.data = 3.0


# ---- memory ----------------------------------------------------------------------------------------


def test_a_graph_is_freed_by_reference_counting(rng: np.random.Generator) -> None:
    gc.disable()
    try:
        _, loss = mlp_loss(rng)
        loss.backward()
        nodes = [weakref.ref(node) for node in ancestors(loss)]
        del loss
        assert not any(node() for node in nodes)
    finally:
        gc.enable()


def test_memory_is_back_after_1000_steps_with_the_garbage_collector_off() -> None:
    model = ag.nn.MLP([8, 16, 4], rng=0)
    optimizer = ag.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x, y = np.ones((5, 8)), np.arange(5) % 4

    def step() -> None:
        loss = ag.nn.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        ag.grad(lambda v: ag.sum(model(v)))(x)

    def held() -> tuple[int, int]:
        """Count the objects that could be in cycles, and the bytes of arrays."""
        ours = tracemalloc.take_snapshot().filter_traces(
            [tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)]
        )
        return len(gc.get_objects()), sum(trace.size for trace in ours.traces)

    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(10):
            step()
        objects, size = held()
        for _ in range(1000):
            step()
        objects_after, size_after = held()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert objects_after - objects < 20
    assert size_after == size


# ---- recording -------------------------------------------------------------------------------------


def test_a_scope_records_as_what_is_around_it() -> None:
    with ag.scope(3):
        assert is_recording()
        assert [label for label, _ in (ag.Tensor(1.0) * 2).scopes] == ["3"]
        with ag.no_grad(), ag.scope("inner"):
            assert not is_recording()
    assert is_recording()


def test_no_grad_as_context_and_as_decorator() -> None:
    x = ag.Tensor(2.0)
    with ag.no_grad():
        y = x * x
        with ag.no_grad():
            pass
        assert not (x * x).requires_grad
    assert not y.requires_grad
    assert isinstance(y, ag.Tensor)

    @ag.no_grad()
    def square(t: ag.Tensor) -> ag.Tensor:
        return t * t

    assert not square(x).requires_grad
    assert (x * x).requires_grad


def test_no_grad_as_a_decorator_without_parentheses() -> None:
    @ag.no_grad
    def double(t: ag.Tensor) -> ag.Tensor:
        return t * 2

    assert not double(ag.Tensor(1.0)).requires_grad


def test_one_no_grad_may_be_entered_again_and_by_many_threads() -> None:
    paused = ag.no_grad()
    with paused:
        with paused:
            pass
        assert not (ag.Tensor(1.0) * 2).requires_grad
        thread = threading.Thread(target=paused.__enter__)
        thread.start()
        thread.join()
    assert (ag.Tensor(1.0) * 2).requires_grad


def test_no_grad_ends_with_an_error_too() -> None:
    with pytest.raises(KeyError), ag.no_grad():
        raise KeyError
    assert (ag.Tensor(1.0) * 2).requires_grad


def test_grad_works_inside_no_grad() -> None:
    with ag.no_grad():
        assert ag.grad(lambda x: x * x)(3.0) == 6
        slope = ag.grad(lambda x: x * x)(ag.Tensor(3.0))
    assert isinstance(slope, ag.Tensor)
    assert not slope.requires_grad


def test_two_threads_have_graphs_of_their_own() -> None:
    barrier = threading.Barrier(2, timeout=60)
    found: dict[str, object] = {}

    def recording() -> None:
        x = y = ag.Tensor(1.5)
        barrier.wait()
        for _ in range(2000):
            y = ag.sin(y) * x
        barrier.wait()
        y.backward()
        found["gradient"] = x.grad

    def paused() -> None:
        with ag.no_grad():
            x = y = ag.Tensor(1.5)
            barrier.wait()
            for _ in range(2000):
                y = ag.sin(y) * x
            barrier.wait()
        found["recorded"] = y.requires_grad

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=run) for run in (recording, paused)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    x = y = ag.Tensor(1.5)
    for _ in range(2000):
        y = ag.sin(y) * x
    y.backward()
    assert found == {"gradient": x.grad, "recorded": False}


# ---- pickle and copy -------------------------------------------------------------------------------


@pytest.mark.parametrize("clone", [lambda t: pickle.loads(pickle.dumps(t)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_copied_graph_has_the_same_gradients_and_is_its_own(clone: object, rng: np.random.Generator) -> None:
    parameters, loss = mlp_loss(rng)
    loss.backward()
    twins, twin = clone((parameters, loss))
    assert_array_equal(twin.data, loss.data)
    for p, q in zip(parameters, twins, strict=True):
        assert_array_equal(q.grad, p.grad)
        q.grad = None
    twin.backward()
    for p, q in zip(parameters, twins, strict=True):
        assert q is not p
        assert_array_equal(q.grad, p.grad)


def test_copying_a_graph_of_100_000_operations_does_not_recurse() -> None:
    y = ag.Tensor(1.0)
    for _ in range(100_000):
        y = cube(y)
    for twin in (pickle.loads(pickle.dumps(y)), copy.deepcopy(y), copy.copy(y)):
        assert len(ancestors(twin)) == 100_000


def test_copies_of_a_leaf_share_nothing() -> None:
    x = ag.Tensor([1.0, 2.0])
    x.grad = np.zeros(2)
    for twin in (copy.copy(x), copy.deepcopy(x), x.detach()):
        twin.data += 1
        assert_array_equal(x.data, [1.0, 2.0])
        assert twin.grad is not x.grad
    assert copy.deepcopy(ag.Tensor(1.0, requires_grad=False)).requires_grad is False


def test_tied_weights_stay_tied_in_a_copy() -> None:
    model = ag.nn.Sequential(ag.nn.Linear(2, 2, rng=0), ag.nn.Linear(2, 2, rng=1))
    model.layers[1].weight = model.layers[0].weight
    twin = copy.deepcopy(model)
    assert twin.layers[1].weight is twin.layers[0].weight is not model.layers[0].weight
    assert len(twin.parameters()) == 3


def test_the_boxes_of_a_drawing_survive_a_copy() -> None:
    model = ag.nn.MLP([2, 3, 1], rng=0)
    loss = ag.mean(model(np.ones((4, 2))))
    assert ag.draw(pickle.loads(pickle.dumps(loss))).dot == ag.draw(loss).dot


def test_a_primitive_without_a_global_name_cannot_be_pickled() -> None:
    double = ag.primitive("double", lambda x: 2 * x, lambda g, y, x: 2 * g)
    with pytest.raises(TypeError, match="'double' cannot be pickled.*assign the result of primitive"):
        pickle.dumps(double(ag.Tensor(1.0)))


# ---- primitives of the user's own ------------------------------------------------------------------


def test_a_primitive_of_ones_own_goes_to_any_order() -> None:
    assert ag.grad(cube)(2.0) == 12
    assert ag.grad(ag.grad(cube))(2.0) == 12
    assert ag.grad(ag.grad(ag.grad(cube)))(2.0) == 6
    assert_array_equal(cube(np.array([1.0, 2.0])), [1, 8])
    assert repr(cube.op) == "<primitive cube>"


def test_three_operands_and_any_number_of_them() -> None:
    fma = ag.primitive(
        "fma", lambda x, y, z: x * y + z, lambda g, r, x, y, z: g * y, lambda g, r, x, y, z: g * x, lambda g, r, *_: g
    )
    x, y = ag.Tensor(2.0), ag.Tensor([1.0, 2.0])
    fma(x, y, 5.0).sum().backward()
    assert x.grad == 3
    assert_array_equal(y.grad, [2, 2])
    assert fma(2.0, 3.0, 4.0) == 10

    total = ag.primitive("total", lambda *xs: sum(xs), lambda g, r, *xs, position: g * (position + 1), variadic=True)
    a, b = ag.Tensor(1.0), ag.Tensor(1.0)
    total(a, 1.0, b).backward()
    assert (a.grad, b.grad) == (1, 3)


def test_a_constant_is_taken_as_arrays_are_or_refused_beside_any_number_of_tensors() -> None:
    total = ag.primitive("total", lambda *xs: sum(xs), lambda g, r, *xs, position: g, variadic=True)
    a = ag.Tensor([1.0])
    assert type(total(a, [2.0], a).operands[1]) is np.ndarray
    with pytest.raises(TypeError, match="an operand"):
        total(a, 1j, a)


def test_a_forward_may_give_a_python_number() -> None:
    sine = ag.primitive("sine", math.sin, lambda g, y, x: g * ag.cos(x))
    assert type(sine(ag.Tensor(1.0)).data) is np.float64
    assert ag.grad(ag.grad(sine))(1.0) == -math.sin(1.0)


def test_a_graph_of_nodes_that_are_no_tensors() -> None:
    times = ag.primitive("times", operator.mul, lambda g, z, x, y: g * y, lambda g, z, x, y: g * x)
    x = core.Node()
    x.value, x.age, x.grad = np.float64(3), next(core.clock), None
    core.leaf(x, requires_grad=True)
    y = times(times(x, x), 2.0)
    assert y.value == 18
    assert dict(sweep(y, np.float64(1)))[x] == 12


def test_a_primitive_needs_a_rule() -> None:
    with pytest.raises(TypeError, match="'empty' has no rule"):
        ag.primitive("empty", np.exp)


@pytest.mark.parametrize(
    ("forward", "rules", "message"),
    [
        (
            np.add,
            [lambda g, z, x, y: g],
            "has 1 rules, and its forward takes 2 operands: pass one rule per operand, None",
        ),
        (lambda x: x, [lambda g, y, x: g] * 2, "has 2 rules, and its forward takes 1 operands"),
        (np.exp, [lambda g, y: g], "rule 0 of primitive 'odd' takes 2 arguments, and is handed 3: the cotangent g"),
        (math.hypot, [lambda *args: args[0], lambda g, x, y: g], "rule 1 .* takes 3 arguments, and is handed 4"),
        (lambda x: x, [lambda g, y, x, axis: g], "takes 4 arguments, and is handed 3"),
        (lambda x, axis: x, [lambda g, y, x: g], "takes 3 arguments, and is handed 4: .* whatever the forward takes"),
        (lambda x, *, axis: x, [lambda g, y, x: g], "takes 3 arguments, and is handed 4"),
        (lambda x, by=2: x, [lambda g, y, x, by, note: g], "takes 5 arguments, and is handed 4"),
    ],
)
def test_rules_that_do_not_fit_their_forward_are_refused_when_stated(
    forward: object, rules: list[object], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        ag.primitive("odd", forward, *rules)


def test_a_variadic_primitive_has_one_rule() -> None:
    with pytest.raises(TypeError, match="'odd' is variadic and has 2 rules: pass one, which is told position=i"):
        ag.primitive("odd", max, lambda g, y, *xs, position: g, lambda g, y, *xs, position: g, variadic=True)


def test_the_rule_of_a_variadic_primitive_takes_the_position_too() -> None:
    with pytest.raises(TypeError, match="takes 3 arguments, and is handed 4: .*, then position"):
        ag.primitive("odd", lambda *xs: sum(xs), lambda g, y, position: g, variadic=True)
    pair = ag.primitive("pair", lambda x, y: x - y, lambda g, z, x, y, position: g * (1 - 2 * position), variadic=True)
    assert ag.grad(pair, argnums=(0, 1))(5.0, 3.0) == (1, -1)


def test_a_primitive_knows_its_name_and_its_home() -> None:
    same = ag.primitive("same", lambda x: x, lambda g, y, x: g)
    assert (same.__name__, same.__qualname__, same.__doc__) == ("same", "same", "Apply the primitive 'same'.")
    assert same.op.home == __name__
    bare: dict[str, object] = {"primitive": ag.primitive}
    exec("op = primitive('same', lambda x: x, lambda g, y, x: g).op", bare)
    assert bare["op"].home == "__main__"  # as in a console


def test_rules_may_take_more_than_they_must() -> None:
    scaled = ag.primitive("scaled", lambda x, by=2.0: x * by, lambda g, y, x, by=2.0, note="": g * by)
    loose = ag.primitive("loose", lambda x, **how: x, lambda g, y, x, **how: g)
    assert ag.grad(scaled)(1.0) == 2
    assert ag.grad(lambda x: scaled(x, by=3.0))(1.0) == 3
    assert ag.grad(lambda x: loose(x, kind="any"))(1.0) == 1
    named = ag.primitive("named", lambda x, *, by=2.0: x * by, lambda g, y, x, **how: g * how.get("by", 2.0))
    assert ag.grad(named)(1.0) == 2
    single = ag.primitive("single", lambda x, *, by=2.0: x * 2.0, lambda g, y, x: g * 2.0)
    assert ag.grad(single)(1.0) == 2
    strict = ag.primitive("strict", lambda x, by: x * by, lambda g, y, x, **how: g * how["by"])
    assert ag.grad(lambda x: strict(x, by=3.0))(1.0) == 3

    class Own:
        def forward(self, x: float) -> float:
            return x

        def rule(self, g: float, y: float, x: float) -> float:
            return g

    assert ag.grad(ag.primitive("own", Own().forward, Own().rule))(1.0) == 1


def test_an_operand_without_a_rule_may_be_a_constant_only() -> None:
    shift = ag.primitive("shift", lambda x, n: x + n, lambda g, y, x, n: g, None)
    assert ag.grad(shift)(2.0, 3.0) == 1
    assert ag.grad(shift)(2.0, ag.Tensor(3.0, requires_grad=False)).data == 1
    with pytest.raises(TypeError, match=r"'shift' has no rule for operand 1, .*: pass it as an array \(t.data, or"):
        shift(2.0, ag.Tensor(3.0)).backward()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_more_operands_than_rules_are_refused(count: int) -> None:
    f = ag.primitive("f", lambda *xs: sum(xs), *[lambda g, y, *xs: g] * count)
    with pytest.raises(TypeError, match=rf"'f' has {count} operand\(s\), one per rule, and got {count + 1}: what is"):
        f(*[ag.Tensor(1.0)] * (count + 1))


def test_a_rule_of_a_wrong_shape_or_type_is_named() -> None:
    wrong = ag.primitive("wrong", np.sum, lambda g, y, x: g)
    with pytest.raises(ValueError, match=r"rule of primitive 'wrong' gave a cotangent of shape \(\) .* \(3,\)"):
        wrong(ag.Tensor(np.ones(3))).backward()
    odd = ag.primitive("odd", np.negative, lambda g, y, x: None)
    with pytest.raises(TypeError, match="rule of primitive 'odd' gave None"):
        odd(ag.Tensor(1.0)).backward()


# ---- grad ------------------------------------------------------------------------------------------


def test_perturbations_are_not_confused() -> None:
    assert ag.grad(lambda x: x * ag.grad(lambda y: x + y)(1.0))(1.0) == 1
    assert ag.grad(lambda x: x * ag.grad(lambda y: x * y)(2.0))(3.0) == 6


def test_arrays_in_arrays_out_and_tensors_in_tensors_out() -> None:
    x = np.array([1.0, 2.0])
    assert type(ag.grad(lambda t: (t**3).sum())(x)) is np.ndarray
    assert type(ag.grad(ag.sin)(1.0)) is np.float64
    t = ag.Tensor(x)
    slope = ag.grad(lambda t: (t**3).sum())(t)
    assert isinstance(slope, ag.Tensor)
    slope.sum().backward()
    assert_array_equal(t.grad, 6 * x)


def test_grad_leaves_no_trace() -> None:
    w = ag.Tensor(2.0)
    ag.grad(lambda x: x * w)(3.0)
    assert w.grad is None


def test_a_tensor_from_outside_is_an_input_too() -> None:
    critic = ag.nn.MLP([2, 3, 1], rng=0)
    slope = ag.grad(lambda x: ag.sum(critic(x)))(np.ones((4, 2)))
    penalty = ag.mean(slope * slope)
    penalty.backward()
    assert np.any(critic.layers[0].weight.grad)


def test_several_arguments_and_values() -> None:
    value, (by_x, by_y) = ag.value_and_grad(lambda x, y: x * x * y, argnums=(0, 1))(3.0, 2.0)
    assert (value, by_x, by_y) == (18, 12, 9)
    assert ag.grad(lambda x, y: x * x * y, argnums=1)(3.0, 2.0) == 9


def test_a_function_that_does_not_depend_has_the_gradient_zero() -> None:
    assert ag.grad(lambda x: 3.0)(1.0) == 0
    assert_array_equal(ag.grad(lambda x: ag.Tensor(3.0))(np.ones(2)), [0, 0])
    assert ag.grad(ag.grad(lambda x: 2 * x))(1.0) == 0


def test_grad_of_many_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one number, not one of shape \(2,\): sum it"):
        ag.grad(lambda x: 2 * x)(np.ones(2))
