"""Modbus: every type in both orders of words, serial frames over TCP, requests that touch only named registers."""

import pytest

from bench.meters.errors import MeterError
from bench.meters.transports.modbus import Modbus, Register, _spans
from bench.network.tcp import HostPort

# value: 16-bit words, high word first, as the wire has them
WORDS = {
    "int16": (-2, [0xFFFE]),
    "uint16": (65534, [0xFFFE]),
    "int32": (-20_000_000, [0xFECE, 0xD300]),
    "uint32": (4_274_986_688, [0xFECF, 0x1EC0]),
    "int64": (-5_000_018_993_152, [0xFFFF, 0xFB73, 0xD7A4, 0xE000]),
    "uint64": (5_000_018_993_152, [0x0000, 0x048C, 0x285B, 0x2000]),
    "float32": (431.75, [0x43D7, 0xE000]),
    "float64": (431.75, [0x407A, 0xFC00, 0x0000, 0x0000]),
}
NOTHING = {
    "int16": [[0x7FFF], [0x8000]],
    "uint16": [[0xFFFF]],
    "int32": [[0x7FFF, 0xFFFF], [0x8000, 0]],
    "uint32": [[0xFFFF, 0xFFFF]],
    "int64": [[0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF], [0x8000, 0, 0, 0]],
    "uint64": [[0xFFFF] * 4],
    "float32": [[0x7FC0, 0], [0xFFC0, 0]],
    "float64": [[0x7FF8, 0, 0, 0]],
}


@pytest.mark.parametrize("type_", WORDS)
def test_every_type_is_read_in_both_orders_of_words(type_):
    value, words = WORDS[type_]
    assert Register(3, 0, type_, low_word_first=False).value(words) == value
    assert Register(3, 0, type_, low_word_first=True).value(words[::-1]) == value


@pytest.mark.parametrize(("type_", "words"), [(t, words) for t, patterns in NOTHING.items() for words in patterns])
def test_the_patterns_of_no_value_are_no_value_in_both_orders(type_, words):
    assert Register(3, 0, type_, low_word_first=False).value(words) is None
    assert Register(3, 0, type_, low_word_first=True).value(words[::-1]) is None


OWN = """
title = "each type"
transport = "modbus"
boundary = "wall"
scope = "the shelf"
period = {{ s = 1.0, source = "assumed" }}

[points]
power = {{ quantity = "power", unit = "{unit}", at = {{ {at}, type = "{type}", words = "{words}" }} }}

[sources.manual]
title = "the register list"
address = "https://example.org"
read = "2026-11-30"
states = "as the type says"
"""


@pytest.fixture
def own(tmp_path):
    return tmp_path / "own.toml"


@pytest.mark.parametrize("frame", ["tcp", "rtu"])
@pytest.mark.parametrize("words", ["high_first", "low_first"])
@pytest.mark.parametrize("type_", WORDS)
def test_every_type_comes_through_a_real_server(own, peer, meter, type_, words, frame):  # noqa: PLR0917 (fixtures)
    unit = "uW" if type_.endswith("64") else "mW" if type_.endswith("32") else "W"
    own.write_text(OWN.format(type=type_, words=words, unit=unit, at="function = 3, register = 100"))
    one = peer(str(own), lambda _t: 4317.0, rtu=frame == "rtu")
    assert meter(one, f",frame={frame}").readings()[0].value == pytest.approx(4317.0, rel=1e-6)


def test_a_meter_behind_a_serial_gateway_gives_its_joules(clock, peer, meter):
    opened = meter(peer("eastron-sdm630", lambda t: 4000.0 + 10.0 * (t % 7.0), rtu=True), ",frame=rtu")
    clock.sleep(3.0)
    start = clock.monotonic()
    clock.sleep(115.0)
    energy = opened.energy(start, start + 115.0)
    assert energy.reasons == ()
    assert energy.joules == pytest.approx(115.0 * 4030.0, rel=0.01)


def test_a_wrong_frame_is_no_reading(peer, meter):
    with pytest.raises(MeterError, match="function 4, register"):
        meter(peer("eastron-sdm120", rtu=True), ",frame=tcp")


def test_only_registers_side_by_side_share_a_request():
    modbus = Modbus(HostPort("127.0.0.1", 1), 1, rtu=False, settings={}, place="test")

    def at(function, register, type_):
        return modbus.place_of({"function": function, "register": register, "type": type_})

    places = [at(3, 4, "float32"), at(3, 0, "float64"), at(4, 6, "int16"), at(3, 7, "int16"), at(3, 4, "float32")]
    assert _spans(places) == [(3, 0, 6), (3, 7, 8), (4, 6, 7)]
    long = [at(3, register, "float32") for register in range(0, 260, 2)]
    spans = _spans(long)
    assert max(end - first for _, first, end in spans) <= 125
    assert sum(end - first for _, first, end in spans) == 260
