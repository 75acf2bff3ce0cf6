"""The channels of a plug, the choice of one by name, and the reading of one as numbers of an answer."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.meters.plausible import Evidence, Phase
from bench.network.errors import ReadFailedError
from bench.network.http import NoPowerError, get_number, number_of
from hardware_profiles.errors import InputError, near_names

ALL = "all"


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of one channel or of several."""

    power_w: float
    evidence: Evidence
    # the other electrical figures, which change with each measurement of the plug; never its clock
    token: tuple[object, ...] | None


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a plug."""

    name: str
    path: str  # the request that reads it
    read: Callable[[Any], Sample]  # reads it from the answer
    label: str = ""  # its name in the device's own words, such as `switch:1`

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a user may write."""
        return tuple(dict.fromkeys(name for name in (self.name, self.label) if name))

    def power_text(self, answer: Any) -> str:
        """Return the present power for a list of channels."""
        try:
            return f"{self.read(answer).power_w:.4g} W"
        except ReadFailedError:
            return "no reading"


@dataclass(frozen=True, slots=True)
class Channels:
    """What a plug measures."""

    each: tuple[Channel, ...]
    answers: Mapping[str, Any]  # the answers to the channels' requests, by path
    # the channels that `all` reads: every one of them, or a total that the device itself states; empty if a sum of
    # unlike parts would count something twice
    whole: tuple[Channel, ...] = ()
    phases: bool = False  # whether the channels are the phases of one meter, which are summed by default


def choose(place: str, channels: Channels, requested: str | None) -> tuple[Channel, ...]:
    """Return the channels to read: the requested one, the only one, or all phases of one meter.

    Raises
    ------
    InputError
        The device has several channels and none is named, or it has none of that name.
    NoPowerError
        It has no channel at all.
    """
    if not channels.each:
        raise NoPowerError("this device measures no power; use a plug or a meter that does")
    total = channels.whole if channels.phases else ()
    by_name: dict[str, tuple[Channel, ...]] = {
        name: (channel,) for channel in (*channels.each, *total) for name in channel.names
    }
    if channels.whole:
        by_name[ALL] = channels.whole
    if requested is None and (channels.phases or len(channels.each) == 1):
        return channels.whole or channels.each
    if requested in by_name:
        return by_name[requested]
    near = near_names(requested, by_name) if requested is not None else ()
    raise InputError.at(place, "channel", expected=_listed(channels), got=requested or ..., near=near)


def _listed(channels: Channels) -> str:
    """Return the channels as the settings that name them, each with its present power."""
    shown = [f"channel={c.name} ({c.power_text(channels.answers[c.path])})" for c in channels.each]
    if channels.whole:
        shown.append(f"channel={ALL}")
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def added(samples: Sequence[Sample]) -> Sample:
    """Return the sum of the samples of several channels."""
    if len(samples) == 1:
        return samples[0]
    counters = [sample.evidence.counter_j for sample in samples]
    evidence = Evidence(
        phases=tuple(phase for sample in samples for phase in sample.evidence.phases),
        counter_j=math.fsum(c for c in counters if c is not None) if None not in counters else None,
        switched_off=all(sample.evidence.switched_off for sample in samples),
    )
    tokens = tuple(sample.token for sample in samples)
    return Sample(math.fsum(s.power_w for s in samples), evidence, tokens if any(tokens) else None)


def read_phase(part: Any, place: str, keys: Mapping[str, str], name: str) -> Phase:
    """Return the figures of one phase.

    Parameters
    ----------
    part
        The object of the answer that holds them.
    place
        The request, for messages.
    keys
        The key of each field of `Phase`; `power_w` must be there and be a number.
    name
        Name of the phase, for messages.
    """
    power_w = get_number(part, place, keys["power_w"])
    others = {field: number_of(part.get(key)) for field, key in keys.items() if field != "power_w"}
    return Phase(power_w, name=name, **others)


def token_of(part: Mapping[str, Any], keys: Sequence[str]) -> tuple[object, ...] | None:
    """Return the values of those keys that the answer has, or None if it reports only watts."""
    return tuple(str(part[key]) for key in keys if key in part) or None
