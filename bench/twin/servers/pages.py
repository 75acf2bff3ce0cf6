"""The pages of a twin: its clock, its price feed, the bytes that its units received, and the truth."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qs

from bench.twin.clock import SimulatedClock
from bench.twin.feeder import Feeder, WallMeter
from bench.twin.market import Market
from bench.twin.servers.speaker import MARK, HttpRequest, Said, Traffic, http, parse_http, whole_http

_INDEX = """<!doctype html><meta charset="utf-8"><title>perwatt twin: simulated</title>
<h1>SIMULATED</h1><p>Nothing here is a measurement: these are the pages of <code>perwatt twin</code>.</p>
<ul><li><a href="/clock">clock</a> <li><a href="/prices">prices</a> <li><a href="/bytes">bytes received</a>
<li><a href="/truth">true powers</a></ul>
"""


class Pages:
    """The HTTP server of the twin itself."""

    def __init__(
        self,
        clock: SimulatedClock,
        feeder: Feeder,
        meter: WallMeter,
        market: Market,
        traffic: Mapping[str, Traffic],
    ) -> None:
        self.traffic = Traffic()
        self._clock, self._feeder, self._meter, self._market, self._units = clock, feeder, meter, market, traffic
        self._pages: dict[str, Callable[[HttpRequest], bytes]] = {
            "/": lambda _: http(200, _INDEX.encode(), "text/html; charset=utf-8"),
            "/clock": self._clock_page,
            "/prices": self._prices,
            "/bytes": lambda _: http(200, received(self._units)),
            "/truth": self._truth,
        }

    def request(self, received: bytearray) -> int:
        """Return the length of a whole request."""
        return whole_http(received)

    def answer(self, request: bytes) -> Said:
        """Answer one request."""
        read = parse_http(request)
        page = self._pages.get(read.path)
        if page is None:
            return Said(http(404, {"simulated": True, "pages": sorted(self._pages)}))
        if read.method != "GET" and not (read.method == "POST" and read.path == "/clock"):
            return Said(http(405, {"simulated": True}))
        return Said(page(read))

    def _clock_page(self, request: HttpRequest) -> bytes:
        """Return the clock; `POST /clock?step=SECONDS` moves one that stands still."""
        if request.method == "POST":
            try:
                seconds = float(parse_qs(request.query)["step"][0])
                if self._clock.speed == 0.0:
                    self._clock.step(seconds)
                    return self._time()
            except (KeyError, ValueError):
                pass
            return http(422, {"simulated": True, "expected": "step=SECONDS, and a twin with --speed 0"})
        return self._time()

    def _time(self) -> bytes:
        return http(200, {"now_s": self._clock(), "speed": self._clock.speed, "simulated": True})

    def _prices(self, _: HttpRequest) -> bytes:
        body = self._market.answer(self._clock())
        return http(503, {"simulated": True}) if body is None else http(200, body)

    def _truth(self, request: HttpRequest) -> bytes:
        """Return the true powers, of each unit with `?units=1`."""
        now_s = self._clock()
        self._feeder.advance(now_s)
        metered_s, metered_w = self._meter.reading(now_s)
        phases: dict[str, int] = {}
        for unit in self._feeder.units:
            name = "offline" if unit.offline else unit.phase(now_s).value
            phases[name] = phases.get(name, 0) + 1
        page: dict[str, object] = {
            "simulated": True, "says": MARK, "now_s": now_s, "feeder_w": self._feeder.power_w(now_s),
            "meter_s": metered_s, "meter_w": metered_w, "phases": phases,
            "switched_by_hand": sum(len(unit.by_hand) for unit in self._feeder.units),
        }  # fmt: skip
        if request.query == "units=1":
            page["units"] = {
                unit.name: [unit.phase(now_s).value, unit.power_w(now_s), unit.level_w(now_s)]
                for unit in self._feeder.units
            }
        return http(200, page)


def received(traffic: Mapping[str, Traffic]) -> dict[str, object]:
    """Return what all units received, and which of them received anything that asks for a change."""
    every: Sequence[Traffic] = list(traffic.values())
    changed = [name for name, counts in traffic.items() if counts.change_bytes]
    return {
        "simulated": True,
        "reads": sum(counts.reads for counts in every),
        "read_bytes": sum(counts.read_bytes for counts in every),
        "changes": sum(counts.changes for counts in every),
        "change_bytes": sum(counts.change_bytes for counts in every),
        "units_changed": len(changed),
        "first_changed": changed[:20],
    }
