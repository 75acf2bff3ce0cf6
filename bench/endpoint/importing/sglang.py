"""Lines of SGLang's `bench_serving`.

References
----------
SGLang, `bench_serving.py`: TPOT is (latency - TTFT) / (tokens - 1), with the tokens that the server states, or else
those that were requested. `random_range_ratio` r draws lengths from r N to N, so that their mean is N (1 + r) / 2.
"""

from bench.endpoint.importing.fields import Fields
from bench.endpoint.importing.run import MILLISECONDS, Figures, Format, ToolRun, add_latencies

_TERMS = {"ttft": "ttft", "tpot": "tpot", "e2e_latency": "e2e", "itl": ""}
_RATES = {
    "output_throughput": ("rate", "token/s"),
    "request_throughput": ("request_rate", "request/s"),
    "input_throughput": ("input_token_rate", "input_token/s"),
    "total_throughput": ("total_token_rate", "total_token/s"),
    "output_throughput_retokenized": ("", "token/s"),
}


def _read(fields: Fields) -> list[ToolRun]:
    requests, duration_s = fields.count("completed"), fields.number("duration")
    figures = Figures(fields, requests)
    for key, (name, unit) in _RATES.items():
        figures.add(name, key, unit)
    figures.add("", "total_output_tokens_retokenized", "token")
    add_latencies(figures, _TERMS, lambda statistic, term: f"{statistic}_{term}_ms", MILLISECONDS)
    ratio = fields.number("random_range_ratio")
    return [
        ToolRun(
            tool="sglang",
            place=fields.file,
            figures=tuple(figures.kept),
            dropped=tuple(figures.dropped),
            tokens_from="server usage, else the requested length",
            requests=requests,
            duration_s=duration_s,
            input_tokens=fields.number("total_input_tokens"),
            output_tokens=fields.number("total_output_tokens"),
            lengths=(_mean(fields, "random_input_len", ratio), _mean(fields, "random_output_len", ratio)),
            concurrency=fields.count("max_concurrency"),
            rate_per_s=fields.rate("request_rate"),
            parameters={
                "backend": fields.text("backend"),
                "dataset": fields.text("dataset_name"),
                "random_input_len": fields.count("random_input_len"),
                "random_output_len": fields.count("random_output_len"),
                "random_range_ratio": ratio,
            },
        )
    ]


def _mean(fields: Fields, key: str, ratio: float | None) -> float | None:
    """Return the mean length of a uniform draw from ratio x N to N; without a ratio it is not known."""
    longest = fields.number(key)
    if longest is None or ratio is None:
        return None
    if ratio > 1.0:
        raise fields.refused("random_range_ratio", "a number from 0 to 1")
    return longest * (1.0 + ratio) / 2.0


_NEEDED = frozenset({"completed", "output_throughput", "total_output_tokens"})
FORMAT = Format(
    "sglang",
    (
        _NEEDED | {"total_output_tokens_retokenized"},
        _NEEDED | {"median_e2e_latency_ms"},
        _NEEDED | {"mean_e2e_latency_ms"},
    ),
    _NEEDED | {"backend", "dataset_name", "request_rate", "max_concurrency", "random_input_len", "random_output_len",
               "random_range_ratio", "duration", "total_input_tokens", "total_output_tokens_retokenized",
               "input_throughput", "total_throughput", "median_e2e_latency_ms", "accept_length", "concurrency"},
    _read,
)  # fmt: skip
