"""Targets by real brokers on loopback: two of them, kept messages, silence, a restart, a login, TLS."""

import hashlib
import ssl
import time
from dataclasses import replace

import pytest
from doubles.inputs.broker import PASSWORD, USER, Broker

from hardware_profiles.errors import InputError
from sites.control.model import Inputs, LoadTarget

from .conftest import NOW


@pytest.fixture
def broker():
    running = []

    def start(**keys):
        running.append(Broker(**keys))
        return running[-1]

    yield start
    for each in running:
        each.close()


def table(*brokers, **more):
    return {"source": [f"mqtt:{each.target}" for each in brokers], "full_mw": 50.0, **more}


def until(inputs, holds, now_s=NOW):
    """Return the inputs once something holds of them; fail after half a minute."""
    end = time.monotonic() + 30.0
    while not holds(known := inputs.now(now_s)):
        assert time.monotonic() < end, known
        time.sleep(0.005)
    return known


def joined(known):
    return not known.faults


def limits(known):
    return [target.limit_mw for target in known.targets]


def test_a_target_comes_in_holds_and_is_lost_after_its_silence(broker, opened, clock):
    one = broker()
    inputs = opened(target=table(one))
    until(inputs, joined)
    one.publish({"target": 0, "timestamp": NOW})
    known = until(inputs, lambda known: limits(known) == [0.0])
    assert not known.targets_lost
    assert not inputs.now(NOW + 90).targets_lost
    lost = inputs.now(NOW + 91)
    assert (lost.targets_lost, limits(lost)) == (True, [0.0])
    assert lost.faults == (f"target mqtt:{one.target}: no message that counts in 90 s",)
    clock.now_s = NOW + 100
    one.publish({"target": 100, "timestamp": NOW + 100})
    assert not until(inputs, lambda known: limits(known) == [50.0], NOW + 100).targets_lost


def test_what_held_before_a_restart_holds_until_the_same_brokers_speak(broker, opened):
    one = broker()
    held = LoadTarget(0.0, NOW - 60, None, NOW - 60, f"mqtt:{one.target}")
    inputs = opened(target=table(one), before=Inputs(targets=(replace(held, source="mqtt:10.0.0.9"), held)))
    assert until(inputs, joined).targets == (held,)
    one.publish({"target": 100, "timestamp": NOW})
    until(inputs, lambda known: limits(known) == [50.0])


def test_one_of_two_brokers_is_enough_and_the_newest_message_wins(broker, opened):
    first, second = broker(), broker()
    inputs = opened(target=table(first, second))
    until(inputs, joined)
    first.publish({"target": 40, "timestamp": NOW - 30})
    until(inputs, lambda known: limits(known) == [20.0])
    second.publish({"target": 0, "timestamp": NOW})
    until(inputs, lambda known: limits(known) == [0.0])
    first.close()
    known = until(inputs, lambda known: known.faults)
    assert f"target mqtt:{first.target}" in known.faults[0]
    assert limits(known) == [0.0]


def test_a_message_that_the_broker_kept_counts_only_if_it_is_fresh(broker, opened):
    one = broker()
    one.publish({"target": 0, "timestamp": NOW - 3600}, retain=True)
    inputs = opened(target=table(one))
    until(inputs, joined)
    one.publish({"target": 60, "timestamp": NOW - 60}, "other")
    one.publish(b"nonsense")
    assert limits(until(inputs, lambda known: known.faults)) == []
    one.publish({"target": 0, "timestamp": NOW - 10}, retain=True)
    until(inputs, lambda known: limits(known) == [0.0] and not known.faults)
    again = opened(target=table(one))
    assert limits(until(again, lambda known: known.targets)) == [0.0]


def test_a_faulty_message_is_a_fault_and_the_last_target_stays(broker, opened):
    one = broker()
    inputs = opened(target=table(one))
    until(inputs, joined)
    one.publish({"target": 0, "timestamp": NOW})
    until(inputs, lambda known: known.targets)
    for payload, fault in ((b"x" * 2000, "at most 1024 bytes"), ({"target": 5, "timestamp": 5}, "behind it")):
        one.publish(payload)
        known = until(inputs, lambda known, fault=fault: known.faults and fault in known.faults[0])
        assert limits(known) == [0.0]


def test_a_broker_that_comes_back_is_joined_again(broker, opened, monkeypatch):
    monkeypatch.setattr("bench.control.inputs.mqtt_target._RETRY_S", (1, 1))
    one = broker()
    inputs = opened(target=table(one))
    until(inputs, joined)
    one.close()
    until(inputs, lambda known: known.faults)
    again = broker(port=one.port)
    until(inputs, joined)
    again.publish({"target": 0, "timestamp": NOW})
    assert limits(until(inputs, lambda known: known.targets)) == [0.0]


def test_a_login_is_accepted_and_a_refused_one_is_not_tried_again(broker, opened, tmp_path):
    one = broker(login=tmp_path / "passwords")
    for name, password in (("good", PASSWORD), ("bad", "wrong")):
        (tmp_path / name).write_text(password)
        (tmp_path / name).chmod(0o600)
    good = opened(target=table(one, user=USER, password_file=str(tmp_path / "good")))
    until(good, joined)
    bad = opened(target=table(one, user=USER, password_file=str(tmp_path / "bad")))
    known = until(bad, lambda known: "not tried again" in "".join(known.faults))
    assert "wrong" not in "".join(known.faults)
    (refused,) = bad._sources[0]._brokers
    until(bad, lambda _: refused._client._thread is None)


def test_a_certificate_is_trusted_by_its_fingerprint_and_no_other(broker, opened, certificate):
    one = broker(certificate=certificate)
    der = ssl.PEM_cert_to_DER_cert(certificate[0].read_text())
    inputs = opened(target=table(one, fingerprint=hashlib.sha256(der).hexdigest()))
    until(inputs, joined)
    one.publish({"target": 0, "timestamp": NOW})
    assert limits(until(inputs, lambda known: known.targets)) == [0.0]
    other = opened(target=table(one, fingerprint="0" * 64))
    assert "its certificate is not trusted" in until(other, lambda known: "does not" in known.faults[0]).faults[0]


def test_a_broker_on_a_public_address_is_refused_unless_the_file_says_so(opened):
    with pytest.raises(InputError, match="expected a device on a private address"):
        opened(target={"source": "mqtt:8.8.8.8", "full_mw": 1.0})


def test_two_brokers_that_do_not_answer_are_faults_of_a_start_that_succeeds(opened):
    inputs = opened(target={"source": ["mqtt:127.0.0.1:1", "mqtt:127.0.0.1:2"], "full_mw": 1.0})
    known = until(inputs, lambda known: len(known.faults) == 2)
    assert (known.targets, known.targets_lost) == ((), False)
    assert inputs.now(NOW + 91).targets_lost
