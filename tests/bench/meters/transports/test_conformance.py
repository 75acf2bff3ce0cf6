"""One suite for every transport and every table, each against a peer that speaks the real protocol on loopback.

The peers are libraries and programs of others where there are any (pymodbus, pysnmp, amqtt); the others, and all
devices behind them, are doubles of these tests.
"""

import math

import pytest

from bench.meters.points import table
from hardware_profiles.errors import InputError

TABLES = table.names()
WINDOW_PERIODS = 110


def measured(clock, meter, mode_after=None, peer=None):
    """Return the energy of one window, in whose middle the device changes its mode, and the true energy."""
    clock.sleep(3.0 * meter.info.poll_s)
    t0, window_s = clock.monotonic(), WINDOW_PERIODS * meter.info.poll_s
    clock.sleep(window_s / 2.0)
    if mode_after is not None:
        peer.device.mode = mode_after
    clock.sleep(window_s / 2.0)
    return meter.energy(t0, t0 + window_s), t0, t0 + window_s


def true_j(t0, t1):
    """Return the energy of `moving` [J]."""
    return 4000.0 * (t1 - t0) - 2700.0 * (math.cos(t1 / 3.0) - math.cos(t0 / 3.0))


@pytest.mark.parametrize("name", TABLES)
def test_a_moving_load_gives_its_joules(clock, peer, meter, name):
    meter_ = meter(peer(name))
    energy, t0, t1 = measured(clock, meter_)
    assert energy.reasons == (), (energy, [r for r in meter_.readings() if r.value is None][:3], meter_.last_error)
    assert energy.joules == pytest.approx(true_j(t0, t1), rel=0.02)
