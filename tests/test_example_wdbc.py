"""The example of the tumours in a CSV: its commands, its files, and what it refuses."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_mini as ag

from . import examples


@pytest.fixture(scope="module")
def wdbc() -> ModuleType:
    return examples.load("wdbc")


@pytest.fixture
def published(wdbc: ModuleType, tmp_path: Path) -> list[list[str]]:
    """The rows of the CSV that `fetch` writes, as lists of strings."""
    wdbc.main(["fetch", "--out", str(tmp_path)])
    with (tmp_path / "wdbc.csv").open(newline="") as file:
        return list(csv.reader(file))


def refused(wdbc: ModuleType, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said with exit code 2."""
    with pytest.raises(SystemExit) as left:
        wdbc.main(list(arguments))
    assert left.value.code == 2
    return capsys.readouterr().err


def test_wdbc_runs_all_commands_in_turn(
    wdbc: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Any] = {}
    save = ag.save

    def remembering(path: Path, model: ag.nn.Module, **parts: Any) -> None:
        kept.update(model=model, **parts)
        save(path, model, **parts)

    monkeypatch.setattr(ag, "save", remembering)
    wdbc.main(["--quick", "--out", str(tmp_path)])
    said, bar = capsys.readouterr()
    assert "569 tumours, 212 of them malignant" in said
    assert "426 tumours, 37.3% of them malignant" in said
    assert "143 tumours, 37.1% of them malignant" in said
    (difference,) = re.findall(r"at most (\S+) from those written by hand", said)
    assert 0 <= float(difference) <= 1e-12
    assert "samples/s" in bar

    right, count, loss = re.findall(r"([\d.]+)% of (\d+) are right, loss ([\d.]+)", said)[0]
    assert float(right) > 90
    table = np.array(re.findall(r"^(?:benign|malignant) +(\d+) +(\d+)$", said, re.MULTILINE), int)
    assert table.sum(axis=1).tolist() == [90, 53]
    assert table.sum() == int(count) == 143
    assert np.trace(table) / 143 == pytest.approx(float(right) / 100, abs=1e-4)

    # the file gives what the trained model gave, to the last bit
    held = wdbc.read(tmp_path / "wdbc_held_out.csv")
    logits = ag.train.predict(kept["model"], kept["scaler"].transform(held.x))
    with (tmp_path / "wdbc_predictions.csv").open(newline="") as file:
        predictions = list(csv.DictReader(file))
    assert [float(row["probability of M"]) for row in predictions] == ag.softmax(logits, axis=1)[:, 1].tolist()
    assert [row["predicted"] for row in predictions] == [wdbc.CLASSES[k] for k in logits.argmax(axis=1)]
    assert [row["id"] for row in predictions] == [row[0] for row in held.rows]
    assert ag.nn.cross_entropy(logits, held.y) == pytest.approx(float(loss), abs=1e-4)

    assert [name for name in ("SGD", "RMSprop", "Adam") if f"{name}, lr" in said] == ["SGD", "RMSprop", "Adam"]
    for name in ("train", "predict", "compare"):
        assert (tmp_path / f"wdbc_{name}.png").read_bytes().startswith(b"\x89PNG")


def test_wdbc_learns_97_of_100(wdbc: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("fetch", "split", "train", "predict"):
        wdbc.main([command, "--out", str(tmp_path)])
    said = capsys.readouterr().out
    epochs, best = map(int, re.findall(r"Adam: (\d+) epochs, the best is (\d+)", said)[0])
    assert epochs == best + wdbc.PATIENCE
    assert float(re.findall(r"([\d.]+)% of 143 are right", said)[0]) >= 97


def test_wdbc_writes_the_csv_as_it_is_published(wdbc: ModuleType, published: list[list[str]], tmp_path: Path) -> None:
    assert published[0][:5] == ["1", "M", "17.99", "10.38", "122.8"]
    table = wdbc.read(tmp_path / "wdbc.csv")
    assert table.x.shape == (569, 30)
    assert np.bincount(table.y).tolist() == [357, 212]


def test_wdbc_splits_every_row_once(wdbc: ModuleType, published: list[list[str]], tmp_path: Path) -> None:
    wdbc.main(["split", "--out", str(tmp_path)])
    parts = [wdbc.read(tmp_path / f"wdbc_{name}.csv").rows for name in ("train", "held_out")]
    assert [len(part) for part in parts] == [426, 143]
    assert sorted(parts[0] + parts[1]) == sorted(published)


@pytest.mark.parametrize(
    "header",
    [
        ["id", "diagnosis", *(f"radius{i}" for i in range(30))],
        ["\ufeffid", "diagnosis", *(f"worst {i}" for i in range(30)), ""],  # a byte-order mark, and a comma too many
    ],
)
def test_wdbc_reads_a_csv_with_a_header(
    wdbc: ModuleType, published: list[list[str]], tmp_path: Path, header: list[str]
) -> None:
    with_header = tmp_path / "header.csv"
    with_header.write_text("\n".join(",".join(row) for row in [header, *published]), encoding="utf-8")
    ours, theirs = wdbc.read(with_header), wdbc.read(tmp_path / "wdbc.csv")
    assert ours.rows == theirs.rows
    np.testing.assert_array_equal(ours.x, theirs.x)


@pytest.mark.parametrize("headed", [False, True])
def test_wdbc_names_bad_rows_by_their_lines(
    wdbc: ModuleType, published: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str], headed: bool
) -> None:
    rows = [list(row) for row in published[:9]]
    rows[0][1] = "X"
    rows[2].pop()
    rows[4][7] = "abc"
    rows[5][9] = ""
    rows[6][31] = "nan"
    rows[7][2] = "-1"
    lines = ["id,diagnosis," + ",".join("abcdefghijklmnopqrstuvwxyzäöüß")] * headed
    lines += [",".join(row) for row in rows]
    bad = tmp_path / "bad.csv"
    bad.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    said = refused(wdbc, capsys, "split", str(bad), "--out", str(tmp_path))
    assert "bad.csv has bad rows, 6 of 9:" in said
    found = dict(re.findall(r"line (\d+): (.*)", said))
    assert list(map(int, found)) == [number + headed for number in (1, 3, 5, 6, 7, 8)]
    for fault, word in zip(found.values(), ("'X'", "31 columns", "'abc'", "''", "'nan'", "'-1'"), strict=True):
        assert word in fault
    assert not (tmp_path / "wdbc_train.csv").exists()


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda path: None, "there is no file"),
        (lambda path: path.write_text(""), "has no row of data"),
        (lambda path: path.write_text(",".join(["id", "diagnosis", *"abcdefghijklmnopqrstuvwxyzäöüß"])), "has no row"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\xff"), "is no CSV"),
        (lambda path: path.write_text("hello\n"), "line 1: .* not 1 columns"),
        (lambda path: path.mkdir(), "Is a directory"),
    ],
)
@pytest.mark.parametrize("command", ["split", "train", "predict", "compare"])
def test_wdbc_refuses_what_is_no_data(
    wdbc: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    prepare: Callable[[Path], object],
    words: str,
    command: str,
) -> None:
    prepare(tmp_path / "data.csv")
    said = refused(wdbc, capsys, command, str(tmp_path / "data.csv"), "--out", str(tmp_path))
    assert re.search(words, said)
    assert "Traceback" not in said


def test_wdbc_predicts_by_a_model_that_is_there(
    wdbc: ModuleType, published: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = "predict", str(tmp_path / "wdbc.csv"), "--out", str(tmp_path)
    assert "there is no file" in refused(wdbc, capsys, *arguments)
    (tmp_path / "wdbc.safetensors").write_bytes(b"nothing")
    assert "not a whole safetensors file" in refused(wdbc, capsys, *arguments)
