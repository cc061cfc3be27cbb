"""What rules say, against differences of values along a line: right, wrong, or a kink.

Two looks are taken. The quick one, a central difference, settles nearly everything. Where it finds a
disagreement or a bend, or cannot see sharply, the careful one takes a ladder of steps, extrapolates to none
[1]_ [2]_, from both sides and from each alone, and estimates its own error; if that is large, from nearer by
and from farther away.

References
----------
.. [1] Richardson, "The approximate arithmetical solution by finite differences", Phil. Trans. R. Soc. A 210 (1911).
.. [2] Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software 4 (1982).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

EPS = float(np.finfo(np.float64).eps)
SMALL = 1e-3  # an entry nearer to zero than this is moved as if it were this, beside others that are larger
RATIO, RUNGS = 4.1, 5  # each step of a ladder over the next: no power of two, as those round alike
NEARER = 1, 2**8, 2**16  # by how much smaller steps are tried
SHARP, BLUNT = 1e-3, 0.1  # what part of a derivative its error may be, to settle something; and to be of use at all


@dataclass(frozen=True, slots=True)
class Finding:
    """What the rules and the differences say of a derivative along one direction.

    Attributes
    ----------
    verdict : "right", "wrong", or "kink" where the derivatives from the left and the right differ.
    rules, differences : both derivatives, for a direction whose largest entry is 1.
    error : how far apart the two may be.
    left, right : the derivatives from each side; at a jump both infinities, and where no careful look was taken,
        `differences`.
    direction : the direction itself.
    """

    verdict: str
    rules: float
    differences: float
    error: float
    left: float
    right: float
    direction: Array

    @property
    def between(self) -> bool:
        """Whether the rules say something between the derivatives from the left and from the right."""
        low, high = sorted((self.left, self.right))
        return low - self.error <= self.rules <= high + self.error

    @property
    def gap(self) -> float:
        """How far the rules and the differences are apart, as a part of the larger."""
        return abs(self.rules - self.differences) / (max(abs(self.rules), abs(self.differences)) or 1.0)

    @property
    def blur(self) -> float:
        """How far they may be apart, as a part of the larger."""
        return self.error / (max(abs(self.rules), abs(self.differences)) or 1.0)

    @property
    def entries(self) -> list[tuple[int, ...]]:
        """The entries that move."""
        return [tuple(map(int, entry)) for entry in np.argwhere(self.direction)]

    def __str__(self) -> str:
        entries = self.entries
        if len(entries) == 1:
            along = f"entry {entries[0]}"
        else:
            some = ", ".join(f"{self.direction[entry]:.3g} at {entry}" for entry in entries[:4])
            along = f"along {some}{', ...' if len(entries) > 4 else ''}"
        found = f"{along}: rules say {self.rules:.9g}, "
        if np.isnan(self.differences):
            return found + "differences tend to no finite number"
        found += f"central differences say {self.differences:.9g} ± {self.error:.1e}"
        sides = f", {self.left:.9g} from the left and {self.right:.9g} from the right"
        sides = sides if np.isfinite(self.left) else ", and there is a jump"
        return found + (sides if self.verdict == "kink" else "")


def eps_of(x: Any) -> float:
    """Give the eps of the dtype of an array."""
    return float(np.finfo(x.dtype).eps)


def along(gradient: Any) -> Callable[[Array], Any]:
    """Make the derivative along a direction, as terms to be added up, from a gradient."""
    gradient = np.asarray(gradient)
    return lambda line: np.where(line == 0, 0, gradient * line)  # not inf * 0


class Line:
    """A function of one array, on lines through a point, and what rules say of the derivative there.

    Parameters
    ----------
    f : callable
        Gives a list of arrays for an array in float64.
    x : ndarray
        The point, in float64.
    values : list of ndarray
        ``f(x)``.
    cts : list of ndarray
        Cotangents of the values: what is differentiated is the sum of their products.
    slope : callable
        The derivative along a direction, by rules, as an array of terms to be added up.
    eps : float
        That of the narrowest dtype in which `f` computes.
    rtol, atol : float
        How far the two may be apart, as a part of the sum of sizes, and for a direction whose largest entry is 1;
        the rounding of the differences comes on top.
    natural : float
        How large what the values are computed from may be, if that is more than they are.

    Notes
    -----
    The quick step ``eps ** (1/3)`` balances truncation, which grows with its
    square, against rounding, ``eps`` over it; the ladder begins where a term of the fourth order would, at
    ``4 * eps ** (1/5)``. Both are parts of ``max(abs(x), 0.001 * min(max(abs(x)), 1))``, entry by entry.
    """

    def __init__(
        self,
        f: Callable[[Array], Sequence[Array]],
        x: Array,
        values: Sequence[Array],
        cts: Sequence[Any],
        slope: Callable[[Array], Any],
        eps: float,
        rtol: float,
        atol: float = 0.0,
        natural: float = 0.0,
    ) -> None:
        self.f, self.x, self.values, self.cts, self.slope = f, x, values, cts, slope
        self.eps, self.rtol, self.atol, self.natural = eps, rtol, atol, natural
        known = (np.abs(ct * np.where(np.isfinite(y), y, 0)).sum() for ct, y in zip(cts, values, strict=True))
        self.steps = 4 * eps ** (1 / 5) / RATIO ** np.arange(RUNGS)
        self.known = float(sum(known))  # the size of what is subtracted, which rounds
        size = np.where(np.isfinite(x), np.abs(x), 0)
        largest = size.max(initial=0)
        self.scale = np.maximum(size, SMALL * (min(largest, 1.0) or 1.0))
        self.own = np.where(size == 0, self.scale, size)

    def check(self, u: Array) -> Iterator[Finding]:
        """Give what is not right along `u`, each part of it as small as it can be; or nothing."""
        doubted: Finding | None = None
        found, whole_way = False, u
        while u.any() and self.doubt(u, blunt=True):
            whole = self.careful(u)
            if whole.verdict == "right":
                break
            doubted = doubted or whole
            part = self.smallest(u)
            finding = self.careful(part)
            if finding.verdict != "right":
                found = True
                yield finding
            u = np.where(part != 0, 0, u)
        if doubted and not found and not self.close(whole_way):
            yield doubted

    def verdict(self, u: Array) -> Finding:
        """Give what is found along `u`, where numbers are finite, and of several findings the worst."""
        u = np.where(np.isfinite(self.x), u, 0)
        found = []
        for finding in self.check(u):
            if finding.verdict == "wrong" and not finding.between:
                return finding  # none is worse
            found.append(finding)
        if not found:
            quick, _ = self.quick(u)
            return quick if quick.verdict == "right" else self.careful(u)
        return max(found, key=lambda finding: (finding.verdict == "wrong", not finding.between))

    def doubt(self, u: Array, blunt: bool = False) -> float:
        """How far the quick look is from settling that the rules are right along `u`: 0 if it does.

        With `blunt` it settles nothing either where the tolerance is more than a part `SHARP` of the derivative.
        """
        if not u.any():
            return 0.0
        finding, bend = self.quick(u)
        excess = abs(finding.rules - finding.differences) - finding.error
        if blunt and finding.error > SHARP * max(abs(finding.rules), abs(finding.differences)) > 0:
            return np.inf
        return max(excess, 0.0) + bend if np.isfinite(excess) else np.inf

    def quick(self, u: Array) -> tuple[Finding, float]:
        """Compare along `u` in one step; the other number says how far the line bends, beyond what it may."""
        step = self.eps ** (1 / 3) * self.scale * u
        above, below = self.x + step, self.x - step
        moved = np.where(u == 0, 0, above - below)  # what x really moves by, in floating point
        terms = np.asarray(self.slope(moved))
        rules, differences, size, bend = float(terms.sum()), 0.0, float(np.abs(terms).sum()), 0.0
        rounding = self.known * self.eps
        for ct, high, middle, low in zip(self.cts, self.f(above), self.values, self.f(below), strict=True):
            change = ct * np.where(high == low, 0, high - low).astype(np.float64)  # a steady inf does not change
            differences += float(change.sum())
            size += float(np.abs(change).sum())
            known = np.where(np.isfinite(middle), middle, 0)
            bend += abs(float((ct * (np.where(high == low, low, high + low - known) - known)).sum()))
        unit = float(np.abs(moved).max(initial=0)) or 1.0
        error = (self.rtol * size + 50 * rounding) / unit + self.atol
        verdict = "right" if abs(rules - differences) / unit <= error else "wrong"
        rules, differences = rules / unit, differences / unit
        finding = Finding(
            verdict, rules, differences, error, differences, differences, u / (np.abs(u).max(initial=0) or 1)
        )
        return finding, max(bend - 10 * self.eps ** (1 / 3) * size - 50 * rounding, 0.0) / unit

    def careful(self, u: Array) -> Finding:
        """Compare along `u` by extrapolation: what does not seem right from nearer, what is blunt from farther."""
        best = self.ladder(u, self.scale)
        found = best[0]
        # A large entry may be many periods of a sine away from zero, and a small one nearer to a singular point than a
        # step, but beside others it hardly counts; values that are large beside their change drown a small step.
        sizes = [np.minimum(size, most) for size in (self.scale, self.own) for most in (np.inf, 1)]
        nearer = [size / part for size in sizes for part in NEARER]
        farther = [self.scale / self.steps[0], np.maximum(self.scale, 1)]
        tried = [self.scale]
        for scale in (*farther, *nearer) if found.verdict == "right" else (*nearer, *farther):
            if best[1] <= SHARP:
                break
            if not any(np.array_equal(scale, other) for other in tried):
                tried.append(scale)
                look = self.ladder(u, scale)
                # From afar a wave on a slope is not seen: what is right nearby may be off by no more than it blurs.
                if found.verdict == "right" and np.all(scale >= self.scale) and look[0].gap > 2 * found.blur:
                    continue
                best = min(best, look, key=lambda look: look[1])
        seen = found.verdict != "kink" or best[0].error < 0.1 * abs(found.right - found.left)
        return best[0] if seen and best[1] < BLUNT else found

    def close(self, u: Array) -> bool:
        """Whether the rules are clearly right where small entries move by as little as they would alone."""
        looks = (self.ladder(u, self.own / part) for part in NEARER)
        return any(look.verdict == "right" and doubt <= SHARP for look, doubt in looks)

    def ladder(self, u: Array, scale: Array) -> tuple[Finding, float]:
        """Compare along ``scale * u``, from both sides and from each; and say what part of it the error may be."""
        line = scale * u
        unit = float(np.abs(line).max())
        terms = np.asarray(self.slope(line))
        rules, size = float(terms.sum()), float(np.abs(terms).sum())
        steps, sides = self.steps, []
        for step in (*steps, *-steps):
            change = [
                ct * np.where(y == value, 0, y - value).astype(np.float64)
                for ct, y, value in zip(self.cts, self.f(self.x + step * line), self.values, strict=True)
            ]
            sides.append(sum(float(c.sum()) for c in change) / step)
            last = sum(float(np.abs(c).sum()) for c in change) / abs(step)
        last = last if np.isfinite(last) else 0.0
        size += last
        right, left = np.array(sides[:RUNGS]), np.array(sides[RUNGS:])
        edge = np.isfinite(right).any() != np.isfinite(left).any()  # of where there are values
        if edge:
            right = left = right if np.isfinite(right).any() else left
        both = (right + left) / 2
        shift = np.max(self.own / np.where(line == 0, np.inf, np.abs(line)), initial=0)  # what x rounds by as it moves
        rounding = (self.known * self.eps + size * EPS * shift) / steps
        jitter = np.max(np.abs(np.diff(both)[-2:] * steps[-2:]))  # what values round by inside, where steps show it
        ones = float(sum(np.abs(ct).sum() for ct in self.cts))  # there may be such, as in `1 - cos(x)`
        if jitter <= max(self.eps**0.5 * max(self.known, self.natural), 100 * self.eps * ones):
            rounding = np.maximum(rounding, jitter / steps)
        (central, error), (above, blur), (below, haze) = (
            _limit(x, power, rounding) for x, power in ((both, 1 if edge else 2), (right, 1), (left, 1))
        )
        slack = self.rtol * size + self.atol * unit
        most = max(abs(central), 0.01 * last)
        doubt = error / most if most else np.inf if size else 0.0
        change = np.maximum(np.abs(right), np.abs(left)) * steps  # what is not a jump shrinks with the step
        settled = np.isfinite(size) and (doubt < BLUNT or error <= 500 * rounding[0] + slack)
        if edge and not settled:
            central = np.nan
        noise = max(50 * rounding[-1] * steps[-1], 100 * self.eps * self.natural)
        jump = change[-1] > max(0.5 * change[0], noise)
        if jump or abs(above - below) > blur + haze + max(self.rtol, 1e-6) * size + self.atol * unit:
            verdict, doubt = "kink", np.inf
            if jump:
                below, above = -np.inf, np.inf
        elif settled and abs(rules - central) <= slack + error:
            verdict = "right"
        else:
            verdict = "wrong"
        finding = Finding(
            verdict,
            rules / unit,
            central / unit,
            (slack + error) / unit,
            below / unit,
            above / unit,
            line / unit,
        )
        return finding, doubt

    def smallest(self, u: Array) -> Array:
        """Halve the direction, towards the greater doubt, as long as there is any."""
        place = np.arange(u.size).reshape(u.shape)
        while np.count_nonzero(u) > 1:
            moving = place[u != 0]
            middle = moving[len(moving) // 2]
            halves = np.where(place < middle, u, 0), np.where(place < middle, 0, u)
            left, right = map(self.doubt, halves)
            if not left and not right:
                left, right = (float(self.careful(half).verdict != "right") for half in halves)
            if not left and not right:
                break
            u = halves[0] if left >= right else halves[1]
        return u if np.count_nonzero(u) > 1 else np.abs(np.sign(u))


def _limit(y: Array, power: int, rounding: Array) -> tuple[float, float]:
    """Extrapolate values at steps that shrink to none, in powers of ``step ** power``; give it and its error.

    What agrees by chance at steps as long as a wave is not what shorter ones say, within the errors of both.
    """
    looks = list[tuple[int, float, float]]()
    table = [y]
    for j in range(1, len(y)):
        finer, coarser = table[-1][1:], table[-1][:-1]
        table.append(finer + (finer - coarser) / (RATIO ** (power * j) - 1))
        spread = 10 * np.maximum(np.abs(table[-1] - finer), np.abs(table[-1] - coarser)) + 3 * rounding[j:]
        looks += [(j + int(k), float(table[-1][k]), float(spread[k])) for k in np.flatnonzero(np.isfinite(spread))]
    for shortest, value, error in sorted(looks, key=lambda look: look[2]):
        if all(abs(value - other) <= error + blur for step, other, blur in looks if step > shortest):
            return value, error
    return float(y[-1]), np.inf
