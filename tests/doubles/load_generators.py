"""Results of seven load generators for one set of invented requests, each by the tool's own formulas."""

import math
import random
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime

START_S, SECONDS = 1_790_000_000.0, 60.0  # of the run, by the wall clock
GPUS, POWER_W = 8, 4800.0
CONCURRENCY = 16


@dataclass(frozen=True)
class Request:
    """One request: tokens, time to the first token, and to the last [s]."""

    inputs: int
    outputs: int
    ttft_s: float
    e2e_s: float

    @property
    def tpot_s(self):
        return (self.e2e_s - self.ttft_s) / (self.outputs - 1)


def _requests():
    draw = random.Random(7)
    made = []
    for _ in range(700):
        outputs, ttft_s = draw.randint(80, 160), draw.uniform(0.08, 0.4)
        made.append(
            Request(draw.randint(400, 600), outputs, ttft_s, ttft_s + (outputs - 1) * draw.uniform(0.008, 0.02))
        )
    return made


REQUESTS = _requests()
INPUTS, OUTPUTS = sum(r.inputs for r in REQUESTS), sum(r.outputs for r in REQUESTS)
ENERGY_J = POWER_W * SECONDS


def percentile(values, percent):
    """Return a percentile with linear interpolation, as NumPy does."""
    ordered = sorted(values)
    at = percent / 100 * (len(ordered) - 1)
    low = math.floor(at)
    return ordered[low] + (at - low) * (ordered[min(low + 1, len(ordered) - 1)] - ordered[low])


def _spread(values, scale=1.0):
    return {
        "mean": scale * statistics.fmean(values), "median": scale * percentile(values, 50),
        "std": scale * statistics.pstdev(values), "p90": scale * percentile(values, 90),
        "p99": scale * percentile(values, 99),
    }  # fmt: skip


TTFT, TPOT, E2E = ([getattr(r, name) for r in REQUESTS] for name in ("ttft_s", "tpot_s", "e2e_s"))
CHUNK_GAPS = [10 * r.tpot_s for r in REQUESTS]  # ten tokens a chunk: no time per token


def _vllm_latencies(end, scale, e2e="e2el"):
    terms = {"ttft": TTFT, "tpot": TPOT, e2e: E2E, "itl": CHUNK_GAPS}
    return {
        f"{statistic}_{term}{end}": value
        for term, values in terms.items()
        for statistic, value in _spread(values, scale).items()
    }


def vllm(**changes):
    """A result of `vllm bench serve --save-result`."""
    return {
        "date": f"{datetime.fromtimestamp(START_S + SECONDS, UTC):%Y%m%d-%H%M%S}", "endpoint_type": "openai",
        "backend": "openai", "label": None, "model_id": "org/model-8b", "tokenizer_id": "org/model-8b",
        "num_prompts": len(REQUESTS) + 3, "request_rate": "inf", "burstiness": 1.0, "max_concurrency": CONCURRENCY,
        "duration": SECONDS, "completed": len(REQUESTS), "failed": 3, "total_input_tokens": INPUTS,
        "total_output_tokens": OUTPUTS, "request_throughput": len(REQUESTS) / SECONDS, "request_goodput": None,
        "output_throughput": OUTPUTS / SECONDS, "total_token_throughput": (INPUTS + OUTPUTS) / SECONDS,
        "max_output_tokens_per_s": 900.0, "max_concurrent_requests": 18, **_vllm_latencies("_ms", 1e3),
    } | changes  # fmt: skip


def vllm_seconds(**changes):
    """The variant with seconds, without `_ms`."""
    document = {key: value for key, value in vllm().items() if not key.endswith("_ms")}
    del document["total_token_throughput"]
    return {**document, "input_throughput": INPUTS / SECONDS, **_vllm_latencies("", 1.0)} | changes


def sglang(**changes):
    """A line of `sglang.bench_serving`."""
    return {
        "backend": "sglang", "dataset_name": "random", "request_rate": math.inf, "max_concurrency": CONCURRENCY,
        "random_input_len": 1000, "random_output_len": 200, "random_range_ratio": 0.0, "duration": SECONDS,
        "completed": len(REQUESTS), "total_input_tokens": INPUTS, "total_output_tokens": OUTPUTS,
        "total_output_tokens_retokenized": OUTPUTS // 2, "request_throughput": len(REQUESTS) / SECONDS,
        "input_throughput": INPUTS / SECONDS, "output_throughput": OUTPUTS / SECONDS,
        "total_throughput": (INPUTS + OUTPUTS) / SECONDS, **_vllm_latencies("_ms", 1e3, "e2e_latency"),
        "concurrency": sum(E2E) / SECONDS, "accept_length": None,
    } | changes  # fmt: skip


def weighted_median(pairs):
    """Return the median of values with weights."""
    ordered, half = sorted(pairs), sum(weight for _, weight in pairs) / 2
    total = 0.0
    for value, weight in ordered:
        total += weight
        if total >= half:
            return value
    raise AssertionError


def _guidellm(values, scale=1.0, median=None):
    spread = _spread(values, scale)
    successful = {
        "mean": spread["mean"], "median": spread["median"] if median is None else scale * median,
        "std_dev": spread["std"],
        "min": min(values), "max": max(values), "count": len(values), "total_sum": scale * sum(values),
        "percentiles": {"p50": spread["median"], "p90": spread["p90"], "p95": scale * percentile(values, 95),
                        "p99": spread["p99"]},
    }  # fmt: skip
    empty = {"mean": 0.0, "median": 0.0, "count": 0, "total_sum": 0.0, "percentiles": {"p50": 0.0, "p90": 0.0}}
    return {"successful": successful, "incomplete": empty, "errored": empty, "total": successful}


def guidellm(**changes):
    """A report of guidellm with one benchmark."""

    def rate(value):
        return {"successful": {"mean": 0.9 * value}, "total": {"mean": value}}

    benchmark = {
        "type_": "generative_benchmark",
        "config": {"strategy": {"type_": "concurrent", "streams": CONCURRENCY}, "backend": {"model": "org/model-8b"}},
        "scheduler_metrics": {"measure_start_time": START_S, "measure_end_time": START_S + SECONDS,
                              "requests_made": {"successful": len(REQUESTS)}},
        "metrics": {
            "request_totals": {"successful": len(REQUESTS), "incomplete": 4, "errored": 1, "total": len(REQUESTS) + 5},
            "requests_per_second": rate(len(REQUESTS) / SECONDS),
            "prompt_tokens_per_second": rate(INPUTS / SECONDS), "output_tokens_per_second": rate(OUTPUTS / SECONDS),
            "tokens_per_second": rate((INPUTS + OUTPUTS) / SECONDS),
            "request_latency": _guidellm(E2E), "time_to_first_token_ms": _guidellm(TTFT, 1e3),
            "inter_token_latency_ms": _guidellm(
                TPOT, 1e3, weighted_median([(r.tpot_s, r.outputs - 1) for r in REQUESTS])
            ),
            "time_per_output_token_ms": _guidellm([r.e2e_s / r.outputs for r in REQUESTS], 1e3),
            "prompt_token_count": _guidellm([r.inputs for r in REQUESTS]),
            "output_token_count": _guidellm([r.outputs for r in REQUESTS]),
        },
    }  # fmt: skip
    return {"metadata": {"version": 2, "guidellm_version": "0.8.0"}, "args": {}, "benchmarks": [benchmark]} | changes


def aiperf(**changes):
    """The summary of aiperf, with the energies of its GPU telemetry."""

    def table(values):
        spread = _spread(values, 1e3)
        return {"unit": "ms", "avg": spread["mean"], "p50": spread["median"], "p90": spread["p90"],
                "p99": spread["p99"], "std": spread["std"], "count": len(values)}  # fmt: skip

    def one(value, unit):
        return {"unit": unit, "avg": value}

    return {
        "schema_version": "1.4", "aiperf_version": "0.13.0",
        "request_throughput": one(len(REQUESTS) / SECONDS, "requests/sec"), "request_latency": table(E2E),
        "request_count": one(float(len(REQUESTS)), "requests"), "error_request_count": one(2.0, "requests"),
        "time_to_first_token": table(TTFT), "inter_token_latency": table(TPOT),
        "inter_chunk_latency": table(CHUNK_GAPS),
        "output_token_throughput": one(OUTPUTS / SECONDS, "tokens/sec"),
        "total_token_throughput": one((INPUTS + OUTPUTS) / SECONDS, "tokens/sec"),
        "input_sequence_length": one(INPUTS / len(REQUESTS), "tokens"),
        "output_sequence_length": one(OUTPUTS / len(REQUESTS), "tokens"), "total_isl": one(float(INPUTS), "tokens"),
        "total_osl": one(float(OUTPUTS), "tokens"), "benchmark_duration": one(SECONDS, "sec"),
        "nvidia_total_gpu_energy": one(ENERGY_J, "J"), "nvidia_average_gpu_power": one(ENERGY_J / SECONDS, "W"),
        "nvidia_energy_per_output_token": one(1000 * ENERGY_J / OUTPUTS, "mJ/token"),
        "nvidia_energy_per_total_token": one(1000 * ENERGY_J / (INPUTS + OUTPUTS), "mJ/token"),
        "nvidia_energy_per_request": one(ENERGY_J / len(REQUESTS), "joules/request"),
        "start_time": datetime.fromtimestamp(START_S, UTC).replace(tzinfo=None).isoformat(),
        "end_time": datetime.fromtimestamp(START_S + SECONDS, UTC).replace(tzinfo=None).isoformat(),
        "input_config": {"phases": [{"name": "warmup", "concurrency": 2}, {"name": "profiling", "concurrency": 16}]},
        "is_complete": True, "error_summary": [],
    } | changes  # fmt: skip


def genai_perf(config, **changes):
    """The summary of genai-perf, the predecessor of aiperf, with the settings of one of its versions."""
    names = ("request_throughput", "request_latency", "time_to_first_token", "inter_token_latency",
             "output_token_throughput", "output_sequence_length", "input_sequence_length")  # fmt: skip
    return {name: aiperf()[name] for name in names} | {"input_config": config} | changes


def inference_perf(**changes):
    """The report of a stage of inference-perf."""
    latencies = {
        "request_latency": E2E, "time_to_first_token": TTFT, "time_per_output_token": TPOT,
        "inter_token_latency": CHUNK_GAPS, "normalized_time_per_output_token": [r.e2e_s / r.outputs for r in REQUESTS],
    }  # fmt: skip
    return {
        "load_summary": {"count": len(REQUESTS) + 1, "requested_rate": 12.0, "achieved_rate": 11.9,
                         "send_duration": 59.0,
                         "schedule_delay": {"mean": 0.001}},
        "successes": {
            "count": len(REQUESTS), "latency": {name: _spread(values) for name, values in latencies.items()},
            "throughput": {
                "input_tokens_per_sec": INPUTS / SECONDS, "output_tokens_per_sec": OUTPUTS / SECONDS,
                "total_tokens_per_sec": (INPUTS + OUTPUTS) / SECONDS, "requests_per_sec": len(REQUESTS) / SECONDS,
            },
            "prompt_len": {"mean": INPUTS / len(REQUESTS)}, "output_len": {"mean": OUTPUTS / len(REQUESTS)},
        },
        "failures": {"count": 1},
    } | changes  # fmt: skip


def inferencex(**changes):
    """An aggregate of InferenceX for eight GPUs, with the second version of its power fields."""
    latencies = _vllm_latencies("", 1.0)
    intervals = {key.replace("tpot", "intvty"): 1 / value for key, value in latencies.items() if "tpot" in key}
    return {
        "hw": "h200", "conc": CONCURRENCY, "image": "image:1", "model": "org/model-8b", "framework": "vllm",
        "precision": "fp8", "spec_decoding": "none", "disagg": False, "is_multinode": False, "isl": 1024, "osl": 128,
        "tp": GPUS, "ep": 1, "dp_attention": "false", "tput_per_gpu": (INPUTS + OUTPUTS) / SECONDS / GPUS,
        "output_tput_per_gpu": OUTPUTS / SECONDS / GPUS, "input_tput_per_gpu": INPUTS / SECONDS / GPUS, **latencies,
        **intervals, "power_valid": 1, "power_metric_schema_version": 2, "avg_power_w": POWER_W / GPUS,
        "avg_total_gpu_power_w": POWER_W, "total_gpu_energy_j": ENERGY_J,
        "joules_per_successful_query": ENERGY_J / len(REQUESTS), "joules_per_input_token": ENERGY_J / INPUTS,
        "joules_per_output_token": ENERGY_J / OUTPUTS, "joules_per_total_token": ENERGY_J / (INPUTS + OUTPUTS),
    } | changes  # fmt: skip


def ml_energy(**changes):
    """A results.json of ML.ENERGY: 40 s of its 60 s are the steady state."""
    steady_s, steady_tokens = 40.0, 0.8 * OUTPUTS
    return {
        "model_id": "org/model-8b", "gpu_model": "H200", "num_gpus": GPUS, "max_num_seqs": CONCURRENCY,
        "num_prompts": len(REQUESTS), "completed": len(REQUESTS), "duration": SECONDS,
        "steady_state_duration": steady_s, "steady_state_energy": POWER_W * steady_s,
        "steady_state_energy_per_token": POWER_W * steady_s / steady_tokens, "output_throughput": OUTPUTS / SECONDS,
        "total_output_tokens": OUTPUTS,
        "results": [
            {"input_len": r.inputs, "output_len": r.outputs, "ttft": r.ttft_s, "latency": r.e2e_s,
             "itl": [r.tpot_s] * 3, "energy": 1.0, "success": True}
            for r in REQUESTS
        ],
    } | changes  # fmt: skip


def leaderboard(**changes):
    """A task of the ML.ENERGY leaderboard, with one configuration."""
    rate = OUTPUTS / SECONDS
    configuration = {
        "model_id": "org/model-8b", "nickname": "Model 8B", "gpu_model": "H200", "num_gpus": GPUS,
        "max_num_seqs": CONCURRENCY, "avg_batch_size": 15.5, "avg_output_len": OUTPUTS / len(REQUESTS),
        "avg_power_watts": POWER_W, "energy_per_token_joules": POWER_W / rate,
        "energy_per_request_joules": POWER_W / rate * OUTPUTS / len(REQUESTS),
        "output_throughput_tokens_per_sec": rate, "median_itl_ms": 12.0, "p99_itl_ms": 30.0,
    } | changes  # fmt: skip
    return {"task": "gpqa", "configurations": [configuration]}


DOCUMENTS = {
    "vllm": vllm, "vllm seconds": vllm_seconds, "sglang": sglang, "guidellm": guidellm, "aiperf": aiperf,
    "inference-perf": inference_perf, "inferencex": inferencex, "ml-energy": ml_energy, "leaderboard": leaderboard,
}  # fmt: skip
