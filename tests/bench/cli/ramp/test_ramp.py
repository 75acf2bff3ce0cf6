"""perwatt ramp refuses what it cannot measure, in one line, and what it measured is listed and shown."""

import json
from pathlib import Path

import pytest
from doubles.ramp.bench import Bench
from doubles.ramp.stored import store_ramp

from bench.results.record import Record


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Record]:
    """Store one ramp of a simulated unit."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        return folder, store_ramp(folder, Bench())


def test_the_list_of_ramps_names_times_with_their_intervals(perwatt, stored) -> None:
    folder, record = stored
    ran = perwatt("list", "ramps", "--results", str(folder))
    assert ran.returncode == 0
    assert "(SIMULATED)" in " ".join(ran.stdout.split())
    rows = json.loads(perwatt("list", "ramps", "--results", str(folder), "--json").stdout)
    assert rows[0]["result"] == record.id
    low, high = rows[0]["figures"]["off_time"]["interval_95"]
    assert low <= rows[0]["figures"]["off_time"]["value"] <= high


def test_show_has_the_rule_and_each_switch(perwatt, stored) -> None:
    folder, record = stored
    out = perwatt("show", record.id, "--results", str(folder)).stdout
    assert "rule      off: from the last moment above resting power plus 5% of the step on" in out
    assert "switch 2" in out


def test_an_empty_folder_has_no_ramps(perwatt, tmp_path) -> None:
    assert "`perwatt ramp` measures one" in perwatt("list", "ramps", "--results", str(tmp_path)).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("luxos", "--meter", "shelly:192.0.2.9"), "DEVICE luxos: expected HOST"),
        (("nonsense:192.0.2.7", "--meter", "shelly:192.0.2.9"), "DEVICE: expected one of"),
        (("luxos:192.0.2.7",), "--meter"),
        (("luxos:192.0.2.7", "--meter", "shelly:192.0.2.9", "--repeats", "1"), "repeats"),
        (("luxos:192.0.2.7", "--meter", "declared:450"), "expected a meter at the node, rack or wall"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(refused, tmp_path, arguments, message: str) -> None:
    assert message in refused("ramp", *arguments, "--out", str(tmp_path / "results"))
