"""The simulated unit: phases, powers and energies as the closed forms promise, over many seeds."""

import math
from random import Random

import pytest

from bench.twin.kinds import KINDS, seeded
from bench.twin.lies import HONEST, MANY, Happening, Lies, Reception, Telemetry, happenings, parse_lies
from bench.twin.phases import Phase
from bench.twin.unit import Unit
from hardware_profiles.errors import InputError

KIND = KINDS["luxos-s19"]


def awake(kind=KIND, **changed):
    return Unit("u", kind, **changed)


def test_sleep_and_wake_pass_every_phase_in_order_and_end_at_full_power():
    unit = awake()
    assert unit.phase(0.0) is Phase.MINING
    assert unit.power_w(0.0) == KIND.full_w
    assert unit.command(0.0, 100.0) is Reception.DONE
    assert unit.phase(101.0) is Phase.RAMP_DOWN
    assert unit.phase(100.0 + KIND.down_s) is Phase.SLEEP
    assert unit.power_w(400.0) == pytest.approx(KIND.asleep_w, abs=0.1)
    assert unit.rate_per_s(400.0) < 1.0
    unit.command(KIND.full_w, 500.0)
    times = [500.0, 500.0 + KIND.boot_s, 500.0 + KIND.boot_s + KIND.up_s, 500.0 + KIND.wake_s]
    assert [unit.phase(at_s) for at_s in times] == [Phase.BOOT, Phase.RAMP_UP, Phase.TUNING, Phase.MINING]
    assert unit.power_w(500.0 + KIND.wake_s + 100.0) == pytest.approx(KIND.full_w, rel=1e-6)
    assert unit.rate_per_s(500.0 + KIND.wake_s + 100.0) == pytest.approx(KIND.full_rate_per_s, rel=1e-3)


@pytest.mark.parametrize("name", KINDS)
def test_no_kind_draws_more_than_its_highest_power_whatever_is_commanded(name):
    for seed in range(40):
        random = Random(seed)
        kind = seeded(KINDS[name], random)
        unit, now_s = awake(kind, seed=seed), 0.0
        for _ in range(30):
            unit.command(random.choice([0.0, kind.full_w, random.uniform(kind.least_w, kind.full_w)]), now_s)
            length_s = random.choice([0.0, 1.0, random.uniform(0.0, 1.5 * kind.wake_s)])
            for part in range(21):
                power_w = unit.power_w(now_s + length_s * part / 20)
                assert 0.9 * kind.asleep_w <= power_w <= kind.highest_w + 1e-6
            now_s += length_s


def test_power_is_continuous_but_for_the_inrush_and_the_steps():
    unit = awake()
    unit.command(0.0, 0.0)
    unit.command(KIND.full_w, 300.0)
    for start_s in unit.changes(300.0, 2000.0):
        assert unit.power_w(start_s) == pytest.approx(unit.power_w(math.nextafter(start_s, 0.0)), abs=0.01)
    assert unit.power_w(300.0) == pytest.approx(KIND.boot_w + KIND.inrush_w)


def test_energy_is_the_integral_of_the_power_and_goes_on_after_the_past_is_forgotten():
    for name in ("luxos-s19", "braiins-s19"):
        unit, joules, now_s, step_s = awake(KINDS[name]), 0.0, 0.0, 0.05
        for index, level_w in enumerate((0.0, 3000.0, 0.0, 3000.0)):
            unit.command(level_w, now_s)
            for _ in range(int(1200 / step_s)):
                joules += unit.power_w(now_s + step_s / 2) * step_s
                now_s += step_s
            assert unit.energy_j(now_s) == pytest.approx(joules, rel=2e-3), index


def test_the_rate_follows_the_power_later():
    unit = awake()
    unit.command(0.0, 0.0)
    unit.command(KIND.full_w, 300.0)
    half_s = 300.0 + KIND.boot_s + 0.25 * KIND.up_s
    assert unit.rate_per_s(half_s) / KIND.full_rate_per_s < 0.9 * unit.power_w(half_s) / KIND.full_w


def test_the_past_can_be_read_after_a_command():
    unit = awake()
    before_w = unit.power_w(995.0)
    unit.command(0.0, 1000.0)
    assert unit.power_w(995.0) == before_w
    assert unit.power_w(1200.0) < 100.0


@pytest.mark.parametrize("name", KINDS)
def test_the_energy_per_hash_has_its_minimum_at_the_known_power_and_the_rate_rises_with_power(name):
    kind = KINDS[name]
    powers = [kind.least_w + (kind.full_w - kind.least_w) * part / 200 for part in range(201)]
    rates = [kind.rate_per_s(power_w) for power_w in powers]
    assert rates == sorted(rates)
    best_w = min(powers, key=lambda power_w: power_w / kind.rate_per_s(power_w))
    assert best_w == pytest.approx(kind.best_w, abs=(kind.full_w - kind.least_w) / 200)


def test_a_unit_that_never_wakes_stays_stuck_until_it_sleeps():
    unit = awake(lies=Lies(never_wakes=1.0))
    unit.command(0.0, 0.0)
    unit.command(KIND.full_w, 100.0)
    assert unit.phase(100.0 + KIND.boot_s) is Phase.STUCK
    assert unit.power_w(5000.0) == KIND.boot_w
    assert unit.rate_per_s(5000.0) == 0.0
    unit.command(0.0, 5000.0)
    assert unit.phase(5100.0) is Phase.SLEEP


def test_a_command_without_effect_is_acknowledged_and_changes_nothing():
    unit = awake(lies=Lies(no_effect=1.0))
    assert unit.command(0.0, 0.0) is Reception.WITHOUT_EFFECT
    assert unit.power_w(500.0) == KIND.full_w


def test_a_closed_connection_works_in_half_of_the_cases():
    outcomes = [Unit(f"u{index}", KIND, lies=Lies(closed=1.0)).command(0.0, 0.0) for index in range(400)]
    assert set(outcomes) == {Reception.CLOSED, Reception.CLOSED_WITHOUT_EFFECT}
    assert 150 < outcomes.count(Reception.CLOSED) < 250


def test_every_telemetry_lie_shows_and_ends():
    kinds = set()
    for seed in range(60):
        unit = awake(lies=Lies(telemetry=20.0), seed=seed)
        for at_s in range(0, 86_400, 300):
            unit.advance(at_s)
            kinds.add(unit.telemetry)
            shown = unit.shown(at_s)
            if unit.telemetry is Telemetry.ZEROED:
                assert shown.power_w == 0.0
                assert unit.power_w(at_s) > 3000.0
            if unit.telemetry is Telemetry.NAN:
                assert math.isnan(shown.power_w)
            if unit.telemetry is Telemetry.TENFOLD:
                assert shown.power_w == pytest.approx(10.0 * unit.power_w(at_s))
    assert kinds == set(Telemetry)


def test_a_frozen_unit_shows_the_moment_before_and_obeys():
    for seed in range(20):
        unit = awake(lies=Lies(telemetry=2.0), seed=seed)
        frozen_s = next(
            (at_s for at_s in range(0, 864_000, 60) if unit.shown(at_s) and unit.telemetry is Telemetry.FROZEN), None
        )
        if frozen_s is not None:
            unit.command(0.0, frozen_s)
            assert unit.shown(frozen_s + 60.0).power_w == KIND.full_w
            assert unit.power_w(frozen_s + 60.0) < 100.0
            return
    pytest.fail("no seed froze a unit")


def test_a_reboot_restores_mining_or_keeps_the_sleep():
    for forgets in (0.0, 1.0):
        unit = awake(lies=Lies(reboots=100.0, forgets_sleep=forgets))
        unit.command(0.0, 0.0)
        unit.advance(86_400.0)
        assert (unit.level_w(86_400.0) > 0.0) == (forgets == 1.0)


def test_a_person_switches_and_it_is_noted():
    unit = awake(lies=Lies(persons=50.0))
    unit.advance(86_400.0)
    assert len(unit.by_hand) > 5
    assert [on for _, on in unit.by_hand[:4]] == [False, True, False, True]


def test_what_hangs_answers_nothing_until_its_power_is_cut():
    for seed in range(10):
        unit = awake(lies=Lies(hangs=5.0), seed=seed)
        at_s = next(at_s for at_s in range(0, 864_000, 30) if unit.shown(at_s) is None)
        assert unit.phase(at_s) is Phase.HUNG
        assert unit.command(0.0, at_s) is Reception.UNREACHABLE
        assert unit.rate_per_s(at_s) == 0.0
        assert any(unit.shown(later) is not None for later in range(at_s, at_s + 7300, 30))


def test_the_same_seed_gives_the_same_day():
    def day(seed):
        unit, random = awake(lies=MANY, seed=seed), Random(seed)
        trail = []
        for at_s in range(0, 86_400, 900):
            unit.command(random.choice([0.0, KIND.full_w]), at_s)
            trail.append((unit.power_w(at_s + 450), unit.telemetry))
        return trail

    assert day(3) == day(3)
    assert day(3) != day(4)


def test_happenings_come_in_order_of_time_and_at_their_rates():
    counts = dict.fromkeys(Happening, 0)
    last_s = 0.0
    for at_s, happening in happenings(Lies(persons=4.0, reboots=3.0), Random(1), 0.0):
        assert at_s >= last_s
        last_s = at_s
        if at_s > 300 * 86_400:
            break
        counts[happening] += 1
    assert counts[Happening.REBOOT] == pytest.approx(900, rel=0.15)
    assert counts[Happening.PERSON_ON] == pytest.approx(600, rel=0.2)


def test_honest_units_draw_nothing_at_random():
    assert list(happenings(HONEST, Random(1), 0.0)) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [("many-ish", "no, some, many"), ("lates=0.1", "late"), ("late=x", "a number"), ("late=1.5", "from 0 to 1")],
)
def test_bad_lies_are_refused_in_one_line(text, words):
    with pytest.raises(InputError) as refusal:
        parse_lies(text, "--lies")
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_lies_are_a_preset_or_a_list_of_names():
    assert parse_lies("many", "--lies") == MANY
    assert parse_lies("late=0.1, never-wakes=0.05", "--lies") == Lies(late=0.1, never_wakes=0.05)
