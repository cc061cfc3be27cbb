"""Models, and what belongs to them, in safetensors files: arrays, and their description as JSON. No code, no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import nn
from ..extras import extra
from ..files import replacing
from ..nn import Module
from ..tensor import Tensor
from .history import History

KEY = "autograd_mini"  # of the description among the metadata of the file
SCALERS = ("MaxAbsScaler", "MinMaxScaler", "RobustScaler", "StandardScaler")
GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
Arrays = dict[str, np.ndarray[Any, Any]]


def save(
    path: str | Path,
    model: Module,
    *,
    optimizer: Any = None,
    schedule: Any = None,
    scaler: Any = None,
    history: History | None = None,
    meta: Any = None,
) -> None:
    """Write a model, and what belongs to it, into a safetensors file [1]_.

    The file is written beside `path` and then moved there: whatever happens, there is the old one or
    the new one, whole. Other programs find the parameters by their paths.

    Parameters
    ----------
    path : str or Path
        Its folder exists.
    model : Module
    optimizer, schedule : of `optim`, optional
        Their state, from which a training goes on bit for bit.
    scaler : scikit-learn scaler, or tree, optional
        A fitted StandardScaler, MinMaxScaler, MaxAbsScaler or RobustScaler; or arrays in a dict.
    history : History, optional
    meta : tree, optional
        Anything of dicts, lists, strings, numbers, None and arrays.

    Raises
    ------
    TypeError
        If something cannot be written without pickle; it is named.
    FileNotFoundError
        If there is no such folder.
    ModuleNotFoundError
        If safetensors is missing.

    References
    ----------
    .. [1] https://github.com/huggingface/safetensors
    """
    writer = _Writer({id(tensor): name for name, tensor in model.named_parameters()})
    description = {
        "format": 1,
        "model": writer.tree(model, ""),
        "state": list(model.state_dict()),
        "generators": writer.generators,
        "optimizer": None if optimizer is None else writer.tree(optimizer.state_dict(), "optimizer/"),
        "schedule": None if schedule is None else writer.tree(schedule.state_dict(), "schedule/"),
        "scaler": writer.tree(_scaler_state(scaler), "scaler/"),
        "history": None if history is None else history.to_dict(),
        "meta": writer.tree(meta, "meta/"),
    }
    content = extra("safetensors.numpy", "train").save(writer.arrays, {KEY: json.dumps(description)})
    with replacing(Path(path)) as draft:
        draft.write_bytes(content)


def load(path: str | Path, model: Module | None = None, *, optimizer: Any = None, schedule: Any = None) -> Saved:
    """Read what `save` wrote.

    Parameters
    ----------
    path : str or Path
    model : Module, optional
        Takes the parameters. It is needed for models of classes of one's own; those of `nn` can be
        built from the file.
    optimizer, schedule : of `optim`, optional
        Take their state.

    Returns
    -------
    Saved

    Raises
    ------
    ValueError
        If the file is truncated, none of `save`, damaged, or does not fit the model.
    FileNotFoundError
        If there is none.

    Examples
    --------
    >>> import autograd_mini as ag
    >>> model = ag.nn.MLP([2, 3, 1], rng=0)
    >>> ag.save("xor.safetensors", model, meta={"trained": "not at all"})
    >>> saved = ag.load("xor.safetensors")
    >>> saved.meta, bool((saved.model([[1, 2]]) == model([[1, 2]])).all())
    ({'trained': 'not at all'}, True)
    """
    path = Path(path)
    safetensors = extra("safetensors", "train")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safetensors.safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no dict
    except Exception as error:  # whatever a hostile file provokes in the library
        raise ValueError(
            f"{path} is not a whole safetensors file, but truncated or of another kind: {error}"
        ) from error
    if KEY not in metadata:
        raise ValueError(f"{path} was not written by ag.save: read its arrays with safetensors.numpy.load_file")
    try:
        saved = Saved(arrays, json.loads(metadata[KEY]))
        if model is not None:
            saved.give_to(model)
        for target, what in ((optimizer, "optimizer"), (schedule, "schedule")):
            if target is not None:
                target.load_state_dict(saved.tree(what))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged or made by hand: {error!r}") from error
    return saved


class Saved:
    """What `load` found in a file.

    Attributes
    ----------
    state : dict of str to array
        The parameters and buffers of the model, as `Module.load_state_dict` takes them.
    model : Module
        The one that `load` was given; else it is built here, from layers of `nn`.
    scaler : fitted scikit-learn scaler, or tree, or None
    history : History
        Empty if none was saved.
    meta : tree
    """

    def __init__(self, arrays: Arrays, description: dict[str, Any]) -> None:
        if description["format"] != 1:
            raise ValueError(f"this file has format {description['format']}, and this version reads format 1")
        self._description, self._reader = description, _Reader(arrays, description["generators"])
        self.state = {name: arrays[name] for name in description["state"]}
        self.history = History(description["history"])
        self.meta = self.tree("meta")

    def tree(self, what: str) -> Any:
        """Give the state of "optimizer" or "schedule" as their `load_state_dict` takes it, or another part."""
        if self._description[what] is None and what in ("optimizer", "schedule"):
            raise ValueError(f"this file has no {what}: it was saved without {what}=")
        return self._reader.tree(self._description[what])

    def give_to(self, model: Module) -> None:
        """Load the state into `model`, and the states of its random generators."""
        model.load_state_dict(self.state)
        writer = _Writer({})
        writer.tree(model, "")
        for name, state in self._description["generators"].items():
            if name in writer.found:
                _set_state(writer.found[name], self._reader.tree(state))
        self.model = model

    @cached_property
    def model(self) -> Module:
        try:
            model: Module = self.tree("model")
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"the description of this model is damaged: {error!r}") from error
        return model

    @cached_property
    def scaler(self) -> Any:
        return _scaler(self.tree("scaler"))


# -- trees as JSON and arrays ----------------------------------------------------------------------


class _Writer:
    """Describe trees in JSON, with the names of the arrays, which are put aside.

    Attributes
    ----------
    arrays : those that were met, by name.
    generators : descriptions of the random generators that were met, by name; `found` are they themselves.
    """

    def __init__(self, names: dict[int, str]) -> None:
        self.names = dict(names)  # of what may be met twice, by identity
        self.arrays: Arrays = {}
        self.generators: dict[str, Any] = {}
        self.found: dict[str, np.random.Generator] = {}
        self.modules: set[str] = set()

    def tree(self, x: Any, name: str) -> Any:
        if x is None or isinstance(x, (bool, int, float, str)):
            return x
        if isinstance(x, list):
            return [self.tree(part, f"{name}.{i}") for i, part in enumerate(x)]
        if isinstance(x, tuple):
            return {"tuple": self.tree(list(x), name)}
        if isinstance(x, Mapping):
            return {"dict": [[self.tree(key, name), self.tree(part, _joined(name, key))] for key, part in x.items()]}
        if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fiub":
            while name in self.arrays:  # two paths may be written alike: {"a.b": x} and {"a": {"b": x}}
                name += "'"
            self.arrays[name] = np.asarray(x, order="C")
            return {"array": name}
        if isinstance(x, np.ndarray) and x.dtype.kind in "OU" and all(isinstance(part, str) for part in x.ravel()):
            return {"strings": x.tolist()}
        known = self.names.setdefault(id(x), name)
        if isinstance(x, Tensor) and x.op is None:
            self.arrays[known] = np.asarray(x.data, order="C")
            return {"tensor": known, "requires_grad": x.requires_grad}
        if isinstance(x, np.random.Generator):
            self.found[known] = x
            self.generators[known] = self.tree(x.bit_generator.state, f"{known}/state")
            return {"generator": known}
        if isinstance(x, Module):
            if known in self.modules:
                return {"module": known}
            self.modules.add(known)
            attributes = {key: self.attribute(part, _joined(name, key)) for key, part in vars(x).items()}
            return {"module": known, "class": type(x).__name__, "attributes": attributes}
        raise TypeError(
            f"{name} is of type {type(x).__name__}, which cannot be written without pickle: save arrays, numbers, "
            "strings, lists and dicts"
        )

    def attribute(self, x: Any, name: str) -> Any:
        """Describe what a module holds: if it is nothing that can be built again, only that is said."""
        try:
            return self.tree(x, name)
        except TypeError:
            return {"unknown": type(x).__name__}


def _joined(name: str, key: Any) -> str:
    return f"{name}.{key}" if name and not name.endswith("/") else f"{name}{key}"


class _Reader:
    """Build what `_Writer` described. Modules are those of `nn`, and no code is run but what they consist of."""

    def __init__(self, arrays: Arrays, generators: dict[str, Any]) -> None:
        self.arrays, self.generators = arrays, generators
        self.built: dict[tuple[str, str], Any] = {}  # what may be met twice

    def tree(self, x: Any) -> Any:
        if isinstance(x, list):
            return [self.tree(part) for part in x]
        if not isinstance(x, dict):
            return x
        kind = next(iter(x))
        if kind == "tuple":
            return tuple(self.tree(x["tuple"]))
        if kind == "dict":
            return {self.tree(key): self.tree(part) for key, part in x["dict"]}
        if kind == "array":
            return self.arrays[x["array"]][()]
        if kind == "strings":
            return np.array(x["strings"], object)
        if kind not in ("tensor", "generator", "module"):
            raise ValueError(
                f"this model has {x.get(kind)!r} among its attributes, which a file does not hold: make the model as "
                "it was made, and load into it by ag.load(path, model)"
            )
        key = kind, x[kind]
        if key not in self.built:
            self.built[key] = getattr(self, kind)(x)
        return self.built[key]

    def tensor(self, x: Any) -> Tensor:
        return Tensor(self.arrays[x["tensor"]], bool(x["requires_grad"]))

    def generator(self, x: Any) -> np.random.Generator:
        state = self.tree(self.generators[x["generator"]])
        if state["bit_generator"] not in GENERATORS:
            raise ValueError(f"NumPy has no random generator {state['bit_generator']!r}")
        generator = np.random.Generator(getattr(np.random, state["bit_generator"])())
        _set_state(generator, state)
        return generator

    def module(self, x: Any) -> Module:
        kind = getattr(nn, x["class"], None) if x["class"] in nn.__all__ else None
        if not (isinstance(kind, type) and issubclass(kind, Module)):
            raise ValueError(
                f"this model has a module {x['class']!r}, and nn has no such class: make the model as it was made, and "
                "load into it by ag.load(path, model)"
            )
        module = kind.__new__(kind)
        self.built["module", x["module"]] = module
        for name, value in x["attributes"].items():
            if name.startswith("__") or callable(getattr(kind, name, None)):
                raise ValueError(f"{name} is no attribute that a {x['class']} has from a file")
            setattr(module, name, self.tree(value))
        return module


def _set_state(generator: np.random.Generator, state: Any) -> None:
    own = generator.bit_generator
    if own.state["bit_generator"] != state["bit_generator"]:
        raise ValueError(
            f"the random generator was a {state['bit_generator']}, and this model has a {own.state['bit_generator']}"
        )
    own.state = state


# -- scalers ---------------------------------------------------------------------------------------


def _scaler_state(scaler: Any) -> Any:
    """Give what a fitted scaler of scikit-learn knows, or a tree as it is."""
    if type(scaler).__name__ not in SCALERS:
        return scaler
    fitted = {name: value for name, value in vars(scaler).items() if name.endswith("_")}
    if not fitted:
        raise ValueError(f"this {type(scaler).__name__} is not fitted: call its fit(x) first")
    return {"scaler": type(scaler).__name__, "parameters": scaler.get_params(), "fitted": fitted}


def _scaler(state: Any) -> Any:
    if not (isinstance(state, dict) and "scaler" in state):
        return state
    if state["scaler"] not in SCALERS:
        raise ValueError(f"a file holds one of {', '.join(SCALERS)}, not {state['scaler']!r}")
    scaler = getattr(extra("sklearn.preprocessing", "train"), state["scaler"])(**state["parameters"])
    for name, value in state["fitted"].items():
        if not name.endswith("_") or name.startswith("_"):
            raise ValueError(f"{name} is nothing that a scaler has learned")
        setattr(scaler, name, value)
    return scaler
