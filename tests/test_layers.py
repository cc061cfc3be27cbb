"""Layers: what they compute, what they refuse, their gradients by central differences, and PyTorch's answers."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_mini as ag
from autograd_mini import Tensor, nn
from autograd_mini.testing import gradcheck

# ---- all of them -----------------------------------------------------------------------------------

IMAGE, SIGNAL, BATCH = (2, 4, 6, 6), (3, 4, 9), (5, 4)

# What shape each layer takes, and how to make it of `nn` or `torch.nn`; `drawn` is rng= and dtype=, `typed` is dtype=.
LAYERS: dict[str, tuple[tuple[int, ...], Callable[..., Any]]] = {
    "Linear": (BATCH, lambda nn, drawn, typed: nn.Linear(4, 3, **drawn)),
    "Linear without bias": (BATCH, lambda nn, drawn, typed: nn.Linear(4, 3, False, **drawn)),
    "Conv1d": (SIGNAL, lambda nn, drawn, typed: nn.Conv1d(4, 6, 3, **drawn)),
    "Conv1d in groups": (SIGNAL, lambda nn, drawn, typed: nn.Conv1d(4, 6, 2, 2, 1, 2, 2, False, **drawn)),
    "Conv2d": (IMAGE, lambda nn, drawn, typed: nn.Conv2d(4, 2, (3, 2), padding="same", **drawn)),
    "MaxPool1d": (SIGNAL, lambda nn, drawn, typed: nn.MaxPool1d(2)),
    "MaxPool2d": (IMAGE, lambda nn, drawn, typed: nn.MaxPool2d(3, stride=2)),
    "AvgPool1d": (SIGNAL, lambda nn, drawn, typed: nn.AvgPool1d(3, 1, 1)),
    "AvgPool2d": (IMAGE, lambda nn, drawn, typed: nn.AvgPool2d(3, padding=1, count_include_pad=False)),
    "BatchNorm1d": (BATCH, lambda nn, drawn, typed: nn.BatchNorm1d(4, **typed)),
    "BatchNorm1d of signals": (SIGNAL, lambda nn, drawn, typed: nn.BatchNorm1d(4, momentum=0.3, **typed)),
    "BatchNorm2d": (IMAGE, lambda nn, drawn, typed: nn.BatchNorm2d(4, 0.1, **typed)),
    "BatchNorm2d, not affine": (IMAGE, lambda nn, drawn, typed: nn.BatchNorm2d(4, affine=False, **typed)),
    "LayerNorm": (SIGNAL, lambda nn, drawn, typed: nn.LayerNorm(9, **typed)),
    "LayerNorm of two axes": (SIGNAL, lambda nn, drawn, typed: nn.LayerNorm((4, 9), bias=False, **typed)),
    "LayerNorm, not affine": (BATCH, lambda nn, drawn, typed: nn.LayerNorm(4, elementwise_affine=False, **typed)),
    "Flatten": (IMAGE, lambda nn, drawn, typed: nn.Flatten()),
    "Flatten from the last but one": (IMAGE, lambda nn, drawn, typed: nn.Flatten(-2)),
    "Tanh": (BATCH, lambda nn, drawn, typed: nn.Tanh()),
    "Sigmoid": (BATCH, lambda nn, drawn, typed: nn.Sigmoid()),
    "ReLU": (BATCH, lambda nn, drawn, typed: nn.ReLU()),
    "LeakyReLU": (BATCH, lambda nn, drawn, typed: nn.LeakyReLU(0.3)),
    "ELU": (BATCH, lambda nn, drawn, typed: nn.ELU(0.7)),
    "SELU": (BATCH, lambda nn, drawn, typed: nn.SELU()),
    "GELU": (BATCH, lambda nn, drawn, typed: nn.GELU()),
    "GELU, nearly": (BATCH, lambda nn, drawn, typed: nn.GELU(approximate="tanh")),
    "SiLU": (BATCH, lambda nn, drawn, typed: nn.SiLU()),
    "Softplus": (BATCH, lambda nn, drawn, typed: nn.Softplus()),
    "Softsign": (BATCH, lambda nn, drawn, typed: nn.Softsign()),
    "Hardtanh": (BATCH, lambda nn, drawn, typed: nn.Hardtanh(-0.5, 0.7)),
    "LogSigmoid": (BATCH, lambda nn, drawn, typed: nn.LogSigmoid()),
    "Softmax": (BATCH, lambda nn, drawn, typed: nn.Softmax(-1)),
    "LogSoftmax": (BATCH, lambda nn, drawn, typed: nn.LogSoftmax(0)),
    "a stack": (IMAGE, lambda nn, drawn, typed: nn.Sequential(
        nn.Conv2d(4, 2, 3, padding=1, **drawn), nn.BatchNorm2d(2, **typed), nn.GELU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(18, 3, **drawn), nn.LayerNorm(3, **typed), nn.Tanh(),
    )),
}  # fmt: skip
OWN: dict[str, tuple[tuple[int, ...], Callable[..., Any]]] = {
    "MLP": (BATCH, lambda nn, drawn, typed: nn.MLP([4, 5, 3], "gelu", "sigmoid", norm="batch", **drawn)),
    "Residual": (BATCH, lambda nn, drawn, typed: nn.Residual(nn.MLP([4, 5, 4], **drawn))),
}
EVERY = pytest.mark.parametrize("name", LAYERS | OWN)


def new(name: str, seed: Any = 0, dtype: Any = np.float64) -> nn.Module:
    return (LAYERS | OWN)[name][1](nn, {"rng": seed, "dtype": dtype}, {"dtype": dtype})


def made(name: str) -> tuple[nn.Module, np.ndarray]:
    """A layer with parameters that are all different, and an input for it."""
    layer, rng = new(name), np.random.default_rng(1)
    for tensor in layer.parameters():
        tensor.data = tensor.data + 0.5 * rng.standard_normal(tensor.shape)
    return layer, rng.standard_normal((LAYERS | OWN)[name][0])


def of_parameters(layer: nn.Module) -> Callable[..., Any]:
    """The layer as a function of its input and its parameters."""

    def f(x: Any, *parameters: Any) -> Any:
        twin = copy.deepcopy(layer)
        for path, tensor in zip([path for path, _ in layer.named_parameters()], parameters, strict=True):
            holder: Any = twin
            *way, last = path.split(".")
            for step in way:
                holder = holder[int(step)] if step.isdigit() else getattr(holder, step)
            setattr(holder, last, tensor)
        return twin(x)

    return f


@EVERY
def test_gradients_of_input_and_parameters_to_second_order(name: str) -> None:
    layer, x = made(name)
    parameters = [tensor.data for tensor in layer.parameters()]
    gradcheck(of_parameters(layer), x, *parameters)
    if dict(layer.named_buffers()):
        layer(x)
        gradcheck(of_parameters(layer.eval()), x, *parameters)


@EVERY
def test_arrays_and_tensors_give_the_same_and_halves_stay_halves(name: str) -> None:
    layer, x = made(name)
    y = layer.eval()(Tensor(x))
    assert_array_equal(np.asarray(ag.stop_gradient(layer(x))), y.data)
    for dtype in (np.float32, np.float16):
        low = new(name, dtype=dtype).eval()
        low.load_state_dict(layer.state_dict())
        z = low(Tensor(x.astype(dtype)))
        assert z.dtype == dtype
        assert_allclose(z.data, y.data, rtol=0.1, atol=0.05 if dtype is np.float16 else 1e-4)


@EVERY
def test_layers_can_be_copied_pickled_and_restored(name: str) -> None:
    layer, x = made(name)
    layer(x)  # statistics that are not those of a new one
    fresh = new(name, 5)
    fresh.load_state_dict(layer.state_dict())
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), fresh):
        assert repr(twin) == repr(layer)
        assert_array_equal(twin.eval()(Tensor(x)).data, layer.eval()(Tensor(x)).data)


@EVERY
def test_the_same_seed_gives_the_same_layer(name: str) -> None:
    one, same, other = (new(name, np.random.default_rng(seed)).state_dict() for seed in (3, 3, 4))
    for path, value in one.items():
        assert_array_equal(value, same[path])
    drawn = {path for path, value in one.items() if not np.array_equal(value, other[path])}
    assert drawn == {path for path, value in one.items() if path.endswith("weight") and value.ndim > 1 and value.std()}


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_equals_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    layer, x = made(name)
    theirs = LAYERS[name][1](torch.nn, {}, {}).double()
    linear = {path for path, m in theirs.named_modules() if isinstance(m, torch.nn.Linear)}

    def turned(path: str, value: np.ndarray) -> np.ndarray:
        return value.T if path.endswith("weight") and path.rpartition(".")[0] in linear else value

    state = {path.removeprefix("layers."): value for path, value in layer.state_dict().items()}
    theirs.load_state_dict({path: torch.tensor(turned(path, value)) for path, value in state.items()}, strict=False)
    for mode in (True, True, False):
        layer.train(mode), theirs.train(mode)
        ours, t = Tensor(x), torch.tensor(x, requires_grad=True)
        y, z = layer(ours), theirs(t)
        ct = np.random.default_rng(1).standard_normal(y.shape)
        layer.zero_grad(), theirs.zero_grad()
        y.backward(ct)
        z.backward(torch.tensor(ct))
        assert_allclose(y.data, z.detach().numpy(), rtol=1e-10, atol=1e-11)
        assert_allclose(ours.grad, t.grad.numpy(), rtol=1e-9, atol=1e-10)
        gradients = dict(theirs.named_parameters())
        for path, tensor in layer.named_parameters():
            path = path.removeprefix("layers.")
            assert_allclose(turned(path, tensor.grad), gradients[path].grad.numpy(), rtol=1e-9, atol=1e-10)
        buffers = dict(theirs.named_buffers())
        for path, value in layer.named_buffers():
            assert_allclose(value, buffers[path.removeprefix("layers.")].numpy(), rtol=1e-12, atol=1e-13)


# ---- linear layers and convolutions ----------------------------------------------------------------


def test_an_initialiser_says_where_a_layer_starts() -> None:
    fill = partial(nn.init.constant, value=0.5)
    for layer in (nn.Linear(2, 3, init=fill), nn.Conv1d(2, 3, 2, init=fill), nn.Embedding(2, 3, init=fill)):
        assert_array_equal(layer.weight.data, np.full(layer.weight.shape, 0.5))
    with pytest.raises(ValueError, match=r"asked for values of shape \(2, 3\), and gave \(3, 2\)"):
        nn.Linear(2, 3, init=lambda shape, rng: np.ones((3, 2)))
    assert nn.Conv2d(2, 3, 2, dtype="float32").weight.dtype == np.float32


def test_a_convolution_says_what_it_is() -> None:
    assert repr(nn.Conv2d(4, 8, 3)) == "Conv2d(4, 8, (3, 3)) · 296 parameters"
    layer = nn.Conv1d(4, 8, 3, stride=2, padding="valid", groups=2, bias=False)
    assert repr(layer) == "Conv1d(4, 8, (3,), stride=2, padding='valid', groups=2, bias=False) · 48 parameters"


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "in_channels is a multiple of groups=2, not 3"),
    (lambda: nn.Conv2d(4, 3, 3, groups=2), ValueError, "out_channels is a multiple of groups=2, not 3"),
    (lambda: nn.Conv2d(4, 3, 3, groups=0), ValueError, "groups is the length of an axis and at least 1, not 0"),
    (lambda: nn.Conv2d(4, 3, (3,)), ValueError, "kernel_size is an integer, or a tuple of 2 such, not (3,)"),
    (lambda: nn.Conv2d(4, 3, 0), ValueError, "kernel_size is the length of an axis and at least 1, not 0"),
    (lambda: nn.Conv2d(4, 3, 3)(np.ones((2, 5, 9, 9))), ValueError, "second is 5 / 1, not a weight (3, 4, 3, 3)"),
    (lambda: nn.Embedding(0, 3), ValueError, "num_embeddings is the length of an axis and at least 1, not 0"),
    (lambda: nn.Embedding(4, 3)([4]), IndexError, "ids of 4 classes are from 0 to 3"),
    (lambda: nn.Dropout(1.5), ValueError, "p is a probability from 0 to 1, not 1.5"),
    (lambda: nn.Flatten(3)(np.ones((2, 3))), ValueError, "Flatten(3) takes arrays with an axis 3, not (2, 3)"),
    (lambda: nn.Residual(ag.tanh), TypeError, "Residual takes a module, not function"),
    (
        lambda: nn.Residual(nn.Linear(4, 1))(np.ones((3, 4))),
        ValueError,
        "the block of a Residual gives the shape that it takes, (3, 4), not (3, 1)",
    ),
    (lambda: nn.Function(ag.tanh), TypeError, "class Name(nn.Function, of=function): ..."),
    (lambda: nn.MaxPool2d(), TypeError, "MaxPool2d takes (kernel_size"),
    (lambda: nn.ReLU(0.1), TypeError, "ReLU takes (): too many positional arguments"),
    (lambda: nn.LeakyReLU(alpha=0.1), TypeError, "got an unexpected keyword argument 'alpha'"),
    (lambda: nn.MLP([2, 3, 1], ag.tanh), TypeError, "activation is a name, or makes a module when it is called, as nn"),
    (lambda: nn.MLP([2, 1], "tanh", nn.GELU()), TypeError, "output_activation is a name, or makes a module"),
    (lambda: nn.BatchNorm1d(4)(np.ones((2, 5))), ValueError, "shape (batch, 4) or (batch, 4, length), not (2, 5)"),
    (lambda: nn.BatchNorm1d(4)(np.ones(4)), ValueError, "BatchNorm1d(4) takes arrays of shape"),
    (lambda: nn.BatchNorm1d(4)(np.ones((2, 4, 3, 3))), ValueError, "BatchNorm1d(4) takes arrays of shape"),
    (lambda: nn.BatchNorm2d(4)(np.ones((2, 4, 3))), ValueError, "(batch, 4, height, width), not (2, 4, 3)"),
    (lambda: nn.BatchNorm1d(0), ValueError, "num_features is the length of an axis and at least 1, not 0"),
    (lambda: nn.BatchNorm1d(4, momentum=2), ValueError, "from 0 to 1, not 2"),
    (lambda: nn.BatchNorm1d(4, eps=0), ValueError, "must be positive in float32, not 0"),
    (lambda: nn.LayerNorm(4, eps=1e-60), ValueError, "must be positive in float32, not 1e-60"),
    (lambda: nn.LayerNorm(()), ValueError, "normalized_shape names at least one axis"),
    (lambda: nn.LayerNorm((3, 4))(np.ones((4, 3))), ValueError, "of shape (..., 3, 4), not (4, 3)"),
    (lambda: nn.LayerNorm(4)(np.ones(())), ValueError, "of shape (..., 4), not ()"),
    (lambda: nn.BatchNorm1d(4, dtype=int), ValueError, "weights are float16, float32 or float64, not int64"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_what_does_not_fit_is_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()


def test_embedding() -> None:
    layer = nn.Embedding(4, 2, rng=0)
    assert repr(layer) == "Embedding(4, 2) · 8 parameters"
    y = layer([[0, 3], [3, 3]])
    assert y.shape == (2, 2, 2)
    y.sum().backward()
    assert_array_equal(layer.weight.grad, [[1, 1], [0, 0], [0, 0], [3, 3]])


# ---- functions as modules --------------------------------------------------------------------------


def test_every_activation_and_pooling_is_a_module() -> None:
    plain = {"erf", "erfc"}  # of mathematics, not of neurons
    functions = {kind.function for kind in map(nn.__dict__.get, nn.functions.__all__) if kind is not nn.Function}
    for name in {*ag.ops.activations.__all__} - plain | {"tanh", "sigmoid", "softmax", "log_softmax"}:
        assert getattr(ag, name) in functions, name
    for name in ag.ops.convolution.__all__:
        assert getattr(ag, name) in functions or "pool" not in name, name


def test_settings_are_attributes_with_the_names_of_arguments() -> None:
    pool = nn.MaxPool2d(2, padding=1)
    assert (pool.kernel_size, pool.stride, pool.padding) == (2, None, 1)
    assert repr(pool) == "MaxPool2d(2, None, 1)"
    slope = nn.LeakyReLU()
    slope.slope = 0.5
    assert slope(np.array([-1.0]))[0] == -0.5
    assert list(inspect.signature(nn.GELU).parameters) == ["approximate"]
    assert "largest entry" in nn.MaxPool2d.__doc__


def test_a_function_of_ones_own_is_a_module() -> None:
    class Scaled(nn.Function, of=lambda x, by, offset=0: by * x + offset): ...

    class Doubled(Scaled):
        def __init__(self) -> None:
            super().__init__(2)

    assert_array_equal(Scaled(3, offset=1)(np.ones(2)), [4, 4])
    assert_array_equal(Doubled()(np.ones(2)), [2, 2])
    assert repr(nn.Sequential(Scaled(3))) == "Sequential()\n  layers.0: Scaled(3, 0)"


# ---- dropout ---------------------------------------------------------------------------------------


def test_dropout_is_the_identity_in_eval_and_draws_in_training() -> None:
    layer, x = nn.Dropout(0.25, rng=0), Tensor(np.ones(10_000))
    y = layer(x)
    assert set(y.data) == {0, 1 / 0.75}
    assert y.data.mean() == pytest.approx(1, abs=4 * np.sqrt(1 / 3 / 10_000))
    assert not np.array_equal(layer(x).data, y.data)
    before = layer.rng.bit_generator.state
    assert layer.eval()(x) is x
    assert layer.rng.bit_generator.state == before
    assert repr(layer) == "Dropout(0.25)"


def test_the_state_of_a_generator_resumes_dropout() -> None:
    layer, x = nn.Dropout(rng=0), np.ones(50)
    layer(x)
    state = layer.rng.bit_generator.state
    y = layer(x)
    other = nn.Dropout(rng=7)
    other.rng.bit_generator.state = state
    assert_array_equal(other(x), y)


def test_a_generator_may_be_shared() -> None:
    rng = np.random.default_rng(0)
    model = nn.MLP([2, 3, 3, 1], dropout=0.5, rng=rng)
    assert [layer.rng is rng for layer in model if isinstance(layer, nn.Dropout)] == [True, True]
    x = np.ones((4, 2))
    first = nn.MLP([2, 3, 3, 1], dropout=0.5, rng=1)(x)
    assert_array_equal(first.data, nn.MLP([2, 3, 3, 1], dropout=0.5, rng=1)(x).data)


# ---- normalisation ---------------------------------------------------------------------------------


def test_batch_norm_normalises_and_remembers(rng: np.random.Generator) -> None:
    layer = nn.BatchNorm2d(3, momentum=0.5)
    x = rng.normal(5, 2, (4, 3, 6, 6))
    y = layer(x).data
    assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-12)
    assert_allclose(y.var((0, 2, 3)), 1, rtol=1e-5)
    assert_allclose(layer.running_mean, 0.5 * x.mean((0, 2, 3)))
    assert_allclose(layer.running_var, 0.5 + 0.5 * x.var((0, 2, 3), ddof=1))
    layer.eval()
    z = layer(x[:1]).data  # one sample is enough now
    mean, var = (a.reshape(3, 1, 1) for a in (layer.running_mean, layer.running_var))
    assert_allclose(z, (x[:1] - mean) / np.sqrt(var + 1e-5))
    assert_allclose(layer.running_mean, mean.ravel())


def test_running_statistics_travel_and_are_no_parameters() -> None:
    layer = nn.BatchNorm1d(2)
    assert [path for path, _ in layer.named_parameters()] == ["weight", "bias"]
    assert [path for path, _ in layer.named_buffers()] == ["running_mean", "running_var"]
    assert repr(layer) == "BatchNorm1d(2) · 4 parameters"
    assert repr(nn.BatchNorm1d(2, affine=False)) == "BatchNorm1d(2, affine=False)"
    assert repr(nn.LayerNorm(2, elementwise_affine=False)) == "LayerNorm(2, elementwise_affine=False)"
    assert repr(nn.LayerNorm((2, 3), bias=False)) == "LayerNorm((2, 3), bias=False) · 6 parameters"


def test_a_graph_of_eval_survives_training_in_between() -> None:
    layer = nn.BatchNorm1d(1).eval()
    x = Tensor([[1.0], [2.0]])
    y = layer(x)
    layer.train()(np.array([[10.0], [30.0]]))
    y.sum().backward()
    assert_allclose(x.grad, np.sqrt(1 / (1 + 1e-5)))


def test_normalisation_of_large_numbers_and_halves(rng: np.random.Generator) -> None:
    z = rng.standard_normal((64, 8))
    far = 1e6 + z  # of whose squares nothing would be left
    for layer, axis in ((nn.BatchNorm1d(8), 0), (nn.LayerNorm(8), 1)):
        centred = far - far.mean(axis, keepdims=True)
        assert_allclose(layer(far).data, centred / np.sqrt((centred**2).mean(axis, keepdims=True) + 1e-5), rtol=1e-9)
        wide = (1000 * z).astype(np.float16)  # whose squares are not in half precision
        low = type(layer)(8, dtype=np.float16)(wide)
        assert_allclose(low.data, layer(wide.astype(np.float64)).data, rtol=2e-3, atol=1e-3)


# ---- containers ------------------------------------------------------------------------------------


def test_a_slice_of_a_sequence_is_one() -> None:
    model = nn.MLP([2, 3, 1], rng=0)
    part = model[:2]
    assert isinstance(part, nn.Sequential)
    assert part[0] is model[0]
    assert len(part) == 2


def test_mlp_with_everything() -> None:
    model = nn.MLP([4, 5, 6, 3], "leaky_relu", nn.Sigmoid, dropout=0.1, norm="layer", init="kaiming_normal", rng=0)
    names = ["Linear", "LayerNorm", "LeakyReLU", "Dropout"] * 2 + ["Linear", "Sigmoid"]
    assert [type(layer).__name__ for layer in model] == names
    own = nn.MLP(
        [4, 5, 3],
        lambda: nn.LeakyReLU(0.2),
        norm=nn.BatchNorm1d,
        init=partial(nn.init.constant, value=1),
        dtype="float32",
    )
    assert repr(own[2]) == "LeakyReLU(0.2)"
    assert {p.dtype for p in own.parameters()} == {np.dtype(np.float32)}
    assert own(np.ones((2, 4), np.float32)).dtype == np.float32
    assert_array_equal(own[0].weight.data, 1)
    assert [type(layer).__name__ for layer in nn.MLP([4, 3], "relu", "softmax")] == ["Linear", "Softmax"]
    for arguments, message in (
        ({"norm": "group"}, "norm is one of batch, layer, not 'group'"),
        ({"init": "he"}, "init is one of .*kaiming_normal.*, not 'he'"),
        ({"output_activation": "step"}, "output_activation is one of tanh, .*, not 'step'"),
    ):
        with pytest.raises(ValueError, match=message):
            nn.MLP([4, 5, 3], **arguments)


def test_residual() -> None:
    block = nn.Residual(nn.Linear(3, 3, rng=0))
    x = np.arange(6.0).reshape(2, 3)
    assert_allclose(block(x).data, x + block.block(x).data)
    assert [path for path, _ in block.named_parameters()] == ["block.weight", "block.bias"]
