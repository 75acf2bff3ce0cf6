"""The meter that docs/own-meter.md shows works as it stands there, found through its entry point."""

import math
import re
import socketserver
import sys
import threading
import types
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from bench.meters import registry as meters
from bench.meters.protocol import MeterOptions
from hardware_profiles.errors import InputError

PAGE = Path(__file__).resolve().parents[4] / "docs" / "own-meter.md"


@pytest.fixture
def analyzer(clock):
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(64)
            self.request.sendall(f"{100.0 + 10.0 * math.sin(clock.monotonic()):.6f}\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def shown(monkeypatch):
    """The page's module, installed under an entry point."""
    source = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    assert len(source.splitlines()) <= 50
    module = types.ModuleType("lab_meters")
    exec(compile(source, "docs/own-meter.md", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "lab_meters", module)
    points = [EntryPoint("analyzer", "lab_meters:ENTRY", meters.ENTRY_POINT_GROUP)]

    def entry_points(*, group, name=None):
        return [point for point in points if point.group == group and name in (None, point.name)]

    monkeypatch.setattr(meters, "entry_points", entry_points)
    return points


@pytest.mark.usefixtures("shown")
def test_the_meter_of_the_page_reads_watts_and_gives_joules(clock, analyzer):
    (meter,) = meters.open_meters([f"analyzer:127.0.0.1:{analyzer},accuracy=0.1%,tier=A"], MeterOptions(period_s=0.01))
    clock.sleep(0.1)
    t0 = clock.monotonic()
    clock.sleep(0.8)
    t1 = clock.monotonic()
    found = meter.energy(t0, t1)
    meter.close()
    assert found.joules == pytest.approx(100.0 * (t1 - t0) - 10.0 * (math.cos(t1) - math.cos(t0)), rel=0.005)
    assert (found.tier, found.accuracy_frac) == ("A", 0.001)


@pytest.mark.usefixtures("shown")
def test_it_is_listed_and_near_names_know_it():
    assert "analyzer" in meters.names()
    assert "analyzer:HOST" in {found.spec for found in meters.discover()}
    with pytest.raises(InputError, match="did you mean analyzer"):
        meters.make_meter("analyser:x")


def test_an_entry_point_that_cannot_be_imported_or_is_no_meter_is_one_line(shown):
    shown[:] = [EntryPoint("broken", "no_such_module:ENTRY", meters.ENTRY_POINT_GROUP),
                EntryPoint("wrong", "math:pi", meters.ENTRY_POINT_GROUP)]  # fmt: skip
    with pytest.raises(InputError, match="could not be imported"):
        meters.make_meter("broken")
    with pytest.raises(InputError, match="expected a MeterKindEntry"):
        meters.make_meter("wrong")
    listed = {found.name: found for found in meters.discover()}
    assert not listed["broken"].usable
    assert "uninstall" in listed["broken"].cure
    assert "rapl" in listed
