"""Method rule 22: the first readings of every meter are plausible, or the meter is refused by name."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.diagnostics import forbids_energy
from bench.meters.counters import Unwrapper
from bench.meters.kinds.trace_samples import RunClock
from bench.meters.plausible import (
    NOTHING,
    Evidence,
    Phase,
    codes_of_power,
    doubt_of_first,
    factor_words,
    fault_of_power,
    half_step,
    slope_of,
)
from bench.meters.protocol import MeterInfo, MeterKind, Tier
from bench.meters.registry import close_meters, make_meter, open_meters
from bench.meters.stream import PolledMeter
from hardware_profiles.errors import InputError

pytestmark = pytest.mark.usefixtures("clock")


class Scripted(PolledMeter):
    """A meter of another package: it gives the values of a list, then the last one for ever."""

    def __init__(self, *values, evidence=NOTHING, kind=MeterKind.POWER):
        super().__init__(MeterInfo("lab", kind, "wall", Tier.C, None, "", period_s=0.02, poll_s=0.02))
        self.values, self.said, self.connected = list(values), evidence, False

    def connect(self):
        self.connected = True
        return self.info

    def disconnect(self):
        self.connected = False

    def read_once(self):
        return (self.values.pop(0) if len(self.values) > 1 else self.values[0]), None, ()

    def evidence(self):
        return self.said


def phase(power_w, volts=230.4, amps=0.652, power_factor=0.981, **more):
    return Phase(power_w, volts, amps, power_factor, **more)


@pytest.mark.parametrize(
    "value",
    [
        65535.0, 6553.5, 32767.0, -32768.0, 4294967295.0, 4294967.295, 4294.967295, 4294967295 * 1e-6,
        2147483647 * 1e-3,
        2147483.647, -2147483648.0, 0xFFC00000, 0x7FC00000 / 1000, 16777215.0, 18446744073709551615.0, 9.91e37,
        math.nan, math.inf, -math.inf,
    ],
)  # fmt: skip
def test_a_pattern_that_stands_for_no_value_is_no_reading(clock, value):
    assert fault_of_power(value, NOTHING)
    meter = Scripted(value)
    with pytest.raises(InputError, match=r"--meter lab: first readings: expected a (finite )?power"):
        meter.open()
    assert not meter.connected
    late = Scripted(150.0, value)
    late.open()
    clock.sleep(0.1)
    late.close()
    assert [reading.value for reading in late.readings()[:2]] == [150.0, None]
    assert late.readings()[1].codes == ("bad_sample",)


@given(st.floats(0.01, 3000.0).map(lambda value: round(value, 2)))
def test_ordinary_powers_are_no_patterns(value):
    assert not fault_of_power(value, NOTHING)


def test_a_counter_that_is_not_finite_is_refused():
    with pytest.raises(InputError, match="expected a finite energy, got nan"):
        Scripted(math.nan, kind=MeterKind.COUNTER).open()


def test_a_counter_that_rises_by_more_than_the_device_can_draw_has_no_energy():
    unwrap = Unwrapper((262143.0,), 1500.0)
    unwrap.add(0.0, 10.0)
    assert unwrap.add(1.0, 1510.0) == (1500.0, ())
    assert unwrap.add(1.001, 2510.0) == (2500.0, ())  # two readings in a row: what it had not shown before
    assert unwrap.add(2.0, 200000.0) == (2500.0, ("counter_jumped",))
    assert unwrap.add(3.0, 202100.0) == (4600.0, ())  # a machine that draws somewhat more than was thought
    assert forbids_energy("counter_jumped")


def test_a_meter_that_is_ready_at_its_third_reading_is_accepted():
    meter = Scripted(math.nan, 65535.0, 150.0)
    meter.open()
    meter.close()
    assert [reading.value for reading in meter.readings()[:3]] == [None, None, 150.0]


@pytest.mark.parametrize(
    ("watts", "words"),
    [
        (1.474, "too small by a factor of 100;"),
        (0.1474, "too small by a factor of 1000;"),
        (14.6, "too small by a factor of 10;"),
        (1480.0, "too large by a factor of 10;"),
        (147400.0, "too large by a factor of 1000;"),
        (170.0, "got 170 W; check"),
        (100.0, "got 100 W; check"),
    ],
)
def test_power_far_from_volts_times_amps_times_power_factor_is_refused(watts, words):
    doubt = doubt_of_first(watts, Evidence((phase(watts),)))
    assert "expected about 147.4 W, which is V·A·PF" in doubt
    assert words in doubt


@pytest.mark.parametrize("watts", [147.4, 135.0, 160.0])
def test_power_within_a_tenth_of_the_product_is_accepted(watts):
    assert not doubt_of_first(watts, Evidence((phase(watts),)))
    assert not doubt_of_first(watts, Evidence((phase(watts, power_factor=-0.981),)))  # the sign is a matter of taste


@pytest.mark.parametrize(
    ("evidence", "refused"),
    [
        (NOTHING, False),
        (Evidence((phase(150.0, amps=None),)), False),
        (Evidence((phase(150.0, power_factor=None, amps=0.7),)), False),
        (Evidence((phase(150.0, power_factor=None, amps=0.07),)), True),  # 16 VA cannot be 150 W
        (Evidence((phase(150.0, power_factor=None, amps=70.0),)), True),  # nor can 16 kVA
        (Evidence((phase(150.0, volts=None, amps=None, apparent_va=155.0, power_factor=0.97),)), False),
        (Evidence((phase(150.0, volts=None, amps=None, apparent_va=15.5, power_factor=0.97),)), True),
        (Evidence((phase(150.0, amps=0.7, power_factor=0.0),)), False),  # no power factor, but 161 VA
        (Evidence((phase(100.0), phase(50.0, amps=None))), False),  # one phase states no amps: no sum to compare
    ],
)
def test_only_what_the_source_offers_is_checked(evidence, refused):
    assert bool(doubt_of_first(150.0, evidence)) is refused


def test_small_loads_and_coarse_decimals_are_not_refused():
    assert not doubt_of_first(5.8, Evidence((phase(5.8, amps=0.1, power_factor=0.5),)))
    assert not doubt_of_first(50.0, Evidence((phase(50.0, volts=230.0, amps=0.2, power_factor=0.9),)))  # 0.15 to 0.25 A
    assert doubt_of_first(50.0, Evidence((phase(50.0, volts=230.0, amps=0.201, power_factor=0.9),)))


@given(st.floats(0.0, 5000.0), st.integers(0, 4))
def test_half_a_step_covers_the_rounding_of_a_printed_value(value, decimals):
    assert abs(round(value, decimals) - value) <= half_step(round(value, decimals), 1.0) + 1e-9


def test_a_meter_that_disagrees_with_itself_is_refused_when_it_opens():
    with pytest.raises(InputError, match=r"--meter lab: first readings: .*factor of 100"):
        Scripted(1.474, evidence=Evidence((phase(1.474),))).open()


def test_a_load_step_within_one_reading_is_not_held_against_the_meter():
    meter = Scripted(60.0, 147.0, evidence=Evidence((phase(147.0),)))
    meter.open()
    meter.close()
    assert [reading.value for reading in meter.readings()[:2]] == [60.0, 147.0]


def test_negative_power_names_the_wrong_direction():
    with pytest.raises(
        InputError, match="expected at least 0 W, got -48 W; a current clamp or the plug is the wrong way"
    ):
        Scripted(-48.0).open()
    assert not doubt_of_first(-0.4, NOTHING)  # the noise of a sensor without load


def test_one_clamp_the_wrong_way_round_is_named_though_the_sum_is_positive():
    phases = (phase(90.0, name="phase a"), phase(-40.0, name="phase b"), phase(80.0, name="phase c"))
    assert doubt_of_first(130.0, Evidence(phases)).startswith("phase b: expected at least 0 W, got -40 W")
    assert codes_of_power(130.0, Evidence(phases)) == ("negative_power",)


def test_a_total_that_is_not_the_sum_of_its_phases_is_refused():
    phases = tuple(Phase(50.0, name=name) for name in "abc")
    assert not doubt_of_first(152.0, Evidence(phases))
    assert "too small by a factor of 1000" in doubt_of_first(0.15, Evidence(phases))


@pytest.mark.parametrize(
    ("evidence", "codes"),
    [
        (NOTHING, ("zero_unconfirmed",)),
        (Evidence((Phase(0.0),)), ("zero_unconfirmed",)),
        (Evidence((phase(0.0, amps=0.0, power_factor=0.0),)), ()),
        (Evidence((Phase(0.0),), switched_off=True), ()),
    ],
)
def test_zero_is_a_warning_unless_something_else_confirms_it(evidence, codes):
    meter = Scripted(0.0, 0.0, 90.0, evidence=evidence)
    meter.open()
    meter.close()
    assert meter.readings()[0].codes == codes
    assert not codes_of_power(90.0, evidence)


def test_a_zero_within_a_log_is_a_warning(tmp_path):
    path = tmp_path / "power.csv"
    path.write_text("time,power_w\n" + "".join(f"{1.8e9 + t},{0 if t == 50 else 150 + t % 3}\n" for t in range(120)))
    (log := make_meter(f"trace:{path}")).join(RunClock(1.8e9, 0.0, 119.0))
    assert "zero_unconfirmed" in log.energy(5.0, 105.0).warnings
    assert "zero_unconfirmed" not in log.energy(55.0, 115.0).warnings


def test_zero_that_the_amps_deny_is_no_reading():
    with pytest.raises(InputError, match=r"expected the power of a load of 150\.2 VA, got 0 W; the amps deny the zero"):
        Scripted(0.0, evidence=Evidence((phase(0.0),))).open()


@pytest.mark.parametrize(
    ("value", "expected", "words"),
    [
        (1.0, 100.0, "small by a factor of 100"),
        (981.0, 1.0, "large by a factor of 1000"),
        (1.0, 50.0, ""),
        (0.0, 1.0, ""),
    ],
)
def test_a_factor_is_named_within_two_percent(value, expected, words):
    assert factor_words(value, expected).endswith(words)
    assert bool(factor_words(value, expected)) is bool(words)


@given(st.integers(1, 60), st.floats(5.0, 3000.0), st.floats(0.01, 3600.0), st.integers(5, 600))
def test_a_counter_of_any_step_and_period_agrees_with_its_own_power(every_s, power_w, step_j, seconds):
    times = [float(t) for t in range(seconds)]
    counter = [(t, math.floor(power_w * (t // every_s * every_s) / step_j) * step_j) for t in times]
    power = [(t, power_w) for t in times]
    slope = slope_of(counter, power, 1.0)
    assert slope is None or not slope.differs
    for factor in (0.001, 0.01, 0.1, 10.0, 100.0, 1000.0):
        scaled = slope_of([(t, joules * factor) for t, joules in counter], power, 1.0)
        assert (slope is None) is (scaled is None)
        assert scaled is None or scaled.differs


@pytest.mark.parametrize("factor", [1.0, 1.2, 0.01, 1000.0])
def test_a_plug_whose_counter_and_watts_disagree_gives_no_joules(clock, device, factor):
    start = clock.monotonic()

    def switch():
        hours = (clock.monotonic() - start) / 3600.0
        watts = 150.0 + math.sin(clock.monotonic())
        return {"id": 0, "apower": watts, "aenergy": {"total": round(500.0 + factor * 150.0 * hours, 6)}}

    fake = device({"/rpc/Switch.GetStatus?id=0": switch})
    (meter,) = open_meters([fake.spec(period=0.05)])
    t0 = clock.monotonic()
    clock.sleep(10.0)
    energy = meter.energy(t0, clock.monotonic() - 0.1)
    close_meters([meter])
    counter_w = float(energy.detail.partition(" gives ")[2].split()[0])
    assert counter_w == pytest.approx(150.0 * factor, rel=0.02)
    assert (energy.joules is None) is (factor != 1.0)
    assert ("meter_disagreement" in energy.reasons) is (factor != 1.0)
    assert ("too large by a factor of 100" in energy.detail) is (factor == 0.01)
    assert ("too small by a factor of 1000" in energy.detail) is (factor == 1000.0)


def test_a_unit_that_shows_only_under_load_leaves_no_joules(clock, device):
    loaded = clock.monotonic() + 1.0

    def energy():
        watts = 3.0 if clock.monotonic() < loaded else 150.0 + math.sin(clock.monotonic())
        return {"Power": watts / 1000.0, "Voltage": 230, "Current": round(watts / 230 / 0.98, 3), "Factor": 0.98}

    fake = device({"/cm": lambda: {"StatusSNS": {"ENERGY": energy()}}})
    (meter,) = open_meters([fake.spec("tasmota", period=0.05)])
    clock.sleep(2.0)
    t0 = clock.monotonic()
    clock.sleep(5.0)
    reading = meter.energy(t0, clock.monotonic() - 0.1)
    close_meters([meter])
    assert "meter_disagreement" in reading.reasons
    assert reading.detail.startswith("V·A·PF of the meter gives 1")
    assert reading.detail.endswith("which is too small by a factor of 1000")


def test_a_counter_that_cannot_be_compared_says_nothing(clock, device):
    fake = device(
        {"/cm": lambda: {"StatusSNS": {"ENERGY": {"Power": 150 + round(clock.monotonic()) % 2, "Total": 1.2}}}}
    )
    (meter,) = open_meters([fake.spec("tasmota", period=0.05)])
    t0 = clock.monotonic()
    clock.sleep(10.0)
    energy = meter.energy(t0, clock.monotonic() - 0.1)
    close_meters([meter])
    assert "counter" not in energy.detail
