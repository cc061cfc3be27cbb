"""The command line, as a user starts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from safetensors import safe_open

import autograd_mini as ag
from autograd_mini.__main__ import Report, digits, main


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograd_mini", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_it_learns_the_digits_and_writes_the_three_files(tmp_path: Path) -> None:
    done = run("--out", tmp_path / "deep" / "out")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("1,347 images to learn from, 450 held out")
    epochs = [line.split() for line in lines if line.startswith("epoch")]
    assert [int(words[1]) for words in epochs] == list(range(1, 31))
    assert float(epochs[-1][-1].rstrip("%")) >= 96
    assert "samples/s" in done.stderr  # the bar
    out = tmp_path / "deep" / "out"
    assert str(out / "graph.svg") in lines[-1]
    assert {path.name for path in out.iterdir()} == {"graph.svg", "curves.png", "model.safetensors"}
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")

    svg = ET.parse(out / "graph.svg").getroot()
    text = " ".join(filter(None, svg.itertext()))
    for word in ("matmul", "tanh", "log_softmax", "nll", "weight", "images", "labels", "∇", "64×50", "32×10"):
        assert word in text

    saved = ag.load(out / "model.safetensors")
    assert saved.meta == {"input": "pixels / 16"}
    assert saved.history.epochs == 30
    *_, x, y = digits(0)
    right = np.mean(ag.train.predict(saved.model, x).argmax(axis=1) == y)
    assert right == pytest.approx(float(epochs[-1][-1].rstrip("%")) / 100, abs=1e-4)


def test_nine_of_ten_other_seeds_reach_96_percent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reached = 0
    for seed in range(1, 11):
        main(["--seed", str(seed), "--out", str(tmp_path)])
        last = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch")][-1]
        reached += float(last.split()[-1].rstrip("%")) >= 96
    assert reached >= 9


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    for name in ("a", "b"):
        main(
            [
                "--epochs",
                "1",
                "--hidden",
                "8",
                "6",
                "--batch-size",
                "100",
                "--lr",
                "0.05",
                "--out",
                str(tmp_path / name),
            ]
        )
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b")]
    assert files[0] == files[1]
    with safe_open(tmp_path / "a" / "model.safetensors", "numpy") as file:
        assert file.get_tensor("layers.2.weight").shape == (8, 6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "argument --epochs: takes a whole number from 1 to 1000000, not '0'"),
        (["--epochs", "many"], "argument --epochs: takes a whole number from 1 to 1000000, not 'many'"),
        (["--seed", "-1"], "argument --seed: takes a whole number from 0 to 4294967295, not '-1'"),
        (["--batch-size", "2.5"], "argument --batch-size: takes a whole number from 1 to 1000000, not '2.5'"),
        (["--seed", "99999999999"], "argument --seed: takes a whole number from 0 to 4294967295, not"),
        (["--lr", "0"], "argument --lr: takes a positive number, not '0'"),
        (["--lr", "fast"], "argument --lr: takes a positive number, not 'fast'"),
        (["--lr", "nan"], "argument --lr: takes a positive number, not 'nan'"),
        (["--hidden", "50", "x"], "argument --hidden: takes a whole number from 1 to 1000000, not 'x'"),
        (["--speed", "9"], "unrecognized arguments: --speed 9"),
        (["--out", __file__], "File exists"),
        (["--lr", "1e308", "--epochs", "3", "--out", "OUT"], "the loss is .* try a smaller --lr than 1e\\+308"),
    ],
)
def test_a_bad_value_gives_one_line_and_code_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main([argument.replace("OUT", str(tmp_path)) for argument in arguments])
    assert left.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("python -m autograd_mini: ")
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(said)


def test_ctrl_c_ends_it_with_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Report, "after_epoch", interrupted)
    with pytest.raises(SystemExit) as left:
        main(["--epochs", "2", "--out", str(tmp_path)])
    assert left.value.code == 130
    assert "stopped; nothing was written" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_bad_value_shows_no_traceback() -> None:
    done = run("--lr", "-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "python -m autograd_mini: argument --lr: takes a positive number, not '-1'\n"


def test_a_missing_package_is_named_with_the_pip_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path)])
    assert 'tqdm is missing: pip install "autograd_mini[svg,train]"' in capsys.readouterr().err


def test_the_core_imports_numpy_and_nothing_else() -> None:
    known = "numpy", "autograd_mini", "_", "__main__"
    script = (
        "import sys; before = set(sys.modules); import autograd_mini; std = sys.stdlib_module_names; "
        "print(*{m.split('.')[0] for m in set(sys.modules) - before} - set(std))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode:  # not installed, but run from its checkout
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    others = {name for name in done.stdout.split() if not name.startswith(known)}
    assert not others


def test_numbers_are_repeatable() -> None:
    x, y, x_held, y_held = digits(3)
    assert (len(x), len(x_held)) == (1347, 450)
    assert x.min() == 0
    assert x.max() == 1
    assert np.bincount(y_held).min() >= 43  # stratified
    assert np.array_equal(digits(3)[3], y_held)
    assert len(y) == 1347
