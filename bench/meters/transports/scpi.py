"""Power analyzers that answer SCPI queries over a TCP socket, such as the Yokogawa WT300 family behind a gateway.

perwatt only asks: it changes neither items nor ranges of the instrument.
"""

import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.meters.points.entry import entry
from bench.meters.points.transport import Raw, Transport, TransportKind, check_keys
from bench.network.errors import ReadFailedError
from bench.network.reach import SETTING as PUBLIC
from bench.network.reach import check_private, remote_of
from bench.network.tcp import HostPort, left_s
from hardware_profiles.errors import InputError, shown

PORT = 5025
TIMEOUT_S = 2.0  # [s] of one query
MOST_BYTES = 4096  # of one answer


@dataclass(frozen=True, slots=True)
class Query:
    """One query; its answer is one value, or one of several separated by commas."""

    text: str
    item: int = 0
    check: str = ""  # a query whose answer must end with `expects`: which quantity the instrument sends here
    expects: str = ""


class Scpi(Transport):
    """One instrument."""

    def __init__(self, remote: HostPort, settings: Mapping[str, str], place: str) -> None:
        self.name = f"{remote.host}:{remote.port}"
        self._remote, self._settings, self._place = remote, settings, place
        self._line: socket.socket | None = None
        self._checked: set[Query] = set()

    def place_of(self, at: Mapping[str, Any]) -> Query:
        """Return the query of `{ query = ":NUM:NORM:VAL? 3", check = ":NUM:NORM:ITEM3?", expects = "P,1" }`."""
        check_keys(at, {"query": str}, {"item": int, "check": str, "expects": str})
        if ("check" in at) != ("expects" in at):
            raise ValueError("expected check and expects together, got one of them")
        for key in ("query", "check"):
            if not at.get(key, "?").partition(" ")[0].endswith("?"):
                raise ValueError(f"expected {key} as a query, which ends with ?, got {at[key]!r}")
        return Query(at["query"], at.get("item", 0), at.get("check", ""), at.get("expects", ""))

    def open(self) -> None:
        """Connect and ask who it is."""
        check_private(self._remote, self._settings, self._place, TIMEOUT_S)
        self._ask("*IDN?")

    def read(self, places: Sequence[Query]) -> list[Raw]:
        """Return the values; each query is asked once."""
        for place in places:
            if place.check and place not in self._checked:
                self._check(place)
        answers = {text: self._ask(text).split(",") for text in dict.fromkeys(place.text for place in places)}
        return [self._item(place, answers[place.text]) for place in places]

    def close(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _check(self, place: Query) -> None:
        got = self._ask(place.check)
        if not got.upper().replace(" ", "").endswith(place.expects.upper().replace(" ", "")):
            raise InputError(
                f"{self._place}: expected {place.expects} as the answer to {place.check}, got {shown(got)}; set the "
                "instrument's numeric items so, or use a table of your own"
            )
        self._checked.add(place)

    def _item(self, place: Query, parts: Sequence[str]) -> str:
        if place.item >= len(parts):
            raise ReadFailedError(f"{self.name}: {place.text}: expected {place.item + 1} values, got {len(parts)}")
        return parts[place.item].strip()

    def _ask(self, query: str) -> str:
        try:
            return self._exchange(query, time.monotonic() + TIMEOUT_S)
        except (OSError, ValueError) as error:
            self.close()  # a late answer must not be taken for the next one
            raise ReadFailedError(f"{self.name}: {query}: {str(error) or 'no answer in time'}") from None

    def _exchange(self, query: str, deadline: float) -> str:
        if self._line is None:
            self._line = self._remote.connect(deadline)
        self._line.settimeout(left_s(deadline))
        self._line.sendall(query.encode("ascii") + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            self._line.settimeout(left_s(deadline))
            part = self._line.recv(MOST_BYTES)
            if not part or len(answer) > MOST_BYTES:
                raise ValueError("the answer has no end")
            answer += part
        return answer.decode("ascii", "replace").strip()


def _make(target: str, settings: Mapping[str, str], _table_settings: Mapping[str, Any], place: str) -> Scpi:
    return Scpi(remote_of(target, place, PORT), settings, place)


ENTRY = entry(TransportKind("scpi", "a power analyzer over SCPI", "10.0.0.8", (PUBLIC,), 0.1, _make))
