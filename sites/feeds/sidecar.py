"""A series as perwatt writes it: a CSV file in UTC, with a JSON file beside it that says where it is from."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_profiles.errors import InputError
from hardware_profiles.opening import open_input
from sites.feeds.files.source import FEED
from sites.files import check_new, write_new
from sites.hours.calendar import HOUR_S, utc_text
from sites.hours.intervals import DAY_S, MARKET_LENGTHS_S, WEEK_S

if TYPE_CHECKING:
    from hardware_profiles.opening import Kind
    from sites.arrays import Floats, Integers
    from sites.feeds.read import Feed

_BLOCK_BYTES = 2**20


def sha256_of(path: Path, kind: Kind = FEED) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits, without holding it in memory.

    Raises
    ------
    InputError
        As `open_input`.
    """
    digest = hashlib.sha256()
    with open_input(path, kind) as file:
        try:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
        except OSError as error:
            raise InputError(f"{path}: expected a readable {kind.name}, got {error.strerror or error}") from None
    return digest.hexdigest()


def sidecar_of(target: Path) -> Path:
    """Return the path of the JSON file beside a series."""
    return target.with_name(f"{target.name}.json")


def is_regular(feed: Feed) -> bool:
    """Return whether a series may be written as it is: its intervals have the length of a market, a day or a week."""
    return set(feed.intervals.resolutions) <= {*MARKET_LENGTHS_S, DAY_S, WEEK_S}


def write_series(feed: Feed, target: Path, filled: int = 0) -> Path:
    """Write a series and its sidecar; return the path of the sidecar.

    A series whose intervals have no regular length (prices by run of the dispatch) is written in hourly means. The cell
    of a missing value is empty.

    Parameters
    ----------
    feed
        The series.
    target
        The CSV file, which must not exist.
    filled
        Intervals that were filled with the previous value.

    Raises
    ------
    InputError
        The file or its sidecar exists, or cannot be written there.
    """
    sidecar = sidecar_of(target)
    for path in (target, sidecar):
        check_new(path)
    start_s, values = (feed.intervals.start_s, feed.intervals.values) if is_regular(feed) else _hourly(feed)
    lines = [f"time,{feed.layout.quantity}"]
    texts = (f"{utc_text(at_s)},{'' if np.isnan(value) else repr(value)}" for at_s, value in _pairs(start_s, values))
    content = ("\n".join([*lines, *texts]) + "\n").encode()
    document = {**description(feed), "filled": filled, "series": target.name, "series_sha256": _digest(content)}
    write_new(target, content)
    write_new(sidecar, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
    return sidecar


def description(feed: Feed) -> dict[str, Any]:
    """Return where a series is from and what it holds, as the sidecar states it."""
    intervals = feed.intervals
    return {
        "files": [{"name": path.name, "sha256": sha256_of(path)} for path in feed.paths],
        "read_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "feed": feed.layout.name,
        "source": feed.layout.title,
        "quantity": feed.layout.quantity,
        "chosen": feed.chosen,
        "unit": feed.unit,
        "timezone": feed.layout.timezone,
        "repeated_hour": feed.layout.repeated_hour,
        "first_utc": utc_text(int(intervals.start_s[0])),
        "end_utc": utc_text(int(intervals.end_s[-1])),
        "intervals": len(intervals.values),
        "lengths_s": {str(length): count for length, count in intervals.resolutions.items()},
        "missing": intervals.missing,
        "doubled": intervals.doubled,
        "revised": intervals.revised,
    }


def _hourly(feed: Feed) -> tuple[Integers, Floats]:
    first_s = -(-int(feed.intervals.start_s[0]) // HOUR_S) * HOUR_S
    hours = max((int(feed.intervals.end_s[-1]) - first_s) // HOUR_S, 0)
    return first_s + HOUR_S * np.arange(hours), feed.intervals.to_steps(first_s, hours)


def _pairs(start_s: Integers, values: Floats) -> zip[tuple[int, float]]:
    return zip(start_s.tolist(), values.tolist(), strict=True)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
