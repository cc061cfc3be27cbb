"""What differences say of every gradient in a drawing, which rules they find wrong, and what those have spoilt.

A difference is taken of one operation at a time, at its own operands, and never of the whole graph: it costs as
much for the first card as for the last, and loses no digits on a long way. The true gradients, by which the
differences of the users of a card are weighted, are those of a sweep in float64 in which every wrong rule is
replaced by the differences of its operation, entry by entry.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import inf, isfinite, nan, sqrt
from typing import Any

import numpy as np

from ..core import Node, ancestors, fit, past, value_of
from ..testing import RuleCheck, check_graph
from ..testing.differences import Array, Finding, Line, along, eps_of
from ..testing.gradcheck import RTOL
from ..testing.graph import _wide
from .graph import Card, Graph
from .summary import Summary, number

ENTRIES = 4096  # of an operand: of a larger one with a wrong rule the true gradient is not computed
CAREFUL = 64  # entries of which each has a careful look; of more it is a quick one, and a careful one at all
UNKNOWN = "unknown"


@dataclass(eq=False, slots=True)
class Site:
    """An application in float64: its operands, its value, its cotangent as the rules have it, and the true one."""

    node: Node
    operands: list[Any]
    value: Any
    ct: Any
    true: Any  # the same object where no wrong rule has a part in it, None where it is not known

    def line(self, k: int, ct: Any, sends: Any) -> Line:
        """Give what `ct` weights as a function of operand number `k`, which is said to get `sends`."""
        op, params, xs = self.node.op, self.node.params, self.operands
        assert op is not None

        def f(x: Array) -> list[Array]:  # what has no weight need not be finite
            return [np.where(ct == 0, 0, op.forward(*xs[:k], np.asarray(x)[()], *xs[k + 1 :], **params))]

        x, eps = np.asarray(xs[k]), eps_of(np.asarray(self.value))
        return Line(f, x, f(x), [ct], along(sends), eps, RTOL + 100 * eps)

    def entries(self, k: int, ct: Any) -> Any:
        """Find by differences what operand number `k` is to get of `ct`, entry by entry; None if that is not known."""
        x = np.asarray(self.operands[k])
        if ct is None or x.size > ENTRIES:
            return None
        line, found = self.line(k, ct, 0.0), np.zeros(x.shape)
        for entry in np.ndindex(x.shape):
            u = np.zeros(x.shape)
            u[entry] = 1
            found[entry] = (line.careful(u) if x.size <= CAREFUL else line.quick(u)[0]).differences
        if x.size <= CAREFUL or not np.isfinite(found).all():
            return found[()]
        whole = _along(self.line(k, ct, found), _direction(found), quick=False)
        return found if whole.verdict == "right" or (whole.between and isfinite(whole.left)) else None


@dataclass(eq=False, slots=True)
class Use:
    """What an operand gets from an application: as the rules have it, and truly."""

    site: Site
    position: int
    ct: Any
    true: Any


def mark(output: Node, graph: Graph) -> None:
    """Check every rule on the graph, and note on its cards what was found."""
    nodes = dict(zip((i for i, card in enumerate(graph.cards) if card.op), ancestors(output), strict=True))
    checks = check_graph(output).checks
    uses: dict[int, list[Use]] = defaultdict(list)
    with np.errstate(all="ignore"):
        for i, card in reversed(list(enumerate(graph.cards))):  # users stand behind what they use
            if not card.gradient:
                continue
            ct = true = np.ones_like(_wide(output.value))[()]
            if users := uses.pop(i, []):
                ct = true = sum(use.ct for use in users)
                if any(use.true is not use.ct for use in users):
                    true = None if any(use.true is None for use in users) else sum(use.true for use in users)
            _judge(card, users, ct, true)
            if card.op:
                for k, use in _sent(nodes[i], card, checks[nodes[i]], ct, true):
                    uses[card.operands[k]].append(use)


def _sent(node: Node, card: Card, checks: list[RuleCheck | None], ct: Any, true: Any) -> list[tuple[int, Use]]:
    """Send both cotangents on, and note which rules are wrong."""
    op = node.op
    assert op is not None
    operands = [_wide(value_of(x)) for x in past(node)]
    value = op.forward(*operands, **node.params)
    site, rules, found = Site(node, operands, value, ct, true), op.rules, []  # once a node, for joint rules

    def rule(k: int, ct: Any) -> Any:
        return fit(rules[k](ct, value, *operands, **node.params), operands[k], op)

    for k, check in enumerate(checks):
        if not check:
            continue
        if check.ok:
            sent = rule(k, ct)
            found.append((k, Use(site, k, sent, sent if true is ct else None if true is None else rule(k, true))))
            continue
        sent = np.full_like(operands[k], nan) if check.raised else rule(k, ct)
        right = site.entries(k, ct)
        card.faults[k] = check.raised or "the rule is wrong"
        if right is not None and not check.raised:
            size = number(_size(right))
            card.faults[k] = f"∇ {number(_size(sent))}, numeric {size}{_apart(sent, right, size)}"
        found.append((k, Use(site, k, sent, right if true is ct else site.entries(k, true))))
    return found


def _judge(card: Card, users: list[Use], ct: Any, true: Any) -> None:
    """Note on a card whether its gradient is right, and what differences say it is."""
    if true is None:
        card.verdict, card.numeric = "wrong", UNKNOWN
        return
    apart = np.linalg.norm(ct - true) if true is not ct else 0.0
    same = true is ct or apart <= RTOL * (np.linalg.norm(ct) + np.linalg.norm(true)) or _equal(ct, true)
    left, right = _differences(users, true) if users else (_size(true),) * 2
    if not (isfinite(left) and isfinite(right)):
        card.verdict, card.numeric = UNKNOWN if same else "wrong", UNKNOWN
        return
    card.verdict, card.numeric = "right" if same else "wrong", number((left + right) / 2)
    if number(left) != number(right):
        card.numeric = f"{number(left)} … {number(right)}, a kink"
    elif not same:
        card.numeric += _apart(ct, true, card.numeric)


def _differences(users: list[Use], true: Any) -> tuple[float, float]:
    """Find the derivative along the true gradient `true`, from the left and from the right, by differences.

    It is the length of that gradient; over the root of its size, the root mean square. A scalar moves upwards,
    for the sign; and where the gradient is zero, all entries do.
    """
    if not true.size:
        return 0.0, 0.0
    if not np.isfinite(true).all():
        return nan, nan
    u = _direction(true)
    left = right = error = 0.0
    for use in users:
        found = _along(use.site.line(use.position, use.site.true, use.true), u)
        sides = (nan, nan) if found.verdict == "wrong" else (found.left, found.right)
        if found.verdict == "right":
            sides = found.differences, found.differences
        left, right, error = left + sides[0], right + sides[1], error + found.error
    unit = float(np.linalg.norm(u)) * sqrt(u.size)
    left, right = (0.0 if abs(side) <= error else side / unit for side in (left, right))
    return left, right


def _direction(true: Any) -> Array:
    """Give the direction of a gradient, with 1 as its largest entry; of a scalar, and of zeros, that of ones."""
    return true / np.abs(true).max() if true.shape and true.any() else np.ones(true.shape)


def _along(line: Line, u: Array, quick: bool = True) -> Finding:
    """Look along `u` itself: elsewhere a `Line` goes in proportion to the entries, which turns it."""
    far, near = (float(np.min(scale / np.abs(u), where=u != 0, initial=inf)) for scale in (line.scale, line.own))
    if quick:
        first, bend = line.quick(far * u / line.scale)
        if first.verdict == "right" and not bend:
            return first
    found = [line.ladder(u, np.full(u.shape, size))[0] for size in (far, min(far, 1.0), near, min(near, 1.0))]
    return next((finding for finding in found if finding.verdict == "right"), found[0])


def _size(x: Any) -> float:
    """Give a gradient as its card does: a number, or the root mean square of an array."""
    return Summary.of(x).rms if x.shape else float(x)


def _apart(ct: Any, true: Any, shown: str) -> str:
    """Say how far apart two gradients are that look the same."""
    if number(_size(ct)) != shown:
        return ""
    return f", off by {number(100 * float(np.linalg.norm(ct - true) / np.linalg.norm(true)))}%"


def _equal(x: Any, y: Any) -> bool:
    return bool(np.array_equal(x, y, equal_nan=True))
