"""The pages of docs/ that are made: `python -m tests.pages` writes them, and a test compares them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autograd_mini.files import replacing

from . import conventions, coverage, gallery

DOCS = Path(__file__).parents[1] / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "conventions.md": conventions.page,
    "coverage.md": coverage.page,
    "gallery.md": gallery.page,
}


def main() -> None:
    for name, page in PAGES.items():
        with replacing(DOCS / name) as draft:
            draft.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
