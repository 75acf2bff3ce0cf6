"""Which messages of a target in percent count: edges, two brokers, silence, damaged ones."""

import contextlib
import json
import random

import pytest

from bench.control.inputs.maestro import Message, Signal, read_message
from hardware_profiles.errors import InputError
from sites.control.model import LoadTarget

NOW = 1_778_538_975.0
FULL_MW = 50.0


def signal(before=()):
    return Signal(FULL_MW, 90.0, "mqtt:a,b", before)


def take(one, percent, received_s, stated_s=None):
    return one.take(Message(percent, received_s if stated_s is None else stated_s, received_s))


def limit(one):
    return one.targets[0].limit_mw if one.targets else None


def test_a_message_of_maestroos_is_read():
    assert read_message(b'{"target":100,"timestamp":1778538975}', NOW) == Message(100.0, NOW, NOW)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"off", "expected JSON with target and timestamp, got 'off'"),
        (b"[1]", "expected JSON with target"),
        (b'{"timestamp": 1778538975}', "target: expected 0 to 100 percent, got None"),
        (b'{"target": true, "timestamp": 1778538975}', "expected 0 to 100 percent, got True"),
        (b'{"target": -1, "timestamp": 1778538975}', "expected 0 to 100 percent"),
        (b'{"target": 101, "timestamp": 1778538975}', "expected 0 to 100 percent"),
        (b'{"target": NaN, "timestamp": 1778538975}', "expected 0 to 100 percent"),
        (b'{"target": 0}', "timestamp: expected a time in seconds since 1970, got None"),
        (b'{"target": 0, "timestamp": 1778538975000}', "timestamp: expected a time in seconds"),
        (b'{"target": 0, "timestamp": 1778448975}', "25 hours behind it"),
        (b'{"target": 0, "timestamp": 1778638975}', "28 hours ahead of it"),
        (b'{"target": 0, "timestamp": 1778538975, "x": "' + b"y" * 1000 + b'"}', "expected at most 1024 bytes"),
        (b"[" * 1000, "expected JSON"),
        (b"\xff\xfe", "expected JSON"),
    ],
)
def test_a_message_of_another_kind_is_refused_in_one_line(payload, message):
    with pytest.raises(InputError, match=message):
        read_message(payload, NOW)


def test_any_bytes_give_a_message_or_a_refusal():
    chance = random.Random(26)
    for _ in range(2000):
        payload = bytearray(json.dumps({"target": chance.randrange(101), "timestamp": NOW}).encode())
        for _ in range(chance.randrange(4)):
            payload[chance.randrange(len(payload))] = chance.randrange(256)
        with contextlib.suppress(InputError):
            assert 0.0 <= read_message(bytes(payload), NOW).percent <= 100.0


def test_on_from_a_cold_start_does_nothing_and_after_an_off_it_is_the_full_power():
    one = signal()
    assert take(one, 100, NOW)
    assert limit(one) is None
    take(one, 0, NOW + 30)
    assert limit(one) == 0.0
    take(one, 100, NOW + 60)
    assert limit(one) == FULL_MW


def test_a_part_of_the_power_is_a_limit_from_the_start():
    one = signal()
    take(one, 40, NOW)
    assert limit(one) == 20.0


def test_a_change_back_to_on_within_five_seconds_is_ignored_and_the_next_message_counts():
    one = signal()
    take(one, 0, NOW)
    assert not take(one, 100, NOW + 4.9)
    assert limit(one) == 0.0
    assert take(one, 100, NOW + 30)
    assert limit(one) == FULL_MW
    assert take(one, 0, NOW + 31), "off is taken at once"
    assert not take(one, 70, NOW + 33)
    assert limit(one) == 0.0


def test_of_two_brokers_the_newest_message_wins_and_of_one_time_the_lower():
    one = signal()
    take(one, 0, NOW + 1, NOW)
    assert not take(one, 0, NOW + 1.2, NOW), "the same by the other broker"
    assert not take(one, 100, NOW + 10, NOW - 30), "an older one by the slower broker"
    assert take(one, 100, NOW + 31, NOW + 30)
    assert take(one, 50, NOW + 31.5, NOW + 30)
    assert limit(one) == 25.0


def test_after_a_silence_a_publisher_whose_clock_went_back_is_heard_again():
    one = signal()
    take(one, 0, NOW)
    assert not take(one, 100, NOW + 60, NOW - 3600)
    assert take(one, 100, NOW + 91, NOW - 3600)
    assert limit(one) == FULL_MW


def test_the_target_of_an_earlier_run_holds_until_a_message_comes():
    one = signal((LoadTarget(0.0, NOW - 500, None, NOW - 500, "mqtt:a,b"),))
    assert limit(one) == 0.0
    take(one, 100, NOW)
    assert limit(one) == FULL_MW


def test_a_target_that_is_repeated_keeps_the_time_at_which_it_came():
    one = signal()
    take(one, 0, NOW)
    take(one, 0, NOW + 30)
    assert one.targets[0].received_s == NOW
    assert one.received_s == NOW + 30
