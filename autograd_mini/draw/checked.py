"""What differences say of the rules behind the edges of a drawing, and which gradients a wrong rule has spoilt."""

from __future__ import annotations

from ..core import Node, ancestors
from ..testing import RuleCheck, check_graph
from .graph import Card, Graph
from .summary import number


def mark(output: Node, graph: Graph) -> None:
    """Check every rule on the graph, and note on its cards what was found."""
    operations = dict(zip(ancestors(output), (card for card in graph.cards if card.op), strict=True))
    for node, checks in check_graph(output).checks.items():
        card = operations[node]
        card.faults = {k: _fault(check, card, k) for k, check in enumerate(checks) if check and not check.ok}
    for i, card in reversed(list(enumerate(graph.cards))):  # users stand behind what they use
        if card.gradient:
            users = [graph.cards[j] for j in card.users]
            wrong = any(user.verdict == "wrong" or i in map(user.operands.__getitem__, user.faults) for user in users)
            card.verdict = "wrong" if wrong else "right"


def _fault(check: RuleCheck, card: Card, k: int) -> str:
    """Say what the rule sends, and between scalars what it should send."""
    sent, found = card.sent[k], check.finding
    if sent and not sent.shape and found and found.rules:
        return f"∇ {sent.line}, numeric {number(sent.most * found.differences / found.rules)}"
    return "the rule is wrong"
