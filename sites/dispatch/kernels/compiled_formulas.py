"""The formulas of `formulas` for compiled code (it imports Numba), and the rows and hours that they take."""

from __future__ import annotations

from kernels.compiler import overload, register_jitable, tuple_setitem, types
from sites.dispatch.columns import Blocks, Hours
from sites.dispatch.formulas import FORMULAS, larger, smaller
from sites.jit import site_njit_inlined

BLOCK_COLUMNS, HOUR_ROWS = len(Blocks._fields), len(Hours._fields)
# Tuples to be filled: every column is read by its number, so that a new one in columns.py needs no line here.
_BLOCK, _HOUR = (0.0,) * BLOCK_COLUMNS, (0.0,) * HOUR_ROWS

for _formula in FORMULAS:
    register_jitable(forceinline=True)(_formula)


@overload(smaller, jit_options={"forceinline": True})
def _smaller(x, y):
    if isinstance(x, types.Float) and isinstance(y, types.Float):
        return lambda x, y: min(x, y)  # noqa: PLW0108 - Numba wants a Python function
    return None


@overload(larger, jit_options={"forceinline": True})
def _larger(x, y):
    if isinstance(x, types.Float) and isinstance(y, types.Float):
        return lambda x, y: max(x, y)  # noqa: PLW0108 - likewise
    return None


@site_njit_inlined
def block_of(blocks, k):
    """Return row k of Problem.blocks by name."""
    values = _BLOCK
    for column in range(BLOCK_COLUMNS):
        values = tuple_setitem(values, column, blocks[k, column])
    return Blocks(*values)


@site_njit_inlined
def hour_of(series, t):
    """Return hour t of Problem.series by name."""
    values = _HOUR
    for row in range(HOUR_ROWS):
        values = tuple_setitem(values, row, series[row, t])
    return Hours(*values)
