"""Load targets by file: units, times, targets until replaced, damaged files."""

import pytest

from sites.control.model import Inputs, LoadTarget

from .conftest import NOW

TABLE = {"source": "file:targets.toml"}


def target(value=6, unit="megawatt", start="2026-12-01T02:00:00Z", end=None, source="operator"):
    lines = [f"value = {value}", f'unit = "{unit}"', f"start = {start}", f'source = "{source}"']
    return "\n".join(["[[target]]", *lines, *([f"end = {end}"] if end else []), ""])


@pytest.fixture
def write(tmp_path):
    def put(*texts):
        (tmp_path / "new").write_text("\n".join(texts))
        (tmp_path / "new").replace(tmp_path / "targets.toml")

    return put


def test_kilowatts_and_megawatts_are_megawatts_and_an_end_may_be_absent(write, opened):
    write(target(6000, "kilowatt", end="2026-12-01T03:00:00Z"), target(2.5, start="2026-12-01T04:00:00+01:00"))
    known = opened(target=TABLE).at(0)
    assert known.targets == (
        LoadTarget(6.0, NOW, NOW + 3600, NOW, "file:targets.toml: operator"),
        LoadTarget(2.5, NOW + 3600, None, NOW, "file:targets.toml: operator"),
    )


def test_a_target_without_an_end_holds_until_the_next_one_starts(write, opened):
    write(target(6), target(3, start="2026-12-01T05:00:00Z"))
    assert [each.end_s for each in opened(target=TABLE).at(0).targets] == [NOW + 3 * 3600, None]


def test_a_target_that_ended_or_starts_in_more_than_a_day_is_left_out(write, opened):
    write(target(6, end="2026-12-01T03:00:00Z"), target(3, start="2026-12-02T03:00:00Z"))
    inputs = opened(target=TABLE)
    assert [each.limit_mw for each in inputs.at(0).targets] == [6.0]
    assert inputs.at(3600).targets == ()
    assert [each.limit_mw for each in inputs.at(3700).targets] == [3.0]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (target(unit="MW"), "key target[0].unit: expected"),
        (target(unit="watt"), "expected 'kilowatt' or 'megawatt'"),
        (target(-1), "key target[0].value: expected"),
        (target("nan"), "key target[0].value: expected"),
        (target(start="2026-12-01T02:00:00"), "key target[0].start: expected"),
        (target(end="2026-12-01T01:00:00Z"), "expected an end after the start"),
        (target().replace("unit", "units"), "unit"),
        ("[[target]", "expected"),
    ],
)
def test_a_faulty_file_is_a_fault_the_last_targets_stay_and_it_is_lost_after_its_silence(write, opened, text, fault):
    write(target(6))
    inputs = opened(target=TABLE)
    inputs.at(60)
    write(text)
    known = inputs.at(120)
    assert fault in known.faults[0]
    assert len(known.faults) == 1
    assert ([each.limit_mw for each in known.targets], known.targets_lost) == ([6.0], False)
    assert inputs.at(160).targets_lost
    write(target(4))
    known = inputs.at(200)
    assert ([each.limit_mw for each in known.targets], known.faults, known.targets_lost) == ([4.0], (), False)


def test_a_file_that_was_moved_away_and_back_is_read_again(write, opened, tmp_path):
    write(target(6))
    inputs = opened(target=TABLE)
    (tmp_path / "targets.toml").rename(tmp_path / "away")
    assert inputs.at(30).faults
    (tmp_path / "away").rename(tmp_path / "targets.toml")
    assert inputs.at(60).faults == ()


def test_a_file_that_is_quiet_is_not_lost(write, opened):
    write(target(6))
    inputs = opened(target=TABLE)
    for seconds in range(0, 4000, 60):
        assert not inputs.at(seconds).targets_lost


def test_what_held_before_a_restart_holds_while_the_file_cannot_be_read(opened):
    held = LoadTarget(1.0, NOW - 60, None, NOW - 60, "file:targets.toml: operator")
    other = LoadTarget(0.0, NOW - 60, None, NOW - 60, "mqtt:10.0.0.9")
    known = opened(target=TABLE, before=Inputs(targets=(held, other))).at(0)
    assert known.targets == (held,)
    assert "no such file" in known.faults[0]
