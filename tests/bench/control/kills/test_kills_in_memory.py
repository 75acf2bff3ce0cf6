"""A controller that is killed at any point and started again ends where an undisturbed one ends."""

from collections import Counter
from random import Random

import pytest
from doubles.control.killed import CHEAP_S, END_S, LIMITS, START_S, TICK_S, KilledError, KilledSite, in_memory
from faults.command import WHOLE

from bench.control.log.verify import verify

POINTS = 200 if WHOLE else 5
DOWN_S = (0.0, 60.0, 240.0)  # [s] until it is started again


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def whole(folder, monkeypatch, kills=()):
    """Return a site after its run, its levels when power was dear, at the end and after a restore, and its points."""
    site = KilledSite(folder)
    points = 0
    with in_memory(site, monkeypatch):
        for at in (*kills, 0):
            site.killer.arm(at)
            try:
                site.until(END_S)
            except KilledError:
                site.clock.at_s += DOWN_S[at % 3]
            points += site.killer.passed
        site.killer.arm(0)
        dear, cheap = levels_at(site, CHEAP_S - TICK_S), site.levels_w()
        ending = site.until(END_S, restoring=True)
    return site, (dear, cheap, site.levels_w(), ending.reason, dict(ending.listed)), points


def levels_at(site, at_s):
    return site.seen[max(time for time in site.seen if time <= at_s)]


def check_limits(site):
    """The gate counts commands of a killed controller: no wave, hour or least time is broken by a restart."""
    for at_s, name, level in site.sent:
        wave = [other for other in site.sent if at_s - LIMITS.wave_interval_s < other[0] <= at_s]
        hour = [other for other in site.sent if other[1] == name and at_s - 3600.0 < other[0] <= at_s]
        assert len(wave) <= LIMITS.units_per_wave
        assert len(hour) <= LIMITS.commands_per_hour
        before = [other for other in site.sent if other[1] == name and other[0] < at_s and other[2] != level]
        if before and (before[-1][2] == "off") != (level == "off"):
            assert at_s - before[-1][0] >= min(LIMITS.min_on_s, LIMITS.min_off_s)
    assert "m4" not in Counter(name for _, name, _ in site.sent), "it was off as found"


def test_an_undisturbed_run_stops_what_is_too_dear_and_starts_it_again(state, monkeypatch):
    site, (dear, cheap, restored, reason, listed), _ = whole(state / "one", monkeypatch)
    full_w = max(restored.values())
    assert set(dear.values()) == {0.0}
    assert [name for name, level_w in cheap.items() if level_w == 0.0] == ["m4"]
    assert restored == cheap == {name: 0.0 if name == "m4" else full_w for name in restored}
    assert (reason, listed) == ("restored", {})
    check_limits(site)
    assert verify(state / "one" / "armed").faults == ()
    assert list((state / "state").rglob("*.json")) == []


def test_after_a_kill_at_any_point_the_end_state_is_the_same(state, monkeypatch):
    _, expected, points = whole(state / "undisturbed", monkeypatch)
    draw = Random(7)
    busy = [at for at in range(1, points) if at < points]
    for at in sorted(draw.sample(busy, min(POINTS, len(busy)))):
        folder = state / f"at-{at}"
        site, ended, _ = whole(folder, monkeypatch, kills=(at,))
        assert ended == expected, f"killed at point {at} of {points}"
        check_limits(site)
        assert verify(folder / "armed").faults == ()


def test_after_many_kills_in_a_row_the_end_state_is_the_same(state, monkeypatch):
    _, expected, points = whole(state / "undisturbed", monkeypatch)
    for seed in range(10 if WHOLE else 1):
        draw = Random(seed)
        kills = [draw.randint(1, points // 4) for _ in range(6)]
        site, ended, _ = whole(state / f"seed-{seed}", monkeypatch, kills)
        assert ended[2:] == expected[2:], f"killed at {kills}"
        check_limits(site)
    assert site.clock.at_s > START_S
