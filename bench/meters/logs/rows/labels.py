"""The texts of a column with few different ones, such as the names of devices, as numbers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

MOST = 4096  # different texts; a column with more names no devices


class Labels:
    """The texts of a column by row."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}  # each text with its number, in order of their first rows
        self.are_too_many = False  # the rows are forgotten then
        self._rows: list[npt.NDArray[np.uint16]] = []

    def add(self, cells: Sequence[str]) -> None:
        """Add the cells of more rows."""
        for cell in dict.fromkeys(cells):
            if cell not in self.texts:
                if len(self.texts) > MOST:
                    self.are_too_many = True
                    self._rows.clear()
                    break
                self.texts[cell] = len(self.texts)
        if not self.are_too_many:
            self._rows.append(np.fromiter(map(self.texts.__getitem__, cells), np.uint16, len(cells)))

    def rows(self) -> npt.NDArray[np.uint16]:
        """Return the number of each row's text."""
        self._rows = [np.concatenate(self._rows)] if self._rows else [np.empty(0, np.uint16)]
        return self._rows[0]

    def follow(self, others: "Labels") -> bool:
        """Return whether all rows with one text of another column have one text of this column."""
        pairs = self.rows() + len(self.texts) * others.rows().astype(np.uint32)
        return len(np.unique(pairs)) == len(others.texts)
