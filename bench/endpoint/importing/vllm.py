"""Results of `vllm bench serve`, also with `--append-result` (one a line), and of its forks that write seconds.

References
----------
vLLM, `vllm/benchmarks/serve.py`: TPOT is (latency - TTFT) / (tokens - 1); the ITL are the gaps between chunks.
"""

from datetime import UTC, datetime

from bench.endpoint.importing.fields import Fields
from bench.endpoint.importing.run import MILLISECONDS, SECONDS, Figures, Format, Span, ToolRun, add_latencies

TERMS = {"ttft": "ttft", "tpot": "tpot", "e2el": "e2e", "itl": ""}
RATES = {
    "output_throughput": ("rate", "token/s"),
    "request_throughput": ("request_rate", "request/s"),
    "input_throughput": ("input_token_rate", "input_token/s"),
    "total_token_throughput": ("total_token_rate", "total_token/s"),
    "request_goodput": ("good_request_rate", "good_request/s"),
}
DATE_EDGE_S = 1.0  # [s] `date` has whole seconds, and is taken when the result is written
_DATE_FORMATS = ("%Y%m%d-%H%M%S", "%Y-%m-%d %H:%M:%S")


def _read(fields: Fields) -> list[ToolRun]:
    requests, duration_s = fields.count("completed"), fields.needed("duration")
    figures = Figures(fields, requests)
    for key, (name, unit) in RATES.items():
        figures.add(name, key, unit)
    inputs, outputs = fields.number("total_input_tokens"), fields.number("total_output_tokens")
    if "input_throughput" not in fields and inputs is not None:
        formula = "total_input_tokens / duration"
        figures.derive("input_token_rate", inputs / duration_s, "input_token/s", "total_input_tokens", formula)
    latencies_of_vllm(figures, fields)
    return [
        ToolRun(
            tool="vllm",
            place=fields.file,
            figures=tuple(figures.kept),
            dropped=tuple(figures.dropped),
            tokens_from="server usage, else the client's tokenizer",
            model=fields.text("model_id"),
            requests=requests,
            failed=fields.count("failed"),
            duration_s=duration_s,
            input_tokens=inputs,
            output_tokens=outputs,
            concurrency=fields.count("max_concurrency"),
            rate_per_s=fields.rate("request_rate"),
            span=_span(fields, duration_s),
            parameters={
                "backend": fields.text("backend"),
                "burstiness": fields.number("burstiness"),
                "label": fields.text("label"),
            },
        )
    ]


def latencies_of_vllm(figures: Figures, fields: Fields) -> None:
    """Take over the latencies of a document with vLLM's keys: `median_ttft_ms`, or `median_ttft` in seconds."""
    in_ms = any(f"{statistic}_{term}_ms" in fields for term in TERMS for statistic in ("mean", "median", "p99"))
    end = "_ms" if in_ms else ""
    scale = MILLISECONDS if in_ms else SECONDS
    add_latencies(figures, TERMS, lambda statistic, term: f"{statistic}_{term}{end}", scale)


def _span(fields: Fields, duration_s: float) -> Span | None:
    span = unix_span(fields)
    if span is not None:
        return span
    for form in _DATE_FORMATS:
        try:
            end_s = datetime.strptime(fields.text("date") or "", form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
        return Span(end_s - duration_s, end_s, DATE_EDGE_S)
    return None


def unix_span(fields: Fields) -> Span | None:
    """Return the window that InferenceX's fork of the client states in Unix time, or None."""
    start_s, end_s = fields.number("benchmark_start_time_unix"), fields.number("benchmark_end_time_unix")
    if start_s is None or end_s is None:
        return None
    if end_s <= start_s:
        raise fields.refused("benchmark_end_time_unix", "a time after benchmark_start_time_unix")
    return Span(start_s, end_s)


_NEEDED = frozenset({"duration", "completed", "output_throughput", "request_throughput"})
FORMAT = Format(
    "vllm",
    (_NEEDED | {"total_token_throughput"}, _NEEDED | {"median_ttft"}, _NEEDED | {"mean_ttft"}),
    _NEEDED | {"date", "endpoint_type", "backend", "model_id", "tokenizer_id", "num_prompts", "request_rate",
               "burstiness", "max_concurrency", "total_input_tokens", "total_output_tokens", "total_token_throughput",
               "mean_ttft_ms", "median_ttft_ms", "p99_ttft_ms", "mean_tpot_ms", "median_tpot_ms", "median_itl_ms"},
    _read,
)  # fmt: skip
