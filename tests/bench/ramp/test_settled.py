"""A phase is over only when its level stands, and never before anything has changed."""

import math

import pytest

from bench.ramp.checks import check_alone, is_loopback
from bench.ramp.rule import Rule
from bench.ramp.samples import Plateau, Samples
from bench.ramp.settled import at_full, at_rate, at_rest, steady
from hardware_profiles.errors import InputError

RULE = Rule()
FULL = Plateau(3400.0, 2.0, 0.5, 0.0, 60)
REST = Plateau(30.0, 1.0, 0.5, 0.0, 60)


def _held(power_w, end_s: float, period_s: float = 5.0) -> Samples:
    """Return polls of each second of a meter that holds its value for a period."""
    return Samples.of((t, power_w(math.floor(t / period_s) * period_s)) for t in map(float, range(int(end_s) + 1)))


def _down(t_s: float) -> float:
    return 30.0 + 3370.0 * math.exp(-t_s / 6.0)


def test_the_tail_of_the_way_down_is_no_rest() -> None:
    rest = [end for end in range(60, 140) if at_rest(_held(_down, end), 0.0, float(end), FULL, RULE)]
    assert rest[0] >= 60 + 20
    assert at_rest(_held(_down, rest[0]), 0.0, float(rest[0]), FULL, RULE).mean == pytest.approx(30.0, abs=15.0)


def test_a_device_that_has_not_yet_gone_down_is_not_at_rest() -> None:
    assert at_rest(_held(lambda _: 3400.0, 200), 0.0, 200.0, FULL, RULE) is None


def test_a_plateau_needs_its_whole_time() -> None:
    samples = _held(lambda _: 3400.0, 40)
    assert steady(samples, 40.0, RULE) is None
    assert steady(_held(lambda _: 3400.0, 70), 70.0, RULE) is not None


def test_a_level_that_drifts_does_not_stand() -> None:
    assert steady(_held(lambda t: 3000.0 + 5.0 * t, 100), 100.0, RULE) is None


def test_full_power_is_a_whole_plateau_within_the_band() -> None:
    assert at_full(_held(lambda _: 3390.0, 70), 0.0, 70.0, FULL, REST, RULE)
    assert not at_full(_held(lambda t: 3390.0 if t > 20 else 2000.0, 70), 0.0, 70.0, FULL, REST, RULE)
    assert not at_full(_held(lambda _: 3390.0, 30), 0.0, 30.0, FULL, REST, RULE)


def test_a_device_without_a_rate_has_no_rate_to_wait_for() -> None:
    assert at_rate(Samples((), ()), 0.0, 70.0, None, RULE)
    usual = Plateau(100.0, 0.5, 0.1, 0.0, 60)
    assert not at_rate(Samples((), ()), 0.0, 70.0, usual, RULE)
    assert at_rate(_held(lambda _: 99.0, 70), 0.0, 70.0, usual, RULE)


def test_a_server_that_others_may_use_needs_a_word_of_the_user() -> None:
    with pytest.raises(InputError, match="expected --alone with it"):
        check_alone("vllm", alone=False)
    check_alone("vllm", alone=True)
    check_alone("luxos", alone=False)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.64.0.1", True),
        ("127.0.0.1:4028", True),
        ("localhost", True),
        ("[::1]:80", True),
        ("::1", True),
        ("http://127.0.0.1:8000/v1", True),
        ("10.0.4.1", False),
        ("miner-7:4028", False),
        ("gpu0", False),
    ],
)
def test_a_loopback_address_is_told_from_others(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback
