"""The meter `rapl`: which zones there are, which of them are one counter, and why there may be none."""

from bench.meters.kinds.rapl.meter import ENTRY, Rapl
from bench.meters.kinds.rapl.zones import choose, find_zones

__all__ = ["ENTRY", "Rapl", "choose", "find_zones"]
