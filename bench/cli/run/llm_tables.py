"""The tables and the JSON documents of `perwatt run llm`: modelled rows and measured rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.output import plain, say
from bench.cli.table import print_table

if TYPE_CHECKING:
    from bench.inference.predict import Prediction
    from bench.inference.rates import Served
    from bench.inference.serving import Setup
    from bench.results.record import Record


def document(setup: "Setup", predictions: "Sequence[Prediction]") -> dict[str, object]:
    """Return modelled rows as one JSON-ready document."""
    from dataclasses import asdict

    return {
        "schema": "perwatt.run_llm/1",
        "basis": "modelled",
        "model": setup.shape.name,
        "dtype": setup.kind.name,
        "device": setup.device.slug,
        "gpus": setup.gpus,
        "engine": {"name": setup.engine.name, "title": setup.engine.title, "fitted_on": setup.engine.fitted_on},
        "power": {
            "w_per_gpu": setup.device.power_w,
            "boundary": setup.device.boundary,
            "basis": "rated",
            "source": setup.device.power_source,
        },
        "memory": {"bytes_per_gpu": setup.device.memory_bytes, "source": setup.device.memory_source},
        "rows": [
            {
                "input": one.input_len,
                "output": one.output_len,
                "users": one.clients,
                "at_once": one.batch,
                "tokens_per_s": one.tokens_per_s,
                "tokens_per_s_per_user": one.tokens_per_s_per_user,
                "ttft_s": one.ttft_s,
                "tpot_s": one.tpot_s,
                "joules_per_token": one.joules_per_token,
                "tags": None if one.tags is None else asdict(one.tags),
                "basis": one.basis,
                "holdout": asdict(one.holdout),
                "warning": one.warning,
            }
            for one in predictions
        ],
    }


def print_modelled(setup: "Setup", predictions: "Sequence[Prediction]", *, chosen: bool) -> None:
    """Print modelled rows, with the basis of the figures."""
    shown = [
        (
            "all queued" if one.clients is None else one.clients,
            one.batch,
            f"{plain(one.tokens_per_s)} ± {one.holdout.error_frac:.0%}{_mark(one)}",
            f"{plain(one.tokens_per_s_per_user)}{_mark(one)}",
            f"{plain(one.ttft_s * 1e3)} ms{_mark(one)}",
            "-" if one.tpot_s is None else f"{plain(one.tpot_s * 1e3)} ms{_mark(one)}",
            f"{plain(one.joules_per_token)}{_mark(one)}",
            "-" if one.tags is None else one.tags.latency_limit,
        )
        for one in predictions
    ]
    first = predictions[0]
    print_table(
        ["users", "concurrent", "output tok/s", "tok/s per user", "TTFT", "TPOT", "J/token", "latency limit"],
        shown,
        title=(
            f"Modelled: {setup.shape.title} in {setup.kind.name} on {setup.gpus} x {setup.device.title}, "
            f"{first.input_len}:{first.output_len}"
        ),
        right=(1, 2, 3, 4, 5, 6),
    )
    if first.warning is not None:
        say(f"! Do not plan with these figures: {first.warning}. Site files refuse them.")
    if not chosen:
        say(
            f"Nothing was measured: the figures are modelled for {setup.device.slug}, the default GPU "
            "(--device selects another)."
        )
    holdout = first.holdout
    say(
        f"Basis: modelled, engine class {setup.engine.name} ({setup.engine.title}), fitted on Llama 3.1 8B on one "
        f"H100. ± is the mean error on {holdout.rows} published rows that were not used in the fit "
        f"(worst {holdout.worst_frac:.0%})."
    )
    if setup.device.power_w is not None:
        say(
            f"J/token: provisioned power, {setup.device.boundary} boundary, {plain(setup.device.power_w)} W per GPU "
            f"({setup.device.power_source}), divided by output tokens."
        )


def _mark(one: "Prediction") -> str:
    """Return the mark of a figure that is too uncertain to plan with."""
    return "" if one.warning is None else " !"


def measured_document(
    pairs: "Sequence[tuple[Record, Record]]", served: "Sequence[Served | None]", store: Path
) -> dict[str, object]:
    """Return measured rows as one JSON-ready document."""
    from dataclasses import asdict

    return {
        "schema": "perwatt.run_llm/1",
        "basis": "measured",
        "store": str(store),
        "rows": [
            {
                "prefill": prefill.model_dump(mode="json"),
                "decode": decode.model_dump(mode="json"),
                "served": None if one is None else asdict(one),
            }
            for (prefill, decode), one in zip(pairs, served, strict=True)
        ],
    }


def _setting(record: "Record") -> str:
    """Return device, model and precision in words."""
    parameters = record.workload.parameters
    if record.device.kind == "cpu":
        return f"the CPU: {parameters['model']} in fp32, {parameters['threads']} threads"
    return f"{record.device.name}: {parameters['model']} in {parameters['dtype']}"


def print_measured(pairs: "Sequence[tuple[Record, Record]]", served: "Sequence[Served | None]", store: Path) -> None:
    """Print measured rows, with every note on them."""
    rows = []
    for (prefill, decode), one in zip(pairs, served, strict=True):
        parameters = prefill.workload.parameters
        figures = ["-"] * 5
        if one is not None:
            joules = "not metered" if one.joules_per_token is None else plain(one.joules_per_token)
            figures = [
                plain(prefill.metrics["rate"].value),
                plain(decode.metrics["rate"].value),
                plain(one.tokens_per_s),
                f"{plain(one.ttft_s * 1e3)} / {plain(one.tpot_s * 1e3)} ms",
                joules if one.joules_per_token is None else f"{joules} ({one.tags.boundary})",
            ]
        rows.append((parameters["batch"], f"{parameters['input']}:{parameters['output']}", *figures, decode.status))
    first = pairs[0][0].workload.parameters
    print_table(
        ["batch", "in:out", "prompt tok/s", "decode tok/s", "output tok/s", "TTFT / TPOT", "J/token", "status"],
        rows,
        title=f"Measured on {_setting(pairs[0][0])}, weights {first['buffers']}",
        right=(0, 2, 3, 4, 5, 6),
    )
    say("Output tok/s combines prefill and decode, which are measured separately, one batch after the other.")
    for words in dict.fromkeys(one.tags.words() for one in served if one is not None):
        say(f"Tags: {words}.")
    for prefill, decode in pairs:
        for record in (prefill, decode):
            for reason in (*record.reasons, *record.warnings):
                say(f"note: {record.workload.name}: {reason.code}: {reason.detail}")
    say(f"stored in {store}/: {', '.join(record.id for pair in pairs for record in pair)}")
