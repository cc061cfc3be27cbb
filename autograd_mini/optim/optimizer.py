"""What all optimisers share: groups of parameters, their gathering into flat arrays, and state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Any, ClassVar

import numpy as np

from ..core import clock
from ..tensor import Tensor

Array = np.ndarray[Any, Any]
State = dict[str, Any]  # of one parameter: "t", how many steps it took, and arrays of its shape
Memory = dict[str, Array]  # the arrays of the state of all parameters of a block, or of a piece of it
Settings = Mapping[str, Any]  # of a group
Limit = tuple[Callable[[Any], bool], str]  # of a setting: whether it holds, and how the error says it

POSITIVE: Limit = (lambda x: 0 < x < inf, "positive")
NOT_NEGATIVE: Limit = (lambda x: 0 <= x < inf, "not negative")
BELOW_ONE: Limit = (lambda x: 0 <= x < 1, "from 0 up to, and without, 1")

JOINED = 4096  # entries: a parameter up to this size stands in one array with others; a larger one has its own
PIECE = 1 << 15  # entries: so much at a time, so that all the arrays of an update stay in the cache


class Optimizer:
    """Groups of parameters and a rule, stated by the subclass as `update`, that moves them.

    The rule is applied to few flat arrays instead of to every parameter: each parameter's data are
    a view into one of them. What ``parameter.data`` gave before the first step, or before data were
    assigned, may therefore be another array than what it gives after.

    Parameters
    ----------
    parameters : iterable of Tensor, or of dict
        Leaves. Those that do not require a gradient, or have none, stay as they are, and so does
        their state. A dict is a group: ``{"params": [...], "lr": 0.1}``, with settings of its own.
    lr : float
        The learning rate, positive.
    weight_decay : float
        Adds ``weight_decay * p`` to each gradient, as half of ``weight_decay * p²`` in the loss does;
        not negative.
    l1 : float
        Adds ``l1 * sign(p)`` to each gradient, as ``l1 * |p|`` in the loss does; not negative.
    **settings
        Those of the subclass.

    Attributes
    ----------
    param_groups : list of dict
        Each with its ``"params"`` and all its settings, which may be changed: the next step reads them.

    Raises
    ------
    ValueError
        If there is no parameter, or the same twice, or a setting is out of its range.
    TypeError
        If something is no leaf Tensor, or a group has a setting that the optimiser does not know.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_mini as ag
    >>> class SignDescent(ag.optim.Optimizer):
    ...     def update(self, p, g, t, state, group):
    ...         p -= group["lr"] * np.sign(g)
    >>> p = ag.Tensor([1.0, -1.0])
    >>> (p * p).sum().backward()
    >>> SignDescent([p], lr=0.25).step()
    >>> p.data
    array([ 0.75, -0.75])
    """

    limits: ClassVar[dict[str, Limit]] = {"lr": POSITIVE, "weight_decay": NOT_NEGATIVE, "l1": NOT_NEGATIVE}

    def __init__(
        self, parameters: Iterable[Any], lr: float, weight_decay: float = 0.0, l1: float = 0.0, **settings: Any
    ) -> None:
        self.defaults = {"lr": lr, "weight_decay": weight_decay, "l1": l1, **settings}
        self.param_groups: list[dict[str, Any]] = []
        self._parameters: list[Tensor] = []  # of all groups
        self._blocks: list[Block] = []
        self._starts: list[dict[str, float]] = []  # what start() gave for the blocks
        self._waiting: dict[Tensor, State] = {}  # the parameters in no block, because they did not step last
        self.check(self.defaults)
        given = listed(parameters)
        for group in given if isinstance(given[0], Mapping) else [{"params": given}]:
            self.add_param_group(group)

    # -- what a subclass states --------------------------------------------------------------------

    def check(self, settings: Settings) -> None:
        """Raise unless each setting of a group is within its limits."""
        for name, limit in {**Optimizer.limits, **self.limits}.items():
            require(name, settings[name], limit)

    def start(self, group: Settings) -> dict[str, float]:
        """Name the arrays that `update` remembers of each parameter, with what they are filled at first."""
        return {}

    def update(self, p: Array, g: Array, t: int, state: Memory, group: Settings) -> None:
        """Move flat data in place.

        Parameters
        ----------
        p, g : arrays of shape (n,)
            The data, to be changed, and the gradient, which must not be.
        t : int
            The number of this step, from 1.
        state : dict of arrays of shape (n,)
            Those that `start` names, to be changed.
        group : mapping
            The settings.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update(): define it to say how it moves")

    def decay(self, p: Array, g: Array, group: Settings) -> Array:
        """Give the gradient with those of the penalties."""
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        if group["l1"]:
            g = g + group["l1"] * np.sign(p)
        return g

    # -- what a user calls -------------------------------------------------------------------------

    def add_param_group(self, group: Settings) -> None:
        """Add a dict of ``"params"`` and of the settings in which this group differs."""
        unknown = set(group) - {"params"} - set(self.defaults)
        if unknown or "params" not in group:
            raise TypeError(
                f'a group of {type(self).__name__} has "params" and may have {", ".join(self.defaults)}, and this one '
                f"has {', '.join(map(repr, group))}"
            )
        settings = {**self.defaults, **group}
        self.check(settings)
        parameters = listed(group["params"])
        for p in parameters:
            if not isinstance(p, Tensor) or p.op is not None:
                raise TypeError(f"an optimiser moves leaf Tensors, such as model.parameters() gives, not {p!r}")
        if len({*self._parameters, *parameters}) != len(self._parameters) + len(parameters):
            raise ValueError("a parameter stands twice in the list and would be moved twice: pass each once")
        self._parameters += parameters
        self.param_groups.append({**settings, "params": parameters})
        self._waiting.update((p, {}) for p in parameters)

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next `backward()` does not add to them."""
        for p in self._parameters:
            p.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient and requires one."""
        if not self._gather():
            self._regroup()
            self._gather()
        for block in self._blocks:
            block.step(self)

    @property
    def state(self) -> dict[Tensor, State]:
        """What is remembered of each parameter: nothing before its first step."""
        known = dict(self._waiting)
        for block in self._blocks:
            known.update(zip(block.parameters, block.states(), strict=True))
        found: dict[Tensor, State] = {}
        for group in self.param_groups:
            start = self.start(group)  # settings may have changed
            for p in group["params"]:
                old = known[p]
                found[p] = {"t": old["t"]} if old else {}
                for name, x in start.items() if old else ():
                    found[p][name] = old[name] if name in old else np.full(p.shape, x, p.dtype)
        return found

    def state_dict(self) -> dict[str, Any]:
        """Give a copy of settings and state: dicts, lists, numbers, strings and arrays, and nothing else.

        Parameters are numbered through all groups, in the keys of ``"state"`` and in ``"params"``.
        """
        number = {p: i for i, p in enumerate(self._parameters)}
        return {
            "kind": type(self).__name__,
            "param_groups": [{**group, "params": [number[p] for p in group["params"]]} for group in self.param_groups],
            "state": {
                str(number[p]): {name: x if name == "t" else x.copy() for name, x in state.items()}
                for p, state in self.state.items()
            },
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` gave; nothing changes where something does not fit.

        Raises
        ------
        ValueError
            If it is of another optimiser, of other groups, or of parameters of other shapes.
        """
        kind = type(self).__name__
        if saved.get("kind") != kind:
            raise ValueError(
                f"this state is that of {saved.get('kind')}, not of {kind}: make an optimiser of that kind"
            )
        mine = self.state_dict()
        counts = [
            [len(group["params"]) for group in groups] for groups in (mine["param_groups"], saved["param_groups"])
        ]
        if counts[0] != counts[1]:
            raise ValueError(f"this state is of groups of {counts[1]} parameters, and here they are of {counts[0]}")
        loaded: dict[Tensor, State] = {}
        i = 0
        for group, settings in zip(self.param_groups, saved["param_groups"], strict=True):
            if missing := set(self.defaults) - set(settings):
                raise ValueError(f"this state lacks the settings {', '.join(sorted(missing))}")
            self.check({**settings, "lr": settings.get("initial_lr", settings["lr"])})  # a schedule may reach 0
            names = set(self.start(settings))
            for p in group["params"]:
                state = dict(saved["state"][str(i)])
                shapes = {name: np.shape(x) for name, x in state.items() if name != "t"}
                if state and ("t" not in state or shapes != dict.fromkeys(names, p.shape)):
                    raise ValueError(
                        f"parameter {i}, of shape {p.shape}, remembers {', '.join(['t', *sorted(names)])}, and this is "
                        f"{', '.join(f'{name} of {np.shape(x)}' for name, x in state.items())}"
                    )
                loaded[p] = {name: int(x) if name == "t" else np.array(x, p.dtype) for name, x in state.items()}
                i += 1
        for group, settings in zip(self.param_groups, saved["param_groups"], strict=True):
            group.update({**settings, "params": group["params"]})
        self._blocks, self._waiting = [], loaded

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle without blocks: copies of views are none."""
        return {**vars(self), "_blocks": [], "_waiting": self.state}

    def __repr__(self) -> str:
        groups = [
            f"{sum(p.size for p in group['params']):,} parameters: "
            + ", ".join(f"{name}={x}" for name, x in group.items() if name != "params")
            for group in self.param_groups
        ]
        return "\n  ".join([f"{type(self).__name__}()", *groups])

    # -- blocks ------------------------------------------------------------------------------------

    def _gather(self) -> bool:
        """Gather the gradients into the blocks, or say that these are not what steps now."""
        for p in self._waiting:
            if p.grad is not None and p.requires_grad:
                return False
        if self._starts != [self.start(group) for group in self.param_groups]:
            return False
        return False not in [block.gather() for block in self._blocks]

    def _regroup(self) -> None:
        """Put the parameters that step now into blocks."""
        waiting = self.state
        blocks = []
        starts = [self.start(group) for group in self.param_groups]
        for group, start in zip(self.param_groups, starts, strict=True):
            members: dict[Any, list[Tensor]] = {}
            for p in sorted(group["params"], key=lambda p: p.ndim > 0):
                if p.grad is not None and p.requires_grad:
                    alone = p if p.size > JOINED else None
                    members.setdefault((p.dtype, waiting[p].get("t", 0), alone), []).append(p)
            for (dtype, t, _), parameters in members.items():
                pairs = [(p, waiting.pop(p)) for p in parameters]
                memory = {
                    name: _joined([old[name] if old else np.full(p.shape, x, dtype) for p, old in pairs])
                    for name, x in start.items()
                }
                blocks.append(Block(group, parameters, t, memory))
        self._blocks, self._waiting, self._starts = blocks, waiting, starts


class Block:
    """Parameters of one group and dtype that have taken as many steps, their data in one flat array.

    Parameters
    ----------
    group : dict
    parameters : list of Tensor
        Those without axes first.
    t : int
        How many steps they took.
    memory : dict of arrays
        Their state, flat too.

    Attributes
    ----------
    values : list
        Of each parameter, the data that were put there: its view into `flat`, or a NumPy scalar.
        Where it has others now, somebody assigned them.
    """

    def __init__(self, group: dict[str, Any], parameters: list[Tensor], t: int, memory: Memory) -> None:
        self.group, self.parameters, self.t, self.memory = group, parameters, t, memory
        self.flat = _joined([p.value for p in parameters])
        self.places = self.cut(self.flat)
        self.scalars = sum(p.ndim == 0 for p in parameters)
        for p, place in zip(parameters[self.scalars :], self.places[self.scalars :], strict=True):
            p.value = place
        self.values = [p.value for p in parameters]
        self.alone = parameters[0].size > JOINED  # then its gradient is not copied
        self.gradient = self.flat if self.alone else np.empty_like(self.flat)
        self.slots = [slot if slot.ndim else None for slot in self.cut(self.gradient)]
        self.pieces = [
            (piece, self.flat[piece], {name: x[piece] for name, x in memory.items()})
            for piece in (slice(i, i + PIECE) for i in range(0, self.flat.size, PIECE))
        ]

    def cut(self, flat: Array) -> list[Array]:
        """Give the views that stand for the parameters."""
        views, start = [], 0
        for p in self.parameters:
            views.append(flat[start : start + p.size].reshape(p.shape))
            start += p.size
        return views

    def gather(self) -> bool:
        """Gather data that were assigned and, from several parameters, gradients; or say that one does not step.

        Raises
        ------
        ValueError
            If a gradient has not the shape of its parameter.
        """
        gradients, copied, tick = [], not self.alone, next(clock)
        for p, value, slot in zip(self.parameters, self.values, self.slots):  # noqa: B905  # strict takes longer
            g = p.grad
            if g is None or not p.requires_grad:
                return False
            if p.value is not value:
                self.adopt(p)
            if slot is None:
                gradients.append(g)
            elif g.shape != slot.shape:
                raise ValueError(f"a parameter of shape {slot.shape} has a gradient of shape {g.shape}: assign another")
            elif copied:
                slot[...] = g
            p.age = tick  # it is about to change
        if gradients:
            self.gradient[: self.scalars] = gradients
        return True

    def adopt(self, p: Tensor) -> None:
        """Put the data that somebody assigned into the flat array."""
        i = next(i for i, q in enumerate(self.parameters) if q is p)
        place = self.places[i]
        place[...] = p.value
        if place.ndim:
            p.value = place
        self.values[i] = p.value

    def step(self, optimizer: Optimizer) -> None:
        """Move all parameters, a piece of the flat array at a time."""
        self.t += 1
        gradient = np.asarray(self.parameters[0].grad).reshape(-1) if self.alone else self.gradient
        for piece, data, memory in self.pieces:
            g = optimizer.decay(data, gradient[piece], self.group)
            optimizer.update(data, g, self.t, memory, self.group)
        if self.scalars:
            self.values[: self.scalars] = scalars = list(self.flat[: self.scalars])
            for p, value in zip(self.parameters, scalars, strict=False):
                p.value = value

    def states(self) -> list[State]:
        """Give the state of each parameter; its arrays are views."""
        views = {name: self.cut(x) for name, x in self.memory.items()}
        return [{"t": self.t, **{name: x[i] for name, x in views.items()}} for i in range(len(self.parameters))]


def require(name: str, value: Any, limit: Limit) -> None:
    """Raise unless a setting, or each of its parts, holds, and say what it must be."""
    holds, must = limit
    several = isinstance(value, (tuple, list))
    for x in value if several else (value,):
        if not holds(x):
            raise ValueError(f"{'each of ' if several else ''}{name} must be {must}, not {x}")


def listed(parameters: Iterable[Any]) -> list[Any]:
    """List parameters, or say why they are none."""
    if isinstance(parameters, Tensor):
        raise TypeError("this takes a list of Tensors, not one Tensor: write [tensor]")
    if hasattr(parameters, "parameters"):
        raise TypeError("this takes Tensors, not a module: write model.parameters()")
    found = list(parameters)
    if not found:
        raise ValueError("this needs at least one parameter, and got none (a generator gives its own only once)")
    return found


def _joined(arrays: list[Any]) -> Array:
    """Put arrays into one without axes but the first; one alone is not copied if that is possible."""
    return np.concatenate([np.reshape(x, -1) for x in arrays]) if len(arrays) > 1 else np.reshape(arrays[0], -1)
