"""The inputs of a controlled site: every declared source, asked in the background, and what they know at a moment."""

from collections.abc import Callable
from contextlib import suppress

from bench.control.inputs.mqtt_target import MqttTarget
from bench.control.inputs.openadr.target import OpenAdrTarget
from bench.control.inputs.price_feed import PriceFeed
from bench.control.inputs.price_file import PriceFile
from bench.control.inputs.source import Source
from bench.control.inputs.tables import InputTables, PriceTable, TargetTable
from bench.control.inputs.target_file import TargetFile
from sites.control.model import Inputs, LoadTarget

Clock = Callable[[], float]
"""The controller's time [s, Unix]."""

FIRST_S = 10.0  # [s, real time] for the first look at every source


class OpenInputs:
    """The opened sources."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self._sources = sources

    def now(self, now_s: float) -> Inputs:
        """Return what is known at a time [s, Unix].

        It costs no look at a source and raises nothing: sources are asked in threads, and what is wrong with one is a
        line of `faults` while its last good content stays.
        """
        known = [source.known(now_s) for source in self._sources]
        return Inputs(
            prices=tuple(price for each in known for price in each.prices),
            targets=tuple(target for each in known for target in each.targets),
            faults=tuple(fault for each in known for fault in each.faults),
            targets_lost=any(each.lost for each in known),
        )

    def settle(self, timeout_s: float = FIRST_S) -> None:
        """Wait until no source is being asked, at most for a time [s, real time] each."""
        for source in self._sources:
            source.wait(timeout_s)

    def close(self) -> None:
        """Leave every source."""
        for source in self._sources:
            with suppress(OSError):
                source.close()


def open_inputs(tables: InputTables, clock: Clock, before: Inputs | None = None) -> OpenInputs:
    """Open the sources that a control file declares, and look at each of them once.

    Parameters
    ----------
    tables
        [price] and [target] of the control file.
    clock
        The controller's clock.
    before
        The last inputs of an earlier run: its targets hold until their source speaks.

    Raises
    ------
    InputError
        An address, a login or a certificate that the file names is faulty. A source that does not answer is no error:
        it is a fault in the inputs.
    """
    held = before.targets if before else ()
    sources: list[Source] = []
    try:
        if tables.price is not None:
            sources.append(_price(tables.price, tables))
        for table in tables.targets:
            sources.append(_target(table, tables, clock, held))  # noqa: PERF401 (the opened ones are closed after an error)
    except BaseException:
        OpenInputs(tuple(sources)).close()
        raise
    opened = OpenInputs(tuple(sources))
    opened.now(clock())
    opened.settle()
    return opened


def _price(table: PriceTable, tables: InputTables) -> Source:
    if table.source.startswith("file:"):
        return PriceFile(table, tables.file.parent / table.source.removeprefix("file:"))
    return PriceFeed(table, tables)


def _target(table: TargetTable, tables: InputTables, clock: Clock, held: tuple[LoadTarget, ...]) -> Source:
    before = tuple(target for target in held if target.source.startswith(f"{table.kind}:"))
    place = f"{tables.file}: [target]"
    if table.kind == "mqtt":
        return MqttTarget(table, place, clock, before)
    if table.kind == "openadr":
        return OpenAdrTarget(table, place, clock(), before)
    return TargetFile(table, tables.file.parent / table.places[0], clock(), before)
