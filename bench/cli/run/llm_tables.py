"""The tables and the JSON documents of `perwatt run llm`: modelled rows and measured rows."""

import math
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
        "basis": predictions[0].basis,
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
                "modelled_power": _power(one),
                "tags": None if one.tags is None else asdict(one.tags),
                "basis": one.basis,
                "holdout": asdict(one.holdout),
                "warning": one.warning,
            }
            for one in predictions
        ],
    }


def _power(one: "Prediction") -> dict[str, object] | None:
    """Return the modelled watts of a row with their errors, or None."""
    from dataclasses import asdict

    watts = one.watts
    if watts is None:
        return None
    return {
        "gpu_w": watts.gpu_w,
        "node_w_per_gpu": watts.node_w,
        "joules_per_token": one.modelled_joules_per_token,
        "rms_ln": {
            "gpu_w": watts.holdout.rms_ln,
            "node_w": watts.node_rms_ln,
            "joules_per_token": watts.joule_rms_ln(one.holdout.rms_ln),
        },
        "holdout": asdict(watts.holdout),
        "cap_w": watts.cap_w,
        "clock_frac": watts.clock_frac,
        "family": watts.family.name,
        "is_tested": watts.is_tested,
        "is_estimate": watts.is_estimate,
        "basis": "modelled",
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
            watts(one),
            joules(one),
            f"{plain(one.joules_per_token)}{_mark(one)}",
            "-" if one.tags is None else one.tags.latency_limit,
        )
        for one in predictions
    ]
    first = predictions[0]
    print_table(
        [
            "users",
            "concurrent",
            "output tok/s",
            "tok/s per user",
            "TTFT",
            "TPOT",
            "W a GPU",
            "J/token",
            "J/token provisioned",
            "latency limit",
        ],
        shown,
        title=(
            f"{first.basis.capitalize()}: {setup.shape.title} in {setup.kind.name} on {setup.gpus} x "
            f"{setup.device.title}, {first.input_len}:{first.output_len}"
        ),
        right=(1, 2, 3, 4, 5, 6, 7, 8),
    )
    say_basis(setup, first, chosen=chosen)


def say_basis(setup: "Setup", first: "Prediction", *, chosen: bool) -> None:
    """Print what modelled figures rest on, and the error of their class."""
    if first.warning is not None:
        say(f"! Do not plan with these figures: {first.warning}. Site files refuse them.")
    if not chosen:
        say(
            f"Nothing was measured: the figures are modelled for {setup.device.slug}, the default GPU "
            "(--device selects another)."
        )
    from bench.inference.judged.blind import blind_words
    from bench.inference.options import stated_words

    holdout = first.holdout
    say(
        f"Basis: {first.basis}, engine class {setup.engine.name} ({setup.engine.title}), fitted on "
        f"{setup.engine.fitted_on}. ± is the mean error of the class {holdout.name} on {holdout.rows} published rows "
        f"that were not used in the fit (worst {holdout.worst_frac:.0%}); nine of ten rates of a new configuration lie "
        f"within a factor of {math.exp(holdout.half_ln):.2f}."
    )
    say(f"Take care with other engines and publishers: {blind_words()}.")
    if stated := stated_words(setup):
        say(f"Stated: {stated}. The error of the class is of rows without.")
    if first.scale is not None:
        say(f"The model is scaled by {first.scale.factor:.3g}, as measured on this device: {first.scale.words}.")
    _say_watts(first)
    if setup.device.power_w is not None:
        say(
            f"J/token provisioned: {setup.device.boundary} boundary, {plain(setup.device.power_w)} W per GPU "
            f"({setup.device.power_source}), divided by output tokens."
        )


def _say_watts(one: "Prediction") -> None:
    """Print what the watts are and how well they are known."""
    from bench.inference.power.estimate import unknown_watts

    watts = one.watts
    if watts is None:
        say(f"W a GPU: not modelled: {unknown_watts(one.setup)}.")
        return
    if watts.is_estimate:
        say(
            f"W a GPU and J/token: an estimate, node boundary: no watts of {watts.family.name} GPUs under a load were "
            f"published. It lies between what such a GPU draws without work and its limit; the ± is assumed."
        )
        return
    cap = (
        ""
        if watts.cap_w is None
        else f" Each GPU is limited to {watts.cap_w:,.0f} W: {watts.clock_frac:.0%} clock (first row)."
    )
    tested = "" if watts.is_tested else f" No row of {one.setup.device.slug} itself was tested."
    say(
        f"W a GPU and J/token: modelled at this load, node boundary; the GPU's own watts are off by "
        f"{watts.holdout.error_frac:.0%} on {watts.holdout.rows} published rows of other models on {watts.family.name} "
        f"GPUs (worst {watts.holdout.worst_frac:.0%}).{tested}{cap}"
    )


def watts(one: "Prediction") -> str:
    """Return the modelled watts of a GPU's share of its server, with their error."""
    return "-" if one.watts is None else f"{plain(one.watts.node_w)} ± {_error(one.watts.node_rms_ln)}"


def joules(one: "Prediction") -> str:
    """Return the modelled energy of a token with its error."""
    if one.watts is None or one.modelled_joules_per_token is None:
        return "-"
    error = _error(one.watts.joule_rms_ln(one.holdout.rms_ln))
    return f"{plain(one.modelled_joules_per_token)} ± {error}{_mark(one)}"


def _error(rms_ln: float) -> str:
    """Return a root mean square of logarithmic errors as per cent."""
    return f"{math.expm1(rms_ln):.0%}"


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
