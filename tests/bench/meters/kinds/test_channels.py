"""Plugs with several channels, phases and clamps: the channel is named or the message lists what there is."""

import pytest

from bench.meters.errors import MeterError
from bench.meters.protocol import MeterOptions
from bench.meters.registry import close_meters, open_meters
from hardware_profiles.errors import InputError

pytestmark = pytest.mark.usefixtures("clock")

FAST = MeterOptions(period_s=0.02)
GEN1, GEN2 = {"type": "SHSW-25", "auth": False}, {"id": "shelly", "gen": 2, "auth_en": False}


def switch(index, watts, **more):
    return {"id": index, "output": True, "apower": watts, "voltage": 231.4, "aenergy": {"total": 3.5}, **more}


def gen2(**components):
    """Routes of a device of a later generation with components such as `switch_0`."""
    status = {name.replace("_", ":"): part for name, part in components.items()}
    methods = {"switch": "Switch", "em": "EM", "em1": "EM1", "pm1": "PM1", "light": "Light", "cover": "Cover"}
    each = {
        f"/rpc/{methods[kind]}.GetStatus?id={index}": part
        for name, part in components.items()
        for kind, _, index in [name.partition("_")]
        if kind in methods
    }
    return {"/shelly": GEN2, "/rpc/Shelly.GetStatus": status, **each}


def gen1(**status):
    return {"/shelly": GEN1, "/status": {"uptime": 7, **status}}


def clamp(watts, **more):
    return {"power": watts, "is_valid": True, "total": 12.0, "total_returned": 0.0, **more}


def tasmota(**energy):
    return {"/cm?cmnd=Status%208": {"StatusSNS": {"Time": "2026-05-01T10:00:00", "ENERGY": energy}}}


def read(spec):
    (meter,) = open_meters([spec], FAST)
    close_meters([meter])
    return meter.readings()[0].value, meter.info


TWO = gen2(switch_0=switch(0, 40.0), switch_1=switch(1, 150.0), sys={"unixtime": 1})
MONOPHASE = gen2(
    em1_0={"id": 0, "act_power": 0.0, "aprt_power": 0.0, "voltage": 230.1, "current": 0.0, "pf": 0.0},
    em1_1={"id": 1, "act_power": 150.0, "aprt_power": 158.0, "voltage": 230.1, "current": 0.686, "pf": 0.95},
    em1_2={"id": 2, "act_power": 31.0, "aprt_power": 40.0, "voltage": 230.1, "current": 0.174, "pf": 0.78},
    em1data_0={"id": 0, "total_act_energy": 5.0},
    switch_100={"id": 100, "output": True},
)
TRIPHASE = gen2(
    em_0={
        "id": 0, "a_act_power": 100.0, "b_act_power": 30.0, "c_act_power": 20.5, "total_act_power": 150.5,
        "a_voltage": 230.0, "b_voltage": 231.0, "c_voltage": 229.0, "n_current": None,
    },
    emdata_0={"id": 0, "total_act": 77.0},
)  # fmt: skip
TWO_CLAMPS = gen1(emeters=[clamp(150.0, reactive=3.0, voltage=229.9), clamp(0.0, voltage=229.9)], meters=[])
THREE_CLAMPS = gen1(emeters=[clamp(100.0), clamp(30.0), clamp(20.0)], total_power=150.0)
RELAYS = gen1(meters=[clamp(0.0), clamp(150.0)], relays=[{"ison": False}, {"ison": True}])
LIST = tasmota(Power=[149, 0], Voltage=230, Current=[0.66, 0.0], Factor=[0.98, 0.0], Total=3.1)


@pytest.mark.parametrize(
    ("kind", "routes", "settings", "watts"),
    [
        ("shelly", TWO, {"channel": "1"}, 150.0),
        ("shelly", TWO, {"channel": "switch:0"}, 40.0),
        ("shelly", TWO, {"channel": "all"}, 190.0),
        ("shelly", MONOPHASE, {"channel": "1"}, 150.0),
        ("shelly", MONOPHASE, {"channel": "all"}, 181.0),
        ("shelly", TRIPHASE, {}, 150.5),
        ("shelly", TRIPHASE, {"channel": "0"}, 150.5),
        ("shelly", TRIPHASE, {"channel": "all"}, 150.5),
        ("shelly", TRIPHASE, {"channel": "b"}, 30.0),
        ("shelly", gen2(pm1_0={"id": 0, "apower": 61.5}), {}, 61.5),
        ("shelly", gen2(light_0={"id": 0, "output": True, "apower": 9.5}), {}, 9.5),
        ("shelly", gen2(cover_0={"id": 0, "state": "open", "apower": 88.0}), {}, 88.0),
        ("shelly", TWO_CLAMPS, {"channel": "0"}, 150.0),
        ("shelly", THREE_CLAMPS, {}, 150.0),
        ("shelly", THREE_CLAMPS, {"channel": "1"}, 30.0),
        ("shelly", gen1(emeters=[clamp(100.0), clamp(30.0), clamp(20.0)]), {}, 150.0),
        ("shelly", RELAYS, {"channel": "1"}, 150.0),
        ("shelly", gen1(meters=[clamp(60.0)]), {}, 60.0),
        ("shelly", gen1(rollers=[{"state": "open", "power": 75.0, "is_valid": True}], meters=[clamp(1.0)]), {}, 75.0),
        ("tasmota", tasmota(Power=151, Voltage=230), {}, 151.0),
        ("tasmota", tasmota(Power=[151]), {}, 151.0),
        ("tasmota", LIST, {"channel": "0"}, 149.0),
        ("tasmota", LIST, {"channel": "all"}, 149.0),
        ("tasmota", tasmota(Power=[50, 60, 40], Voltage=[230, 231, 229]), {}, 150.0),
        ("tasmota", tasmota(Power=[50, 60, 40], Voltage=[230, 231, 229]), {"channel": "2"}, 40.0),
    ],
)
def test_the_named_channel_is_read(device, kind, routes, settings, watts):
    assert read(device(routes).spec(kind, **settings))[0] == pytest.approx(watts)


@pytest.mark.parametrize(
    ("kind", "routes", "settings", "words"),
    [
        ("shelly", TWO, {}, "expected channel=0 (40 W), channel=1 (150 W) or channel=all, got nothing"),
        ("shelly", TWO, {"channel": "2"}, "channel=1 (150 W) or channel=all, got '2'"),
        ("shelly", TWO, {"channel": "switch:9"}, "(did you mean switch:"),
        ("shelly", MONOPHASE, {}, "channel=0 (0 W), channel=1 (150 W), channel=2 (31 W) or channel=all, got nothing"),
        (
            "shelly",
            TRIPHASE,
            {"channel": "d"},
            "channel=a (100 W), channel=b (30 W), channel=c (20.5 W) or channel=all",
        ),
        ("shelly", TWO_CLAMPS, {}, "channel=0 (150 W), channel=1 (0 W) or channel=all, got nothing"),
        ("shelly", RELAYS, {}, "channel=0 (0 W), channel=1 (150 W) or channel=all, got nothing"),
        ("shelly", gen1(meters=[clamp(5.0)]), {"channel": "1"}, "expected channel=0 (5 W) or channel=all, got '1'"),
        ("shelly", gen1(meters=[clamp(5.0), {**clamp(9.0), "is_valid": False}]), {}, "channel=1 (no reading)"),
        (
            "shelly",
            gen2(em_0={"id": 0, "total_act_power": 7.0}, em_1={"id": 1, "total_act_power": 9.0}),
            {},
            "channel=0 (7 W), channel=1 (9 W) or channel=all, got nothing",
        ),
        (
            "shelly",
            gen2(switch_0=switch(0, 40.0), pm1_0={"id": 0, "apower": 41.0}),
            {},
            "channel=switch:0 (40 W) or channel=pm1:0 (41 W), got nothing",  # their sum may count a load twice
        ),
        ("tasmota", LIST, {}, "channel=0 (149 W), channel=1 (0 W) or channel=all, got nothing"),
        ("tasmota", tasmota(Power=[5, 6, 7], Voltage=230), {}, "channel=2 (7 W) or channel=all, got nothing"),
    ],
)
def test_where_there_are_several_channels_the_message_lists_them(device, kind, routes, settings, words):
    with pytest.raises(InputError) as error:
        read(device(routes).spec(kind, **settings))
    assert words in str(error.value)
    assert "key channel" in str(error.value)


@pytest.mark.parametrize(
    ("kind", "routes", "words"),
    [
        ("shelly", gen2(switch_0={"id": 0, "output": True}), "measures no power"),
        ("shelly", {"/shelly": {"type": "SHSW-1"}, "/status": {"meters": [clamp(60.0)]}}, "measures no power"),
        ("shelly", {"/shelly": [1]}, "not the answer of a Shelly"),
        ("shelly", {"/shelly": GEN1, "/status": [1]}, "not the status of a Shelly"),
        ("shelly", {"/shelly": GEN2, "/rpc/Shelly.GetStatus": [1]}, "not the status of a Shelly"),
        ("tasmota", tasmota(Power=[]), "measures no power"),
        ("tasmota", {"/cm": {"StatusSNS": {"Time": "x", "MT175": {"P": 151}}}}, "got 'Time, MT175'.*trace:FILE"),
        ("tasmota", {"/cm": {"StatusPWR": {"Power": 150}}}, "got 'StatusPWR'"),
        ("tasmota", {"/cm": ["Power"]}, "got nothing"),
    ],
)
def test_a_device_that_measures_no_power_is_refused_with_a_cure_that_fits(device, kind, routes, words):
    with pytest.raises(MeterError, match=words):
        read(device(routes).spec(kind))


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        (gen2(switch_0=switch(0, None, errors=["power_meter_failure"])), "the meter reports 'power_meter_failure'"),
        (gen2(em_0={"id": 0, "total_act_power": 9.0, "errors": ["ct_type_not_set"]}), "reports 'ct_type_not_set'"),
        (
            gen2(em1_0={"id": 0, "act_power": 9.0, "errors": ["out_of_range:act_power"]}),
            "reports 'out_of_range:act_power'",
        ),
        (gen2(switch_0=switch(0, True)), "apower is not a finite number: 'True'"),
        (gen1(meters=[{**clamp(5.0), "is_valid": False}]), "marks its reading as invalid"),
    ],
)
def test_a_reading_that_the_device_itself_denies_is_refused(device, routes, words):
    with pytest.raises(InputError, match=words):
        read(device(routes).spec())


def test_an_error_that_does_not_concern_the_power_does_not_matter(device):
    assert read(device(gen2(switch_0=switch(0, 90.0, errors=["overtemp"]))).spec())[0] == 90.0


def test_a_program_that_answers_for_one_component_is_read(device):
    emulated = {"/rpc/EM.GetStatus?id=0": TRIPHASE["/rpc/EM.GetStatus?id=0"]}
    assert read(device(emulated).spec())[0] == 150.5
    several = {f"/rpc/Switch.GetStatus?id={index}": switch(index, 10.0 + index) for index in range(2)}
    with pytest.raises(InputError, match=r"channel=0 \(10 W\), channel=1 \(11 W\)"):
        read(device(several).spec())


def test_the_record_names_the_channel_and_its_domain(device):
    fake = device(TWO)
    one, both = read(fake.spec(channel="switch:1"))[1], read(fake.spec(channel="all"))[1]
    address = f"shelly:127.0.0.1:{fake.port}"
    assert (one.channel, one.scope, one.domains) == ("1", "all behind channel switch:1", (f"{address}/switch:1",))
    assert (both.channel, both.domains) == ("all", (f"{address}/switch:0", f"{address}/switch:1"))
    assert both.scope == "the sum of 2 channels (switch:0, switch:1)"
    single = read(device(gen2(switch_0=switch(0, 5.0))).spec())[1]
    assert (single.channel, single.domains) == ("", (single.name,))


def test_two_channels_of_one_plug_are_two_sources(device):
    fake = device(TWO)
    meters = open_meters([fake.spec(channel="0"), fake.spec(channel="1")], FAST)
    close_meters(meters)
    assert [meter.readings()[0].value for meter in meters] == [40.0, 150.0]


@pytest.mark.parametrize(
    ("routes", "first", "second"),
    [
        (TWO, "all", "1"),
        (TWO, "1", "switch:1"),
        (TRIPHASE, "all", "b"),
        (gen2(switch_0=switch(0, 5.0)), "all", "0"),
    ],
)
def test_a_channel_and_the_sum_that_holds_it_are_one_source(device, routes, first, second):
    fake = device(routes)
    with pytest.raises(InputError, match="expected each source once"):
        open_meters([fake.spec(channel=first), fake.spec(channel=second)], FAST)


def test_text_of_a_device_reaches_no_terminal_as_it_is(device):
    evil = "power_meter_failure\x1b]0;owned\x07"
    for kind, routes in (
        ("shelly", gen2(switch_0=switch(0, 1.0, errors=[evil]))),
        ("shelly", gen2(switch_0=switch(0, 1.0, id=evil))),
        ("shelly", gen2(switch_0=switch(0, evil))),
        ("tasmota", {"/cm": {"StatusSNS": {evil: 1}}}),
        ("tasmota", {"/cm": {"WARNING": f"Need user {evil}"}}),
    ):
        with pytest.raises((InputError, MeterError)) as error:
            read(device(routes).spec(kind))
        assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("shelly", RELAYS, gen1(meters=[clamp(150.0)])),
        ("shelly", TWO, gen2(switch_0=switch(0, 40.0), switch_1=[150.0])),
        ("tasmota", LIST, tasmota(Power=149)),
        ("tasmota", LIST, tasmota(Power=[149])),
    ],
)
def test_a_channel_that_is_gone_is_a_missing_reading(clock, device, kind, before, after):
    fake = device(before)
    (meter,) = open_meters([fake.spec(kind, channel="1")], FAST)
    fake.routes = after
    clock.sleep(0.1)
    close_meters([meter])
    assert (meter.readings()[-1].value, meter.readings()[-1].codes) == (None, ("bad_sample",))


def test_a_reading_of_all_clamps_misses_if_one_is_invalid(clock, device):
    fake = device(THREE_CLAMPS)
    (meter,) = open_meters([fake.spec()], FAST)
    fake.routes = gen1(emeters=[clamp(1.0), clamp(2.0), {**clamp(3.0), "is_valid": False}], total_power=6.0)
    clock.sleep(0.1)
    close_meters([meter])
    assert (meter.readings()[-1].value, meter.readings()[-1].codes) == (None, ("bad_sample",))


@pytest.mark.parametrize("kind", ["gen1", "gen2", "tasmota"])
def test_a_device_clock_is_no_sign_of_life(clock, device, kind):
    frozen = clock.monotonic() + 0.5

    def watts():
        return 150.0 + (clock.monotonic() % 1.0 if clock.monotonic() < frozen else 0.0)

    def now():
        return round(clock.monotonic() * 1000.0)

    routes = {
        "gen1": lambda: {"meters": [{"power": watts(), "is_valid": True, "timestamp": now(), "total": 5}]},
        "gen2": lambda: {**switch(0, watts()), "aenergy": {"total": 1.0, "minute_ts": now()}, "last_updated": now()},
        "tasmota": lambda: {"StatusSNS": {"Time": now(), "ENERGY": {"Power": watts(), "Total": 1.0}}},
    }
    paths = {"gen1": "/status", "gen2": "/rpc/Switch.GetStatus?id=0", "tasmota": "/cm"}
    about = {} if kind == "tasmota" else {"gen1": {"/shelly": GEN1}, "gen2": gen2(switch_0=switch(0, 150.0))}[kind]
    fake = device({**about, paths[kind]: routes[kind]})
    (meter,) = open_meters([fake.spec("tasmota" if kind == "tasmota" else "shelly")], FAST)
    t0 = clock.monotonic()
    clock.sleep(2.0)
    energy = meter.energy(t0, clock.monotonic() - 0.05)
    close_meters([meter])
    assert energy.joules is None
    assert "samples_stale" in energy.reasons
