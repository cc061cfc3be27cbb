"""The examples, as a user starts them, and their pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from . import examples

AGREE = r"at most (\S+) from those (?:written )?by hand"


def words(printed: str) -> set[str]:
    """The lines without their numbers; what is set in may differ altogether, a text that was written for instance."""
    lines = [line for line in printed.splitlines() if not line.startswith("  ")]
    return {" ".join(re.sub(r"[-−+\d.,e]*\d[\d.,e+-]*", "#", line).split()) for line in lines}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Path]]:
    """What each example prints in a hurry, and where it draws."""
    found = {}
    for name in examples.EXAMPLES:
        folder = tmp_path_factory.mktemp(name)
        found[name] = examples.run(name, folder, "--quick"), folder / "autograd-mini-out"
    return found


@pytest.mark.parametrize("name", examples.EXAMPLES)
def test_the_page_of_an_example_shows_what_it_prints_and_draws(name: str, printed: dict[str, tuple[str, Path]]) -> None:
    text, out = printed[name]
    page = (examples.PAGES / f"{name}.md").read_text()
    block = re.search(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert block
    drawn = {path.name for path in out.iterdir() if path.suffix in examples.FIGURES}
    shown = re.findall(r"!\[.*?\]\((.*?)\)", page)
    assert drawn == set(shown)
    assert page == examples.page(name, block[1], shown)
    assert words(text) <= words(block[1])
    for figure in drawn:
        head = {".png": b"\x89PNG", ".gif": b"GIF8", ".svg": b"<"}[Path(figure).suffix]
        for folder in (out, examples.PAGES):
            assert (folder / figure).read_bytes().startswith(head)


@pytest.mark.parametrize("name", [name for name in examples.EXAMPLES if name not in ("char_rnn", "conv_digits")])
def test_gradients_are_those_written_by_hand(name: str, printed: dict[str, tuple[str, Path]]) -> None:
    differences = re.findall(AGREE, printed[name][0])
    assert differences
    assert all(float(difference) < 1e-12 for difference in differences)


def numbers(pattern: str, printed: str) -> list[float]:
    found = re.search(pattern, printed)
    assert found, pattern
    return [float(group.replace(",", "")) for group in found.groups()]


def test_perceptron_to_mlp(printed: dict[str, tuple[str, Path]]) -> None:
    text, _ = printed["perceptron_to_mlp"]
    assert "0.21204441770908766" in text
    for name in ("perceptron, the mean of its 16 inputs, lr 0.1", "the identity, tanh, lr 1"):
        first, last = numbers(name + r": MSE (\S+) in the first epoch, (\S+) in the last", text)
        assert last < first


def test_breast_cancer(tmp_path: Path) -> None:
    text = examples.run("breast_cancer", tmp_path)
    first, last, steps = numbers(r"the cost falls from (\S+) to (\S+) in ([\d,]+) steps", text)
    assert 392 < first < 395
    assert last < 100
    assert steps == 2000
    assert numbers(r"(\S+)% of 143 held out", text)[0] >= 97


def test_digits(tmp_path: Path) -> None:
    text = examples.run("digits", tmp_path)
    assert "softmax([234, 3, 4]) = [1." in text
    names = "regression", "MLP 64-50-10 ", "MLP 64-50-50-10", "MLP 64-50-50-50-10"
    regression, *deeper = (numbers(name + r" +loss +\S+ +held out +(\S+)%", text)[0] for name in names)
    assert 93 < regression < min(deeper)
    assert min(deeper) > 96
    assert numbers(r"weights zeros +loss +(\S+)", text)[0] > 2.3
