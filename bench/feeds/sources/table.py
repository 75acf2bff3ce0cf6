"""The table of sources."""

from bench.feeds.sources import bitcoind, mempool, rents, series
from bench.feeds.sources.source import Source
from hardware_profiles.errors import InputError, near_names

SOURCES: dict[str, Source] = {
    source.name: source for source in (bitcoind.SOURCE, mempool.SOURCE, *series.SOURCES, *rents.SOURCES)
}


def source_of(name: str) -> Source:
    """Return the source of a name.

    Raises
    ------
    InputError
        There is no such source; the near ones are named.
    """
    if name not in SOURCES:
        near = near_names(name, SOURCES)
        expected = "a known source" if near else f"one of {', '.join(SOURCES)}"
        raise InputError.at("perwatt feed fetch SOURCE", expected=expected, got=name, near=near)
    return SOURCES[name]
