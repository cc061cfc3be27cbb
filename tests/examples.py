"""The pages of the examples: ``python -m tests.examples`` runs each in full and writes what it prints and draws."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from autograd_mini.files import replacing

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
PAGES = ROOT / "docs" / "examples"
FIGURES = ".png", ".svg", ".gif"


def run(name: str, out: Path, *arguments: str) -> str:
    """Run an example as a user does, and give what it prints."""
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), "--out", "autograd-mini-out", *arguments]
    done = subprocess.run(command, cwd=out, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def load(name: str) -> ModuleType:
    """Import an example, without running it."""
    spec = importlib.util.spec_from_file_location(f"examples_{name}", ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def page(name: str, printed: str, figures: list[str]) -> str:
    """Write the page of an example, in Markdown."""
    script = ast.parse((ROOT / "examples" / f"{name}.py").read_text())
    title, _, text = (ast.get_docstring(script) or "").partition("\n")
    pictures = "\n\n".join(f"![{Path(figure).stem.replace('_', ' ')}]({figure})" for figure in figures)
    return f"""# {title.removesuffix(".")}

{text.strip()}

```sh
python examples/{name}.py
```

The script is [examples/{name}.py](../../examples/{name}.py). It prints

```text
{printed.rstrip()}
```

and draws

{pictures}
""".replace("\n\n\n", "\n")


def main() -> None:
    PAGES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or EXAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            printed = run(name, Path(folder))
            figures = sorted(p for p in (Path(folder) / "autograd-mini-out").iterdir() if p.suffix in FIGURES)
            for figure in figures:
                with replacing(PAGES / figure.name) as draft:
                    draft.write_bytes(figure.read_bytes())
        with replacing(PAGES / f"{name}.md") as draft:
            draft.write_text(page(name, printed, [figure.name for figure in figures]), encoding="utf-8")


if __name__ == "__main__":
    main()
