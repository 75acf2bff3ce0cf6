"""Each personality does what its firmware does, and nothing else changes."""

import itertools

import pytest

from bench.stratum.simulator.personality import Personality
from bench.stratum.simulator.work import BadJobError, Work, attempts
from bench.stratum.verify import ShareClass
from hardware_profiles.errors import InputError

EASY = 2.0**-24


@pytest.mark.parametrize(
    "personality",
    [
        Personality(version_bits="or"),
        Personality(version_bits="xor"),
        Personality(five_parameters=True),
        Personality(rolls_time=True),
    ],
    ids=Personality.words,
)
def test_every_way_to_roll_gives_valid_shares_only(personality, mine):
    classes = mine(3, EASY, slices=18, nonces=1 << 12, personality=personality).classes
    assert set(classes) == {ShareClass.VALID}


@pytest.mark.parametrize("granted", [0x1FFFE000, 0])
def test_a_miner_that_ignores_the_mask_is_seen_and_not_credited(granted, mine):
    classes = mine(4, EASY, personality=Personality(ignores_mask=True), granted=granted).classes
    assert set(classes) == {ShareClass.MASK_VIOLATION}


def test_no_header_comes_twice():
    work = Work("1", bytes(32), b"a", b"b", (bytes(32),), 0x20000000, 0x17034219, 1, True, b"c" * 4, 8, 0x1FFFE000, 1.0)
    headers = itertools.islice(attempts(work, Personality(rolls_time=True)), 1000)
    made = [attempt.header80 for attempt in headers]
    assert len(set(made)) == 1000


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"slow_s": -1.0}, "--slow-s"),
        ({"late_s": float("nan")}, "--late-s"),
        ({"duplicates_frac": 1.5}, "--duplicates"),
        ({"storm": -1}, "--storm"),
        ({"close_after": 0}, "--close-after"),
    ],
)
def test_an_impossible_personality_is_refused_by_the_name_of_its_option(changes, option):
    with pytest.raises(InputError, match=f"^{option}: expected"):
        Personality(**changes)


@pytest.mark.parametrize("parameters", [[], ["1"] * 9, None, [1, "zz", "", "", [], "2", "3", "4", True]])
def test_what_is_no_job_is_an_error_of_the_session(parameters):
    with pytest.raises(BadJobError, match="not a job"):
        Work.read(parameters, b"", 8, 0, 1.0)


def test_the_difficulty_that_it_works_at():
    assert Personality(rounding="down").difficulty(16383.75) == 8192
    assert Personality(rounding="up").difficulty(16383.75) == 16384
    assert Personality(ticket_mask=256).difficulty(64) == 256
    assert Personality(ticket_mask=256).difficulty(512) == 512
    assert Personality().difficulty(1.5) == 1.5
