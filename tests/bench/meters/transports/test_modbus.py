import pytest
from bench.meters.points import table
from bench.meters.protocol import MeterOptions
from bench.meters.registry import close_meters, open_meters
from doubles.meters.device import Device
from doubles.meters.modbus import ModbusPeer

def test_first(clock):
    t = table.bundled("eastron-sdm630")
    device = Device(clock)
    peer = ModbusPeer(device, t)
    (meter,) = open_meters([f"modbus:{peer.target},table=eastron-sdm630"])
    print(meter.info)
    t0 = clock.monotonic()
    clock.sleep(100)
    t1 = clock.monotonic()
    e = meter.energy(t0, t1)
    print(e)
    close_meters([meter]); peer.close()
    print(peer.requests[:4], len(peer.requests))
    assert 0
