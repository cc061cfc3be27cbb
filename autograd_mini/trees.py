"""Trees: arrays and Tensors, or tuples, lists and dicts of trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Tree = Any  # an array or a Tensor, or a tuple, list or dict of trees


def leaves(tree: Tree) -> Iterator[Any]:
    """Give the arrays of a tree, from left to right."""
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    if isinstance(tree, (tuple, list)):
        for branch in tree:
            yield from leaves(branch)
    else:
        yield tree


def grown(tree: Tree, leaves: Iterator[Any]) -> Tree:
    """Build a tree of the same form from other leaves."""
    if isinstance(tree, dict):
        return {key: grown(branch, leaves) for key, branch in tree.items()}
    if isinstance(tree, (tuple, list)):
        branches = [grown(branch, leaves) for branch in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    return next(leaves)
