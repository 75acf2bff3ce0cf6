"""Reports of inference-perf.

References
----------
inference-perf: `time_per_output_token` is (end - first token) / (tokens - 1); `normalized_time_per_output_token` is the
whole latency over the tokens, so perwatt has no such figure. All times are seconds.
"""

from bench.endpoint.importing.fields import Fields
from bench.endpoint.importing.run import SECONDS, Figures, Format, ToolRun, add_latencies

_TERMS = {
    "time_to_first_token": "ttft",
    "time_per_output_token": "tpot",
    "request_latency": "e2e",
    "inter_token_latency": "",
    "normalized_time_per_output_token": "",
}
_RATES = {
    "output_tokens_per_sec": ("rate", "token/s"),
    "requests_per_sec": ("request_rate", "request/s"),
    "input_tokens_per_sec": ("input_token_rate", "input_token/s"),
    "total_tokens_per_sec": ("total_token_rate", "total_token/s"),
}


def _read(fields: Fields) -> list[ToolRun]:
    good = fields.needed_table("successes")
    requests = good.count("count")
    figures = Figures(good, requests)
    throughput = good.needed_table("throughput")
    for key, (name, unit) in _RATES.items():
        figures.add(name, key, unit, fields=throughput)
    latency = good.inner("latency")
    for term, name in _TERMS.items():
        if (table := latency.table(term)) is not None:
            inner = Figures(table, requests)
            add_latencies(inner, {term: name}, lambda statistic, _: statistic, SECONDS)
            figures.kept += inner.kept
            figures.dropped += inner.dropped
    rate = throughput.number("requests_per_sec")
    load, prompt, output = fields.inner("load_summary"), good.inner("prompt_len"), good.inner("output_len")
    return [
        ToolRun(
            tool="inference-perf",
            place=fields.file,
            figures=tuple(figures.kept),
            dropped=tuple(figures.dropped),
            tokens_from="the client's tokenizer, or server usage where it was asked for",
            requests=requests,
            failed=fields.inner("failures").count("count"),
            duration_s=requests / rate if requests and rate else None,
            lengths=(prompt.number("mean"), output.number("mean")),
            concurrency=load.count("concurrency"),
            rate_per_s=load.rate("requested_rate"),
            parameters={
                "achieved_rate_per_s": load.number("achieved_rate"),
                "send_duration_s": load.number("send_duration"),
            },
        )
    ]


FORMAT = Format(
    "inference-perf",
    (frozenset({"load_summary", "successes"}),),
    frozenset({"load_summary", "successes", "failures"}),
    _read,
)
