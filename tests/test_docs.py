"""What the README and the docs say is true: their code runs, their commands exist, their pictures are drawn here."""

from __future__ import annotations

import doctest
import importlib
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


def shown(svg: Path) -> list[str]:
    """List what an SVG says, apart from its numbers, which another BLAS may round otherwise."""
    texts = [element.text or "" for element in ET.parse(svg).iter("{http://www.w3.org/2000/svg}text")]
    return [re.sub(r"[−\d.e]+", "#", text) for text in texts]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)


def test_the_example_of_the_readme_draws_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = blocks(ROOT / "README.md", "python")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out == "[0 1 1 0]\n"
    assert shown(tmp_path / "xor.svg") == shown(ROOT / "docs" / "xor.svg")


@pytest.mark.parametrize("name", gallery.GALLERY)
def test_the_gallery_shows_what_is_drawn(name: str, tmp_path: Path) -> None:
    gallery.GALLERY[name][1]().save(tmp_path / "again.svg")
    assert shown(tmp_path / "again.svg") == shown(gallery.PICTURES / f"{name}.svg"), "python -m tests.gallery"
    assert ET.parse(tmp_path / "again.svg").getroot().get("role") == "img"


def test_every_picture_of_the_gallery_is_in_its_page() -> None:
    assert {path.stem for path in gallery.PICTURES.glob("*.svg")} == set(gallery.GALLERY)


def test_the_commands_of_the_pages_are_those_that_are_tested() -> None:
    commands = {line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()}
    assert commands == {
        'pip install ".[svg,train]" && python -m autograd_mini',  # .ci/run
        'pip install ".[svg,train,test]" && python -m pytest',  # .ci/run
        "python -m tests.benchmarks.training_step --peers",  # tests/test_benchmarks.py
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
