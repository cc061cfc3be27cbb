"""Every rule on a graph, each against its own forward at its own primals: the wrong one is named, however deep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from inspect import unwrap
from typing import Any

import numpy as np

from ..core import Node, Primitive, _unchanged, ancestors, asked_at, fit, past, value_of
from .differences import Array, Finding, Line, along, eps_of
from .gradcheck import RTOL, GradientError

RANDOM = "it gives another value each time, and has no derivative: draw the random numbers outside, as its keyword"


@dataclass(frozen=True, eq=False)
class RuleCheck:
    """What was found of one rule at one node.

    Attributes
    ----------
    node : Node
        The result of the operation.
    position : int
        Which operand the rule is for.
    verdict : str
        "right"; "wrong"; "kink", where the derivatives from the left and from the right differ and the rule says
        something between them; or "undefined", where the values themselves have no finite derivative.
    finding : Finding, optional
        The numbers.
    raised : str
        What the rule raised instead of giving any.
    """

    node: Node
    position: int
    verdict: str
    finding: Finding | None = None
    raised: str = ""

    @property
    def ok(self) -> bool:
        return self.verdict not in ("wrong", "random")

    @property
    def op(self) -> Primitive:
        assert self.node.op is not None
        return self.node.op

    @property
    def source(self) -> str:
        """Where the rule is written, or what gives random values, as ``file:line``, if that is known."""
        rule: Any = unwrap(self.op.forward if self.verdict == "random" else self.op.rules[self.position])
        while isinstance(rule, partial):
            rule = unwrap(getattr(getattr(rule.func, "__self__", None), "rule", rule.func))
        code = getattr(rule, "__code__", None)
        return f"{code.co_filename}:{code.co_firstlineno}" if code else ""

    def __str__(self) -> str:
        shapes = ", ".join(str(np.shape(value_of(x))) for x in past(self.node))
        what = f"{self.op.name!r}{asked_at(self.node)} of {shapes} -> {np.shape(self.node.value)}"
        return f"{what}, by operand {self.position}: {self.verdict}, {self.raised or self.finding}"


@dataclass(frozen=True, eq=False)
class GraphReport:
    """What `check_graph` found.

    Attributes
    ----------
    checks : dict of Node to list
        For each recorded node, oldest first, a `RuleCheck` for each operand; None for one that is not differentiated.
    """

    checks: dict[Node, list[RuleCheck | None]] = field(repr=False)

    def __iter__(self) -> Iterator[RuleCheck]:
        """Give every check that was done."""
        return (check for checks in self.checks.values() for check in checks if check)

    @property
    def ok(self) -> bool:
        """Whether no rule is wrong."""
        return all(check.ok for check in self)

    @property
    def wrong(self) -> list[RuleCheck]:
        """The checks that failed, oldest node first."""
        return [check for check in self if not check.ok]

    @property
    def kinks(self) -> list[RuleCheck]:
        """The checks at points where the operation has no derivative."""
        return [check for check in self if check.verdict in ("kink", "undefined")]

    def verify(self) -> GraphReport:
        """Raise a `GradientError` with this report if a rule is wrong; else give the report."""
        __tracebackhide__ = True  # pytest shows who called this
        if not self.ok:
            error = GradientError(str(self))
            error.outputs = list(self.checks)[-1:]
            raise error
        return self

    def __str__(self) -> str:
        done = list(self)
        head = f"{len(done)} rules checked at {len(self.checks)} nodes: "
        rules: dict[tuple[Primitive, str], list[RuleCheck]] = {}
        for check in self.wrong:
            which = f"rule {check.position}" if isinstance(check.op.rules, tuple) else "the rule"
            which = "the forward" if check.verdict == "random" else which
            rules.setdefault((check.op, which), []).append(check)
        lines = [head + (f"{len(rules)} wrong" if rules else "all agree with differences")]
        for (op, which), checks in rules.items():
            used = sum(
                check.op is op and which in ("the rule", "the forward", f"rule {check.position}") for check in done
            )
            places = f"at {len(checks)} of {used} places, {checks[0].source}"
            lines.append(f"{which} of {op.name!r} is {checks[0].verdict} {places}")
            lines += [f"  {check}" for check in checks[:3]]
        lines += [f"no derivative: {check}" for check in self.kinks[:10]]
        return "\n".join(lines)


def check_graph(output: Node, *, directions: int = 2, rtol: float | None = None, seed: int = 0) -> GraphReport:
    """Check every rule on the graph behind `output` against differences of its own operation.

    Where `gradcheck` says that a function as a whole has a wrong gradient, this says which rule is to
    blame: each is called once alone, with a random cotangent, at the operands that its node has, and
    compared along random directions with differences of that node's forward.

    Parameters
    ----------
    output : Tensor
        Any recorded result; its value and gradients are left as they are.
    directions : int
        How many cotangents to try at each node, each with one direction of every operand.
    rtol : float, optional
        How far rules and differences may be apart, as a part of the sizes that are added up.
    seed : int
        Seeds the random cotangents and directions.

    Returns
    -------
    GraphReport
        `ok`, what is found at each node and operand, and as a text, which names each wrong rule, its
        source line, and shapes and entries where it is wrong; under `source_lines` also the line that
        asked for the operation. `verify()` raises that text.

    Raises
    ------
    RuntimeError
        If nothing was recorded, if the graph was freed, or if data changed since it was recorded.

    Notes
    -----
    All is computed in float64, from the operands as they are, so that the rules of a graph in half
    precision are checked as sharply. What is inside `checkpoint` is one operation. Where an operation
    reads one triangle of symmetric matrices, its rule is checked along symmetric directions.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> from autograd_mini.testing import check_graph
    >>> cube = ag.primitive("cube", lambda x: x**3, lambda g, y, x: g * 2 * x**2)
    >>> x = ag.Tensor([1.0, 2.0])
    >>> report = check_graph(ag.sum(ag.tanh(cube(x) * x)))
    >>> report.ok
    False
    >>> [(check.op.name, check.position) for check in report.wrong]
    [('cube', 0)]
    >>> print(check_graph(ag.sum(x * x)))
    3 rules checked at 2 nodes: all agree with differences
    """
    if not output.operands:
        raise RuntimeError(
            "check_graph checks what is recorded behind a Tensor, and behind this one nothing was recorded, or it was "
            "freed: see requires_grad, no_grad() and backward(retain_graph=False)"
        )
    rng = np.random.default_rng(seed)
    checks: dict[Node, list[RuleCheck | None]] = {}
    with np.errstate(all="ignore"):
        for node in ancestors(output):
            assert node.op is not None
            operands = _unchanged(node, node.op)
            wide = [_wide(value_of(x)) for x in operands]
            value = node.op.forward(*wide, **node.params)
            rules = node.op.rules  # once a node, for joint rules
            checks[node] = [
                _checked(node, i, rules[i], wide, value, rng, directions, rtol)
                if isinstance(x, Node) and x.requires_grad
                else None
                for i, x in enumerate(operands)
            ]
    return GraphReport(checks)


def _wide(x: Any) -> Any:
    return np.asarray(x, np.float64)[()] if getattr(x, "dtype", np.dtype(int)).kind == "f" else x


def _checked(
    node: Node, i: int, rule: Any, wide: list[Any], value: Any, rng: Any, directions: int, rtol: float | None
) -> RuleCheck:
    assert node.op is not None
    forward, params = node.op.forward, node.params
    known = np.isfinite(value)  # what is not has no derivative, and what lies beside it may
    x, eps = np.asarray(wide[i]), eps_of(np.asarray(value))
    tolerance = RTOL + 100 * eps if rtol is None else rtol
    found: list[RuleCheck] = []

    def f(x: Array) -> list[Array]:
        return [np.where(known, forward(*wide[:i], np.asarray(x)[()], *wide[i + 1 :], **params), 0)]

    def compared(f: Any, x: Array, gradient: Any) -> RuleCheck:
        finding = Line(f, x, f(x), [ct], along(gradient), eps, tolerance).verdict(u)
        verdict = finding.verdict
        if verdict == "kink" and not finding.between:
            verdict = "wrong"
        elif verdict == "wrong" and not np.isfinite(finding.differences + (0 if known.all() else finding.rules)):
            verdict = "undefined"
        return RuleCheck(node, i, verdict, finding)

    while len(found) < directions and all(check.ok for check in found):
        ct = np.where(known, rng.standard_normal(known.shape), 0)
        u = rng.uniform(0.5, 1, x.shape) * rng.choice([-1, 1], x.shape)
        handed = [ct[()], value, *wide]
        before = list(map(np.array, handed))
        try:
            gradient = fit(rule(*handed, **params), wide[i], node.op)
        except Exception as error:
            return RuleCheck(node, i, "wrong", raised=f"the rule raised {type(error).__name__}: {error}")
        names = ["the cotangent", "the result", *(f"operand {k}" for k in range(len(wide)))]
        for name, old, new in zip(names, before, handed, strict=True):
            if not np.array_equal(old, new, equal_nan=old.dtype.kind == "f"):
                return RuleCheck(node, i, "wrong", raised=f"the rule changed {name}, which it is only to read")
        check = compared(f, x, gradient)
        if not check.ok and (part := _triangle(f, x, gradient)):
            u = part(u)
            both = part(gradient + gradient.mT) - gradient * np.eye(x.shape[-1])
            check = compared(lambda x: f(part(x) + (x - x * np.eye(x.shape[-1])).mT), part(x), both)
        found.append(check)
    if any(check.verdict != "right" for check in found):
        again = (forward(*wide, **params) for _ in range(10))  # a coin falls alike twice
        if not all(np.array_equal(value, y, equal_nan=True) for y in again):
            return RuleCheck(node, i, "random", raised=RANDOM)
    return max(found, key=lambda check: ("right", "undefined", "kink", "wrong").index(check.verdict))


def _triangle(f: Any, x: Array, gradient: Array) -> Any:
    """Give `np.tril` or `np.triu` if `f` reads no more of the symmetric matrices `x`, as a Cholesky factorisation does.

    Its rule then is one for symmetric matrices: it shares between the two triangles what belongs to one.
    """
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        return None
    if not np.allclose(x, x.mT, 1e-8, 0) or not np.allclose(gradient, gradient.mT, 1e-8):
        return None
    for part in (np.tril, np.triu):
        if np.array_equal(f(part(x) - part(np.ones_like(x)).mT + np.eye(x.shape[-1]))[0], f(x)[0]):
            return part
    return None
