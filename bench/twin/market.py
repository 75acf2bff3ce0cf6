"""A simulated price feed with the faults of real ones; the same seed gives the same prices, at any order of looks."""

import json
import math
from dataclasses import dataclass
from random import Random
from typing import Any

HOUR_S = 3600
_CAP_USD_PER_MWH = 4999.0
_AHEAD = 12  # intervals that are published before they begin
_BEHIND = 12


@dataclass(frozen=True, slots=True)
class MarketFaults:
    """Probabilities of an interval or of an hour [-]."""

    spike: float = 0.01  # 4,999 USD/MWh
    negative: float = 0.05
    missing: float = 0.0  # an interval that never comes
    late: float = 0.0  # of an hour: what is published is that of an hour ago
    repeated: float = 0.0  # of an hour: the answer of its start, byte for byte
    down: float = 0.0  # of an hour: the server answers 503
    doubled_hour: bool = False  # one hour a day comes twice with two prices, as where clocks are set back


HONEST_MARKET = MarketFaults(spike=0.0, negative=0.0)
FAULTY_MARKET = MarketFaults(missing=0.03, late=0.03, repeated=0.05, down=0.03, doubled_hour=True)


class Market:
    """Prices of energy, simulated.

    Parameters
    ----------
    seed
        Of the prices and of the faults.
    interval_s
        Length of an interval [s].
    mean_usd_per_mwh
        Mean of the usual prices [USD/MWh].
    faults
        What goes wrong.
    """

    def __init__(
        self,
        seed: int,
        *,
        interval_s: int = 900,
        mean_usd_per_mwh: float = 45.0,
        faults: MarketFaults = MarketFaults(),
    ) -> None:
        self._seed, self._interval_s, self._mean, self._faults = seed, interval_s, mean_usd_per_mwh, faults

    def price(self, start_s: int) -> float | None:
        """Return the price of the interval that starts at a time [USD/MWh]; None if it is missing."""
        random = self._random("price", start_s)
        draw, faults = random.random(), self._faults
        if draw < faults.spike:
            return _CAP_USD_PER_MWH
        draw -= faults.spike
        if draw < faults.negative:
            return -round(random.uniform(0.5, 30.0), 2)
        if draw - faults.negative < faults.missing:
            return None
        hour = start_s % 86_400 / HOUR_S
        shape = 1.0 + 0.5 * math.sin(2.0 * math.pi * (hour - 13.0) / 24.0)
        return round(self._mean * shape * math.exp(random.gauss(0.0, 0.25)), 2)

    def answer(self, now_s: float) -> bytes | None:
        """Return what the feed answers at a time; None if it is down."""
        hour_s = int(now_s // HOUR_S) * HOUR_S
        draw, faults = self._random("hour", hour_s).random(), self._faults
        if draw < faults.down:
            return None
        draw -= faults.down
        if draw < faults.late:
            return self._published(now_s - HOUR_S)
        at_s = hour_s if draw - faults.late < faults.repeated else now_s
        return self._published(at_s)

    def _published(self, at_s: float) -> bytes:
        step = self._interval_s
        first_s = int(at_s // step) * step
        starts = range(first_s - _BEHIND * step, first_s + (_AHEAD + 1) * step, step)
        rows: list[list[Any]] = [[start_s, start_s + step, self.price(start_s)] for start_s in starts]
        if self._faults.doubled_hour and at_s % 86_400 < HOUR_S:
            rows += [[start_s, end_s, None if usd is None else usd + 10.0] for start_s, end_s, usd in rows[:4]]
        document = {
            "schema": "perwatt.prices/1", "unit": "USD/MWh", "published_at_s": first_s, "simulated": True,
            "intervals": rows,
        }  # fmt: skip
        return json.dumps(document, separators=(",", ":")).encode()

    def _random(self, what: str, at_s: int) -> Random:
        return Random(f"{self._seed}/{what}/{at_s}")  # noqa: S311 (a simulation that must repeat)
