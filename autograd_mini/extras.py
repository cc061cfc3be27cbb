"""Libraries that the core does without: imported where they are used, and missed with the line that brings them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def extra(module: str, name: str) -> Any:
    """Import a module that comes with the extra `name`.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed: the message is the ``pip`` line.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{error.name} is missing: pip install "autograd_mini[{name}]"', name=error.name
        ) from error
