"""Indexing."""

from __future__ import annotations

import numpy as np

from autograd_mini import core, ops

from .table import Row, indexed

# fmt: off
ROWS = [
    Row("getitem",      lambda x, index: x[index], lambda x, index: x[index], indexed(), lists=False),
    Row("ops.getitem",  ops.getitem, lambda x, index: (x if isinstance(x, core.Node) else np.asarray(x))[index],
                        indexed()),
]
# fmt: on
