"""One fetch: the raw answers are stored, then read as files; if that fails, the last good ones are read again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.credentials import MASK, scrub_message
from bench.feeds.answers import FetchError, Server, check_data
from bench.feeds.archive import Archive, Fetched
from bench.feeds.sources.source import Figure, Settings, Source
from bench.network.errors import ReadFailedError
from hardware_profiles.errors import InputError

BLOCKS_BACK = 6  # by which the height may fall: two nodes, or a reorganization
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of a source, of this fetch or of the last good one."""

    source: Source
    figures: tuple[Figure, ...]  # empty if there are no good data at all
    fetched: Fetched | None
    fault: str = ""  # why this fetch failed; empty if the figures are its own

    def age_s(self, figure: Figure, now_s: float) -> float:
        """Return the age of a figure's data [s]."""
        return max(0.0, now_s - figure.as_of_s)

    def is_stale(self, figure: Figure, now_s: float) -> bool:
        """Return whether a figure is older than the limit of its source."""
        return self.age_s(figure, now_s) > self.source.age_limit_s


def archive_of(folder: Path, source: Source, settings: Settings) -> Archive:
    """Return the folder of a source with these settings."""
    return Archive(folder / source.name / source.variant(settings))


def stored(source: Source, settings: Settings, archive: Archive) -> Outcome:
    """Return the figures of the last good fetch."""
    for fetched in archive.newest_first():
        try:
            return Outcome(source, tuple(source.read(fetched, settings)), fetched)
        except (ReadFailedError, InputError):
            continue
    return Outcome(source, (), None)


def fetch(source: Source, settings: Settings, server: Server, archive: Archive, clock: Clock = time.time) -> Outcome:
    """Fetch from a source.

    Parameters
    ----------
    source, settings
        The source, and what the user chose of it.
    server
        The source at its address.
    archive
        The folder of its raw answers.
    clock
        The wall clock [s, unix].

    Raises
    ------
    OSError
        A raw answer cannot be stored.
    """
    before = stored(source, settings, archive)
    try:
        fetched = _asked(source, settings, server, archive, clock())
        figures = tuple(source.read(fetched, settings))
        _refuse_fallen_height(figures, before.figures, str(server.url))
        archive.record(fetched)
    except (ReadFailedError, InputError) as error:
        return Outcome(source, before.figures, before.fetched, _without_key(str(error), settings))
    return Outcome(source, figures, fetched)


def _asked(source: Source, settings: Settings, server: Server, archive: Archive, time_s: float) -> Fetched:
    """Return the stored answers to the requests of a source."""
    files: dict[str, Path] = {}
    plan = source.plan(settings)
    request = next(plan)
    while True:
        body = server.fetch(request)
        if settings.key and settings.key.encode() in body:
            raise FetchError(f"{server.place(request)}: the answer repeats the key, so it is not stored")
        files[request.name] = archive.keep(time_s, request.name, request.suffix, body)
        check_data(server.place(request), body, request.suffix)
        try:
            request = plan.send(body)
        except StopIteration:
            return Fetched(time_s, str(server.url), files)


def _refuse_fallen_height(figures: tuple[Figure, ...], before: tuple[Figure, ...], place: str) -> None:
    """Refuse a height far below the one of the last good fetch: another network, or a node that begins anew."""
    heights = [next((figure.value for figure in each if figure.name == "height"), None) for each in (before, figures)]
    if heights[0] is not None and heights[1] is not None and heights[1] < heights[0] - BLOCKS_BACK:
        raise InputError(f"{place}: height: expected {heights[0]:.0f} or more, as before, got {heights[1]:.0f}")


def _without_key(text: str, settings: Settings) -> str:
    return scrub_message(text.replace(settings.key, MASK) if settings.key else text)
