"""What the README and the docs say is true: their code runs, their commands exist, their pictures are drawn here."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import autograd_mini as ag
from tests import examples, gallery, pages

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = ["autograd_mini", *(m.name for m in pkgutil.walk_packages(ag.__path__, "autograd_mini."))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def shown(path: Path) -> list[str]:
    """List what a picture or a page says, apart from its numbers, which another BLAS may round otherwise."""
    if path.suffix == ".html":
        text = path.read_text(encoding="utf-8")
        data = json.loads(text.partition('type="application/json">')[2].partition("</script>")[0])
        said = [sentence for walk in ("sweep", "naive") for step in data[walk]["said"] for sentence in step[:2]]
        texts = [*re.findall(r">([^<>]+)</text>", text), *said]
    else:
        texts = [element.text or "" for element in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")]
    return [re.sub(r"[−\d.e]+", "#", text) for text in texts]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs_and_prints_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    pairs = re.compile(r"^```python\n(.*?)^```(?:\n\n```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
    for block, said in pairs.findall(page.read_text()):
        exec(compile(block, str(page), "exec"), names)
        printed = capsys.readouterr().out
        if said:  # numbers apart, which another BLAS may round otherwise
            assert re.sub(r"-?\d[\d.e+-]*", "#", printed) == re.sub(r"-?\d[\d.e+-]*", "#", said)


def test_the_example_of_the_readme_draws_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = blocks(ROOT / "README.md", "python")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out == "[0 1 1 0]\n"
    assert shown(tmp_path / "xor.svg") == shown(gallery.PICTURES / "xor.svg")


@pytest.mark.parametrize("name", gallery.files())
def test_the_gallery_shows_what_is_drawn(name: str, tmp_path: Path) -> None:
    again = tmp_path / name
    again.write_text(gallery.files()[name](), encoding="utf-8")
    assert shown(again) == shown(gallery.PICTURES / name), "python -m tests.gallery"
    assert again.suffix == ".html" or ET.parse(again).getroot().get("role") == "img"


def test_every_file_of_the_gallery_is_in_its_page() -> None:
    assert {path.name for path in gallery.PICTURES.iterdir()} == set(gallery.files())
    assert set(re.findall(r"\]\(gallery/([^)]+)\)", gallery.page())) == set(gallery.files())


def test_the_commands_of_the_pages_are_those_that_are_tested() -> None:
    commands = {line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()}
    assert commands == {
        'pip install ".[svg,train]" && python -m autograd_mini',  # .ci/run
        'pip install ".[svg,train,test]" && python -m pytest -n auto',  # .ci/run
        "python -m tests.benchmarks.training_step --peers",  # tests/test_benchmarks.py
        "python -m tests.benchmarks.drawing",  # tests/test_benchmarks.py
        "python -m tests.benchmarks.checking --peers",  # the same
        "python -m tests.benchmarks.operations --peers",  # the same
        "python -m tests.benchmarks.optimiser_step",  # tests/test_optim.py
        "python -m tests.mutants",  # tests/test_mutants.py
        *(f"python examples/{name}.py" for name in examples.EXAMPLES),  # tests/test_examples.py
    }


@pytest.mark.parametrize("name", pages.PAGES)
def test_a_page_that_is_made_is_as_it_is_made(name: str) -> None:
    if name == "coverage.md" and np.lib.NumpyVersion(np.__version__) < "2.4.0":
        pytest.skip("an older NumPy has fewer functions")
    written = (pages.DOCS / name).read_text(encoding="utf-8")
    assert written == pages.PAGES[name](), "python -m tests.pages writes it again"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_docstrings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if not name.endswith("__main__"):
        assert not doctest.testmod(importlib.import_module(name)).failed


def test_every_public_thing_has_a_docstring() -> None:
    for module in (ag, ag.nn, ag.optim, ag.testing):
        for name in module.__all__:
            assert (getattr(module, name).__doc__ or "").strip(), name
