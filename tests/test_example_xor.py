"""The example of XOR, in the short form that --quick gives."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from . import examples


def test_xor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    examples.load("xor").main(["--quick", "--out", str(tmp_path)])
    printed = capsys.readouterr().out

    differences = re.findall(r"gradients of (\S+): at most (\S+)", printed)
    assert [name for name, _ in differences] == ["2-3-2", "2-50-2"]
    assert all(float(difference) <= 1e-12 for _, difference in differences)

    learned = re.findall(r"accuracy (\d+)%, loss (\S+) after", printed)
    assert len(learned) == 2
    assert all(share == "100" and float(loss) < 0.5 for share, loss in learned)

    runs = re.findall(r"(\d+) explode, +(\d+) learn XOR; .* gradient norm (\S+), (\D+)", printed)
    assert [(exploded, right) for exploded, right, _, _ in runs] == [("2", "0"), ("0", "2"), ("0", "2"), ("0", "2")]
    assert float(runs[0][2]) > 1e6
    assert runs[0][3].startswith("overflow")
    assert all(float(norm) < 10 for _, _, norm, _ in runs[1:])

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "xor_2-3-2.gif", "xor_2-3-2.png", "xor_2-50-2.gif", "xor_2-50-2.png", "xor_explosion.png",
    ]  # fmt: skip
    assert printed.count("wrote ") == 5
    for path in tmp_path.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
    for path in tmp_path.glob("*.gif"):
        with Image.open(path) as film:
            assert film.format == "GIF"
            first = np.array(film.convert("RGB"))
            film.seek(film.n_frames - 1)
            assert film.n_frames >= 6
            assert np.any(np.array(film.convert("RGB")) != first)
