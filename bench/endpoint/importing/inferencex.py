"""Aggregates of InferenceX: figures per GPU, latencies in seconds, and power of the GPU boards.

References
----------
InferenceX, `process_result.py` and `aggregate_power.py`: `tput_per_gpu` counts input and output tokens; of a split
deployment, `output_tput_per_gpu` is divided by the decoding GPUs alone. Energies per token are of the whole deployment
from the second version of their schema on.
"""

from bench.endpoint.importing.fields import Fields
from bench.endpoint.importing.run import SECONDS, Figures, Format, ToolRun, add_latencies
from bench.endpoint.importing.vllm import TERMS, unix_span

_ENERGIES = {
    "joules_per_output_token": ("energy_per_token_board", "J/token"),
    "joules_per_total_token": ("joules_per_total_token_board", "J/total_token"),
    "joules_per_input_token": ("joules_per_input_token_board", "J/input_token"),
    "joules_per_successful_query": ("joules_per_request_board", "J/request"),
    "avg_total_gpu_power_w": ("power_board", "W"),
    "total_gpu_energy_j": ("", "J"),
}
_POWER_SCHEMA = 2


def _read(fields: Fields) -> list[ToolRun]:
    figures = Figures(fields)
    prefill, decode, total = _gpus(fields)
    for key, (name, unit, gpus) in {
        "output_tput_per_gpu": ("rate", "token/s", decode),
        "input_tput_per_gpu": ("input_token_rate", "input_token/s", prefill),
        "tput_per_gpu": ("total_token_rate", "total_token/s", total),
    }.items():
        if gpus:
            formula = f"per GPU, times {gpus} GPUs"
            figures.add(name, key, unit, tool_unit=f"{unit}/GPU", scale=float(gpus), formula=formula)
        else:  # without their number, the rate per GPU keeps its own name only
            figures.add("", key, f"{unit}/GPU")
    add_latencies(figures, TERMS, lambda statistic, term: f"{statistic}_{term}", SECONDS)
    for key in ("mean_intvty", "median_intvty"):
        figures.add("", key, "token/s")
    valid = _add_energies(figures, fields)
    span = unix_span(fields)
    return [
        ToolRun(
            tool="inferencex",
            place=fields.file,
            figures=tuple(figures.kept),
            dropped=tuple(figures.dropped),
            tokens_from="server usage, else the client's tokenizer",
            device=" ".join(filter(None, (str(total) if total else None, fields.text("hw")))),
            model=fields.text("model"),
            duration_s=None if span is None else span.end_s - span.start_s,
            lengths=(fields.number("isl"), fields.number("osl")),
            concurrency=fields.count("conc"),
            span=span,
            parameters={
                **{key: fields.text(key) for key in ("framework", "precision", "spec_decoding", "image")},
                **{key: fields.count(key) for key in ("tp", "ep")},
                "gpus": total,
                "power_valid": valid,
            },
        )
    ]


def _gpus(fields: Fields) -> tuple[int | None, int | None, int | None]:
    """Return the numbers of GPUs by which input, output and all tokens were divided; None if they are not stated."""
    prefill, decode = fields.count("num_prefill_gpu"), fields.count("num_decode_gpu")
    if prefill is not None and decode is not None:
        total = prefill + decode
        return prefill, decode or total, total
    if fields.flag("disagg") or fields.flag("is_multinode") or (tp := fields.count("tp")) is None:
        return None, None, None
    total = tp * (fields.count("pp") or 1) * (fields.count("pcp_size") or 1)
    return total, total, total


def _add_energies(figures: Figures, fields: Fields) -> bool | None:
    """Take over the energies unless InferenceX refused them; those of the first schema keep their own names only."""
    valid = fields.flag("power_valid")
    if valid is False:
        figures.dropped.extend(fields.name(key) for key in _ENERGIES if key in fields)
        return False
    whole = fields.number("power_metric_schema_version") == _POWER_SCHEMA or "avg_total_gpu_power_w" in fields
    for key, (name, unit) in _ENERGIES.items():
        figures.add(name if whole else "", key, unit)
    figures.add("", "avg_power_w", "W/GPU")
    return valid


FORMAT = Format(
    "inferencex",
    (frozenset({"tput_per_gpu", "hw"}), frozenset({"tput_per_gpu", "conc"})),
    frozenset({"hw", "conc", "image", "model", "framework", "precision", "spec_decoding", "disagg", "isl", "osl", "tp",
               "ep", "dp_attention", "tput_per_gpu", "output_tput_per_gpu", "input_tput_per_gpu", "median_intvty",
               "power_valid", "avg_power_w", "joules_per_output_token"}),
    _read,
)  # fmt: skip
