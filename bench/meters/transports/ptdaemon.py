"""SPEC's PTDaemon, which reads a power analyzer and answers over TCP.

The daemon starts a measurement for us and stops it at the end. Its ranges are set only if the spec says so
(`volts_range=`, `amps_range=`); they are read before, and restored in every ending that a program can see, SIGTERM and
SIGHUP too. After a kill they stay as the spec says, and the measurement goes on, which the next run names. No journal
is kept for that: a range is no hazard, and whoever uses the daemon next sets or reads it anyway.

References
----------
SPEC Power and Temperature Daemon; its dialogue as MLCommons' power-dev uses it.
"""

import re
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bench.meters.points.entry import entry
from bench.meters.points.transport import Raw, Transport, TransportKind, check_keys
from bench.network.errors import ReadFailedError
from bench.network.reach import SETTING as PUBLIC
from bench.network.reach import check_private, remote_of
from bench.network.tcp import HostPort, left_s
from hardware_profiles.errors import InputError, shown

PORT = 8888
TIMEOUT_S = 5.0  # [s] of one command
PERIOD_MS = 1000  # of the daemon's samples
MOST_BYTES = 1 << 20  # of one line or a list of samples
_FIELDS = {"power": "Watts", "volts": "Volts", "amps": "Amps", "power_factor": "PF", "time": "Time"}
_COUNT = re.compile(r"Last ([0-9]{1,9}) samples")
_UNKNOWN = ("Unknown command", "Invalid number of parameters")
_REFUSALS = ("error", "unknown", "invalid")
_RANGES = {"volts_range": "V", "amps_range": "A"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a sample: of the sum, or of one channel from 1 on."""

    name: str
    channel: int = 0


class PtDaemon(Transport):
    """One daemon with one analyzer."""

    def __init__(self, remote: HostPort, settings: Mapping[str, str], place: str) -> None:
        self.name = f"{remote.host}:{remote.port}"
        self._remote, self._settings, self._place = remote, settings, place
        self._line: socket.socket | None = None
        self._rest = b""
        self._started = False
        self._restore: dict[str, str] = {}  # letter of a range -> what was set before
        self._sample: dict[tuple[str, int], str] = {}

    def place_of(self, at: Mapping[str, Any]) -> Figure:
        """Return the figure of `{ figure = "power", channel = 1 }`."""
        check_keys(at, {"figure": str}, {"channel": int})
        if at["figure"] not in _FIELDS:
            raise ValueError(f"expected a figure, one of {', '.join(_FIELDS)}, got {at['figure']!r}")
        return Figure(_FIELDS[at["figure"]], at.get("channel", 0))

    def open(self) -> None:
        """Connect, set the ranges that the spec states, and start a measurement."""
        check_private(self._remote, self._settings, self._place, TIMEOUT_S)
        self._begin()

    def read(self, places: Sequence[Figure]) -> list[Raw]:
        """Return the figures of the newest sample; before there is a new one, those of the last."""
        if self._line is None:  # the daemon broke off, or began anew
            self._begin()
        newest = self._newest_sample()
        if newest:
            self._sample = _sample(newest)
        if not self._sample:
            raise ReadFailedError(f"{self.name}: no sample yet")
        return [self._of(place) for place in places]

    def close(self) -> None:
        """Stop the measurement, restore the ranges, and leave."""
        endings = ["Stop"] if self._started else []
        endings += [f"SR,{letter},{value}" for letter, value in self._restore.items()]
        for text in endings:
            if not self._tell(text):
                break
        self._started, self._restore = False, {}
        self._drop()

    def _tell(self, text: str) -> bool:
        """Send a command that has to arrive, over a new connection if the old one broke; return whether it was sent."""
        try:
            for _ in range(2):
                if self._line is None:
                    self._greet()
                with suppress(ReadFailedError):
                    self._command(text)
                    return True
        except ReadFailedError:
            return False
        return True

    def _begin(self) -> None:
        """Connect, set the ranges, and start a measurement."""
        self._greet()
        self._sample = {}
        self._set_ranges()
        go = f"Go,{PERIOD_MS},0,perwatt"
        answer = self._command(go)
        if not answer.startswith("Starting") and self._started:
            self._command("Stop")  # our own, from before the connection broke
            answer = self._command(go)
        if "in progress" in answer:
            raise self._unexpected(
                "an idle daemon (another program measures, or a run that was killed left its measurement on: send Stop "
                "to it)", answer,
            )  # fmt: skip
        if not answer.startswith("Starting"):
            raise self._unexpected("a measurement that starts", answer)
        self._started = True

    def _greet(self) -> None:
        """Connect, and make sure that it is PTDaemon."""
        self._connect()
        answer = self._command("Hello")
        if answer != "Hello, PTDaemon here!":
            raise self._unexpected("PTDaemon", answer)

    def _unexpected(self, expected: str, answer: str) -> ReadFailedError:
        self._drop()
        return ReadFailedError(f"{self.name}: expected {expected}, got {shown(answer)}")

    def _set_ranges(self) -> None:
        stated = {letter: self._settings[key] for key, letter in _RANGES.items() if key in self._settings}
        if not stated:
            return
        parts = self._command("RR").split(",")
        if len(parts) < 5 or parts[0] != "Ranges":
            raise ReadFailedError(f"{self.name}: RR: expected the ranges, got {shown(','.join(parts))}")
        before = {"A": _range(parts[1], parts[2]), "V": _range(parts[3], parts[4])}
        for letter, value in stated.items():
            self._restore.setdefault(letter, before[letter])
            answer = self._command(f"SR,{letter},{value}")
            if answer.lower().startswith(_REFUSALS):
                raise self._unexpected(f"the range {value} of {letter} to be set", answer)

    def _newest_sample(self) -> str:
        """Return the newest of the samples since the last call, or an empty text if there are none."""
        head = self._command("RL,*,*")
        if head.startswith(_UNKNOWN[1]):
            head = self._command("RL")
        if head.startswith(_UNKNOWN[0]):
            head = self._command("DC-RL")
        match = _COUNT.match(head)
        if match is None:
            raise ReadFailedError(f"{self.name}: expected the number of samples, got {shown(head)}")
        deadline, newest = time.monotonic() + TIMEOUT_S, ""
        try:
            for _ in range(int(match[1])):
                newest = self._read_line(deadline)
        except OSError as error:
            self._drop()  # else its late samples would be taken for the next answer
            raise ReadFailedError(f"{self.name}: the samples: {str(error) or 'no answer in time'}") from None
        return newest

    def _of(self, place: Figure) -> Raw:
        value = self._sample.get((place.name, place.channel))
        if value is None:
            channels = sorted({channel for _, channel in self._sample})
            raise ReadFailedError(f"{self.name}: no {place.name} of channel {place.channel}, only of {channels}")
        return None if value == "-1.000000" and place.name != "Watts" else value

    def _command(self, text: str) -> str:
        deadline = time.monotonic() + TIMEOUT_S
        try:
            if self._line is None:
                raise ConnectionError("no connection")
            self._line.settimeout(left_s(deadline))
            self._line.sendall(text.encode("ascii") + b"\r\n")
            return self._read_line(deadline)
        except OSError as error:
            self._drop()
            raise ReadFailedError(f"{self.name}: {text}: {str(error) or 'no answer in time'}") from None

    def _connect(self) -> None:
        try:
            self._line = self._remote.connect(time.monotonic() + TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise ReadFailedError(f"{self.name}: {str(error) or 'no connection in time'}") from None
        self._rest = b""

    def _read_line(self, deadline: float) -> str:
        """Return the next line that is neither a notice nor an error that the daemon puts in between."""
        while True:
            left_s(deadline)
            while b"\n" not in self._rest:
                if self._line is None or len(self._rest) > MOST_BYTES:
                    raise ConnectionError("the answer has no end")
                self._line.settimeout(left_s(deadline))
                part = self._line.recv(65536)
                if not part:
                    raise ConnectionError("the daemon closed the connection")
                self._rest += part
            line, _, self._rest = self._rest.partition(b"\n")
            text = line.decode("ascii", "replace").strip()
            if not re.search(r"\b(NOTICE|WARNING|ERROR)\b", text):
                return text

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None


def _sample(line: str) -> dict[tuple[str, int], str]:
    """Return the figures of `Time,…,Watts,…,Ch1,Watts,…` by name and channel."""
    figures: dict[tuple[str, int], str] = {}
    channel = 0
    words = iter(line.split(","))
    for word in words:
        if match := re.fullmatch(r"Ch([0-9]{1,3})", word):
            channel = int(match[1])
        elif word in {*_FIELDS.values(), "Mark"}:
            figures[word, channel] = next(words, "")
    return figures


def _range(automatic: str, value: str) -> str:
    """Return a range as the command that sets it takes it."""
    is_fixed = automatic == "0" and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) and float(value) > 0
    return value if is_fixed else "Auto"


def _make(target: str, settings: Mapping[str, str], _table_settings: Mapping[str, Any], place: str) -> PtDaemon:
    for key in _RANGES:
        text = settings.get(key)
        if text is not None and text != "Auto" and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
            raise InputError.at(place, key, expected="a range in V or A, or Auto", got=text)
    return PtDaemon(remote_of(target, place, PORT), settings, place)


ENTRY = entry(
    TransportKind("ptdaemon", "a power analyzer behind SPEC's PTDaemon", "10.0.0.4", (*_RANGES, PUBLIC), 0.5, _make)
)
