"""The error function and activations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd_mini as ag

from .table import Row, broadcast

bound = st.sampled_from([0.5, 1.25])


def erf(x: Any) -> Any:
    """The library's, entry by entry; of a Tensor the series of Maclaurin, which is good for what is small."""
    x = 1.0 * x
    if not isinstance(x, ag.Tensor):
        return np.vectorize(math.erf, otypes=[float])(x).astype(x.dtype)
    terms = ((-1) ** n / (math.factorial(n) * (2 * n + 1)) * x ** (2 * n + 1) for n in range(40))
    return 2 / math.sqrt(math.pi) * sum(terms)


def gelu(x: Any, approximate: str) -> Any:
    x = 1.0 * x
    if approximate == "none":
        return 0.5 * x * (1 + erf(math.sqrt(0.5) * x))
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


# fmt: off
ROWS = [
    Row("erf",         ag.erf,         erf, broadcast("any"), exact=False),
    Row("erfc",        ag.erfc,        lambda x: 1 - erf(x), broadcast("any"), exact=False),
    Row("softplus",    ag.softplus,    lambda x: np.log(1 + np.exp(1.0 * x)), broadcast("any"), exact=False),
    Row("softsign",    ag.softsign,    lambda x: x / (1.0 + abs(x)), broadcast("nonzero"), exact=False),
    Row("relu",        ag.relu,        lambda x: np.maximum(x, 0), broadcast("nonzero")),
    Row("leaky_relu",  ag.leaky_relu,  lambda x, slope: np.where(x > 0, 1.0 * x, slope * x),
                       broadcast("nonzero", slope=st.sampled_from([0, 0.25])), exact=False),
    Row("silu",        ag.silu,        lambda x: x / (1 + np.exp(-1.0 * x)), broadcast("any"), exact=False),
    Row("gelu",        ag.gelu,        gelu, broadcast("any", approximate=st.sampled_from(["none", "tanh"])),
                       exact=False),
    Row("elu",         ag.elu,         lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(1.0 * x)),
                       broadcast("nonzero", alpha=bound), exact=False),
    Row("selu",        ag.selu,
                       lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543773 * np.expm1(1.0 * x)),
                       broadcast("nonzero"), exact=False),
    Row("hardtanh",    ag.hardtanh,    lambda x, min_val, max_val: np.clip(1.0 * x, min_val, max_val),
                       broadcast("odd", min_val=st.sampled_from([-1, -0.75]), max_val=st.sampled_from([2, 0.5])),
                       exact=False),
    Row("logsigmoid",  ag.logsigmoid,  lambda x: -np.log(1 + np.exp(-1.0 * x)), broadcast("any"), exact=False),
]
# fmt: on
