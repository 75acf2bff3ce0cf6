"""Results of the ML.ENERGY benchmark, and configurations of its leaderboard.

References
----------
ML.ENERGY 3.0: energy and tokens are those of the steady state, from the moment at which the batch is full until it no
longer is, by the counters of the GPUs. The leaderboard's throughput is the mean power over the energy per token.
"""

from bench.endpoint.figures.latency import quantile
from bench.endpoint.figures.summary import LEVELS
from bench.endpoint.importing.fields import Fields
from bench.endpoint.importing.run import MILLISECONDS, Figures, Format, ToolRun, add_latencies
from bench.endpoint.importing.vllm import latencies_of_vllm

_WINDOW = "steady state, while the batch is full"
_TOKENS_FROM = "server usage of each chunk"


def _read(fields: Fields) -> list[ToolRun]:
    requests = fields.count("completed")
    figures = Figures(fields, requests)
    figures.add("energy_per_token_board", "steady_state_energy_per_token", "J/token")
    per_token, joules = fields.needed("steady_state_energy_per_token"), fields.needed("steady_state_energy")
    duration_s = fields.needed("steady_state_duration")
    figures.derive(
        "power_board", joules / duration_s, "W", "steady_state_energy", "steady_state_energy / steady_state_duration"
    )
    formula = "steady_state_energy / steady_state_energy_per_token / steady_state_duration"
    figures.derive("rate", joules / per_token / duration_s, "token/s", "steady_state_energy", formula)
    figures.add("", "output_throughput", "token/s", formula="of the whole run, with its ramps")
    figures.add("", "request_throughput", "request/s", formula="of the whole run, with its ramps")
    before = len(figures.kept)
    latencies_of_vllm(figures, fields)
    if len(figures.kept) == before:
        _add_single(figures, fields)
    return [
        ToolRun(
            tool="ml-energy",
            place=fields.file,
            figures=tuple(figures.kept),
            dropped=tuple(figures.dropped),
            tokens_from=_TOKENS_FROM,
            window=_WINDOW,
            device=_device(fields),
            model=fields.text("model_id"),
            requests=requests,
            duration_s=fields.number("duration"),
            input_tokens=fields.number("total_input_tokens"),
            output_tokens=fields.number("total_output_tokens"),
            concurrency=fields.count("max_num_seqs"),
            parameters={"steady_state_s": duration_s},
        )
    ]


def _add_single(figures: Figures, fields: Fields) -> None:
    """Add the quantiles of single requests."""
    values: dict[str, list[float]] = {"ttft": [], "tpot": [], "e2e": []}
    for one in fields.tables("results"):
        ttft_s, e2e_s, tokens = one.number("ttft"), one.number("latency"), one.number("output_len")
        if one.flag("success") is False or not ttft_s or not e2e_s:
            continue
        values["ttft"].append(ttft_s)
        values["e2e"].append(e2e_s)
        if tokens and tokens > 1.0 and e2e_s > ttft_s:
            values["tpot"].append((e2e_s - ttft_s) / (tokens - 1.0))
    formulas = {"ttft": "of results[].ttft", "tpot": "of (latency - ttft) / (output_len - 1)", "e2e": "of latency"}
    for name, of_requests in values.items():
        for label, level in LEVELS.items():
            figures.derive(
                f"{name}_{label}", quantile(of_requests, level), "s", "results", formulas[name], n=len(of_requests) or 1
            )


def _read_leaderboard(fields: Fields) -> list[ToolRun]:
    return [_configuration(one) for one in fields.tables("configurations")]


def _configuration(fields: Fields) -> ToolRun:
    figures = Figures(fields)
    per_token, power_w = fields.needed("energy_per_token_joules"), fields.number("avg_power_watts")
    figures.add("energy_per_token_board", "energy_per_token_joules", "J/token")
    figures.add("joules_per_request_board", "energy_per_request_joules", "J/request")
    figures.add("power_board", "avg_power_watts", "W")
    if "output_throughput_tokens_per_sec" in fields:
        figures.add("rate", "output_throughput_tokens_per_sec", "token/s")
    elif power_w is not None:
        formula = "avg_power_watts / energy_per_token_joules"
        figures.derive("rate", power_w / per_token, "token/s", "avg_power_watts", formula)
    add_latencies(figures, {"itl": ""}, lambda statistic, term: f"{statistic}_{term}_ms", MILLISECONDS)
    return ToolRun(
        tool="ml-energy",
        place=f"{fields.file}: {fields.name('').removesuffix('.')}".removesuffix(": "),
        figures=tuple(figures.kept),
        dropped=tuple(figures.dropped),
        tokens_from=_TOKENS_FROM,
        window=_WINDOW,
        device=_device(fields),
        model=fields.text("model_id") or fields.text("nickname"),
        lengths=(fields.number("avg_input_len"), fields.number("avg_output_len")),
        concurrency=fields.count("max_num_seqs"),
        parameters={"batch_mean": fields.number("avg_batch_size"), "precision": fields.text("weight_precision")},
    )


def _device(fields: Fields) -> str:
    gpus = fields.count("num_gpus")
    return " ".join(filter(None, (str(gpus) if gpus else None, fields.text("gpu_model"))))


_RESULT = frozenset({"steady_state_energy_per_token", "steady_state_duration"})
_CONFIGURATION = frozenset({"energy_per_token_joules", "gpu_model"})
FORMATS = (
    Format("ml-energy", (_RESULT,), _RESULT | {"steady_state_energy", "output_throughput", "results"}, _read),
    Format("ml-energy leaderboard", (frozenset({"configurations"}),), frozenset({"task", "configurations"}),
           _read_leaderboard),
    Format("ml-energy configuration", (_CONFIGURATION,), _CONFIGURATION | {"avg_power_watts", "median_itl_ms"},
           lambda fields: [_configuration(fields)]),
)  # fmt: skip
