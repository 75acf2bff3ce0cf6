"""A record of perwatt's own windows with the keys of `vllm bench serve`."""

from datetime import UTC, datetime

import pytest
from doubles import load_generators as tools

from bench.endpoint.importing.vllm_export import exported
from bench.results.record import Window
from hardware_profiles.errors import InputError


@pytest.fixture
def measured(imported):
    """A record with two windows of 30 s that perwatt measured itself."""
    (record,) = imported(tools.vllm())
    windows = tuple(
        Window(index=i, start_utc=datetime(2026, 9, 21, tzinfo=UTC), start_s=30.0 * i, end_s=30.0 * (i + 1),
               work=tools.OUTPUTS / 2, batches=1)
        for i in range(2)
    )  # fmt: skip
    return record.model_copy(update={"windows": windows, "audit": {}})


def test_the_totals_are_those_of_the_windows(measured):
    document = exported(measured)
    assert (document["duration"], document["total_output_tokens"]) == (60.0, tools.OUTPUTS)
    assert document["total_input_tokens"] == tools.INPUTS
    assert document["output_throughput"] == pytest.approx(document["total_output_tokens"] / document["duration"])
    assert document["median_tpot_ms"] == pytest.approx(1e3 * tools.percentile(tools.TPOT, 50))


def test_what_is_not_known_is_null_and_never_zero(measured):
    bare = measured.model_copy(update={"metrics": {"rate": measured.metrics["rate"]}, "windows": ()})
    document = exported(bare)
    assert document["output_throughput"] > 0.0
    unknown = (
        "duration",
        "completed",
        "failed",
        "total_input_tokens",
        "request_throughput",
        "median_ttft_ms",
        "p99_itl_ms",
    )
    assert [document[key] for key in unknown] == [None] * len(unknown)


def test_an_open_loop_states_its_rate_and_an_unknown_load_is_null(imported):
    def load(**changes):
        (record,) = imported(tools.vllm(**changes))
        return exported(record)["request_rate"], exported(record)["max_concurrency"]

    assert load() == ("inf", 16)
    assert load(request_rate=3.5, max_concurrency=None) == (3.5, None)
    assert load(max_concurrency=None) == (None, None)


def test_a_date_is_exported_only_if_the_tool_stated_it(imported):
    dated, undated = (imported(document)[0] for document in (tools.vllm(), tools.sglang()))
    assert (exported(dated)["date"], exported(undated)["date"]) == (tools.vllm()["date"], None)


def test_other_workloads_and_invalid_results_are_refused(measured):
    other = measured.model_copy(update={"workload": measured.workload.model_copy(update={"name": "matmul_f32_cpu"})})
    with pytest.raises(InputError, match="expected a result of llm_serve_endpoint, got 'matmul_f32_cpu'"):
        exported(other)
    with pytest.raises(InputError, match="expected a valid result, got 'invalid'"):
        exported(measured.model_copy(update={"status": "invalid"}))
