"""Modules, layers and losses."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_mini as ag
from autograd_mini import Tensor, nn
from autograd_mini.testing import gradcheck


class Block(nn.Module):
    """Parameters everywhere that they may be."""

    def __init__(self) -> None:
        self.scale = Tensor(2.0)
        self.frozen = Tensor(1.0, requires_grad=False)
        self.layers = [nn.Linear(2, 3, rng=0), nn.Tanh()]
        self.heads = {"a": nn.Linear(3, 1, rng=1), "b": (nn.Linear(3, 1, bias=False, rng=2),)}
        self.note = "not a parameter"

    def forward(self, x: object) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.scale * self.heads["a"](x) + self.heads["b"][0](x)


PATHS = ["scale", "frozen", "layers.0.weight", "layers.0.bias", "heads.a.weight", "heads.a.bias", "heads.b.0.weight"]


# ---- Module ----------------------------------------------------------------------------------------


def test_parameters_are_found_in_lists_tuples_dicts_and_modules() -> None:
    block = Block()
    assert [path for path, _ in block.named_parameters()] == PATHS
    assert block.parameters() == [tensor for _, tensor in block.named_parameters()]


def test_a_shared_parameter_counts_once() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model.layers[1].weight = model.layers[0].weight
    assert [path for path, _ in model.named_parameters()] == ["layers.0.weight", "layers.0.bias", "layers.1.bias"]


def test_state_dict_there_and_back() -> None:
    block, other = Block(), Block()
    other.layers[0] = nn.Linear(2, 3, rng=9)
    x = np.ones((4, 2))
    assert not np.array_equal(block(x).data, other(x).data)
    state = block.state_dict()
    other.load_state_dict(state)
    assert_array_equal(block(x).data, other(x).data)
    state["scale"][...] = 7  # a copy
    assert block.scale.data == 2


def test_load_state_dict_lists_all_that_does_not_fit_and_changes_nothing() -> None:
    block = Block()
    state = block.state_dict()
    del state["scale"]
    state["extra"] = np.ones(1)
    state["layers.0.bias"] = np.ones(4)
    state["heads.a.bias"] = np.full(1, 5.0)
    with pytest.raises(ValueError, match="does not fit Block") as caught:
        block.load_state_dict(state)
    assert str(caught.value).splitlines()[1:] == [
        "  missing: scale, of shape ()",
        "  unknown: extra",
        "  wrong shape: layers.0.bias is (3,) here and (4,) there",
    ]
    assert_array_equal(block.heads["a"].bias.data, 0)


def test_train_and_eval_reach_all_modules() -> None:
    block = Block()
    assert block.training
    assert block.eval() is block
    assert not block.training
    assert not block.heads["b"][0].training
    assert block.train().heads["a"].training


class Averaging(nn.Module):
    """Holds a buffer, and a module with one in a list."""

    def __init__(self) -> None:
        self.register_buffer("mask", np.array([1.0, 0.0], np.float32))
        self.parts = [nn.BatchNorm1d(2)]
        self.note = np.ones(3)  # an array is a buffer only if it is registered

    def forward(self, x: object) -> Tensor:
        return self.parts[0](x) * self.mask


def test_buffers_are_part_of_the_state_and_no_parameters() -> None:
    model = Averaging()
    buffers = ["mask", "parts.0.running_mean", "parts.0.running_var"]
    assert [path for path, _ in model.named_buffers()] == buffers
    assert [path for path, _ in model.named_parameters()] == ["parts.0.weight", "parts.0.bias"]
    model(np.array([[1.0, 2.0], [3.0, 5.0]]))
    state = model.state_dict()
    assert sorted(state) == sorted([*buffers, "parts.0.weight", "parts.0.bias"])
    other = Averaging()
    other.load_state_dict(state)
    assert_array_equal(other.parts[0].running_mean, model.parts[0].running_mean)
    state["parts.0.running_mean"][...] = 7  # a copy, as it was when it was loaded
    for one in (model, other):
        assert_allclose(one.parts[0].running_mean, [0.2, 0.35])
    assert other.mask.dtype == np.float32
    model.register_buffer("mask", np.zeros(2))
    assert [path for path, _ in model.named_buffers()] == buffers  # anew, and not twice


def test_buffers_that_do_not_fit_are_listed() -> None:
    model = Averaging()
    state = model.state_dict()
    del state["mask"]
    state["parts.0.running_var"] = np.ones(3)
    with pytest.raises(ValueError, match="does not fit Averaging") as caught:
        model.load_state_dict(state)
    assert str(caught.value).splitlines()[1:] == [
        "  missing: mask, of shape (2,)",
        "  wrong shape: parts.0.running_var is (2,) here and (3,) there",
    ]


def test_freezing_and_forgetting() -> None:
    model = nn.MLP([2, 3, 1], rng=0)
    assert model.requires_grad_(False) is model
    assert not any(p.requires_grad for p in model.parameters())
    assert not model(np.ones((1, 2))).requires_grad
    model[2].requires_grad_()
    model(np.ones((1, 2))).sum().backward()
    assert [p.grad is None for p in model.parameters()] == [True, True, False, False]
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_parameters_of_its_own() -> None:
    assert [path for path, _ in Block().named_parameters(recurse=False)] == ["scale", "frozen"]


def test_repr_is_a_tree_with_parameter_counts() -> None:
    assert repr(Block()) == "\n".join([
        "Block() · 18 parameters",
        "  layers.0: Linear(2, 3) · 9 parameters",
        "  layers.1: Tanh()",
        "  heads.a: Linear(3, 1) · 4 parameters",
        "  heads.b.0: Linear(3, 1, bias=False) · 3 parameters",
    ])  # fmt: skip
    assert repr(nn.LeakyReLU(0.2)) == "LeakyReLU(0.2)"


def test_a_module_without_forward_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"Module has no forward\(\): define it"):
        nn.Module()(1)


def test_a_module_may_give_several_tensors() -> None:
    class Pair(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x * 2, (x * 3) * 4

    double, twelvefold = Pair()(Tensor(1.0))
    assert (double.item(), twelvefold.item()) == (2, 12)
    assert [label for label, _ in twelvefold.scopes] == ["Pair"]


def test_a_module_may_know_its_parent_and_keep_its_activations() -> None:
    class Child(nn.Module):
        def __init__(self, parent: nn.Module) -> None:
            self.layer, self.parent = nn.Linear(2, 2, rng=0), parent

        def forward(self, x: object) -> Tensor:
            self.kept = self.layer(x)
            return self.kept

    class Parent(nn.Module):
        def __init__(self) -> None:
            self.child = Child(self)

    parent = Parent()
    parent.child(np.ones(2))
    assert [path for path, _ in parent.named_parameters()] == ["child.layer.weight", "child.layer.bias"]
    assert not parent.eval().child.training
    assert "..." in repr(parent)


def test_a_state_that_cannot_be_converted_changes_nothing() -> None:
    layer = nn.Linear(2, 2, rng=0)
    before = layer.state_dict()
    with pytest.raises(ValueError, match="could not convert"):
        layer.load_state_dict({"weight": np.zeros((2, 2)), "bias": ["a", "b"]})
    assert_array_equal(layer.weight.data, before["weight"])


def test_a_sequence_is_one() -> None:
    model = nn.MLP([2, 3, 1])
    assert len(model) == 3
    assert [type(layer).__name__ for layer in model] == ["Linear", "Tanh", "Linear"]
    assert model[-1] is model.layers[2]


def test_models_can_be_copied_and_pickled() -> None:
    model = nn.MLP([2, 3, 1], rng=0)
    x = np.ones((4, 2))
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_array_equal(twin(x).data, model(x).data)
        twin.layers[0].bias.data += 1
        assert_array_equal(model.layers[0].bias.data, 0)


# ---- summary ---------------------------------------------------------------------------------------


def test_summary_of_a_convolutional_network() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, rng=0), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, groups=2, bias=False, rng=0), nn.Flatten(), nn.Dropout(0.5, rng=0), nn.Linear(24, 10, rng=0),
    )  # fmt: skip
    table = model.summary(np.zeros((5, 1, 8, 8)))
    assert repr(table) == "\n".join([
        "module                                                output        parameters  multiply-adds",
        "Sequential()                                          (5, 10)                0              0",
        "layers.0: Conv2d(1, 4, (3, 3), padding=1)             (5, 4, 8, 8)          40         11,520",
        "layers.1: BatchNorm2d(4)                              (5, 4, 8, 8)           8              0",
        "layers.2: ReLU()                                      (5, 4, 8, 8)           0              0",
        "layers.3: MaxPool2d(2, None, 0)                       (5, 4, 4, 4)           0              0",
        "layers.4: Conv2d(4, 6, (3, 3), groups=2, bias=False)  (5, 6, 2, 2)         108          2,160",
        "layers.5: Flatten(1)                                  (5, 24)                0              0",
        "layers.6: Dropout(0.5)                                (5, 24)                0              0",
        "layers.7: Linear(24, 10)                              (5, 10)              250          1,200",
        "total                                                                      406         14,880",
    ])  # fmt: skip
    assert table.multiply_adds == 5 * (4 * 9 * 64 + 6 * 2 * 9 * 4 + 24 * 10)
    assert table.parameters == sum(p.size for p in model.parameters())


class Attention(nn.Module):
    """A head that is called twice, with products of its own, by matmul and by einsum."""

    def __init__(self) -> None:
        self.embed, self.project = nn.Embedding(7, 4, rng=0), nn.Linear(4, 4, rng=1)
        self.unused = nn.Linear(4, 100)
        self.tied = self.project.weight

    def forward(self, ids: object, scale: object) -> dict[str, object]:
        x = self.embed(ids)
        q, k = self.project(x), self.project(x)
        scores = ag.softmax(scale * ag.einsum("btd,bsd->bts", q, k))
        return {"values": scores @ x, "scores": [scores]}


def test_summary_counts_products_wherever_they_are() -> None:
    model = Attention().requires_grad_(False)
    rows = {row.path: row for row in model.summary(np.zeros((2, 3), int), Tensor(0.5)).rows}
    assert rows[""].output == ((2, 3, 4), (2, 3, 3))
    assert rows[""].multiply_adds == 2 * (2 * 3 * 3 * 4)
    assert rows["project"].multiply_adds == 2 * (2 * 3 * 4 * 4)
    assert (rows["project"].calls, rows["unused"].calls) == (2, 0)
    assert (rows[""].parameters, rows["project"].parameters) == (16, 4)  # what is shared counts where it is met first
    table = repr(model.summary([[0, 1]], 1.0))
    assert "project: Linear(4, 4) ×2" in table
    assert "unused: Linear(4, 100)    not called" in table
    assert not any(p.requires_grad for p in model.parameters())


def test_summary_leaves_the_model_as_it_was() -> None:
    model = nn.MLP([3, 4, 2], norm="batch", dropout=0.5, rng=0)
    model[1].eval()
    before, rng = model.state_dict(), model[3].rng.bit_generator.state
    model.layers[2].forward = kept = ag.tanh  # of the instance
    with ag.no_grad():
        assert model.summary(np.ones((1, 3))).multiply_adds == 20  # of one sample, too
    with pytest.raises(ValueError, match="takes arrays of shape"):
        model.summary(np.ones((1, 2)))
    for path, value in model.state_dict().items():
        assert_array_equal(value, before[path])
    assert model[3].rng.bit_generator.state == rng
    assert [module.training for module in model] == [True, False, True, True, True]
    assert ["forward" in vars(module) for module in model] == [False, False, True, False, False]
    assert model.layers[2].forward is kept
    assert all(p.requires_grad and p.grad is None for p in model.parameters())


# ---- layers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3), (0, 3)])
def test_linear(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    layer = nn.Linear(3, 2, rng=0)
    x = rng.standard_normal(shape)
    assert_allclose(layer(x).data, x @ layer.weight.data + layer.bias.data)
    gradcheck(lambda x, w, b: x @ w + b, x, layer.weight.data, layer.bias.data)


def test_linear_starts_as_glorot_says() -> None:
    layer = nn.Linear(300, 200, rng=0, dtype="float32")
    bound = np.sqrt(6 / 500)
    assert layer.weight.dtype == layer.bias.dtype == np.float32
    assert np.abs(layer.weight.data).max() <= bound
    assert layer.weight.data.std() == pytest.approx(bound / np.sqrt(3), rel=0.01)
    assert_array_equal(layer.bias.data, 0)
    assert nn.Linear(3, 2, bias=False).bias is None
    assert_array_equal(nn.Linear(3, 2, rng=5).weight.data, nn.Linear(3, 2, rng=5).weight.data)


def test_linear_names_the_shapes() -> None:
    with pytest.raises(ValueError, match=r"Linear\(3, 2\) takes arrays of shape \(\.\.\., 3\), not \(4, 5\)"):
        nn.Linear(3, 2)(np.ones((4, 5)))
    with pytest.raises(ValueError, match="in_features is the length of an axis and at least 1, not 0"):
        nn.Linear(0, 2)
    with pytest.raises(ValueError, match="weights are float16, float32 or float64, not int64"):
        nn.Linear(1, 2, dtype=int)


@pytest.mark.parametrize(
    ("module", "function"),
    [
        (nn.Tanh(), ag.tanh), (nn.Sigmoid(), ag.sigmoid), (nn.ReLU(), ag.relu), (nn.Softplus(), ag.softplus),
        (nn.LeakyReLU(0.2), lambda x: ag.leaky_relu(x, 0.2)), (nn.Softmax(), ag.softmax),
        (nn.LogSoftmax(0), lambda x: ag.log_softmax(x, 0)),
    ],
)  # fmt: skip
def test_activations_as_modules_are_those_as_functions(module: nn.Module, function: object) -> None:
    x = np.array([[-2.0, 0.5], [1.0, 3.0]])
    assert_array_equal(module(x), function(x))
    assert_array_equal(module(Tensor(x)).data, function(x))


def test_mlp() -> None:
    model = nn.MLP([64, 50, 10], activation="tanh", rng=0)
    assert sum(p.size for p in model.parameters()) == 3760
    w, b, v, c = (p.data for p in model.parameters())
    x = np.linspace(0, 1, 64)
    assert_allclose(model(x).data, np.tanh(x @ w + b) @ v + c)
    with pytest.raises(ValueError, match="at least an input and an output size"):
        nn.MLP([3])
    with pytest.raises(ValueError, match="activation is one of tanh, .*, not 'swish'"):
        nn.MLP([3, 2], activation="swish")
    with pytest.raises(TypeError, match=r"Sequential takes modules, not function: nn\.Tanh\(\)"):
        nn.Sequential(lambda x: x)


# ---- losses ----------------------------------------------------------------------------------------


def test_mse() -> None:
    assert nn.mse_loss(Tensor([1.0, 2.0]), [3.0, 2.0]).item() == 2
    gradcheck(nn.mse_loss, np.ones((2, 3)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"mse_loss compares arrays of one shape, not \(4,\) and \(4, 1\): reshape"):
        nn.mse_loss(Tensor(np.ones(4)), np.ones((4, 1)))


def test_binary_cross_entropy_with_logits() -> None:
    logits, target = np.array([-1000.0, 0.3, 1000.0, 1000.0]), np.array([0.0, 1.0, 1.0, 0.0])
    x = Tensor(logits)
    loss = nn.binary_cross_entropy_with_logits(x, target)
    assert_allclose(loss.data, (np.log1p(np.exp(-0.3)) + 1000) / 4)
    loss.backward()
    assert_allclose(x.grad, np.array([0, 1 / (1 + np.exp(-0.3)) - 1, 0, 1]) / 4)
    gradcheck(nn.binary_cross_entropy_with_logits, np.array([-2.0, 0.5]), np.array([0.2, 0.7]))
    with pytest.raises(ValueError, match="probabilities from 0 to 1, and these reach from -1 to 1"):
        nn.binary_cross_entropy_with_logits(x, np.array([-1, 1, 1, 1]))
    with pytest.raises(ValueError, match="one shape"):
        nn.binary_cross_entropy_with_logits(x, np.ones((4, 1)))


def test_cross_entropy_takes_ids_one_hot_and_soft_targets(rng: np.random.Generator) -> None:
    logits, ids = rng.standard_normal((5, 3)), np.array([0, 2, 1, 1, 0])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wanted = -np.log(p[np.arange(5), ids]).mean()
    for target in (ids, ids.tolist(), np.eye(3)[ids], np.eye(3, dtype=int)[ids]):
        x = Tensor(logits)
        loss = nn.cross_entropy(x, target)
        assert_allclose(loss.data, wanted)
        loss.backward()
        assert_allclose(x.grad, (p - np.eye(3)[ids]) / 5)
    soft = rng.dirichlet(np.ones(3), 5)
    assert_allclose(nn.cross_entropy(Tensor(logits), soft).data, -(soft * np.log(p)).sum() / 5)
    gradcheck(nn.cross_entropy, logits, soft)
    gradcheck(lambda x: nn.cross_entropy(x, ids), logits)


def test_cross_entropy_of_one_sample_and_of_many_axes(rng: np.random.Generator) -> None:
    logits = rng.standard_normal((2, 4, 3))
    ids = rng.integers(3, size=(2, 4))
    flat = nn.cross_entropy(Tensor(logits.reshape(8, 3)), ids.ravel())
    assert_allclose(nn.cross_entropy(Tensor(logits), ids).data, flat.data)
    assert_allclose(nn.cross_entropy(Tensor(logits[0, 0]), ids[0, 0]).data, -ag.log_softmax(logits[0, 0])[ids[0, 0]])


def test_an_impossible_class_does_no_harm_where_it_is_not_wanted() -> None:
    for target in ([0], [[1.0, 0.0]]):
        x = Tensor([[2.0, -np.inf]])
        loss = nn.cross_entropy(x, target)
        loss.backward()
        assert loss.item() == 0
        assert_array_equal(x.grad, [[0, 0]])


def test_confident_logits_keep_their_loss() -> None:
    for logit, target in ((40.0, 1.0), (-40.0, 0.0)):
        loss = nn.binary_cross_entropy_with_logits(Tensor([logit]), np.array([target]))
        assert_allclose(loss.data, np.exp(-40), rtol=1e-12)


def test_labels_may_change_after_their_use() -> None:
    x, ids = Tensor([[1.0, 2.0]]), np.array([0])
    loss = nn.cross_entropy(x, ids)
    ids[0] = 1
    loss.backward()
    assert x.grad[0, 0] < 0


def test_cross_entropy_refuses_wrong_targets() -> None:
    for soft in ([[3.0, -5.0]], [[2, 0]]):
        with pytest.raises(ValueError, match="none negative, and 1 in sum"):
            nn.cross_entropy(Tensor([[0.0, 0.0]]), soft)
    with pytest.raises(ValueError, match="a last axis of classes"):
        nn.cross_entropy(Tensor(1.0), 0)
    x = Tensor(np.zeros((3, 2)))
    for ids in ([0, 1, 5], [0, -1, 1]):
        with pytest.raises(IndexError, match="class ids of 2 classes are from 0 to 1, not"):
            nn.cross_entropy(x, ids)
    with pytest.raises(TypeError, match=r"class ids are integers, not float64: use ids\.astype\(int\)"):
        nn.cross_entropy(x, np.zeros(3))
    with pytest.raises(ValueError, match=r"takes class ids of shape \(3,\) or probabilities of shape \(3, 2\), not"):
        nn.cross_entropy(x, np.zeros((3, 1), int))


def test_an_mlp_passes_gradcheck_to_second_order(rng: np.random.Generator) -> None:
    x, y = rng.standard_normal((4, 3)), np.array([0, 1, 1, 0])
    w, b, v = rng.standard_normal((3, 5)), rng.standard_normal(5), rng.standard_normal((5, 2))
    gradcheck(lambda w, b, v: nn.cross_entropy(ag.tanh(x @ w + b) @ v, y), w, b, v)
