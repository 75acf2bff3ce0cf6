"""A meter's log joined by the wall clock: its energy over the run's window, with what its edges are worth."""

import pytest
from doubles import load_generators as tools

from bench.endpoint.importing.document import read_source
from bench.endpoint.importing.meter_log import join, open_logs
from bench.endpoint.importing.records import record_of
from hardware_profiles.errors import InputError

RATE = tools.OUTPUTS / tools.SECONDS


@pytest.fixture
def log(tmp_path):
    """Write a log whose power steps from `idle_w` to `busy_w` for the run, with a little noise."""

    def write(name="power.csv", *, busy_w=6000.0, idle_w=1000.0, first=-30, last=120, shift_s=0.0, step_s=1.0):
        rows = ["time_unix,power_w"]
        for at in range(first, last):
            t_s = at * step_s
            power_w = (busy_w if 0.0 <= t_s <= tools.SECONDS else idle_w) + 0.01 * (at % 7)
            rows.append(f"{tools.START_S + t_s + shift_s},{power_w}")
        path = tmp_path / name
        path.write_text("\n".join(rows) + "\n")
        return f"trace:{path},accuracy=1%"

    return write


@pytest.fixture
def joined(tmp_path):
    """Return the record of a document with logs."""

    def call(document, *specs, offset_s=0.0):
        import json

        path = tmp_path / "result.json"
        path.write_text(json.dumps(document))
        source = read_source(path)
        (run,) = source.runs
        return record_of(run, source, [], join(run, open_logs(specs, offset_s, source.runs)))

    return call


def codes(record):
    return {reason.code for reason in record.warnings}


@pytest.mark.parametrize("tool", ["guidellm", "aiperf"])
def test_stated_edges_give_the_energy_of_the_window_and_per_token(tool, joined, log):
    record = joined(tools.DOCUMENTS[tool](), log())
    power = record.metrics["power_wall"]
    assert power.value == pytest.approx(6000.0, rel=0.01)
    assert record.metrics["energy_per_token_wall"].value == pytest.approx(power.value / RATE)
    assert record.metrics["joules_per_request_wall"].value == pytest.approx(
        power.value / len(tools.REQUESTS) * tools.SECONDS
    )
    assert power.interval_95[0] < 6000.0 < power.interval_95[1]
    assert power.boundary == "wall"
    (energy,) = record.audit["imported"]["energy"]
    assert (energy["start_unix_s"], energy["end_unix_s"]) == (tools.START_S, tools.START_S + tools.SECONDS)


def test_unix_times_of_inferencex_s_client_are_edges(joined, log):
    stated = {"benchmark_start_time_unix": tools.START_S, "benchmark_end_time_unix": tools.START_S + tools.SECONDS}
    record = joined(tools.vllm(date="20010101-000000", **stated), log())
    assert record.audit["imported"]["energy"][0]["edge_s"] == pytest.approx(0.5, abs=0.02)
    assert record.metrics["power_wall"].value == pytest.approx(6000.0, rel=0.01)


def test_a_date_of_whole_seconds_widens_the_interval(joined, log):
    minutes = tools.vllm(duration=300.0)
    minutes["date"] = "20260921-141820"  # 300 s after the start
    narrow = joined(tools.guidellm(), log(busy_w=5000.0, idle_w=5000.0))
    flat = joined(minutes, log(busy_w=5000.0, idle_w=5000.0, last=400))
    edge = flat.audit["imported"]["energy"][0]
    assert edge["edge_s"] == pytest.approx(1.5, abs=0.02)
    assert edge["edge_frac"] == pytest.approx(3.0 / 300.0, rel=0.02)
    assert flat.metrics["power_wall"].value == pytest.approx(5000.0, rel=1e-3)
    width = flat.metrics["power_wall"].interval_95
    meter_only = 1.96 * 0.01 / 3**0.5
    assert (width[1] - width[0]) / 2 / 5000.0 > meter_only
    assert "edges known to ± 1.5 s" in flat.metrics["power_wall"].note
    assert narrow.metrics["power_wall"].value == pytest.approx(5000.0, rel=1e-3)


@pytest.mark.parametrize(("duration_s", "stored"), [(59.0, False), (61.0, True)])
def test_a_window_too_short_for_its_edges_gives_no_energy_and_says_why(duration_s, stored, joined, log):
    """The edges of a date and of a log of 1 s are ± 1.5 s each: 3 s are 5 % of 60 s."""
    record = joined(tools.vllm(duration=duration_s), log(first=-60))
    assert ("power_wall" in record.metrics) == stored
    assert ({"window_short", "energy_missing"} <= codes(record)) != stored
    if not stored:
        (reason,) = [reason for reason in record.warnings if reason.code == "window_short"]
        assert "known to ± 1.5 s each, which is 5.1% of 59 s" in reason.detail
        assert record.status == "ok"
        assert record.rate is not None


@pytest.mark.parametrize("tool", ["sglang", "inference-perf", "inferencex", "ml-energy"])
def test_a_tool_without_times_gets_no_energy_and_says_why(tool, joined, log):
    record = joined(tools.DOCUMENTS[tool](), log())
    assert "power_wall" not in record.metrics
    (reason,) = [reason for reason in record.warnings if reason.code == "energy_missing"]
    assert "states no start and end of this run" in reason.detail


@pytest.mark.parametrize("part", [{"last": 40}, {"first": 5}])
def test_a_log_that_does_not_cover_the_run_gives_no_energy(part, joined, log):
    record = joined(tools.guidellm(), log(**part))
    assert "power_wall" not in record.metrics
    assert {"trace_not_covering", "energy_missing"} <= codes(record)


def test_a_log_that_covers_the_run_but_not_its_edges_gives_no_energy(joined, log):
    minutes = tools.vllm(duration=300.0, date="20260921-141820")
    assert "power_wall" not in joined(minutes, log(first=-1, last=400)).metrics
    assert "power_wall" in joined(minutes, log(first=-3, last=400)).metrics


def test_the_clock_of_the_log_may_differ(joined, log):
    spec = log(shift_s=7200.0)
    assert "power_wall" not in joined(tools.guidellm(), spec).metrics
    record = joined(tools.guidellm(), spec, offset_s=7200.0)
    assert record.metrics["power_wall"].value == pytest.approx(6000.0, rel=0.01)


def test_the_wall_and_the_boards_stand_side_by_side_and_a_second_board_meter_keeps_both(joined, log):
    wall = joined(tools.aiperf(), log())
    assert wall.metrics["power_board"].value == pytest.approx(tools.POWER_W)
    assert wall.metrics["power_wall"].value == pytest.approx(6000.0, rel=0.01)
    boards = joined(tools.aiperf(), f"{log(busy_w=5000.0)},boundary=board")
    assert boards.metrics["power_board"].value == pytest.approx(5000.0, rel=0.01)
    assert boards.metrics["power_board_of_aiperf"].value == pytest.approx(tools.POWER_W)


def test_two_logs_that_contradict_each_other_give_no_energy(joined, log):
    record = joined(tools.guidellm(), log("a.csv"), log("b.csv", busy_w=9000.0))
    assert "power_wall" not in record.metrics
    assert "meter_disagreement" in codes(record)


def test_the_logs_of_two_supplies_add_up(joined, log):
    record = joined(tools.guidellm(), f"{log('a.csv')},sum=node", f"{log('b.csv', busy_w=3000.0)},sum=node")
    assert record.metrics["power_wall"].value == pytest.approx(9000.0, rel=0.01)
    assert record.metrics["power_wall"].meter == "sum:node"


def test_only_a_log_can_be_joined(joined):
    with pytest.raises(InputError, match="--meter: expected a log, --meter trace:FILE"):
        joined(tools.guidellm(), "shelly:192.0.2.7")
