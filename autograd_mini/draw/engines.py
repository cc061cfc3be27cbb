"""From DOT to a picture, by Graphviz in a child process with a time limit."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec

LIMIT = 20.0  # seconds
WHEEL = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""


def commands(form: str) -> list[list[str]]:
    """Give the commands that can turn DOT on their input into `form` on their output."""
    found = shutil.which("dot")
    known = [[found, f"-T{form}"]] if found else []
    if find_spec("pygraphviz"):
        known.append([sys.executable, "-P", "-c", WHEEL, form])  # -P: not from the working directory
    return known


def render(dot: str, form: str) -> bytes:
    """Lay out and paint `dot`.

    Parameters
    ----------
    dot : str
        A graph in DOT.
    form : str
        "svg", "png" or "pdf".

    Raises
    ------
    RuntimeError
        If there is no Graphviz, if it fails, or if it takes longer than `LIMIT`.
    """
    complaint = (
        'there is no Graphviz to lay the graph out: pip install "autograd_mini[svg]" (or put dot on the PATH); '
        "the text in .dot needs none"
    )
    for command in commands(form):
        try:
            child = subprocess.run(command, input=dot.encode(), capture_output=True, timeout=LIMIT, check=False)
        except subprocess.TimeoutExpired:
            raise RuntimeError(
                f"Graphviz took longer than {LIMIT:.0f} s and was stopped: draw a smaller part of the graph, or save "
                "the .dot and lay it out elsewhere"
            ) from None
        except OSError as error:
            complaint = f"Graphviz could not be started: {error}"
            continue
        if child.returncode == 0 and child.stdout:
            return child.stdout
        said = child.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        complaint = f"Graphviz failed with exit code {child.returncode}: {said[-1]}"
    raise RuntimeError(complaint)
