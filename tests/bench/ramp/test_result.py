"""A ramp is an ordinary result: stored, checked, listed, and taken by a site with its source."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.ramp.bench import RULE, Bench
from doubles.ramp.stored import store_ramp

from bench.ramp.result import ramp_records
from bench.ramp.table import rows
from bench.ramp.terms import resolve_ramp
from bench.results.folder import read_whole
from bench.results.record import Record
from bench.results.samples import read_samples
from bench.twin.lies import Lies
from hardware_profiles.errors import InputError


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Record]]:
    """Store one ramp of a simulated unit."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield folder, store_ramp(folder, Bench())


def test_the_record_reads_back_whole_with_its_figures_and_samples(stored) -> None:
    folder, record = stored
    again = read_whole(folder / record.id)
    assert again.status == "ok"
    assert {"off_time", "on_time", "full_power_time", "full_rate_time", "off_energy", "resting_power"} <= set(
        again.metrics
    )
    assert len(again.ramp.repetitions) == 2
    assert again.ramp.rule == RULE.words()
    assert set(read_samples(folder / record.id)["series"].to_pylist()) == {"wall", "rate"}


def test_a_ramp_of_the_twin_says_that_it_is_simulated(stored) -> None:
    folder, record = stored
    assert "ramp_simulated" in [warning.code for warning in record.warnings]
    assert "SIMULATED" in resolve_ramp(f"ramp:{record.id}", folder).source


def test_the_table_has_a_row_with_the_time_off(stored) -> None:
    folder, record = stored
    (row,) = rows(ramp_records(folder))
    assert (row.result, row.status, row.simulated) == (record.id, "ok", True)
    assert row.off_s[0] >= 90.0


def test_a_site_takes_the_ramp_with_its_terms(stored) -> None:
    folder, record = stored
    ramp = resolve_ramp(f"ramp:{record.id}", folder)
    assert ramp.up_s == max(record.metrics["full_rate_time"].value, record.metrics["full_power_time"].value)
    assert ramp.wake_h * 3600.0 > record.metrics["lost_output_time"].value
    assert record.id in ramp.words()


def test_a_failed_ramp_is_stored_without_figures_and_refused_by_a_site(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    record = store_ramp(tmp_path, Bench(lies=Lies(no_effect=1.0)), wait_s=300.0)
    assert record.status == "invalid"
    assert [reason.code for reason in record.reasons] == ["ramp_never_off"]
    assert not record.metrics
    with pytest.raises(InputError, match="key status: expected ok, got 'invalid"):
        resolve_ramp(f"ramp:{record.id}", tmp_path)


def test_a_result_that_is_no_ramp_is_refused(tmp_path) -> None:
    with pytest.raises(InputError):
        resolve_ramp("ramp:unknown", tmp_path)
