"""The wall meter on Modbus as our table reads it, and the pages of clock, prices and truth."""

from contextlib import contextmanager

import pytest
from doubles.twin.running import running_twin

from bench.meters.points.table import bundled
from bench.meters.transports.modbus import Modbus
from bench.network.tcp import HostPort
from bench.twin.servers.modbus import TABLE


@contextmanager
def metered(twin):
    """Yield a function that reads the power of all phases through the registers of the bundled table."""
    host, _, port = twin.served.meter.partition(":")
    transport = Modbus(HostPort(host, int(port)), 1, rtu=False, settings={}, place="test")
    points = [point for point in bundled(TABLE).points.values() if point.quantity == "power"]
    transport.open()
    yield lambda: sum(transport.read([transport.place_of(point.at) for point in points]))
    transport.close()


def test_the_bundled_table_reads_the_true_power_of_the_feeder_late_and_scaled():
    pytest.importorskip("pymodbus")
    with running_twin(units=3, meter_scale=1.02, meter_period_s=10.0, meter_lag_s=20.0) as twin:
        true_w = twin.page("/truth")["feeder_w"]
        with metered(twin) as read_w:
            assert read_w() == pytest.approx(1.02 * true_w, rel=1e-4)
            for unit in twin.twin.units:
                unit.command(0.0, twin.twin.clock())
            twin.step(20.0)
            assert read_w() == pytest.approx(1.02 * true_w, rel=1e-4)
            twin.step(200.0)
            assert read_w() < 0.3 * true_w


def test_every_page_says_that_it_is_simulated():
    with running_twin(units=2) as twin:
        for path in ("/clock", "/prices", "/bytes", "/truth", "/truth?units=1"):
            assert twin.page(path)["simulated"] is True
        truth = twin.page("/truth?units=1")
        assert truth["phases"] == {"mining": 2}
        assert set(truth["units"]) == {"m1", "m2"}


def test_a_clock_that_stands_still_is_stepped_over_http():
    with running_twin() as twin:
        before_s = twin.page("/clock")["now_s"]
        assert twin.page("/clock?step=30", "POST")["now_s"] == before_s + 30.0
        assert twin.page("/clock?step=-5", "POST") == 422


def test_a_clock_that_runs_cannot_be_stepped():
    with running_twin(speed=10.0) as twin:
        assert twin.page("/clock?step=30", "POST") == 422


def test_an_unknown_page_is_404_and_a_post_elsewhere_405():
    with running_twin() as twin:
        assert twin.page("/etc") == 404
        assert twin.page("/truth", "POST") == 405
