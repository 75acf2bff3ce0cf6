"""Results of aiperf and genai-perf, `profile_export_aiperf.json`: a table of statistics for each of their metrics.

References
----------
aiperf: `inter_token_latency` is (latency - TTFT) / (tokens - 1), which is perwatt's TPOT; `inter_chunk_latency` has the
gaps. Its energies are those of the GPUs, from counters that are read up to 0.67 s after the last request.
"""

from datetime import UTC, datetime

from bench.endpoint.importing.fields import Fields
from bench.endpoint.importing.run import Figures, Format, Span, ToolRun

_LATENCIES = {
    "time_to_first_token": "ttft",
    "inter_token_latency": "tpot",
    "request_latency": "e2e",
    "inter_chunk_latency": "",
}
_STATISTICS = {"avg": "mean", "p50": "q50", "p90": "q90", "p95": "q95", "p99": "q99"}
_SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "milliseconds": 1e-3, "us": 1e-6, "ns": 1e-9}
_RATES = {
    "output_token_throughput": ("rate", "token/s"),
    "request_throughput": ("request_rate", "request/s"),
    "input_token_throughput": ("input_token_rate", "input_token/s"),
    "total_token_throughput": ("total_token_rate", "total_token/s"),
    "goodput": ("good_request_rate", "good_request/s"),
}
_ENERGIES = {
    "energy_per_output_token": ("energy_per_token_board", "J/token"),
    "energy_per_total_token": ("joules_per_total_token_board", "J/total_token"),
    "energy_per_request": ("joules_per_request_board", "J/request"),
    "average_gpu_power": ("power_board", "W"),
    "total_gpu_energy": ("", "J"),
    "total_gpu_power": ("", "W"),
}
_TAIL = "the tool's counters are read up to 0.67 s after the last request"
GENAI_PERF = "genai-perf"
_VENDORS = ("nvidia_", "amd_", "")


def _read(fields: Fields) -> list[ToolRun]:
    requests = _whole(fields, "request_count")
    figures = Figures(fields, requests)
    for key, (name, unit) in _RATES.items():
        if (table := fields.table(key)) is not None:
            figures.add(name, "avg", unit, tool_unit=table.text("unit") or "", fields=table)
    for key, name in _LATENCIES.items():
        if (table := fields.table(key)) is not None:
            unit = table.text("unit") or "ms"
            if unit not in _SECONDS:
                raise table.refused("unit", f"one of {', '.join(_SECONDS)}")
            for statistic, label in _STATISTICS.items():
                figures.add(
                    f"{name}_{label}" if name else "", statistic, "s",
                    tool_unit=unit, scale=_SECONDS[unit], fields=table, latency=True,
                )  # fmt: skip
    _add_energies(figures, fields)
    duration_s, inputs = _average(fields, "benchmark_duration"), _average(fields, "total_isl")
    if "input_token_throughput" not in fields and inputs and duration_s:
        formula = "total_isl / benchmark_duration"
        figures.derive("input_token_rate", inputs / duration_s, "input_token/s", "total_isl", formula)
    config = fields.inner("input_config")
    phase = _phase(config)
    counted = config.inner("endpoint").flag("use_server_token_count")
    return [
        ToolRun(
            tool=GENAI_PERF if _is_genai_perf(fields) else "aiperf",
            place=fields.file,
            figures=tuple(figures.kept),
            dropped=tuple(figures.dropped),
            tokens_from="server usage" if counted else "the client's tokenizer",
            version=fields.text("aiperf_version"),
            model=config.only_text("model_names")
            or config.inner("endpoint").only_text("model_names")
            or config.only_text("model"),
            requests=requests,
            failed=_whole(fields, "error_request_count"),
            duration_s=duration_s,
            input_tokens=inputs,
            output_tokens=_average(fields, "total_osl") or _average(fields, "total_output_tokens"),
            lengths=(_average(fields, "input_sequence_length"), _average(fields, "output_sequence_length")),
            concurrency=phase.count("concurrency"),
            rate_per_s=phase.rate("request_rate"),
            span=_span(fields),
            parameters={"complete": fields.flag("is_complete")},
        )
    ]


def _add_energies(figures: Figures, fields: Fields) -> None:
    """Take over the energies of the vendor whose GPUs reported; two vendors in one run have no common figure."""
    vendors = [vendor for vendor in _VENDORS if any(f"{vendor}{key}" in fields for key in _ENERGIES)]
    for vendor in vendors:
        for key, (name, unit) in _ENERGIES.items():
            if (table := fields.table(f"{vendor}{key}")) is not None:
                stated = table.text("unit") or unit
                scale = 1e-3 if stated.lower().startswith(("mj", "millij")) and unit.startswith("J/") else 1.0
                figures.add(
                    name if len(vendors) == 1 else "", "avg", unit,
                    tool_unit=stated, scale=scale, formula=_TAIL, fields=table,
                )  # fmt: skip


def _average(fields: Fields, key: str) -> float | None:
    table = fields.table(key)
    return None if table is None else table.number("avg")


def _whole(fields: Fields, key: str) -> int | None:
    table = fields.table(key)
    return None if table is None else table.count("avg")


def _is_genai_perf(fields: Fields) -> bool:
    """Return whether the predecessor wrote the document: it states no version, and never the settings of aiperf."""
    config = fields.inner("input_config")
    return "aiperf_version" not in fields and ("perf_analyzer" in config or "model" in config)


def _phase(config: Fields) -> Fields:
    """Return the settings of the load, which aiperf has had at two places, and genai-perf at two others."""
    phases = config.inner_tables("phases")  # the warm-up comes first
    if phases:
        return phases[-1]
    stimulus = config.inner("perf_analyzer").inner("stimulus")
    places = (config.inner("loadgen"), stimulus, config)
    return next((place for place in places if "concurrency" in place or "request_rate" in place), config)


def _span(fields: Fields) -> Span | None:
    """Return the window by aiperf's wall clock; a time without a zone counts as UTC."""
    edges = []
    for key in ("start_time", "end_time"):
        text = fields.text(key)
        if text is None:
            return None
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            raise fields.refused(key, "a time YYYY-MM-DDTHH:MM:SS") from None
        edges.append((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    if edges[1] <= edges[0]:
        raise fields.refused("end_time", "a time after start_time")
    return Span(edges[0], edges[1])


FORMAT = Format(
    "aiperf",
    (
        frozenset({"request_throughput", "request_latency"}),
        frozenset({"output_token_throughput", "time_to_first_token"}),
        frozenset({"output_token_throughput", "request_throughput"}),
    ),
    frozenset({"request_throughput", "request_latency", "request_count", "time_to_first_token", "inter_token_latency",
               "output_token_throughput", "output_sequence_length", "input_sequence_length", "benchmark_duration",
               "input_config", "telemetry_data", "aiperf_version", "schema_version", "total_isl", "total_osl"}),
    _read,
)  # fmt: skip
