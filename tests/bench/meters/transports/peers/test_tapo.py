"""Tapo plugs: the encrypted session, a login that is refused before it is sent, and a plug that forgets the session."""

import asyncio

import pytest
from doubles.meters.device import Device
from doubles.meters.tapo import PASSWORD, USER, TapoPeer

from bench.meters.errors import MeterError
from bench.meters.points import table
from bench.meters.registry import make_meter
from hardware_profiles.errors import InputError


def test_one_session_serves_many_readings(clock, peer, meter):
    one = peer("tapo")
    opened = meter(one)
    clock.sleep(60.0)
    assert len(opened.readings()) > 25
    assert one.handshakes == one.proofs == 1


def test_a_password_that_the_plug_does_not_have_is_never_sent(peer, meter):
    one = peer("tapo", password="another")
    with pytest.raises(InputError, match=r"expected the login of the device, got .* has another password"):
        meter(one)
    assert (one.handshakes, one.proofs, one.asked) == (1, 0, 0)


def test_a_session_that_the_plug_forgets_is_begun_anew_without_a_gap(clock, peer, meter):
    one = peer("tapo")
    opened = meter(one)
    start_s = clock.monotonic()
    for _ in range(4):
        clock.sleep(60.0)
        one.forget()
    clock.sleep(10.0)
    energy = opened.energy(start_s, start_s + 240.0)
    assert energy.reasons == ()
    assert one.handshakes == 5


def test_a_plug_that_is_closed_to_other_programs_is_named_with_the_cure(peer, meter):
    with pytest.raises(MeterError, match="turn on Third-Party Compatibility in the Tapo app"):
        meter(peer("tapo", compatible=False))


def test_a_message_of_another_session_is_no_reading(clock, peer, meter):
    one = peer("tapo")
    opened = meter(one)
    one._owner = bytes(32)  # another key from now on
    clock.sleep(10.0)
    assert opened.last_error


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "key user: expected the e-mail address of the plug's TP-Link account"),
        (",user=me@example.org", "key user: expected a password with it"),
        (",user=me@example.org,password=x", "key password: expected password_file="),
    ],
)
def test_a_spec_without_a_whole_login_is_refused(settings, words):
    with pytest.raises(InputError, match=words):
        make_meter(f"tapo:10.0.0.4,table=tapo{settings}")


def test_a_table_cannot_make_a_plug_do_anything(tmp_path):
    path = tmp_path / "own.toml"
    text = (table.FOLDER / "tapo.toml").read_text(encoding="utf-8")
    path.write_text(text.replace("get_energy_usage", "set_device_info", 1), encoding="utf-8")
    with pytest.raises(InputError, match="expected a method that only reads"):
        make_meter(f"tapo:10.0.0.4,table={path},user=me,password_env=HOME")


def test_the_library_tapo_understands_the_double(clock):
    """The double, which the other tests talk to, is a plug for an independent client too."""
    library = pytest.importorskip("tapo", reason="the library tapo is missing: pip install tapo")
    peer = TapoPeer(Device(clock, lambda _t: 61.753), table.bundled("tapo"))

    async def ask(password):
        plug = await library.ApiClient(USER, password).p110(peer.target)
        return (await plug.get_energy_usage()).current_power

    try:
        assert asyncio.run(ask(PASSWORD)) == 61753
        with pytest.raises(Exception, match="HASH_MISMATCH"):
            asyncio.run(ask("wrong"))
    finally:
        peer.close()
