"""The scale of each table against an answer that a real device gave, where a public one was seen.

`RECORDED` has the raw values as their source prints them, and the figures that they mean. `UNSEEN` names the tables for
which no such answer was seen; of them only the source in the table itself speaks for the scale.
"""

import json
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from bench.meters.points import table
from bench.meters.points.meter import _figure
from bench.meters.points.transport import value_at
from bench.meters.registry import make_meter
from bench.meters.transports import ipmi, kasa, mqtt, ptdaemon
from bench.network.exposition import samples


class Recorded(NamedTuple):
    """One answer."""

    table: str
    settings: str
    source: str
    answer: object  # by place, or the text
    figures: dict  # quantity: SI value


SENTRY, PX, PX_DIGITS = "1.3.6.1.4.1.1718.4.1.3.3.1", "1.3.6.1.4.1.13742.6.5", "1.3.6.1.4.1.13742.6.3"
A30 = 'gpu="0",UUID="GPU-265c9814-6156-355b-e589-ff2064894f16",device="nvidia0",modelName="NVIDIA A30"'
RECORDED = [
    Recorded("servertech-sentry4", "", "LibreNMS, tests/snmpsim/sentry4.snmprec",
             {f"{SENTRY}.3.1.1": 1701, f"{SENTRY}.5.1.1": 1790, f"{SENTRY}.8.1.1": 95, f"{SENTRY}.10.1.1": 8937},
             {"power": 1701.0, "apparent_power": 1790.0, "power_factor": 0.95, "energy": 893.7 * 3.6e6}),
    Recorded("raritan-px2-inlet", "", "LibreNMS, tests/snmpsim/raritan-pdu.snmprec",
             {f"{PX}.2.3.1.4.1.1.1": 680, f"{PX_DIGITS}.3.4.1.7.1.1.1": 3, f"{PX}.2.3.1.4.1.1.4": 233,
              f"{PX_DIGITS}.3.4.1.7.1.1.4": 0, f"{PX}.2.3.1.4.1.1.5": 138, f"{PX_DIGITS}.3.4.1.7.1.1.5": 0},
             {"power": 138.0, "amps": 0.68, "volts": 233.0}),
    Recorded("raritan-px2-inlet", "", "Network UPS Tools, comments of drivers/raritan-px2-mib.c",
             {f"{PX}.2.3.1.4.1.1.1": 10, f"{PX_DIGITS}.3.4.1.7.1.1.1": 1, f"{PX}.2.3.1.4.1.1.4": 119,
              f"{PX_DIGITS}.3.4.1.7.1.1.4": 0, f"{PX}.2.3.1.4.1.1.5": 10, f"{PX_DIGITS}.3.4.1.7.1.1.5": 0,
              f"{PX}.2.3.1.4.1.1.6": 122, f"{PX_DIGITS}.3.4.1.7.1.1.6": 0, f"{PX}.2.3.1.4.1.1.7": 8,
              f"{PX_DIGITS}.3.4.1.7.1.1.7": 2, f"{PX}.2.3.1.4.1.1.8": 193359, f"{PX_DIGITS}.3.4.1.7.1.1.8": 0},
             {"power": 10.0, "amps": 1.0, "volts": 119.0, "apparent_power": 122.0, "power_factor": 0.08,
              "energy": 193359.0 * 3600.0}),
    Recorded("raritan-px2-outlet", ",outlet=3", "LibreNMS, tests/snmpsim/raritan-pdu.snmprec",
             {f"{PX}.4.3.1.4.1.3.1": 311, f"{PX_DIGITS}.5.4.1.7.1.3.1": 3, f"{PX}.4.3.1.4.1.3.5": 68,
              f"{PX_DIGITS}.5.4.1.7.1.3.5": 0},
             {"power": 68.0, "amps": 0.311}),
    Recorded("apc-epdu", "", "Network UPS Tools, comments of drivers/apc-epdu-mib.c",
             {"1.3.6.1.4.1.318.1.1.30.2.1.1.7.1": 785}, {"power": 785.0}),
    Recorded("eaton-epdu-g2", ",unit=2", "Network UPS Tools, pull request 681: EPDU MA 1U, read with a factor of 1",
             {"1.3.6.1.4.1.534.6.6.7.3.5.1.4.2.1": 396, "1.3.6.1.4.1.534.6.6.7.3.5.1.3.2.1": 441},
             {"power": 396.0, "apparent_power": 441.0}),
    Recorded("dcgm", ",period=1,gpu_instance=3", "NVIDIA/dcgm-exporter, issue 317: a partitioned A30",
             f'DCGM_FI_DEV_POWER_USAGE{{{A30},GPU_I_PROFILE="1g.6gb",GPU_I_ID="3"}} 52.636000\n'
             f'DCGM_FI_DEV_POWER_USAGE{{{A30},GPU_I_PROFILE="1g.6gb",GPU_I_ID="4"}} 52.636000\n',
             {"power": 52.636}),
    Recorded("redfish-exporter", "", "mrlhansen/idrac_exporter, README",
             'idrac_power_control_consumed_watts{id="0",name="System Power Control"} 166\n', {"power": 166.0}),
    Recorded("redfish-power", ",chassis=chassis", "ibm-openbmc/dev, issue 288: a BMC's answer",
             {"/redfish/v1/Chassis/chassis/Power": {"PowerControl": [
                 {"MemberId": "0", "Name": "Chassis Power Control", "PowerConsumedWatts": 232.0}]}},
             {"power": 232.0}),
    Recorded("redfish-environment", ",chassis=1U", "DMTF/Redfish-Mockup-Server, public-rackmount1: a sample",
             {"/redfish/v1/Chassis/1U/EnvironmentMetrics": {"PowerWatts": {"Reading": 374}}}, {"power": 374.0}),
    Recorded("redfish-sensor", ",chassis=1U,sensor=TotalPower", "DMTF/Redfish-Mockup-Server, a sample",
             {"/redfish/v1/Chassis/1U/Sensors/TotalPower": {
                 "Reading": 374, "ReadingUnits": "W", "ReadingTime": "2019-08-13T04:14:33+06:00"}},
             {"power": 374.0}),
    Recorded("dcmi", "", "lovoo/ipmi_exporter, issue 18: ipmitool's text",
             "    Instantaneous power reading:                   215 Watts\n"
             "    Average power reading over sample period:      176 Watts\n"
             "    IPMI timestamp:                           Wed Feb 15 12:49:51 2017\n"
             "    Sampling period:                          01131466 Seconds.\n"
             "    Power reading state is:                   activated\n",
             {"power": 215.0}),
    Recorded("dcmi", "", "prometheus-community/ipmi_exporter, freeipmi: ipmi-dcmi's text",
             "Current Power : 90 Watts\nStatistics reporting time period : 1000 milliseconds\n"
             "Power Measurement : Active\n",
             {"power": 90.0}),
    Recorded("ptdaemon", "", "mlcommons/power-dev, ptd_client_server/README.md",
             "Time,28-12-2020 15:21:14.682,Watts,22.950000,Volts,228.570000,Amps,0.206430,PF,0.486400,Mark,x",
             {"power": 22.95}),
    Recorded("ptdaemon-channel", "", "mlcommons/power-dev, tests/unit/test_server.py",
             "Time,11-13-2020 22:38:59.240,Watts,272.930000,Volts,-1.000000,Amps,-1.000000,PF,-1.000000,Mark,notset,"
             "Ch1,Watts,91.060000,Volts,120.950000,Amps,0.832100,PF,0.938900,"
             "Ch2,Watts,90.970000,Volts,120.830000,Amps,0.802000,PF,0.938800",
             {"power": 91.06, "volts": 120.95, "amps": 0.8321, "power_factor": 0.9389}),
    Recorded("kasa", "", "python-kasa, an HS110 of hardware 1", {"power": 7.677094, "total": 30.404},
             {"power": 7.677094, "energy": 30.404 * 3.6e6}),
    Recorded("kasa", "", "python-kasa, an HS110 of hardware 4", {"power_mw": 61753, "total_wh": 16323},
             {"power": 61.753, "energy": 16.323 * 3.6e6}),
]  # fmt: skip
UNSEEN = {
    "abb-b", "apc-rpdu", "apc-rpdu2", "apc-rpdu2-phase", "carlo-gavazzi-em24", "carlo-gavazzi-em24-e1",
    "carlo-gavazzi-em340", "cyberpower-epdu2", "eastron-sdm120", "eastron-sdm230", "eastron-sdm630", "ipmi-exporter",
    "janitza-b2x", "kepler-node", "node-hwmon", "redfish-fujitsu", "redfish-inspur", "schneider-iem3000",
    "schneider-pm5000", "shelly-gen1-mqtt", "shelly-mqtt", "tasmota-mqtt", "vertiv-geist", "yokogawa-wt310",
    "zigbee2mqtt",
}  # fmt: skip


def replies(transport, answer):  # noqa: PLR0911 (one for each transport)
    """Return what gives the raw value of a place from a recorded answer, by the transport's own code."""
    if transport == "snmp":
        return answer.get
    if transport == "redfish":
        return lambda place: value_at(answer[place.path], place.keys)
    if transport == "prometheus":
        page = list(samples(answer))

        def of(place):
            fitting = [sample.value for sample in page if place.fits(sample)]
            return fitting[0] if len(fitting) == 1 else None

        return of
    if transport == "mqtt":
        return lambda place: mqtt._field(place, json.loads(answer[place.topic]))
    if transport == "ptdaemon":
        sample = ptdaemon._sample(answer)
        return lambda place: sample[place.name, place.channel]
    if transport == "kasa":
        return lambda place: kasa._figure(answer, place)
    return None


@pytest.mark.parametrize("recorded", RECORDED, ids=[f"{row.table}, {row.source}" for row in RECORDED])
def test_a_recorded_answer_means_these_figures(recorded, monkeypatch):
    transport = table.bundled(recorded.table).transport
    target = {"ipmi": "", "mqtt": ":10.0.0.2"}.get(transport, ":10.0.0.9")
    meter = make_meter(f"{transport}{target},table={recorded.table}{recorded.settings}")
    if transport == "ipmi":
        done = SimpleNamespace(output=recorded.answer, errors="", status=0)
        monkeypatch.setattr(ipmi, "run_tool", lambda *_: done)
    else:
        of = replies(transport, recorded.answer)
        monkeypatch.setattr(meter._transport, "read", lambda places: [of(place) for place in places])
    monkeypatch.setattr(meter._transport, "open", lambda: None)
    meter.connect()
    parts = zip(meter._points, meter._raws, meter._factors, strict=True)
    seen = {point.quantity: _figure(point, raw, factor, needed=False) for point, raw, factor in parts}
    got = {quantity: value for quantity, value in seen.items() if value is not None}
    assert got == pytest.approx(recorded.figures)


def test_every_table_has_a_recorded_answer_or_is_named_as_one_without():
    assert {row.table for row in RECORDED} | UNSEEN == set(table.names())
    assert not {row.table for row in RECORDED} & UNSEEN
