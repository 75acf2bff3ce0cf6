"""Prices of a market file on this machine, which is read again whenever it changes."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bench.control.inputs.looker import Looker
from bench.control.inputs.prices import around, merged, read_file
from bench.control.inputs.source import Known
from bench.control.inputs.tables import PriceTable
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from sites.control.model import Price


class PriceFile:
    """A market file that another program renews."""

    def __init__(self, table: PriceTable, path: Path) -> None:
        self._table, self._path = table, path
        self._name = f"file:{path.name}"
        self._seen: object = ...  # what the file was at the last good look; `...` before it
        self._prices: tuple[Price, ...] = ()
        self._fault = ""
        self._looker = Looker(f"price {self._name}", self._look, table.poll_s)

    def known(self, now_s: float) -> Known:
        """Return the intervals around a time, and look at the file if that is due."""
        self._looker.tick(now_s)
        faults = tuple(fault for fault in (self._fault, self._looker.fault) if fault)
        return Known(prices=around(self._prices, now_s), faults=faults)

    def wait(self, timeout_s: float) -> bool:
        """Wait until no look is under way."""
        return self._looker.wait(timeout_s)

    def close(self) -> None:
        """End the looks."""
        self._looker.close()

    def _look(self, now_s: float) -> None:
        seen = version(self._path)
        if seen == self._seen and not self._fault:
            return
        try:
            fresh = read_file(self._table, self._path, now_s, self._name)
        except InputError as error:
            self._fault = f"price {error.faults[0]}"
            return
        self._prices, self._seen, self._fault = merged(self._prices, fresh, now_s), seen, ""


def version(path: Path) -> object:
    """Return what changes whenever a file is replaced or written to; None if there is no such file."""
    try:
        status = os.stat(path)  # noqa: PTH116 (only to see whether it changed; it is opened elsewhere)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
