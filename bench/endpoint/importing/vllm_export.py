"""The keys of `vllm bench serve` from a stored record, so that plots of its results can be used; null is not known."""

from collections.abc import Mapping
from typing import Any

from bench.endpoint.importing.records import AUDIT
from bench.endpoint.importing.run import PERCENTILES
from bench.endpoint.workload import LlmServeEndpoint
from bench.results.record import Record
from hardware_profiles.errors import InputError

_LATENCIES = {"ttft": "ttft", "tpot": "tpot", "itl": None, "e2el": "e2e"}
_DATE = "%Y%m%d-%H%M%S"
_STATISTICS = ("mean", "median", "std", "p90", "p95", "p99")
_RATES = {
    "request_throughput": "request_rate",
    "request_goodput": "good_request_rate",
    "output_throughput": "rate",
    "total_token_throughput": "total_token_rate",
}


def exported(record: Record) -> dict[str, Any]:
    """Return a record as a result of `vllm bench serve`.

    Raises
    ------
    InputError
        The record is not of an inference server, or is not valid.
    """
    place = f"export {record.id}"
    if record.workload.name != LlmServeEndpoint.name:
        raise InputError.at(place, expected=f"a result of {LlmServeEndpoint.name}", got=record.workload.name)
    if record.status != "ok":
        raise InputError.at(place, expected="a valid result", got=record.status)
    parameters = record.workload.parameters
    totals = _imported(record) if record.audit.get(AUDIT) is not None else _measured(record)
    rate_per_s, concurrency = parameters.get("rate_per_s"), parameters.get("concurrency")
    return {
        "date": None,
        "endpoint_type": None,
        "backend": parameters.get("backend") or record.workload.variant,
        "label": record.id,
        "model_id": parameters.get("model"),
        "tokenizer_id": None,
        "num_prompts": None,
        "request_rate": "inf" if rate_per_s is None and concurrency is not None else rate_per_s,
        "burstiness": parameters.get("burstiness"),
        "max_concurrency": concurrency,
        **totals,
        **{key: _value(record, name) for key, name in _RATES.items()},
        **{
            f"{statistic}_{term}_ms": _latency_ms(record, name, statistic)
            for term, name in _LATENCIES.items()
            for statistic in _STATISTICS
        },
        "max_output_tokens_per_s": None,
        "max_concurrent_requests": None,
        "rtfx": None,
    }


def _imported(record: Record) -> dict[str, Any]:
    audit = record.audit[AUDIT]
    stated = audit if isinstance(audit, Mapping) else {}
    ended = f"{record.run.ended_utc:{_DATE}}" if stated.get("end_unix_s") is not None else None
    return {
        "date": ended,
        "duration": stated.get("duration_s"),
        "completed": stated.get("completed"),
        "failed": stated.get("failed"),
        "total_input_tokens": _whole(stated.get("input_tokens")),
        "total_output_tokens": _whole(stated.get("output_tokens")),
    }


def _measured(record: Record) -> dict[str, Any]:
    """Return the totals of the windows: of perwatt's own records they are what the figures are of."""
    seconds = sum(window.duration_s for window in record.windows) or None
    outcomes = None if record.endpoint is None else record.endpoint.outcomes
    good = None if outcomes is None else sum(outcomes.get(name, 0) for name in ("ok", "short"))
    inputs = _value(record, "input_token_rate")
    return {
        "date": f"{record.run.ended_utc:{_DATE}}",
        "duration": seconds,
        "completed": good,
        "failed": None if outcomes is None or good is None else sum(outcomes.values()) - good,
        "total_input_tokens": _whole(inputs * seconds) if inputs is not None and seconds else None,
        "total_output_tokens": _whole(sum(window.work for window in record.windows)) if record.windows else None,
    }


def _latency_ms(record: Record, name: str | None, statistic: str) -> float | None:
    label = PERCENTILES.get(statistic)
    value = _value(record, f"{name}_{label}") if name is not None and label is not None else None
    return None if value is None else value * 1e3


def _value(record: Record, name: str) -> float | None:
    metric = record.metrics.get(name)
    return None if metric is None else metric.value


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
