"""Plugs over HTTP on real sockets: good answers give joules, every bad one a missing reading, never a number."""

import math
import socket

import pytest

from bench.meters.errors import MeterError
from bench.meters.protocol import MeterOptions
from bench.meters.registry import close_meters, make_meter, open_meters
from bench.network.errors import ReadFailedError
from bench.network.http import get_json, parse_host
from hardware_profiles.errors import InputError

FAST = MeterOptions(period_s=0.02)


@pytest.mark.parametrize("kind", ["shelly", "shelly1", "tasmota"])
def test_a_plug_that_plays_a_curve_gives_its_joules(clock, plug, kind):
    start = clock.monotonic()

    def curve(t):
        return 100.0 + 40.0 * math.sin(2.0 * (t - start))

    fake = plug(kind, curve)
    name = "tasmota" if kind == "tasmota" else "shelly"
    (meter,) = open_meters([f"{name}:127.0.0.1:{fake.port}"], FAST)
    clock.sleep(0.1)
    t0 = clock.monotonic()
    clock.sleep(1.3)
    t1 = clock.monotonic()
    energy = meter.energy(t0, t1)
    close_meters([meter])
    true_j = 100.0 * (t1 - t0) - 20.0 * (math.cos(2.0 * (t1 - start)) - math.cos(2.0 * (t0 - start)))
    assert energy.joules == pytest.approx(true_j, rel=0.01)
    assert (energy.boundary, energy.tier, energy.accuracy_source) == ("wall", "C", "none stated")


@pytest.mark.parametrize("mode", ["not_json", "deep", "error", "redirect", "hang_up", "partial", "huge", "headers"])
def test_a_wrong_answer_at_the_start_names_the_plug_and_the_cure(plug, mode):
    fake = plug()
    fake.mode = mode
    with pytest.raises(MeterError, match=r"shelly:127\.0\.0\.1.*check the address in a browser") as error:
        open_meters([fake.spec], FAST)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("mode", ["text", "huge_number", "nan", "infinite", "null"])
def test_a_first_reading_that_is_no_finite_number_is_refused(plug, mode):
    fake = plug()
    fake.mode = mode
    with pytest.raises(InputError, match=r"shelly:127\.0\.0\.1.*first readings:.*apower is not a finite number"):
        open_meters([fake.spec], FAST)


@pytest.mark.usefixtures("deadlines")
@pytest.mark.parametrize("mode", ["drip", "silent"])
def test_a_slow_answer_is_given_up_at_the_deadline_over_all_of_it(plug, mode):
    fake = plug()
    fake.mode = mode
    with pytest.raises(ReadFailedError, match="no complete answer in time"):
        get_json("127.0.0.1", fake.port, "/rpc/Switch.GetStatus?id=0", 0.3)
    assert not fake.finished, "the deadline was for each byte"


def test_a_chunked_answer_is_read(plug):
    fake = plug(curve=lambda _t: 42.0)
    fake.mode = "chunked"
    assert get_json("127.0.0.1", fake.port, "/rpc/Switch.GetStatus?id=0", 2.0)["apower"] == 42.0


@pytest.mark.parametrize("mode", ["not_json", "hang_up", "nan"])
def test_a_plug_that_goes_bad_in_a_window_leaves_no_joules_and_a_reason(clock, plug, mode):
    fake = plug()
    (meter,) = open_meters([fake.spec], FAST)
    clock.sleep(0.1)
    t0 = clock.monotonic()
    clock.sleep(0.8)
    fake.mode = mode
    clock.sleep(0.7)
    fake.mode = "good"
    clock.sleep(0.7)
    energy = meter.energy(t0, clock.monotonic() - 0.05)
    close_meters([meter])
    assert energy.joules is None
    assert "sample_gap" in energy.reasons
    assert {"read_failed", "bad_sample"} & set(energy.warnings)


def test_a_plug_that_vanishes_is_meter_lost(clock, plug):
    fake = plug()
    (meter,) = open_meters([fake.spec], FAST)
    t0 = clock.monotonic()
    clock.sleep(0.3)
    fake.close()
    clock.sleep(0.2)
    energy = meter.energy(t0, clock.monotonic())
    close_meters([meter])
    assert energy.joules is None
    assert {"meter_lost", "edge_missing"} <= set(energy.reasons)
    assert "refused" in energy.detail


def test_a_plug_that_freezes_is_stale(clock, plug):
    fake = plug()
    (meter,) = open_meters([fake.spec], FAST)
    clock.sleep(0.5)
    t0 = clock.monotonic()
    fake.mode = "frozen"
    clock.sleep(1.5)
    energy = meter.energy(t0, clock.monotonic() - 0.05)
    close_meters([meter])
    assert energy.joules is None
    assert "samples_stale" in energy.reasons


def test_power_that_turns_negative_gives_no_joules(clock, plug):
    turned = clock.monotonic() + 0.2
    fake = plug(curve=lambda t: math.copysign(5.0 + math.sin(t), turned - t))
    (meter,) = open_meters([fake.spec], FAST)
    t0 = clock.monotonic()
    clock.sleep(0.4)
    energy = meter.energy(t0, clock.monotonic() - 0.05)
    close_meters([meter])
    assert "negative_power" in energy.reasons


def test_an_answer_of_another_channel_is_no_reading(clock, plug):
    fake = plug()
    (meter,) = open_meters([fake.spec], FAST)
    fake.mode = "other_id"
    clock.sleep(0.2)
    close_meters([meter])
    assert meter.readings()[-1].value is None
    assert meter.readings()[-1].codes == ("bad_sample",)
    assert "expected the answer of id 0, got that of id 1" in meter.last_error
    with pytest.raises(InputError, match=r"channel=0 \(no reading\)"):
        open_meters([fake.spec], FAST)


def test_nobody_listening_is_one_line_with_the_cure():
    with socket.socket() as bound:  # the port is taken, and nobody listens on it
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(MeterError, match="refused"):
            open_meters([f"shelly:127.0.0.1:{bound.getsockname()[1]}"], FAST)


def test_stated_accuracy_makes_a_plug_tier_b():
    info = make_meter("shelly:plug.local,accuracy=1%").info
    assert (info.tier, info.accuracy_frac, info.accuracy_source) == ("B", 0.01, "stated in --meter")
    assert make_meter("tasmota:plug.local").info.tier == "C"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("shely:host", "did you mean shelly"),
        ("shelly", "expected an address"),
        ("shelly:", "expected an address"),
        ("shelly:host:99999", "port from 1 to 65535"),
        ("shelly:https://host/x", "http only"),
        ("shelly:host,accuracy=much", "accuracy"),
        ("shelly:host,tier=A", "stated accuracy of a tier A meter"),
        ("shelly:host,acuracy=1%", "did you mean accuracy"),
        ("shelly:host,accuracy", "a host such as"),
        ("shelly:host:\u00b2", "port from 1 to 65535"),
        ("shelly:host:+80", "port from 1 to 65535"),
        ("shelly:host:", "port from 1 to 65535"),
        ("shelly:host,period=60", "at most 5 s, because a slower meter gives no energy, got 60"),
        ("shelly:host,period=1e300", "at most 5 s"),
        ("tasmota:host,period=nan", "number above 0"),
        ("shelly:host,boundary=desk", "boundary"),
        ("shelly:host,period=0", "number above 0"),
        ("", "expected a meter such as"),
        ("declared", "expected a power"),
        ("declared:-5", "a power from 0.001"),
        ("declared:nan", "a power from 0.001"),
        ("rapl:gpu", "package, psys"),
        ("nvml:0,scope=fan", "gpu, module"),
        ("trace", "expected a file"),
    ],
)
def test_a_wrong_spec_is_one_line_that_says_what_was_expected(spec, words):
    with pytest.raises(InputError, match=words) as error:
        make_meter(spec)
    assert "\n" not in str(error.value)


def test_a_period_for_all_meters_has_the_same_limit():
    with pytest.raises(InputError, match=r"--meter-period-s: expected at most 5 s.*got 3600"):
        make_meter("shelly:host", MeterOptions(period_s=3600.0))


def test_one_source_is_read_once(plug):
    fake = plug()
    with pytest.raises(InputError, match="each source once"):
        open_meters([fake.spec, fake.spec], FAST)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("h", ("h", 80)),
        ("h:8080", ("h", 8080)),
        ("http://h:81/", ("h", 81)),
        ("[::1]:82", ("::1", 82)),
        ("::1", ("::1", 80)),
    ],
)
def test_addresses_are_read(text, found):
    assert parse_host(text, "--meter") == found
