"""Events of an OpenADR 3 VTN as targets: polled, the last good version of each event kept, a cancelled one dropped."""

import time
from typing import Any

from bench.control.inputs.looker import Looker
from bench.control.inputs.openadr.client import Vtn
from bench.control.inputs.openadr.events import concerns, limits
from bench.control.inputs.source import Known
from bench.control.inputs.tables import TargetTable
from bench.control.inputs.target_file import current, kept
from bench.credentials import scrub_message
from bench.network.errors import ReadFailedError
from hardware_profiles.errors import InputError, near_names, shown
from sites.control.model import LoadTarget

_MOST_FAULTS = 5  # of events that are named


class OpenAdrTarget:
    """The events of a VTN that concern this site."""

    def __init__(self, table: TargetTable, place: str, started_s: float, before: tuple[LoadTarget, ...]) -> None:
        self._table, self._good_s = table, started_s
        self._vtn = Vtn(table.places[0], table.token_url, table.settings, place)
        self._name = f"target openadr:{self._vtn.url}"
        self._events: dict[str, tuple[LoadTarget, ...]] = {"": before} if before else {}
        self._faults: tuple[str, ...] = ()
        self._looker = Looker(self._name, self._look, table.poll_s)

    def known(self, now_s: float) -> Known:
        """Return the targets of all events that hold at a time or later, and poll the VTN if that is due."""
        self._looker.tick(now_s)
        targets = tuple(target for each in self._events.values() for target in current(each, now_s))
        faults = (*self._faults, *((self._looker.fault,) if self._looker.fault else ()))
        is_lost = now_s - self._good_s > self._table.silence_s
        return Known(targets=targets, faults=faults, lost=is_lost)

    def wait(self, timeout_s: float) -> bool:
        """Wait until no poll is under way."""
        return self._looker.wait(timeout_s)

    def close(self) -> None:
        """End the polls."""
        self._looker.close()

    def _look(self, now_s: float) -> None:
        deadline = time.monotonic() + self._table.timeout_s
        try:
            programs = self._programs(deadline)
            query = {"programID": self._program(programs)} if self._table.program else {}
            events = self._vtn.read("events", deadline - time.monotonic(), query)
        except InputError as error:
            self._faults = (f"{self._name}: {error.faults[0]}",)
        except ReadFailedError as error:
            self._faults = (f"target {scrub_message(str(error))}",)
        else:
            self._take(events, programs, now_s)

    def _programs(self, deadline: float) -> dict[str, dict[str, Any]]:
        return {str(each.get("id")): each for each in self._vtn.read("programs", deadline - time.monotonic())}

    def _program(self, programs: dict[str, dict[str, Any]]) -> str:
        wanted = self._table.program or ""
        by_name = {str(each.get("programName")): key for key, each in programs.items()}
        found = wanted if wanted in programs else by_name.get(wanted)
        if found is None:
            near = ", ".join(near_names(wanted, by_name)) or "none is near"
            raise InputError(f"program: expected one of the VTN's {len(programs)}, got {shown(wanted)} ({near})")
        return found

    def _take(self, events: list[dict[str, Any]], programs: dict[str, dict[str, Any]], now_s: float) -> None:
        """Take an answer: an event that is not in it is cancelled, a faulty one stays as it was."""
        known: dict[str, tuple[LoadTarget, ...]] = {}
        faults = []
        before = tuple(target for each in self._events.values() for target in each)
        for event in events:
            key = str(event.get("id"))
            try:
                if concerns(event, self._table):
                    program = programs.get(str(event.get("programID")), {})
                    known[key] = kept(before, limits(event, program, self._table, now_s))
            except InputError as error:
                faults.append(f"{self._name}: {error.faults[0]}")
                known[key] = self._events.get(key, ())
        more = len(faults) - _MOST_FAULTS
        self._faults = (*faults[:_MOST_FAULTS], *((f"{self._name}: {more} more faulty events",) if more > 0 else ()))
        self._events, self._good_s = known, now_s
