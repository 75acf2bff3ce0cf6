"""Lies and faults of simulated units: each with a probability or a rate, drawn from the unit's own seed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from heapq import heapify, heapreplace
from random import Random

from hardware_profiles.errors import InputError, near_names

DAY_S = 86_400.0


class Telemetry(StrEnum):
    """What a unit shows of itself."""

    HONEST = "honest"
    FROZEN = "frozen"  # the figures of the moment in which it began, for ever fresh
    ZEROED = "zeroed"  # power and rate are 0
    NAN = "nan"
    TENFOLD = "tenfold"


class Happening(StrEnum):
    """What happens to a unit without a command of the controller."""

    PERSON_ON = "person_on"
    PERSON_OFF = "person_off"
    REBOOT = "reboot"
    HANG = "hang"
    POWER_CYCLE = "power_cycle"  # a person cuts the power of a unit that hangs
    OFFLINE = "offline"
    ONLINE = "online"
    TELEMETRY = "telemetry"  # it begins to show what is not so
    HONEST = "honest"
    PHANTOM = "phantom"  # it draws its power and hashes nothing
    HASHES = "hashes"


class Reception(StrEnum):
    """How a unit takes a command."""

    DONE = "done"
    WITHOUT_EFFECT = "without_effect"  # it says yes and does nothing
    LATE = "late"  # it does it and answers too late
    CLOSED = "closed"  # it does it and closes the connection without an answer
    CLOSED_WITHOUT_EFFECT = "closed_without_effect"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Lies:
    """Probabilities of a command or of a unit [-], and rates of what happens by itself [1/day]."""

    no_effect: float = 0.0  # acknowledged without effect; of a command
    late: float = 0.0  # the reply comes after 21 s; of a command
    closed: float = 0.0  # the connection is closed; of a command, which works in half of the cases
    never_wakes: float = 0.0  # of a wake
    forgets_sleep: float = 0.5  # a reboot restores mining; of a unit, else it keeps its sleep
    gibberish: float = 0.0  # a server answers nonsense after it woke; of a wake
    telemetry: float = 0.0  # frozen, zeroed, NaN or tenfold for some time [1/day]
    phantom: float = 0.0  # watts without hashes for some time [1/day]
    offline: float = 0.0  # its network is down for some time [1/day]
    hangs: float = 0.0  # [1/day]
    reboots: float = 0.0  # [1/day]
    persons: float = 0.0  # a person switches it on or off [1/day]

    def __post_init__(self) -> None:
        """Refuse what is neither a probability nor a rate."""
        for field in fields(self):
            value, most = getattr(self, field.name), 1.0 if field.name in _PROBABILITIES else 1000.0
            if not (math.isfinite(value) and 0.0 <= value <= most):
                raise InputError.at(f"--lies {field.name}", expected=f"a number from 0 to {most:g}", got=value)


_PROBABILITIES = frozenset({"no_effect", "late", "closed", "never_wakes", "forgets_sleep", "gibberish"})
HONEST = Lies()
SOME = Lies(
    no_effect=0.02, late=0.02, closed=0.02, never_wakes=0.01, gibberish=0.1, telemetry=0.1, phantom=0.05, offline=0.1,
    hangs=0.02, reboots=0.1, persons=0.02,
)  # fmt: skip
MANY = Lies(
    no_effect=0.1, late=0.1, closed=0.1, never_wakes=0.05, gibberish=0.5, telemetry=1.0, phantom=0.5, offline=1.0,
    hangs=0.2, reboots=1.0, persons=0.3,
)  # fmt: skip
PRESETS = {"no": HONEST, "some": SOME, "many": MANY}


def parse_lies(text: str, place: str) -> Lies:
    """Return the lies of `no`, `some`, `many`, or `late=0.1,persons=2`.

    Raises
    ------
    InputError
        It is neither a preset nor a list of known names with numbers.
    """
    if text in PRESETS:
        return PRESETS[text]
    known = [field.name for field in fields(Lies)]
    values: dict[str, float] = {}
    for part in text.split(","):
        name, separator, number = part.partition("=")
        name = name.strip().replace("-", "_")
        if not separator:
            expected = f"{', '.join(PRESETS)}, or NAME=NUMBER with commas"
            raise InputError.at(place, expected=expected, got=text, near=near_names(name, list(PRESETS)))
        if name not in known:
            raise InputError.at(place, expected=f"one of {', '.join(known)}", got=name, near=near_names(name, known))
        try:
            values[name] = float(number)
        except ValueError:
            raise InputError.at(f"{place} {name}", expected="a number", got=number) from None
    return Lies(**values)


def reception(lies: Lies, random: Random) -> Reception:
    """Draw how a unit takes a command."""
    draw = random.random()
    for probability, outcome in (
        (lies.no_effect, Reception.WITHOUT_EFFECT),
        (lies.late, Reception.LATE),
        (0.5 * lies.closed, Reception.CLOSED),
        (0.5 * lies.closed, Reception.CLOSED_WITHOUT_EFFECT),
    ):
        if draw < probability:
            return outcome
        draw -= probability
    return Reception.DONE


_LASTS_S = (300.0, 7200.0)  # [s] shortest and longest time of what begins and ends


def happenings(lies: Lies, random: Random, start_s: float) -> Iterator[tuple[float, Happening]]:
    """Yield what happens to a unit, in the order of time and without an end; nothing if nothing can happen.

    What begins ends before it begins again.
    """
    streams = [
        _stream(rate, begins, ends, random, start_s)
        for rate, begins, ends in (
            (0.5 * lies.persons, Happening.PERSON_ON, None),
            (0.5 * lies.persons, Happening.PERSON_OFF, None),
            (lies.reboots, Happening.REBOOT, None),
            (lies.hangs, Happening.HANG, Happening.POWER_CYCLE),
            (lies.offline, Happening.OFFLINE, Happening.ONLINE),
            (lies.telemetry, Happening.TELEMETRY, Happening.HONEST),
            (lies.phantom, Happening.PHANTOM, Happening.HASHES),
        )
        if rate > 0.0
    ]
    heap = [(*next(stream), index) for index, stream in enumerate(streams)]
    heapify(heap)
    while heap:
        at_s, happening, index = heap[0]
        yield at_s, happening
        heapreplace(heap, (*next(streams[index]), index))


def _stream(
    rate_per_day: float, begins: Happening, ends: Happening | None, random: Random, start_s: float
) -> Iterator[tuple[float, Happening]]:
    at_s = start_s
    while True:
        at_s += random.expovariate(rate_per_day / DAY_S)
        yield at_s, begins
        if ends is not None:
            at_s += random.uniform(*_LASTS_S)
            yield at_s, ends
