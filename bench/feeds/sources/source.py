"""A source over the network, the options that it takes, and the figures that are read from its raw answers."""

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from bench.feeds.answers import FetchError, Request
from bench.feeds.archive import Fetched
from hardware_profiles.errors import shown
from sites.files import slug

HOUR_S = 3600.0
FIRST_S, LAST_S = 1_230_768_000.0, 4_102_444_800.0  # [s, unix] 2009 to 2099
Plan = Generator[Request, bytes, None]
"""Requests one after the other; each receives the body of its answer."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose of a source."""

    zone: str = ""  # bidding zone of day-ahead prices
    first_day: date | None = None  # of day-ahead prices, in Central European time
    last_day: date | None = None
    sequence: str = ""  # auction of day-ahead prices, where the source has several
    model: str = ""  # inference model, as the source names it
    gpu: str = ""  # GPU, as the source names it
    key: str = field(default="", repr=False)  # of the source's API


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a source."""

    name: str  # with its unit
    value: float
    as_of_s: float  # [s, unix] the time of the data, at most that of the fetch
    note: str = ""  # how it is made


@dataclass(frozen=True, slots=True)
class Source:
    """A source over the network."""

    name: str
    title: str
    url: str  # the default address
    age_limit_s: float  # [s] above which a figure is stale
    plan: Callable[[Settings], Plan]
    read: Callable[[Fetched, Settings], list[Figure]]
    options: tuple[str, ...] = ()  # names of the settings that it takes
    needed: tuple[str, ...] = ()  # those of them that must be stated
    key_env: str = ""  # environment variable of its key, unless the user names another
    login: Literal["", "node"] = ""  # "node": the login of a Bitcoin node

    def variant(self, settings: Settings) -> str:
        """Return the folder of these settings: what was fetched for others is no replacement."""
        days = [day.isoformat() for day in (settings.first_day, settings.last_day) if day is not None]
        values = (settings.zone, settings.sequence, *days, settings.model, settings.gpu)
        return "-".join(slug(value) for value in values if value)


def number(document: Any, place: str, *keys: str | int) -> float:
    """Return the finite number, or the text of one, at a path of keys of an answer.

    Raises
    ------
    FetchError
        It is missing or is not a finite number.
    """
    value = document
    name = ".".join(map(str, keys))
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            raise FetchError(f"{place}: expected the key {name}, got none") from None
    try:
        result = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        result = math.nan
    if not math.isfinite(result):
        raise FetchError(f"{place}: {name}: expected a finite number, got {shown(value)}")
    return result


def check_time(place: str, time_s: float) -> float:
    """Return a time [s, unix]; raise FetchError if it is not one of 2009 to 2099."""
    if not FIRST_S <= time_s < LAST_S:
        raise FetchError(f"{place}: expected a time of 2009 to 2099 in seconds since 1970, got {time_s:.6g}")
    return time_s


def items(document: Any, place: str, key: str) -> list[Mapping[str, Any]]:
    """Return the list of objects under a key of an answer; raise FetchError if there is none."""
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        raise FetchError(f"{place}: {key}: expected a list of objects, got {shown(value)}")
    return value
