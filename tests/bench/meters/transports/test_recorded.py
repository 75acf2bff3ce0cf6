"""The scale of each table against an answer that a real device gave, where a public one was seen.

`recorded.toml` has the raw values as their source prints them, and the figures that they mean. A table without such an
answer says so by its key `unverified`, which `perwatt meter check` prints.
"""

import json
import math
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from doubles.meters.device import PASSWORD_NAME, login_of

from bench.meters.plausible import product_of
from bench.meters.points import table
from bench.meters.points.meter import _figure
from bench.meters.points.transport import value_at
from bench.meters.points.units import FACTORS
from bench.meters.registry import make_meter
from bench.meters.transports import ipmi, kasa, mqtt, ptdaemon, tapo
from bench.network.exposition import samples
from hardware_profiles.errors import InputError

RECORDED = tomllib.loads(Path(__file__).with_name("recorded.toml").read_text(encoding="utf-8"))
ANSWERS = RECORDED["answer"]
NAMES = [f"{row['table']}, {row['source']}" for row in ANSWERS]


def si(quantity, text):
    """Return a printed figure, such as `893.7 kWh` or `0.95`, in SI."""
    number, _, unit = text.partition(" ")
    return float(number) * FACTORS[quantity][unit or "1"]


def replies(transport, raw):  # noqa: PLR0911 (one for each transport)
    """Return what gives the raw value of a place from a recorded answer, by the transport's own code."""
    if transport == "snmp":
        return raw.get
    if transport == "scpi":
        return lambda place: raw.get(place.text)
    if transport == "modbus":
        return lambda place: registers(place, raw.get(f"{place.function}:0x{place.address:04X}"))
    if transport == "redfish":
        return lambda place: value_at(json.loads(raw[place.path]), place.keys)
    if transport == "mqtt":
        return lambda place: mqtt._field(place, json.loads(raw[place.topic]))
    if transport == "ptdaemon":
        sample = ptdaemon._sample(raw["text"].strip())
        return lambda place: sample[place.name, place.channel]
    if transport == "kasa":
        return lambda place: kasa._figure(json.loads(raw["text"]), place)
    if transport == "tapo":
        return lambda place: tapo._figure(json.loads(raw[place.method]), place)
    page = list(samples(raw["text"]))
    assert transport == "prometheus"
    return lambda place: next((sample.value for sample in page if place.fits(sample)), None)


def registers(place, text):
    """Return the value of registers that are printed as hexadecimal bytes."""
    if text is None:
        return None
    data = bytes.fromhex(text)
    return place.value([int.from_bytes(data[i : i + 2]) for i in range(0, len(data), 2)])


@pytest.fixture
def opened(monkeypatch):
    """Return a function that opens the meter of a recorded answer."""

    def start(row):
        transport = table.bundled(row["table"]).transport
        target = {"ipmi": "", "mqtt": ":10.0.0.2"}.get(transport, ":10.0.0.9")
        monkeypatch.setenv(PASSWORD_NAME, "x")
        settings = row.get("settings", "") + login_of(transport)
        meter = make_meter(f"{transport}{target},table={row['table']}{settings}")
        if transport == "ipmi":
            done = SimpleNamespace(output=row["raw"]["text"], errors="", status=0)
            monkeypatch.setattr(ipmi, "run_tool", lambda *_: done)
        else:
            of = replies(transport, row["raw"])
            monkeypatch.setattr(meter._transport, "read", lambda places: [of(place) for place in places])
        monkeypatch.setattr(meter._transport, "open", lambda: None)
        monkeypatch.setattr(meter._transport, "servers", lambda _: 1)
        meter.connect()
        return meter

    return start


@pytest.mark.parametrize("row", ANSWERS, ids=NAMES)
def test_a_recorded_answer_means_these_figures(row, opened):
    if "refused" in row:
        with pytest.raises(InputError, match=row["refused"]):
            opened(row)
        return
    meter = opened(row)
    parts = zip(meter._points, meter._raws, meter._factors, strict=True)
    seen = {f"{p.quantity} {p.phase}".strip(): _figure(p, raw, factor, needed=False) for p, raw, factor in parts}
    got = {name: value for name, value in seen.items() if value is not None}
    assert got == pytest.approx({name: si(name.split()[0], text) for name, text in row["figures"].items()})


@pytest.mark.parametrize("row", [row for row in ANSWERS if "refused" not in row])
def test_volts_amps_and_power_factor_of_a_recorded_answer_confirm_its_power(row, opened):
    phases = opened(row).evidence().phases
    product = product_of(phases)
    assert product is None or not product.differs_from(math.fsum(phase.power_w for phase in phases))


def test_a_table_without_a_recorded_answer_says_so():
    unverified = {name for name in table.names() if table.bundled(name).unverified}
    assert {row["table"] for row in ANSWERS if "figures" in row} | unverified == set(table.names())
    assert not {row["table"] for row in ANSWERS} & unverified


def test_the_figures_that_no_recorded_answer_has_are_listed():
    listed = {}
    for name in dict.fromkeys(row["table"] for row in ANSWERS):
        figures = {point.quantity for point in table.bundled(name).points.values()} - {"time", "active"}
        seen = {key.split()[0] for row in ANSWERS if row["table"] == name for key in row.get("figures", ())}
        if figures - seen:
            listed[name] = sorted(figures - seen)
    assert listed == RECORDED["unconfirmed"]


def test_what_is_unverified_is_said_at_each_check(peer, meter):
    (name, *_) = [name for name in table.names("modbus") if table.bundled(name).unverified]
    assert meter(peer(name)).explain()[-1] == f"unverified scale: {table.bundled(name).unverified}"
