"""Reports of guidellm, second version: a run for each of its benchmarks.

References
----------
guidellm: `inter_token_latency_ms` is (last - first token) / (tokens - 1), which is perwatt's TPOT.
`time_per_output_token_ms` is (last token - start) / tokens: it includes the TTFT, so perwatt has no such figure.
"""

from bench.endpoint.importing.fields import Fields
from bench.endpoint.importing.run import MILLISECONDS, PERCENTILES, SECONDS, Figures, Format, Span, ToolRun

_TERMS = {
    "time_to_first_token_ms": ("ttft", MILLISECONDS, ""),
    "inter_token_latency_ms": ("tpot", MILLISECONDS, "(last - first token) / (tokens - 1), weighted by tokens"),
    "request_latency": ("e2e", SECONDS, ""),
    "time_per_output_token_ms": ("", MILLISECONDS, "(last token - start) / tokens: the TTFT is inside"),
    "time_to_first_output_token_ms": ("answer", MILLISECONDS, "to the first token that is not reasoning"),
}
_RATES = {
    "output_tokens_per_second": ("rate", "token/s"),
    "requests_per_second": ("request_rate", "request/s"),
    "prompt_tokens_per_second": ("input_token_rate", "input_token/s"),
    "tokens_per_second": ("total_token_rate", "total_token/s"),
}


def _read(fields: Fields) -> list[ToolRun]:
    metadata = fields.inner("metadata")
    model = fields.inner("args").text("model")
    return [_run(one, model, metadata.text("guidellm_version")) for one in fields.tables("benchmarks")]


def _run(benchmark: Fields, model: str | None, version: str | None) -> ToolRun:
    metrics = benchmark.needed_table("metrics")
    totals = metrics.inner("request_totals")
    requests = totals.count("successful")
    figures = Figures(metrics, requests)
    for key, (name, unit) in _RATES.items():
        table = metrics.table(key)
        if table is not None:  # guidellm prints the mean of all requests
            figures.add(name, "mean", unit, fields=table.inner("total" if "total" in table else "successful"))
    for key, (name, scale, formula) in _TERMS.items():
        if (table := metrics.table(key)) is not None:
            _add_distribution(figures, name, table.inner("successful"), scale, formula)
    strategy = benchmark.inner("config").inner("strategy")
    prompt, output = (metrics.inner(f"{kind}_token_count").inner("successful") for kind in ("prompt", "output"))
    span = _span(benchmark.inner("scheduler_metrics"))
    return ToolRun(
        tool="guidellm",
        place=f"{benchmark.file}: {benchmark.name('metrics').removesuffix('.metrics')}",
        figures=tuple(figures.kept),
        dropped=tuple(figures.dropped),
        tokens_from="server usage, else chunks",
        window="measured part, without warm-up and cool-down",
        version=version,
        model=model or benchmark.inner("config").inner("backend").text("model"),
        requests=requests,
        failed=totals.count("errored"),
        duration_s=None if span is None else span.end_s - span.start_s,
        input_tokens=prompt.number("total_sum"),
        output_tokens=output.number("total_sum"),
        lengths=(prompt.number("mean"), output.number("mean")),
        concurrency=strategy.count("streams"),
        rate_per_s=strategy.rate("rate"),
        span=span,
        parameters={"strategy": strategy.text("type_"), "incomplete": totals.count("incomplete")},
    )


def _add_distribution(figures: Figures, name: str, table: Fields, scale: tuple[str, float], formula: str) -> None:
    unit, factor = scale
    percentiles = table.inner("percentiles")
    for statistic, label in PERCENTILES.items():
        inner = table if statistic in ("mean", "median") else percentiles
        if statistic == "p50" and "median" in table:
            continue
        figures.add(
            f"{name}_{label}" if name else "", statistic, "s",
            tool_unit=unit, scale=factor, formula=formula, fields=inner, latency=True,
        )  # fmt: skip


def _span(scheduler: Fields) -> Span | None:
    """Return the window by guidellm's wall clock; it writes -1 for a time that it does not know."""
    if "measure_start_time" not in scheduler or "measure_end_time" not in scheduler:
        return None
    start_s, end_s = scheduler.number("measure_start_time"), scheduler.number("measure_end_time")
    if start_s is None or end_s is None or end_s <= start_s:
        raise scheduler.refused("measure_end_time", "a time after measure_start_time")
    return Span(start_s, end_s)


FORMAT = Format(
    "guidellm",
    (frozenset({"benchmarks", "metadata"}), frozenset({"benchmarks", "args"})),
    frozenset({"benchmarks", "metadata", "args", "guidellm_version"}),
    _read,
)
