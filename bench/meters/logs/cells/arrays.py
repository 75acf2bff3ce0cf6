"""Arrays of a log's values: medians and deciles reorder them in place, because a log may have millions of values."""

from array import array

import numpy as np
import numpy.typing as npt


class Growing:
    """An array of numbers that grows at its end. It has no copy of them, unlike a list of parts that is joined."""

    def __init__(self) -> None:
        self._numbers = array("d")

    def __len__(self) -> int:
        """Return the number of numbers."""
        return len(self._numbers)

    def add(self, numbers: npt.NDArray[np.float64]) -> None:
        """Add numbers at the end."""
        try:
            self._numbers.frombytes(numbers.tobytes())
        except BufferError:  # an earlier array of them is still in use
            self._numbers = array("d", self._numbers)
            self._numbers.frombytes(numbers.tobytes())

    def all(self) -> npt.NDArray[np.float64]:
        """Return all numbers as an array that cannot be written to."""
        numbers = np.frombuffer(self._numbers) if self._numbers else np.empty(0)
        numbers.flags.writeable = False
        return numbers


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
