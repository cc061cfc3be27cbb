"""What the benchmarks share: how they measure, and where."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Times = dict[str, list[float]]


def interleaved(
    steps: dict[str, Callable[[], Any]], seconds: float, least: int = 11, burst: float = 0.002, evenly: bool = True
) -> Times:
    """Time the steps in turns of about a `burst` of seconds each: a list of seconds a step for each, one entry a turn.

    In a turn all run equally often or, if not `evenly`, equally long.
    """
    each: dict[str, float] = {}
    for name, step in steps.items():
        start = time.perf_counter()
        step()
        each[name] = max(time.perf_counter() - start, 1e-6)
    mean = sum(each.values()) / len(each)
    repeats = {name: max(1, round(burst / (mean if evenly else one))) for name, one in each.items()}
    turn = sum(repeats[name] * one for name, one in each.items())
    times: Times = {name: [] for name in steps}
    for _ in range(max(least, round(seconds / turn))):
        for name, step in steps.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                step()
            times[name].append((time.perf_counter() - start) / repeats[name])
    return times


def ratio(times: Times, name: str, base: str) -> float:
    """The median over the turns of one time divided by the other of the same turn."""
    return statistics.median(a / b for a, b in zip(times[name], times[base], strict=True))


def machine() -> str:
    names = [platform.processor() or platform.machine()]
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as info:
            names = [line.split(":")[1].strip() for line in info if line.startswith("model name")][:1] or names
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return (
        f"{names[0]}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"NumPy {np.__version__} with {blas['name']} {blas['version']}, one thread"
    )
