"""A served page in a thread of its own, and an audit log that grows."""

import asyncio
import json
import threading

from bench.live import serve_page

START_S = 1_796_090_400.0


def row(tick=0, **changes):
    """Return a row of a cycle, all figures different."""
    figures = {
        "kind": "cycle", "at_s": START_S + 30 * tick, "site": "North field", "simulated": True, "mode": "shadow",
        "mode_reason": "no arm file", "plan_mw": 12.5 + tick, "intent_mw": 11.25 + tick, "meter_mw": 10.125 + tick,
        "devices_mw": 9.0625 + tick, "price_usd_per_mwh": -3.5, "target_mw": None,
        "money": {"earned_usd": 100.25 + tick, "would_have_earned_usd": 120.5 + tick, "regret_usd": 20.75 + tick},
        "states": {"running": 900 + tick, "off": 80, "changing": 15, "fault": 4, "unknown": 1},
        "not_as_intended": [
            {"unit": "m7", "state": "unknown", "level": None, "intent": "off", "reason": "stale_telemetry"}
        ],
        "reasons": ["power costs more than its work is worth"],
        "faults": ["price http://10.0.0.9/prices: no complete answer in time"],
    }  # fmt: skip
    return figures | changes


class Log:
    """An audit log."""

    def __init__(self, path):
        self.path = path

    def add(self, *rows):
        with self.path.open("ab") as log:
            for each in rows:
                log.write((each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n")


class Served:
    """The page of a log, served until it is closed."""

    def __init__(self, path, port=0):
        self._path, self._wanted = path, port
        self._ready = threading.Event()
        self.fault = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(30.0)

    async def _serve(self):
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(serve_page(self._path, self._wanted, self._started))
        try:
            await self._task
        except asyncio.CancelledError:
            pass
        except ValueError as fault:
            self.fault = fault
            self._ready.set()

    def _started(self, port):
        self.port, self.uri = port, f"http://127.0.0.1:{port}/"
        self._ready.set()

    def close(self):
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(30.0)
        assert not self._thread.is_alive()
