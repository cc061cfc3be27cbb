"""The examples of other networks: one of convolutions, and one that goes along a text."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd_mini as ag

from . import examples


@pytest.mark.parametrize(("quick", "reached"), [(["--quick"], 90), ([], 98.5)], ids=["quick", "whole"])
def test_conv_digits(quick: list[str], reached: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    examples.load("conv_digits").main([*quick, "--out", str(tmp_path)])
    said, bar = capsys.readouterr()
    assert re.search(r"^total +15,418 +452,864$", said, re.MULTILINE)
    assert float(re.findall(r"([\d.]+)% of 450 held out are right", said)[0]) >= reached
    assert "samples/s" in bar
    assert (tmp_path / "conv_digits.png").read_bytes().startswith(b"\x89PNG")


def test_char_rnn(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)  # it prints when it is imported first
    char_rnn = examples.load("char_rnn")
    char_rnn.main(["--quick", "--out", str(tmp_path)])
    said, bar = capsys.readouterr()
    assert said.startswith("856 letters, 45 different; knowing only how frequent each is costs 3.11 a letter\n")
    first, last = map(float, re.findall(r"cross-entropy ([\d.]+) .* epoch, ([\d.]+) in the last", said)[0])
    assert last < first < 3.11
    assert set(said.split("temperature 0.5:")[1].split("wrote")[0]) <= set(char_rnn.zen() + "temperature 0123456789.:")
    assert "samples/s" in bar
    assert (tmp_path / "char_rnn.png").read_bytes().startswith(b"\x89PNG")


def test_a_cold_writer_writes_what_is_most_likely() -> None:
    model = examples.load("char_rnn").Writer(letters=5, hidden=8, seed=0)
    written = model.write([3, 1], 12, 1e-6, np.random.default_rng(0))
    assert written[:2] == [3, 1]
    assert len(written) == 14
    logits = ag.train.predict(model, np.array([written[:-1]]))
    assert logits[0].argmax(axis=1)[1:].tolist() == written[2:]


def test_a_writer_learns_a_line_by_heart() -> None:
    line = "Beautiful is better than ugly.\n"
    letters = sorted(set(line))
    ids = [letters.index(letter) for letter in line]
    model = examples.load("char_rnn").Writer(len(letters), hidden=24, seed=0)
    x, y = np.array([ids[:-1]]), np.array([ids[1:]])
    optimizer = ag.optim.Adam(model.parameters(), lr=2e-2)
    history = ag.train.fit(model, ag.nn.cross_entropy, optimizer, x, y, epochs=120, clip=1.0, progress=False)
    assert history["loss"][-1] < 0.05
    written = model.write(ids[:1], len(ids) - 1, 0.1, np.random.default_rng(0))
    assert "".join(letters[i] for i in written) == line
