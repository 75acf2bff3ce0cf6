"""A user's own table by its path: every wrong key is one line that says what was expected, with exit status 2."""

import math
import re
from pathlib import Path

import pytest

from bench.measure.plans import averaging_time_s, lead_time_s
from bench.meters.group.sources import same_source
from bench.meters.points import table
from bench.meters.points.units import FACTORS
from bench.meters.registry import make_meter
from hardware_profiles.errors import InputError

OWN = """
title = "our meter"
transport = "modbus"
boundary = "wall"
scope = "the shelf"
period = { s = 1.0, source = "assumed" }

[points]
power = { quantity = "power", unit = "W", at = { function = 4, register = 12, type = "float32" } }

[sources.manual]
title = "the register list"
address = "https://example.org"
read = "2026-11-30"
states = "float32"
"""


@pytest.fixture
def own(tmp_path):
    """Write a table with one part replaced, and return its path."""

    def write(before="", after="", text=OWN):
        assert before in text
        path = tmp_path / "our-meter.toml"
        path.write_text(text.replace(before, after, 1) if before else text)
        return path

    return write


def test_a_table_by_its_path_is_read(clock, peer, meter, own):
    opened = meter(peer(str(own())))
    clock.sleep(10.0)
    assert all(reading.value > 3000.0 for reading in opened.readings())
    assert opened.info.scope == "our meter: the shelf"


def test_a_power_that_is_an_average_lengthens_the_load_before_the_windows(own):
    meter = make_meter(f"modbus:10.0.0.9,table={own('unit = ', 'averaging_s = 20.0, unit = ')}")
    assert meter.info.averaging_s == 20.0
    assert lead_time_s(averaging_time_s(meter.info)) == 60.0


def test_a_load_that_begins_with_the_window_is_off_by_what_the_edges_say(clock, peer, meter, own):
    start_s = clock.monotonic() + 100.0
    averaging_s = 20.0

    def shown_w(t):  # the mean of 300 W, and of 900 W from start_s on
        return 300.0 + 600.0 * min(max(t - start_s, 0.0) / averaging_s, 1.0) + 0.1 * math.sin(t)

    opened = meter(peer(str(own("unit = ", f"averaging_s = {averaging_s}, unit = ")), shown_w))
    clock.sleep(230.0)
    energy = opened.energy(start_s, start_s + 100.0)
    missing_j = 90000.0 - energy.joules
    assert missing_j == pytest.approx(600.0 * averaging_s / 2.0, rel=0.02)
    assert missing_j < energy.edges_j < 1.2 * missing_j


def test_the_table_that_the_documentation_shows_is_a_whole_meter(clock, peer, meter, own):
    page = (Path(__file__).parents[4] / "docs" / "meter-tables.md").read_text(encoding="utf-8")
    shown = page.partition("```toml\n")[2].partition("```")[0]
    path = own(text=shown)
    assert table.read(path) == table.bundled("schneider-iem2000")
    opened = meter(peer(str(path)))
    clock.sleep(10.0)
    assert all(reading.value > 3000.0 for reading in opened.readings())


WRONG = [
    ('unit = "W", ', "", r"points\.power: expected the unit of a power, one of W, kW, MW, mW, uW, got"),
    ('unit = "W"', 'unit = "VA"', "one of W, kW, MW, mW, uW, got .?VA"),
    ('unit = "W"', 'unit = "w"', "one of W, kW, MW, mW, uW, got .?w"),
    ('quantity = "power"', 'quantity = "watts"', r"points\.power\.quantity"),
    ('unit = "W"', 'unit = "W", scale = 0', r"points\.power\.scale"),
    ('unit = "W"', 'unit = "W", scale = -1.0', r"points\.power\.scale"),
    ('unit = "W"', 'unit = "W", scale = nan', r"points\.power\.scale"),
    ('unit = "W"', 'unit = "W", averaging_s = -1.0', r"points\.power\.averaging_s"),
    ('unit = "W"', 'unit = "W", color = "red"', r"points\.power\.color"),
    ("function = 4", "function = 5", "expected function 3 or 4, got 5"),
    ("function = 4, ", "", "expected function, got nothing"),
    ("register = 12", "register = 70000", "expected a register from 0 to 65535, got 70000"),
    ("register = 12", "register = '12'", "expected register as a whole number, got '12'"),
    ('type = "float32"', 'type = "float16"', "expected a type, one of int16"),
    ('type = "float32"', 'type = "float32", words = "little"', "expected words high_first or low_first, got 'little'"),
    ('type = "float32"', 'type = "float32", order = 1', "expected one of function, register, type, words, got order"),
    ('title = "our meter"\n', "", "title"),
    ('transport = "modbus"', 'transport = "telepathy"', "key transport: expected modbus"),
    ('boundary = "wall"', 'boundary = "moon"', "boundary"),
    ("s = 1.0", "s = 0.0", r"period\.s"),
    ("s = 1.0", "s = 4000.0", r"period\.s"),
    ('source = "assumed"', 'source = ""', r"period\.source"),
    ('scope = "the shelf"', 'scope = "the shelf"\ntable_schema = 2', "table_schema"),
    ('scope = "the shelf"', 'scope = "the shelf"\nreads = "energy"', "expected a point with quantity = 'energy'"),
    ('scope = "the shelf"', 'scope = "the shelf"\naccuracy = { frac = 0.7, source = "x" }', r"accuracy\.frac"),
    ('scope = "the shelf"', 'scope = "the shelf"\ncolor = "red"', "color"),
    ('scope = "the shelf"',
     'scope = "the shelf"\ntransport_settings = { speed = 9600 }', "expected device_id, got .?speed"),
    ("[points]", '[points]\nstate = { quantity = "active", at = { function = 4, register = 1, type = "int16" } }',
     "expected `active`"),
    ("[points]",
     '[points]\ntime = { quantity = "time", unit = "s", at = { function = 4, register = 1, type = "int16" } }',
     "expected no unit for a time"),
    ("register = 12", 'register = "{outlet}"', "in braces, but the table has no settings, got .?outlet"),
    ("register = 12", 'register = "{"', "expected register as a whole number"),
    ("register = 12", 'register = "{0.x}"', "expected register as a whole number"),
    ("[sources.manual]", "[sources.manual", "our-meter.toml"),
    ('unit = "W"', 'unit = "W", averaging_s = 61.0', r"points\.power\.averaging_s"),
    ('unit = "W"', 'unit = "W", wraps_at = 9999', "expected wraps_at at a point of energy alone"),
    ('unit = "W"', 'unit = "W", active = ["on"]', "expected active at a point of active alone"),
    ("[points]", '[settings.boundary]\nmeaning = "x"\n\n[points]', "expected names that a spec does not have already"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "words"), WRONG, ids=[f"{after or '-'}" for _, after, _ in WRONG])
def test_a_wrong_key_is_one_line(own, before, after, words):
    with pytest.raises(InputError, match=words) as error:
        make_meter(f"modbus:10.0.0.9,table={own(before, after)}")
    assert "\n" not in str(error.value)
    assert "our-meter.toml" in str(error.value)


@pytest.mark.parametrize(
    ("phases", "registers", "words"),
    [
        (
            ["L1", "L2", ""],
            [12, 14, 16],
            "expected the phases or their total, because powers are added, got point2 too",
        ),
        (["L1", "L1"], [12, 14], "expected one power of each phase, got point0 and point1"),
        (["", ""], [12, 14], "expected one power of each phase, got point0 and point1"),
        (["L1", "L2"], [12, 12], "expected each power at a place of its own, got point0 twice"),
    ],
)
def test_no_power_is_counted_twice(own, phases, registers, words):
    points = "".join(
        f'point{i} = {{ quantity = "power", unit = "W", phase = "{phase}", '
        f'at = {{ function = 4, register = {register}, type = "float32" }} }}\n'
        for i, (phase, register) in enumerate(zip(phases, registers, strict=True))
    )
    power = next(line for line in OWN.splitlines() if line.startswith("power"))
    with pytest.raises(InputError, match=words):
        table.read(own(power, points))


def test_a_counter_needs_the_most_power_and_is_one(own):
    energy = OWN.replace('"power", unit = "W"', '"energy", unit = "kWh"').replace("[points]", "x = 1\n[points]")
    with pytest.raises(InputError, match="expected most_power_w"):
        table.read(own("x = 1", 'reads = "energy"', energy))
    two = energy.replace("[sources", 'more = { quantity = "energy", unit = "kWh", '
                         'at = { function = 4, register = 14, type = "float32" } }\n[sources')  # fmt: skip
    with pytest.raises(InputError, match="expected one point of energy"):
        table.read(own("x = 1", 'reads = "energy"\nmost_power_w = 9e3', two))


@pytest.mark.parametrize("quantity", FACTORS)
def test_a_unit_that_is_missing_is_asked_for(own, quantity):
    text = OWN.replace("[sources", f'more = {{ quantity = "{quantity}", '
                       'at = { function = 4, register = 1, type = "int16" } }\n[sources')  # fmt: skip
    with pytest.raises(InputError, match=f"expected the unit of a {quantity}, one of {next(iter(FACTORS[quantity]))}"):
        table.read(own(text=text))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("modbus:10.0.0.9", "key table: expected the name of a table"),
        ("modbus:10.0.0.9,table=eastron-sdm63", "did you mean|eastron-sdm630"),
        ("modbus:10.0.0.9,table=apc-rpdu2", "expected a table of modbus.*got .?apc-rpdu2, a table of snmp"),
        ("modbus:10.0.0.9,table=/no/such/file.toml", "no such file"),
        ("modbus:,table=abb-b", "expected an address"),
        ("modbus:10.0.0.9,table=abb-b,device_id=300", "key device_id: expected a number from 0 to 247"),
        ("modbus:10.0.0.9,table=abb-b,frame=ascii", "key frame: expected tcp, or rtu"),
        ("modbus:10.0.0.9,table=abb-b,outlet=3", "key outlet: expected one of"),
        ("snmp:10.0.0.6,table=raritan-px2-outlet", "key outlet: expected the number of the outlet"),
        ("snmp:10.0.0.6,table=raritan-px2-outlet,outlet=x", "expected an object identifier in numbers"),
        ("snmp:10.0.0.6,table=apc-rpdu,auth=sha", "key auth: expected user= with it"),
        ("prometheus:10.0.0.5,table=dcgm", "key period: expected period= of at most 5 s"),
        ("ptdaemon:10.0.0.4,table=ptdaemon,volts_range=high", "key volts_range: expected a range in V or A, or Auto"),
    ],
)  # fmt: skip
def test_a_wrong_spec_is_one_line_with_status_2(perwatt, spec, words):
    done = perwatt("meter", "check", spec)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert re.search(words, done.stderr)


def test_a_wrong_table_is_one_line_with_status_2(perwatt, own):
    path = own('unit = "W", ', "")
    done = perwatt("meter", "check", f"modbus:10.0.0.9,table={path}")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "expected the unit of a power" in done.stderr


def test_an_outlet_with_a_zero_before_its_number_is_the_same_outlet():
    spec = "snmp:10.0.0.6,table=raritan-px2-outlet,outlet="
    first, second = (make_meter(spec + outlet) for outlet in ("1", "01"))
    assert same_source(first.info, second.info)
    assert not same_source(first.info, make_meter(spec + "10").info)
