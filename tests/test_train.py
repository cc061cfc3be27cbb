"""Training: batches, the loop, its history, and what stops it."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_mini as ag
from autograd_mini import nn, optim
from autograd_mini.nn import cross_entropy, mse_loss
from autograd_mini.train import (
    Callback,
    Checkpoint,
    EarlyStopping,
    History,
    Training,
    TrainingError,
    batches,
    fit,
    predict,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
CLASSES = (X @ [1.0, -2.0, 0.5] > 0).astype(int)
Y = X @ [[1.0], [-2.0], [0.5]]


def regression(lr: float = 0.05) -> tuple[nn.Module, optim.Optimizer]:
    model = nn.MLP([3, 8, 1], rng=0)
    return model, optim.SGD(model.parameters(), lr=lr, momentum=0.9)


def trained(epochs: int = 3, **options: Any) -> tuple[nn.Module, History]:
    model, optimizer = regression()
    options = {"seed": 0, "progress": False, **options}
    return model, fit(model, mse_loss, optimizer, X, Y, epochs=epochs, **options)


# -- batches -------------------------------------------------------------------------------------------


@given(st.integers(1, 20), st.integers(1, 25), st.booleans(), st.booleans())
def test_batches_give_every_row_once(n: int, size: int, shuffle: bool, drop_last: bool) -> None:
    x = np.arange(n)
    found = list(batches(x, -x, size, shuffle, 1, drop_last))
    assert all(np.array_equal(xs, -ys) for xs, ys in found)
    lengths = [len(xs) for xs, _ in found]
    assert set(lengths[:-1]) <= {size}
    assert len(found) == (n // size if drop_last else math.ceil(n / size))
    rows = np.concatenate([xs for xs, _ in found]) if found else np.array([])
    if not drop_last:
        np.testing.assert_array_equal(np.sort(rows), x)
        assert shuffle or np.array_equal(rows, x)
    assert len(set(rows.tolist())) == len(rows)


def test_the_seed_decides_the_order() -> None:
    x = np.arange(50)
    orders = [np.concatenate([xs for xs, _ in batches(x, x, 7, seed=seed)]) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])


def test_batches_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="these have 3 and 4"):
        batches(X[:3], Y[:4])
    with pytest.raises(ValueError, match="not one sample"):
        batches(X[:0], Y[:0])
    with pytest.raises(ValueError, match="batch_size=0"):
        batches(X, Y, 0)


# -- the loop ------------------------------------------------------------------------------------------


def test_it_is_the_loop_that_one_would_write() -> None:
    model, history = trained(epochs=2, batch_size=16)
    own, optimizer = regression()
    for epoch in (1, 2):
        total = 0.0
        for xs, ys in batches(X, Y, 16, seed=(0, epoch)):
            loss = mse_loss(own(xs), ys)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xs)
        assert history["loss"][epoch - 1] == total / len(X)
    for a, b in zip(model.parameters(), own.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_what_is_measured() -> None:
    from sklearn.metrics import accuracy_score

    model = nn.MLP([3, 8, 2], rng=0)
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    history = fit(
        model,
        cross_entropy,
        optimizer,
        X[:40],
        CLASSES[:40],
        epochs=20,
        validation=(X[40:], CLASSES[40:]),
        metrics=["accuracy"],
        seed=0,
        progress=False,
    )
    assert list(history) == ["loss", "lr", "accuracy", "validation_loss", "validation_accuracy"]
    assert all(len(series) == 20 for series in history.values())
    output = predict(model, X[40:])
    assert isinstance(output, np.ndarray)
    assert history["validation_accuracy"][-1] == accuracy_score(CLASSES[40:], output.argmax(axis=1)) >= 0.9
    assert history["validation_loss"][-1] == pytest.approx(float(cross_entropy(output, CLASSES[40:])))
    assert history["loss"][-1] < history["loss"][0] / 3

    _, own = trained(metrics={"largest error": lambda y, output: abs(y - output).max()}, validation=(X, Y))
    assert own["validation_largest error"][-1] < own["validation_largest error"][0]
    with pytest.raises(ValueError, match="no metric 'acuracy'"):
        trained(metrics=["acuracy"])
    with pytest.raises(TypeError, match=r"metrics=\['accuracy'\]"):
        trained(metrics="accuracy")


class Seen(nn.Module):
    """Remembers in which mode it ran."""

    def __init__(self) -> None:
        self.inner, self.modes = nn.Linear(3, 1, rng=0), []

    def forward(self, x: Any) -> Any:
        self.modes.append(self.training)
        return self.inner(x)


def test_modes() -> None:
    model = Seen()
    fit(
        model,
        mse_loss,
        optim.SGD(model.parameters(), lr=0.01),
        X,
        Y,
        epochs=2,
        batch_size=60,
        validation=(X, Y),
        progress=False,
    )
    assert model.modes == [True, False, True, False]
    assert not model.training
    model.inner.train()
    predict(model, X, batch_size=25)
    assert model.modes[4:] == [False] * 3
    assert model.inner.training
    assert not model.training


def test_a_large_gradient_is_clipped() -> None:
    model, optimizer = regression(lr=1.0)
    before = [p.data.copy() for p in model.parameters()]
    fit(model, mse_loss, optimizer, X, 1e6 * Y, epochs=1, batch_size=60, clip=0.5, progress=False)
    moved = sum(np.sum((p.data - x) ** 2) for p, x in zip(model.parameters(), before, strict=True))
    assert math.sqrt(moved) == pytest.approx(0.5)


def test_the_norm_of_the_gradients_is_measured_before_it_is_clipped() -> None:
    model, optimizer = regression()
    mse_loss(model(X), Y).backward()
    norm = math.sqrt(sum(np.sum(p.grad**2) for p in model.parameters()))
    for clip in (norm / 2, math.inf):
        model, optimizer = regression()
        history = fit(model, mse_loss, optimizer, X, Y, epochs=1, batch_size=60, clip=clip, seed=0, progress=False)
        assert history["gradient_norm"] == pytest.approx([norm])


def test_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    trained(progress=False)
    assert capsys.readouterr() == ("", "")
    trained(progress=True, metrics=["r2"], validation=(X, Y))
    out, err = capsys.readouterr()
    assert out == ""
    for word in ("180/180", "samples/s", "loss=", "lr=", "r2=", "validation_r2="):
        assert word in err


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ModuleNotFoundError, match=r'tqdm is missing: pip install "autograd_mini\[train\]"'):
        trained()


# -- what stops it -------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_stops() -> None:
    model, optimizer = regression()
    x = X.copy()
    x[17, 1] = np.nan
    with pytest.raises(TrainingError, match=r"nan in epoch 1, batch \d; .*gradient is not finite is layers.0.weight"):
        fit(model, mse_loss, optimizer, x, Y, epochs=2, batch_size=8, seed=0, progress=False)
    assert all(np.isfinite(p.data).all() for p in model.parameters())


def test_a_training_that_explodes_stops() -> None:
    model, optimizer = regression(lr=1e6)
    with pytest.raises(TrainingError, match="the loss is (inf|nan) in epoch") as caught:
        fit(model, mse_loss, optimizer, X, Y, epochs=100, seed=0, progress=False)
    assert caught.value.history.epochs < 100


class Interrupt(Callback):
    def after_epoch(self, training: Training) -> None:
        if training.history.epochs == 2:
            raise KeyboardInterrupt


def test_ctrl_c_keeps_what_was_learned() -> None:
    model, history = trained(epochs=10, callbacks=[Interrupt()])
    assert history.epochs == 2
    assert history.stopped == "interrupted"
    other, _ = trained(epochs=2)
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


class Scripted(Callback):
    """Puts numbers of its own into the history, as if they had been measured; remembers the weights."""

    def __init__(self, losses: list[float]) -> None:
        self.losses, self.weights = losses, []

    def after_epoch(self, training: Training) -> None:
        training.history._series["loss"][-1] = self.losses[training.history.epochs - 1]
        self.weights.append(training.model.state_dict())


@pytest.mark.parametrize(
    ("losses", "options", "epochs", "best"),
    [
        ([5, 4, 3, 2, 1], {"patience": 2}, 5, 5),
        ([5, 1, 2, 3, 0], {"patience": 2}, 4, 2),
        ([5, 1, 2, 0.5, 3], {"patience": 2}, 5, 4),
        ([5, 4.5, 4.2, 1, 1], {"patience": 2, "min_delta": 1.0}, 3, 1),
        ([1, 2, 3, 0, 0], {"patience": 3, "mode": "max"}, 5, 3),
        ([5, 1, 2, 3, 0], {"patience": 2, "restore": False}, 4, 4),
        ([np.nan, 1, 2, np.nan, 0], {"patience": 2}, 4, 2),
    ],
)
def test_early_stopping(losses: list[float], options: dict[str, Any], epochs: int, best: int) -> None:
    script = Scripted(losses)
    model, history = trained(epochs=5, callbacks=[script, EarlyStopping(monitor="loss", **options)])
    assert history.epochs == epochs
    assert (history.stopped is None) == (epochs == 5)
    for path, array in model.state_dict().items():
        np.testing.assert_array_equal(array, script.weights[best - 1][path])


def test_early_stopping_says_what_it_needs() -> None:
    with pytest.raises(ValueError, match=r"watches 'validation_loss', and the history has only loss, lr: pass valid"):
        trained(callbacks=[EarlyStopping()])
    for options in ({"patience": 0}, {"mode": "least"}, {"min_delta": -1}):
        with pytest.raises(ValueError, match=str(next(iter(options)))):
            EarlyStopping(**options)


def test_how_often_is_a_number_or_a_name() -> None:
    with pytest.raises(ValueError, match="every so many epochs, at least 1, not 0"):
        Checkpoint("m", every=0)
    with pytest.raises(ValueError, match="0 or more, not -1"):
        trained(epochs=-1)
    with pytest.raises(ValueError, match="'epoch' or, unless it watches a loss, 'batch', not 'step'"):
        trained(schedule_every="step")


def test_a_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"

    def made() -> tuple[nn.Module, optim.Optimizer, Any]:
        model = nn.MLP([3, 8, 1], rng=0, dropout=0.3)
        optimizer = optim.Adam(model.parameters(), lr=0.05, weight_decay=0.01)
        return model, optimizer, optim.ExponentialLR(optimizer, 0.8)

    def on(model: nn.Module, optimizer: optim.Optimizer, schedule: Any, epochs: int, **options: Any) -> History:
        return fit(
            model, mse_loss, optimizer, X, Y, epochs=epochs, schedule=schedule, seed=3, progress=False, **options
        )

    whole, optimizer, schedule = made()
    expected = on(whole, optimizer, schedule, 6)
    half, optimizer, schedule = made()
    on(half, optimizer, schedule, 4, callbacks=[Checkpoint(path, every=2)])
    other, optimizer, schedule = made()
    saved = ag.load(path, other, optimizer=optimizer, schedule=schedule)
    assert saved.history.epochs == 4
    history = on(other, optimizer, schedule, 6, history=saved.history)
    assert history.to_dict() == expected.to_dict()
    for a, b in zip(other.parameters(), whole.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


# -- the history ---------------------------------------------------------------------------------------


def test_a_history_is_plotted(tmp_path: Path) -> None:
    _, history = trained(validation=(X, Y), metrics=["r2"])
    figure = history.plot()
    assert [axes.get_title() for axes in figure.axes] == ["loss", "r2"]
    loss = figure.axes[0]
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), history["loss"])
    np.testing.assert_array_equal(loss.lines[1].get_ydata(), history["validation_loss"])
    figure.savefig(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    History().plot()


def test_a_history_holds_one_number_an_epoch() -> None:
    history = History({"loss": [2, 1]})
    assert history.epochs == 2
    assert History(history.to_dict()).to_dict() == {"loss": [2.0, 1.0]}
    assert repr(history) == "<History of 2 epochs: loss 1>"
    with pytest.raises(ValueError, match="this history has loss, and this epoch cost"):
        history.append({"cost": 1.0})
    with pytest.raises(ValueError, match="one number an epoch"):
        History({"loss": [1.0], "lr": []})
