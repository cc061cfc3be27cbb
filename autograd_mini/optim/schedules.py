"""Schedules: learning rates that depend on how many steps were taken, as PyTorch's of the same name.

A schedule sets the learning rate for the next step when it is made, and again at every `step()`,
which follows that of the optimiser: after a batch or after an epoch, as it is meant.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from math import cos, inf, pi
from typing import Any

from ..numpy_protocol import plain
from .optimizer import BELOW_ONE, NOT_NEGATIVE, POSITIVE, Optimizer, require

Factor = Callable[[int], float]  # of the number of steps


class Schedule:
    """Settings of an optimiser as a function of the number of steps, stated by the subclass as `settings`.

    Parameters
    ----------
    optimizer : Optimizer
        Each group's learning rate of that moment is its base, and stays it for all its schedules.

    Attributes
    ----------
    t : int
        How many steps were taken.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> class InverseRoot(ag.optim.Schedule):
    ...     def settings(self, t, base, group):
    ...         return {"lr": base / (t + 1) ** 0.5}
    >>> optimizer = ag.optim.SGD([ag.Tensor(1.0)], lr=0.3)
    >>> schedule = InverseRoot(optimizer)
    >>> for _ in range(8):
    ...     schedule.step()
    >>> round(optimizer.param_groups[0]["lr"], 6)
    0.1
    """

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"a schedule is that of an optimiser, not of {optimizer!r}")
        self.optimizer = optimizer
        self.t = 0
        self._set()

    def settings(self, t: int, base: float, group: int) -> dict[str, Any]:
        """Give what to set after `t` steps in group number `group`, whose learning rate was `base`."""
        raise NotImplementedError(f"{type(self).__name__} has no settings(): define it to say what lr it sets")

    def _set(self) -> None:
        for i, group in enumerate(self.optimizer.param_groups):
            group.update(self.settings(self.t, group.setdefault("initial_lr", group["lr"]), i))
        self.last = self.get_last_lr()

    def get_last_lr(self) -> list[float]:
        """Give the learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Set the learning rates for the next step.

        Raises
        ------
        RuntimeError
            If something else has set one since: this would undo it.
        """
        now = self.get_last_lr()
        if now[: len(self.last)] != self.last:
            raise RuntimeError(
                f"this schedule set the learning rates {self.last}, and since then something made them {now}, which "
                "its step would undo: join schedules by SequentialLR or ChainedScheduler, and step only that"
            )
        self.t += 1
        self._set()

    def state_dict(self) -> dict[str, Any]:
        """Give the state: numbers and strings; the settings are not part of it."""
        return {"kind": type(self).__name__, "t": self.t}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` gave, once the optimiser has loaded its own.

        Raises
        ------
        ValueError
            If it is of another schedule.
        """
        _same_kind(self, saved)
        self.t = saved["t"]
        self._set()


class LambdaLR(Schedule):
    """Any function: ``lr(t) = base * lr_lambda(t)``.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable, or one for each group
        From the number of steps to a factor.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor]) -> None:
        self.lambdas = _each(optimizer, "lr_lambda", lr_lambda)
        super().__init__(optimizer)

    def settings(self, t: int, base: float, group: int) -> dict[str, Any]:
        """Apply the function."""
        return {"lr": base * self.lambdas[group](t)}


class StepLR(Schedule):
    """Steps down: ``lr(t) = base * gamma^⌊t / step_size⌋``.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
        How many steps a rate stays.
    gamma : float
        Positive.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        require("step_size", step_size, POSITIVE)
        require("gamma", gamma, POSITIVE)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def settings(self, t: int, base: float, group: int) -> dict[str, Any]:
        """Apply the formula."""
        return {"lr": base * self.gamma ** (t // self.step_size)}


class ExponentialLR(StepLR):
    """Exponential decay: ``lr(t) = base * gamma^t``.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
        Positive.
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        super().__init__(optimizer, 1, gamma)


class CosineAnnealingLR(Schedule):
    """Half a cosine [1]_, equation (5): ``lr(t) = eta_min + (base - eta_min) * (1 + cos(π t / T_max)) / 2``.

    After `T_max` steps it rises again along the same wave, as PyTorch's does.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        How many steps the way down takes.
    eta_min : float
        Not negative.

    References
    ----------
    .. [1] Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        require("T_max", T_max, POSITIVE)
        require("eta_min", eta_min, NOT_NEGATIVE)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def settings(self, t: int, base: float, group: int) -> dict[str, Any]:
        """Apply the formula."""
        return {"lr": _cosine(base, self.eta_min, t / self.T_max)}


class LinearLR(Schedule):
    """Linear warm-up [1]_, section 2.2: a factor from `start_factor` to `end_factor` in `total_iters` steps, then that.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor : float
        Above 0 and at most 1.
    end_factor : float
        From 0 to 1.
    total_iters : int
        Positive.

    References
    ----------
    .. [1] Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", arXiv:1706.02677.
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        require("start_factor", start_factor, (lambda x: 0 < x <= 1, "above 0 and at most 1"))
        require("end_factor", end_factor, (lambda x: 0 <= x <= 1, "from 0 to 1"))
        require("total_iters", total_iters, POSITIVE)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer)

    def settings(self, t: int, base: float, group: int) -> dict[str, Any]:
        """Apply the formula."""
        return {"lr": base * _line(self.start_factor, self.end_factor, min(t / self.total_iters, 1))}


class OneCycleLR(Schedule):
    """One cycle [1]_: up from ``max_lr / div_factor`` to `max_lr`, then down to the start over `final_div_factor`.

    Momentum, which is ``betas[0]`` in Adam, goes the other way.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are replaced.
    max_lr : float, or one for each group
    total_steps : int
        Of the cycle; not one more can be taken.
    pct_start : float
        The share of the way up, from 0 to 1.
    anneal_strategy : str
        "cos" or "linear".
    cycle_momentum : bool
    base_momentum, max_momentum : float, or one for each group
    div_factor, final_div_factor : float
        Positive.
    three_phase : bool
        Down to the start in as many steps as up, and further in a phase of its own.

    References
    ----------
    .. [1] Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates",
       arXiv:1708.07120.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int,
        *,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        for name, value in (("max_lr", max_lr), ("div_factor", div_factor), ("final_div_factor", final_div_factor)):
            require(name, value, POSITIVE)
        require("total_steps", total_steps, (lambda n: n > 1, "at least 2"))
        require("pct_start", pct_start, (lambda x: 0 <= x <= 1, "from 0 to 1"))
        for name, value in (("base_momentum", base_momentum), ("max_momentum", max_momentum)):
            require(name, value, BELOW_ONE)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy is 'cos' or 'linear', not {anneal_strategy!r}")
        self.cycled = [name for name in ("momentum", "betas") if cycle_momentum and name in optimizer.defaults]
        if cycle_momentum and not self.cycled:
            raise ValueError(f"{type(optimizer).__name__} has no momentum to cycle: pass cycle_momentum=False")
        self.anneal = _cosine if anneal_strategy == "cos" else _line
        self.total_steps, self.three_phase = total_steps, three_phase
        up = pct_start * total_steps - 1
        self.ends = [up, 2 * up, total_steps - 1] if three_phase else [up, total_steps - 1]
        tops, highs, lows = (
            _each(optimizer, name, value)
            for name, value in (("max_lr", max_lr), ("max_momentum", max_momentum), ("base_momentum", base_momentum))
        )
        self.rates = [
            [x / div_factor, x, *[x / div_factor][:three_phase], x / div_factor / final_div_factor] for x in tops
        ]
        self.momenta = [[high, low, *[high][:three_phase], high] for high, low in zip(highs, lows, strict=True)]
        for group, rates in zip(optimizer.param_groups, self.rates, strict=True):
            group["initial_lr"] = rates[0]
        super().__init__(optimizer)

    def settings(self, t: int, base: float, group: int) -> dict[str, Any]:
        """Find the phase, and how much of it is over."""
        if t > self.total_steps:
            raise ValueError(f"the cycle has {self.total_steps} steps, and this is one more: make another schedule")
        phase = next((i for i, end in enumerate(self.ends) if t <= end), len(self.ends) - 1)
        start = self.ends[phase - 1] if phase else 0
        width = self.ends[phase] - start
        share = (t - start) / width if width else 1.0
        rates, momenta = self.rates[group], self.momenta[group]
        found: dict[str, Any] = {"lr": self.anneal(rates[phase], rates[phase + 1], share)}
        momentum = self.anneal(momenta[phase], momenta[phase + 1], share)
        if "betas" in self.cycled:
            found["betas"] = (momentum, *self.optimizer.param_groups[group]["betas"][1:])
        elif self.cycled:
            found["momentum"] = momentum
        return found


class SequentialLR(Schedule):
    """One schedule after the other: number `i` begins, from its own 0, after ``milestones[i - 1]`` steps.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of Schedule
        Of this optimiser; step none of them yourself.
    milestones : list of int
        One less than there are schedules, increasing.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> optimizer = ag.optim.SGD([ag.Tensor(1.0)], lr=1.0)
    >>> parts = [ag.optim.LinearLR(optimizer, 0.5, total_iters=2), ag.optim.ExponentialLR(optimizer, 0.5)]
    >>> schedule = ag.optim.SequentialLR(optimizer, parts, milestones=[3])
    >>> rates = []
    >>> for _ in range(6):
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [0.5, 0.75, 1.0, 1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[Schedule], milestones: Sequence[int]) -> None:
        self.schedules = _of(optimizer, schedulers)
        self.milestones = list(milestones)
        if len(self.milestones) != len(self.schedules) - 1 or sorted(self.milestones) != self.milestones:
            raise ValueError(
                f"{len(self.schedules)} schedules have {len(self.schedules) - 1} milestones between them, increasing, "
                f"not {self.milestones}"
            )
        super().__init__(optimizer)

    def settings(self, t: int, base: float, group: int) -> dict[str, Any]:
        """Ask the schedule whose turn it is."""
        i = bisect_right(self.milestones, t)
        return self.schedules[i].settings(t - ([0, *self.milestones][i]), base, group)


class ChainedScheduler(Schedule):
    """Several schedules at once: the product of what they do to the base.

    Equals PyTorch's where each schedule gives a factor; that is all but cosine annealing to an
    `eta_min` that is not 0, and one cycle, whose rates are absolute.

    Parameters
    ----------
    schedulers : list of Schedule
        Of one optimiser; step none of them yourself.
    """

    def __init__(self, schedulers: Sequence[Schedule]) -> None:
        if not schedulers:
            raise ValueError("a chain has at least one schedule, and this one has none")
        self.schedules = _of(schedulers[0].optimizer, schedulers)
        super().__init__(schedulers[0].optimizer)

    def settings(self, t: int, base: float, group: int) -> dict[str, Any]:
        """Hand the rate on from one to the next."""
        found: dict[str, Any] = {"lr": base}
        for schedule in self.schedules:
            found.update(schedule.settings(t, found["lr"], group))
        return found


class ReduceLROnPlateau:
    """Multiplies the learning rates by `factor` when a metric has not improved for more than `patience` steps.

    Parameters
    ----------
    optimizer : Optimizer
    mode : str
        "min" if less is better, or "max".
    factor : float
        From 0 up to, and without, 1.
    patience : int
        How many steps without improvement are borne.
    threshold : float
        What counts as improvement: less than ``best * (1 - threshold)`` or more than ``best * (1 + threshold)``;
        by `threshold_mode` "abs", less than ``best - threshold`` or more than ``best + threshold``.
    threshold_mode : str
        "rel" or "abs".
    cooldown : int
        How many steps after a reduction do not count.
    min_lr : float, or one for each group
        What no rate falls below.
    eps : float
        A smaller change is not made.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        require("factor", factor, BELOW_ONE)
        for name, value in (
            ("patience", patience), ("threshold", threshold), ("cooldown", cooldown), ("min_lr", min_lr), ("eps", eps),
        ):  # fmt: skip
            require(name, value, NOT_NEGATIVE)
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"mode is 'min' or 'max', and threshold_mode 'rel' or 'abs', not {mode!r} and {threshold_mode!r}"
            )
        _each(optimizer, "min_lr", min_lr)
        self.optimizer, self.min_lr = optimizer, min_lr
        self.mode, self.factor, self.patience, self.cooldown, self.eps = mode, factor, patience, cooldown, eps
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.best = inf if mode == "min" else -inf
        self.bad = self.cooling = 0

    def step(self, metric: Any) -> None:
        """Take the metric, a number or a Tensor of one entry; NaN is no improvement."""
        metric = float(plain(metric))
        margin = self.threshold if self.mode == "max" else -self.threshold
        bar = self.best * (1 + margin) if self.threshold_mode == "rel" else self.best + margin
        better = metric > bar if self.mode == "max" else metric < bar
        if better:
            self.best = metric
        self.bad = 0 if better or self.cooling else self.bad + 1
        self.cooling = max(self.cooling - 1, 0)
        if self.bad > self.patience:
            self.bad, self.cooling = 0, self.cooldown
            floors = _each(self.optimizer, "min_lr", self.min_lr)
            for group, floor in zip(self.optimizer.param_groups, floors, strict=True):
                reduced = max(group["lr"] * self.factor, floor)
                if group["lr"] - reduced > self.eps:
                    group["lr"] = reduced

    def state_dict(self) -> dict[str, Any]:
        """Give the state: numbers and strings; the settings are not part of it."""
        return {"kind": type(self).__name__, "best": self.best, "bad": self.bad, "cooling": self.cooling}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` gave, and the optimiser from its own, in which the rates are.

        Raises
        ------
        ValueError
            If it is of another schedule.
        """
        _same_kind(self, saved)
        self.best, self.bad, self.cooling = saved["best"], saved["bad"], saved["cooling"]


def _line(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + cos(pi * share)) / 2


def _each(optimizer: Optimizer, name: str, value: Any) -> list[Any]:
    """Give a setting for each group from one for all, or one for each."""
    count = len(optimizer.param_groups)
    values = list(value) if isinstance(value, (tuple, list)) else [value] * count
    if len(values) != count:
        raise ValueError(f"{name} is one for all, or one for each of the {count} groups, not {len(values)}")
    return values


def _of(optimizer: Optimizer, schedules: Sequence[Any]) -> list[Schedule]:
    """List schedules, if they are functions of the number of steps, and of this optimiser."""
    for schedule in schedules:
        if not isinstance(schedule, Schedule):
            raise TypeError(f"only schedules that are functions of the number of steps can be joined, not {schedule!r}")
        if schedule.optimizer is not optimizer:
            raise ValueError("schedules of several optimisers cannot be joined: make them of the same")
    return list(schedules)


def _same_kind(schedule: Any, saved: Mapping[str, Any]) -> None:
    kind = type(schedule).__name__
    if saved.get("kind") != kind:
        raise ValueError(f"this state is that of {saved.get('kind')}, not of {kind}: make a schedule of that kind")
