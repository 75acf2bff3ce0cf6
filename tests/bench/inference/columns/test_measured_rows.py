"""Rows of the files of 2026: what each cell says, what is assumed, and which rows are flagged or may be fitted on."""

import csv

import pytest

from bench.inference.columns.division import flagged, may_fit
from bench.inference.columns.measured import NEEDED, TASKS
from bench.inference.published import DATA, MEASURED, MORE, ONCE_BLIND, read_rows
from hardware_profiles.errors import InputError

GOOD = {
    "device": "h100-sxm", "gpus": "2", "model": "llama-3.1-8b-instruct", "dtype": "bfloat16", "engine": "vllm-0.11.1",
    "input_tokens": "2048", "output_tokens": "388.7", "concurrency": "7.9", "tokens_per_s_total_output": "1,069.6",
    "power_w": "486.4", "power_boundary": "gpu", "source": "a page", "date": "2026-01-01",
}  # fmt: skip


ENGINES = {"vllm", "vllm-sync", "sglang", "trtllm", "trtllm-2026"}


@pytest.fixture
def made(tmp_path):
    """Write rows that differ from a good one, and read them back."""

    def make(*changes):
        path = tmp_path / "rows.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, NEEDED)
            writer.writeheader()
            writer.writerows(GOOD | change for change in changes)
        return read_rows(path)

    return make


@pytest.mark.parametrize("path", [MEASURED, MORE, ONCE_BLIND, DATA / "measured_2026_blind_2.csv"])
def test_every_line_of_the_bundled_files_becomes_one_row(path):
    with path.open() as file:
        count = sum(1 for _ in csv.DictReader(file))
    rows = read_rows(path)
    assert [row.line for row in rows] == list(range(2, count + 2))
    assert all(row.published_per_s > 0 and row.engine in ENGINES for row in rows)


def test_a_row_says_its_model_lengths_clients_rate_and_power(made):
    (row,) = made({})
    assert (row.model_name, row.dtype, row.device_slug, row.gpus) == ("llama-3.1-8b", "bf16", "nvidia-h100-sxm", 2)
    assert (row.input_len, row.output_len, row.clients, row.spread) == (2048, 389, 8, "equal")
    assert (row.published_per_s, row.power_w, row.boundary, row.engine) == (1069.6, 486.4, "gpu", "vllm-sync")
    assert (row.tensor, row.expert, row.data, row.steady, row.flag, row.refused) == (2, 1, 1, False, None, None)


def test_all_requests_may_be_queued_at_once(made):
    (row,) = made({"concurrency": "offline", "source": "a page n=3000"})
    assert (row.clients, row.requests, row.refused) == (None, 3000, None)


@pytest.mark.parametrize(
    ("engine", "name"),
    [("tensorrt-llm-1.1", "trtllm"), ("tensorrt-llm-1.2.0rc1-tp2", "trtllm-2026"), ("trtllm-1.3", "trtllm-2026"),
     ("nim-1.8.0-trtllm", "trtllm"), ("tensorrt-llm-(TensorRT-10.8)", "trtllm"), ("vllm-0.13", "vllm-sync"),
     ("vllm-0.14", "vllm"), ("vllm-2026.05", "vllm")],
)  # fmt: skip
def test_the_version_of_an_engine_chooses_its_class(made, engine, name):
    (row,) = made({"engine": engine})
    assert (row.engine, row.refused) == (name, None)


@pytest.mark.parametrize(
    ("engine", "shards"),
    [("vllm-0.16-tp2", (2, 1, 1)), ("vllm-0.11.1-ep2", (2, 2, 1)), ("vllm-nightly-tep2", (2, 2, 1)),
     ("vllm-nightly-dep2", (1, 2, 2)), ("sglang-dp2", (1, 1, 2)), ("nim-1.8.0-trtllm", (2, 1, 1))],
)  # fmt: skip
def test_the_name_of_an_engine_ends_in_its_shards(made, engine, shards):
    (row,) = made({"engine": engine})
    assert (row.tensor, row.expert, row.data, row.refused) == (*shards, None)


@pytest.mark.parametrize(
    ("engine", "name"),
    [("vllm-0.11.1-tp2", "vllm-sync"), ("vllm-0.16-tp2", "vllm"), ("vllm-nightly", "vllm"), ("vllm-tp2", "vllm")],
)
def test_vllm_before_its_asynchronous_scheduler_is_a_class_of_its_own(made, engine, name):
    assert made({"engine": engine})[0].engine == name


def test_the_makers_fp8_checkpoint_of_the_largest_llama_keeps_attention_in_16_bits(made):
    (row,) = made({"model": "llama-3.1-405b-instruct-fp8", "dtype": "fp8"})
    assert (row.model_name, row.dtype) == ("llama-3.1-405b", "fp8-ffn")


def test_unpublished_input_lengths_are_those_assumed_for_the_task(made):
    (row,) = made({"input_tokens": "", "source": "x.json task=lm-arena-chat (concurrency = mean batch)"})
    assert (row.input_len, row.spread, row.steady) == (TASKS["lm-arena-chat"].input_len, "exponential", True)
    assert row.lengths_source.startswith("assumed")


def test_the_number_of_requests_is_read_where_the_source_states_it(made):
    few = "50 prompts at c=1, 400 above"
    rows = made(
        {"source": "a n=80 mean (lengths uniform 1..max)"},
        {"source": f"b; {few})", "concurrency": "1"},
        {"source": f"b; {few})", "concurrency": "8"},
        {"source": "c (derived; n=2..8 requests)"},
    )
    assert [row.requests for row in rows] == [80, 50, 400, None]
    assert rows[0].spread == "uniform"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tokens_per_s_total_output": "-1"}, "tokens_per_s_total_output: expected a rate above 0, got '-1'"),
        ({"power_w": "0"}, "power_w: expected a number above 0, or nothing, got '0'"),
        ({"input_tokens": "-3"}, "input_tokens: expected a number above 0, or nothing, got '-3'"),
        ({"gpus": "half"}, "gpus: expected a whole number above 0, got 'half'"),
        ({"device": "tpu"}, "device: no profile for 'tpu' in the catalogue"),
        ({"engine": "mlc-1"}, "engine: expected one of sglang, trtllm, vllm, got 'mlc-1'"),
        (
            {"engine": "vllm-0.8.5-tp2"},
            "engine: expected version 0.9 or later, which the model describes, got 'vllm-0.8.5-tp2'",
        ),
        (
            {"engine": "sglang-0.4.3"},
            "engine: expected version 0.5 or later, which the model describes, got 'sglang-0.4.3'",
        ),
        (
            {"engine": "tensorrt-llm-0.21"},
            "engine: expected version 1.0 or later, which the model describes, got 'tensorrt-llm-0.21'",
        ),
        ({"engine": "vllm-tp4"}, "engine: expected shards over all 2 GPUs, got 'vllm-tp4'"),
        ({"concurrency": "many"}, "concurrency: expected 1 to"),
        ({"input_tokens": ""}, "input_tokens, output_tokens: expected mean lengths or a known task"),
        ({"concurrency": "mlperf-singlestream"}, "no limits of MLPerf Singlestream under random arrivals are known"),
    ],
)
def test_a_row_that_cannot_be_predicted_keeps_its_reason(made, change, reason):
    assert reason in made(change)[0].refused


def test_a_file_that_lacks_a_column_names_it(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("device,tokens_per_s_total_output\nh100,1\n")
    with pytest.raises(InputError, match="got no gpus, model"):
        read_rows(path)


def test_a_row_whose_gpu_waited_is_flagged_by_its_watts(made):
    rows = flagged(made({"power_w": "700"}, {"power_w": "500", "concurrency": "16"}, {"source": "x FLAG warm-up; y"}))
    assert rows[0].flag is None
    assert rows[1].flag == "500 W, where no more sequences drew 700 W: host-bound suspected"
    assert rows[2].flag == "warm-up"


def test_only_rows_of_the_written_rule_may_be_fitted_on(made):
    rows = made({}, {"model": "llama-3.3-70b"}, {"device": "h200"}, {"source": "FLAG x"}, {"concurrency": "none"})
    assert [may_fit(row) for row in rows] == [True, False, False, False, False]
