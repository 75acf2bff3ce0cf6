"""Antminers with stock firmware: 2017, 2022 and 2025, awake and asleep, with and without a login."""

import pytest
from doubles.device import DigestLogin, FakeDevice
from doubles.miners import antminer

from bench.miners.families.antminer import FAMILY
from bench.network.login import Login


@pytest.fixture
def read(poll):
    return lambda replies, **settings: poll(FAMILY, replies, **settings).reading


def rates(reading):
    return {rate.raw_key: (rate.rate_h_s, rate.window_s, rate.basis) for rate in reading.rates}


def test_the_firmware_of_2022_gives_the_right_record(read):
    reading = read(antminer.s19_pro())
    assert reading.identity.model == "Antminer S19 Pro"
    assert reading.identity.firmware_version == "49.0.1.3, Tue Dec 6 16:12:30 CST 2022"
    assert reading.identity.unit not in {"", "7f00aa11bb22cc33"}
    assert rates(reading) == {
        "summary: GHS 5s": (pytest.approx(106.92e12), 5.0, "nonces"),
        "summary: GHS 30m": (108e12, 1800.0, "nonces"),
        "summary: GHS av": (108e12, None, "nonces"),
        "stats: GHS 5s": (108e12, 5.0, "nonces"),
        "stats: GHS av": (108e12, None, "nonces"),
        "stats: rate_30m": (108e12, 1800.0, "nonces"),
    }
    assert reading.powers == ()
    assert [(board.name, board.chips, board.hardware_errors) for board in reading.boards] == [
        ("chain 1", 114, 101),
        ("chain 2", 114, 102),
        ("chain 3", 114, 103),
    ]
    assert [board.rate_h_s for board in reading.boards] == [36e12] * 3
    assert [fan.speed_rpm for fan in reading.fans] == [6000, 5880, 5040, 5040]
    assert {t.place for t in reading.temperatures} == {"board", "chip"}
    assert (reading.mode.name, reading.mode.hashing) == ("", True)
    assert reading.counters.accepted_difficulty == 4_000 * 320_000.0
    assert reading.counters.hashes == pytest.approx(108e12 * 50_000)
    assert reading.nominal_rate_h_s == 110e12
    assert reading.warnings == ("chain 2: 1 chip does not answer",)


def test_pools_have_no_user_no_password_and_no_local_address(read):
    reading = read(antminer.s19_pro())
    assert [(pool.url, pool.active, pool.difficulty) for pool in reading.pools] == [
        ("stratum+tcp://pool.example.com:3333", True, 320_000.0),
        ("stratum+tcp://(local address):700", False, None),
    ]
    assert all(word not in repr(reading) for word in ("wallet", "hush", "10.0.0.9", "7f00aa11bb22cc33"))


def test_old_firmware_with_text_for_numbers_and_a_broken_document_is_read_and_reported(read):
    reading = read(antminer.s9())
    assert reading.identity.model == "Antminer S9"
    assert rates(reading)["summary: GHS 5s"] == (13512.11e9, 5.0, "nonces")
    assert [(board.name, board.rate_h_s, board.chips) for board in reading.boards] == [("chain 6", 4503.21e9, 63)]
    assert reading.pools == ()
    assert reading.warnings[:1] == ("chain 6: 1 chip does not answer",)
    assert "stats: the reply is not valid JSON and was repaired: missing comma" in reading.warnings
    assert "pools: not read: Access denied to 'pools' command" in reading.warnings


def test_the_firmware_of_2025_is_asked_for_its_newer_form_and_for_its_power(read):
    with_power = FakePowerPort("miner power:3250")
    try:
        reading = read(antminer.s21(mode="2"), more_ports={6060: with_power.port})
    finally:
        with_power.close()
    assert reading.identity.model == "Antminer S21"
    assert rates(reading)["stats: rate_5s"] == (198.5e12, 5.0, "nonces")
    assert [(p.power_w, p.kind, p.raw_key, p.raw) for p in reading.powers] == [
        (3250.0, "unknown", "miner_power", "3250")
    ]
    assert [board.nominal_rate_h_s for board in reading.boards] == [66e12] * 3
    assert (reading.mode.name, reading.mode.profile, reading.mode.hashing) == ("high", "100 %", True)
    assert reading.nominal_rate_h_s == 200e12
    assert reading.pools[0].difficulty == 262_000.0


def test_without_its_power_port_nothing_is_missing(read):
    reading = read(antminer.s21())
    assert (reading.powers, reading.warnings) == ((), ())
    assert reading.mode.name == "normal"


def test_a_miner_that_sleeps_sends_empty_lists(read):
    reading = read(antminer.asleep())
    assert (reading.mode.name, reading.mode.hashing, reading.mode.state) == ("sleep", False, "sends empty lists")
    assert (reading.rates, reading.boards) == ((), ())


def test_the_web_pages_are_read_only_with_the_login_of_the_user(read):
    routes = {"/cgi-bin/get_system_info.cgi": antminer.SYSTEM_INFO, "/cgi-bin/get_miner_conf.cgi": antminer.MINER_CONF}
    web = FakeDevice(routes, DigestLogin("root", "right"))
    try:
        without = read(antminer.s19_pro(), more_ports={80: web.port})
        assert web.requests == []
        reading = read(antminer.s19_pro(), more_ports={80: web.port}, login=Login("root", "right"))
        refused = read(antminer.s19_pro(), more_ports={80: web.port}, login=Login("root", "wrong"))
    finally:
        web.close()
    assert (reading.mode.name, without.mode.name) == ("low", "")
    assert reading.identity.unit != without.identity.unit
    assert all(word not in repr(reading) for word in ("hush", "SERIAL0123456789", "02:00:00:12:34:56", "10.0.0.7"))
    assert any("get_miner_conf: not read" in warning and "HTTP status 401" in warning for warning in refused.warnings)


class FakePowerPort(FakeDevice):
    """Answers plain text."""

    def __init__(self, text):
        super().__init__({"/miner_power": text})
        self._server.RequestHandlerClass.do_GET = _plain(text)


def _plain(text):
    def do_get(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return do_get
