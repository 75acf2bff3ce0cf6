"""Arrays of a log's values: medians and deciles reorder them in place, because a log may have millions of values."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def joined(arrays: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Return arrays as one; a single one is not copied."""
    return arrays[0] if len(arrays) == 1 else np.concatenate([np.empty(0), *arrays])


def median(values: npt.NDArray[np.float64]) -> float:
    """Return the median of numbers; their order is lost."""
    high = len(values) // 2
    low = (len(values) - 1) // 2
    values.partition((low, high))
    return float(values[high]) if low == high else float((values[low] + values[high]) / 2)


def ninth_decile(values: npt.NDArray[np.float64]) -> float:
    """Return the last of the nine cut points of `statistics.quantiles(values, n=10)`; their order is lost."""
    above = 9 * (len(values) + 1) // 10
    above = min(max(above, 1), len(values) - 1)
    tenths = 9 * (len(values) + 1) - above * 10
    values.partition((above - 1, above))
    return float((values[above - 1] * (10 - tenths) + values[above] * tenths) / 10)
