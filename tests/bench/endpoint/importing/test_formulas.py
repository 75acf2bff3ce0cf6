"""One set of requests in the files of seven tools: each import gives perwatt's figures of these requests by formula."""

import math
import statistics

import pytest
from doubles import load_generators as tools

LEVELS = {"mean": None, "q50": 50, "q90": 90, "q99": 99}
LATENCIES = {"ttft": tools.TTFT, "tpot": tools.TPOT, "e2e": tools.E2E}
RATES = {
    "rate": tools.OUTPUTS / tools.SECONDS,
    "request_rate": len(tools.REQUESTS) / tools.SECONDS,
    "input_token_rate": tools.INPUTS / tools.SECONDS,
    "total_token_rate": (tools.INPUTS + tools.OUTPUTS) / tools.SECONDS,
}


def expected(name):
    latency, _, statistic = name.partition("_")
    level = LEVELS[statistic]
    return statistics.fmean(LATENCIES[latency]) if level is None else tools.percentile(LATENCIES[latency], level)


@pytest.mark.parametrize("tool", ["vllm", "vllm seconds", "sglang", "aiperf", "inference-perf", "inferencex"])
def test_every_latency_is_that_of_the_requests(tool, imported):
    (record,) = imported(tools.DOCUMENTS[tool]())
    for latency in LATENCIES:
        for statistic in LEVELS:
            name = f"{latency}_{statistic}"
            assert record.metrics[name].value == pytest.approx(expected(name)), name


@pytest.mark.parametrize("tool", ["vllm", "sglang", "guidellm", "aiperf", "inference-perf"])
def test_every_rate_is_that_of_the_requests(tool, imported):
    (record,) = imported(tools.DOCUMENTS[tool]())
    assert {name: record.metrics[name].value for name in RATES} == pytest.approx(RATES)


@pytest.mark.parametrize(
    ("config", "load"),
    [
        ({"model": ["llama"], "concurrency": 8, "request_rate": None}, (8, None)),
        ({"model_names": ["llama"], "perf_analyzer": {"stimulus": {"concurrency": 8}}}, (8, None)),
        ({"model_names": ["llama"], "perf_analyzer": {"stimulus": {"request_rate": 2.5}}}, (None, 2.5)),
    ],
)
def test_a_file_of_genai_perf_is_named_so_with_its_model_and_its_load(config, load, imported):
    (record,) = imported(tools.genai_perf(config))
    stated = record.workload.parameters
    assert record.audit["imported"]["tool"] == "genai-perf"
    assert (stated["model"], stated["concurrency"], stated["rate_per_s"]) == ("llama", *load)
    for name in ("ttft_mean", "tpot_q50", "e2e_q99"):
        assert record.metrics[name].value == pytest.approx(expected(name)), name


@pytest.mark.parametrize("names", [["a", "b"], [], [3], {}, "", None])
def test_a_model_of_aiperf_that_is_not_one_name_is_left_out(names, imported):
    (record,) = imported(tools.aiperf(input_config={"endpoint": {"model_names": names}, "loadgen": {"concurrency": 4}}))
    assert (record.audit["imported"]["tool"], record.workload.parameters["concurrency"]) == ("aiperf", 4)
    assert record.workload.parameters["model"] is None


def test_the_throughput_of_inferencex_is_per_gpu_and_its_total_counts_input_too(imported):
    (record,) = imported(tools.inferencex())
    assert record.metrics["rate"].value == pytest.approx(RATES["rate"])
    assert record.metrics["total_token_rate"].value == pytest.approx(RATES["total_token_rate"])
    assert record.device.name == "8 h200"


def test_a_split_deployment_is_multiplied_by_its_decoding_gpus_alone(imported):
    split = {"disagg": True, "is_multinode": True, "num_prefill_gpu": 3, "num_decode_gpu": 5}
    (record,) = imported(
        tools.inferencex(**split, output_tput_per_gpu=10.0, input_tput_per_gpu=70.0, tput_per_gpu=30.0)
    )
    values = [record.metrics[name].value for name in ("rate", "input_token_rate", "total_token_rate")]
    assert values == [50.0, 210.0, 240.0]


def test_without_the_number_of_gpus_there_is_no_rate_of_the_deployment(imported):
    (record,) = imported(tools.inferencex(disagg=True))
    assert record.rate is None
    (kept,) = [one for one in record.audit["imported"]["figures"] if one["tool_key"] == "output_tput_per_gpu"]
    assert (kept["name"], kept["unit"]) == (None, "token/s/GPU")


def test_the_inter_token_latency_of_guidellm_is_tpot_and_its_tpot_with_the_ttft_inside_is_nothing_of_ours(imported):
    (record,) = imported(tools.guidellm())
    weighted = tools.weighted_median([(r.tpot_s, r.outputs - 1) for r in tools.REQUESTS])
    assert record.metrics["tpot_q50"].value == pytest.approx(weighted)
    assert record.metrics["tpot_q90"].value == pytest.approx(expected("tpot_q90"))
    assert record.metrics["ttft_q50"].value == pytest.approx(expected("ttft_q50"))
    assert record.metrics["e2e_q99"].value == pytest.approx(expected("e2e_q99"))
    whole = statistics.median(r.e2e_s / r.outputs for r in tools.REQUESTS)
    assert not any(math.isclose(metric.value, whole, rel_tol=1e-6) for metric in record.metrics.values())


def test_ml_energy_counts_tokens_and_energy_of_its_steady_state(imported):
    (record,) = imported(tools.ml_energy())
    assert record.metrics["rate"].value == pytest.approx(0.8 * tools.OUTPUTS / 40.0)
    assert record.metrics["power_board"].value == pytest.approx(tools.POWER_W)
    assert record.metrics["energy_per_token_board"].value == pytest.approx(tools.POWER_W * 40.0 / (0.8 * tools.OUTPUTS))
    assert record.metrics["tpot_q50"].value == pytest.approx(expected("tpot_q50"))
    assert record.metrics["ttft_q99"].value == pytest.approx(expected("ttft_q99"))
    assert record.workload.parameters["window"] == "steady state, while the batch is full"


@pytest.mark.parametrize("throughput", [{}, {"output_throughput_tokens_per_sec": None}])
def test_the_leaderboard_s_throughput_is_power_over_energy_per_token(throughput, imported):
    (record,) = imported(tools.leaderboard(**throughput))
    assert record.metrics["rate"].value == pytest.approx(RATES["rate"])
    assert record.metrics["power_board"].value == pytest.approx(
        record.metrics["rate"].value * record.metrics["energy_per_token_board"].value
    )


@pytest.mark.parametrize("tool", ["aiperf", "inferencex"])
def test_an_energy_that_the_tool_states_is_that_of_the_gpu_boards_at_tier_c(tool, imported):
    (record,) = imported(tools.DOCUMENTS[tool]())
    energy, total = record.metrics["energy_per_token_board"], record.metrics["joules_per_total_token_board"]
    assert energy.value == pytest.approx(tools.ENERGY_J / tools.OUTPUTS)
    assert (energy.boundary, energy.tier, energy.unit) == ("board", "C", "J/token")
    assert "the window is the tool's: whole-run" in energy.note
    assert total.value == pytest.approx(tools.ENERGY_J / (tools.INPUTS + tools.OUTPUTS))
    assert record.metrics["joules_per_request_board"].value == pytest.approx(tools.ENERGY_J / len(tools.REQUESTS))
    assert record.metrics["power_board"].value == pytest.approx(tools.POWER_W)


def test_an_energy_that_inferencex_refused_is_not_taken_over(imported):
    (record,) = imported(tools.inferencex(power_valid=0))
    assert record.energy_per_unit is None
    assert "joules_per_output_token" in record.audit["imported"]["no_data"]


def test_an_energy_of_the_first_schema_of_inferencex_keeps_its_own_name_only(imported):
    document = tools.inferencex()
    for key in ("power_metric_schema_version", "avg_total_gpu_power_w", "power_valid"):
        del document[key]
    (record,) = imported(document)
    assert record.energy_per_unit is None
    assert any(one["tool_key"] == "joules_per_output_token" for one in record.audit["imported"]["figures"])


@pytest.mark.parametrize(("ratio", "mean"), [(0.0, 500.0), (0.5, 750.0), (1.0, 1000.0)])
def test_the_range_ratio_of_sglang_decides_the_mean_length(ratio, mean, imported):
    document = tools.sglang(random_range_ratio=ratio, total_input_tokens=None)
    (record,) = imported(document)
    assert record.workload.parameters["lengths"].partition(":")[0] == f"{mean:g}"


def test_each_figure_keeps_the_tool_s_own_name_value_and_unit(imported):
    document = tools.vllm()
    (record,) = imported(document)
    kept = {one["tool_key"]: one for one in record.audit["imported"]["figures"]}
    for key in ("median_ttft_ms", "p99_itl_ms", "output_throughput"):
        assert kept[key]["tool_value"] == document[key]
    assert (kept["median_ttft_ms"]["name"], kept["median_ttft_ms"]["tool_unit"]) == ("ttft_q50", "ms")
    assert kept["p99_itl_ms"]["name"] is None
    assert f"{document['median_ttft_ms']:.6g} ms" in record.metrics["ttft_q50"].note


def test_gaps_between_chunks_are_no_time_per_token(imported):
    for tool in ("vllm", "sglang", "inference-perf"):
        (record,) = imported(tools.DOCUMENTS[tool]())
        assert not any(name.startswith("itl") for name in record.metrics)
        assert record.metrics["tpot_mean"].value == pytest.approx(statistics.fmean(tools.TPOT))


def test_a_mean_is_never_passed_off_as_a_median(imported):
    document = {key: value for key, value in tools.vllm().items() if not key.startswith(("median_", "p90_", "p99_"))}
    (record,) = imported(document)
    assert record.metrics["ttft_mean"].value == pytest.approx(statistics.fmean(tools.TTFT))
    assert "ttft_q50" not in record.metrics


def test_a_quantile_of_few_requests_says_so(imported):
    few, many = (imported(tools.vllm(completed=n))[0].metrics["ttft_q99"].note for n in (100, 700))
    assert "of 100 requests, where perwatt itself needs 662" in few
    assert "needs" not in many


@pytest.mark.parametrize("zero", [0, 0.0])
def test_a_latency_of_zero_is_no_data(zero, imported):
    (record,) = imported(tools.vllm(median_tpot_ms=zero, mean_tpot_ms=zero, p90_tpot_ms=zero, p99_tpot_ms=zero))
    assert not any(name.startswith("tpot") for name in record.metrics)
    assert "median_tpot_ms" in record.audit["imported"]["no_data"]
