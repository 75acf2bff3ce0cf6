"""A series is read once as long as its file does not change."""

from datetime import UTC, datetime, timedelta

import pytest

from hardware_profiles.errors import InputError
from sites.file import series
from sites.file.hourly.memory import once
from sites.file.inputs import read_inputs
from sites.hours.clock import Clock
from sites.sensitivity import effects_usd


@pytest.fixture
def counted(tmp_path):
    """Return a file and a function that reads it once by `once`, with the number of readings."""
    path, readings = tmp_path / "a.csv", []
    path.write_text("one", encoding="utf-8")

    def read(clock):
        readings.append(path)
        clock.local_keys["time of a.csv"] = None
        return path.read_text(encoding="utf-8")

    def by(*facts, zone="UTC"):
        clock = Clock.of(zone)
        return once(path, clock, facts, read), tuple(clock.local_keys)

    return path, by, readings


def test_the_second_reading_comes_from_memory_and_notes_local_times_too(counted):
    _, by, readings = counted
    assert by("a") == by("a") == ("one", ("time of a.csv",))
    assert len(readings) == 1


def test_another_fact_another_zone_and_a_changed_file_are_read_again(counted):
    path, by, readings = counted
    by("a")
    by("b")
    by("a", zone="Asia/Kolkata")
    assert len(readings) == 3
    path.write_text("other", encoding="utf-8")
    assert by("a")[0] == "other"
    assert len(readings) == 4


def test_a_fault_is_not_kept_and_an_absent_file_is_left_to_its_reader(tmp_path):
    path = tmp_path / "a.csv"

    def fail(_):
        raise InputError("a.csv: no such file")

    for _ in range(2):
        with pytest.raises(InputError, match=r"a.csv: no such file"):
            once(path, Clock.of("UTC"), (), fail)
    path.write_text("", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InputError):
            once(path, Clock.of("UTC"), (), fail)
    assert once(path, Clock.of("UTC"), (), lambda _: 3) == 3


def test_the_effects_of_all_assumptions_read_the_prices_once(small_site_file, resolve, monkeypatch):
    times = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(8760))
    rows = [f"{time:%Y-%m-%dT%H:%MZ},40" for time in times]
    small_site_file.with_name("p.csv").write_text("\n".join(["time,usd", *rows]), encoding="utf-8")
    text = small_site_file.read_text(encoding="utf-8")
    old = "energy_usd_per_mwh = 40"
    assert old in text
    small_site_file.write_text(text.replace(old, 'hourly = { file = "p.csv", column = "usd" }'), encoding="utf-8")
    readings = []
    original = series.csv_rows
    monkeypatch.setattr(series, "csv_rows", lambda path, kind: readings.append(path) or original(path, kind))
    ((inputs, _),) = read_inputs(small_site_file, resolve)
    assert len(effects_usd(inputs)) > 3
    assert len(readings) == 1
