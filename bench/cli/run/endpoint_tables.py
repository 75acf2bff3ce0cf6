"""The tables of `perwatt run endpoint`: one line a load, the best load, and the checks behind the figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.output import plain, say
from bench.cli.run.tables import print_notes
from bench.cli.table import print_table
from bench.results.token_tags import tags_of

if TYPE_CHECKING:
    from bench.endpoint.figures.summary import Limits
    from bench.results.record import Metric, Record

UNITS = ("total_token", "request", "good_request")
"""What energy is stated for besides output tokens."""
COUNTED_BY = {
    "token_ids": "the token ids of the stream",
    "continuous_usage": "the running counts of the stream",
    "final_usage": "the count at the end of each answer",
}


def print_endpoint(records: "Sequence[Record]", store: Path, limits: "Limits") -> None:
    """Print the measured loads for people."""
    first = next((record for record in records if record.endpoint is not None), records[0])
    parameters = first.workload.parameters
    server = f"{first.workload.variant} {parameters.get('server_version') or ''}".strip()
    name = f"{parameters.get('url')}, {server}" if server else parameters.get("url")  # a run that never began has none
    say(f"server     {name}, model {parameters.get('model')}")
    say(f"requests   {_requests(first)}")
    _print_loads(records)
    _print_energy(records)
    for words in dict.fromkeys(tags_of(record).words() for record in records if record.status == "ok"):
        say(f"tokens     {words}")
    if len({record.workload.parameters.get("lengths") for record in records}) > 1:
        _print_split(records)
    elif len(records) > 1:
        _print_best(records, limits)
    _print_checks(records)
    _print_ceiling(records)
    print_notes(records, load_of)
    _print_for_a_site(records, limits)
    say(f"stored in {store}/: {', '.join(record.id for record in records)}")


def print_trial(record: "Record") -> None:
    """Print the tiny server's run of the main job on one line, which says what it is not."""
    if record.rate is None:
        return
    figures = [f"{plain(record.rate.value)} output tok/s"]
    figures += [f"{word} {_ms(record, name)}" for word, name in (("TTFT", "ttft_q50"), ("TPOT", "tpot_q50"))]
    say(f"endpoint   {record.device.name}: {', '.join(figures)}; it shows that `perwatt run endpoint` works here, and "
        f"is no figure of this machine; stored as {record.id}")  # fmt: skip


def _print_loads(records: "Sequence[Record]") -> None:
    print_table(
        ["load", "output tok/s", "95 % interval", "input tok/s", "TTFT q50", "TTFT q90", "TPOT q50", "TPOT q90",
         "requests", "good requests/s"],
        [
            (
                load_of(record),
                plain(record.rate.value) if record.rate else record.status.upper(),
                _interval(record.rate),
                _value(record, "input_token_rate"),
                *(_ms(record, name) for name in ("ttft_q50", "ttft_q90", "tpot_q50", "tpot_q90")),
                sum(record.endpoint.outcomes.values()) if record.endpoint else "-",
                _value(record, "good_request_rate"),
            )
            for record in records
        ],
        title="Measured",
        right=range(1, 10),
        optional=(3, 9, 5),
    )  # fmt: skip


def _print_energy(records: "Sequence[Record]") -> None:
    metered = [(record, energy) for record in records if (energy := record.energy_per_unit) is not None]
    if not metered:
        assumed = records[0].assumed_power_w
        say(f"energy     not metered: rates only{f'; {assumed.power_w:g} W assumed' if assumed else ''}")
        return
    boundary = metered[0][1].boundary
    print_table(
        ["load", "power W", "J/output token", "95 % interval", "J/total token", "J/request", "J/good request",
         "tokens/kWh"],
        [
            (
                load_of(record),
                plain(record.power.value) if record.power else "-",
                plain(energy.value),
                _interval(energy),
                *(_value(record, f"joules_per_{unit}_{boundary}") for unit in UNITS),
                plain(3.6e6 / energy.value),
            )
            for record, energy in metered
        ],
        title=f"Energy at the {boundary}, gross, over the same seconds",
        right=range(1, 8),
        optional=(6, 7),
    )  # fmt: skip
    for record, _ in metered:
        for idle in record.idle:
            say(f"idle       {load_of(record)}: {plain(idle.power_w)} W {idle.when} the load ({idle.meter})")


def _print_split(records: "Sequence[Record]") -> None:
    from bench.endpoint.mixes import split_of

    split = split_of(records)
    if isinstance(split, str):
        say(f"split      the energy of prompts and answers cannot be told apart: {split}")
        return
    for name, part, unit in (
        ("prompts", split.j_per_input_token, "J/input token"),
        ("answers", split.j_per_output_token, "J/output token"),
        ("base", split.base_w, "W without tokens"),
    ):
        low, high = part.interval
        doubt = "" if low > 0.0 else "; cannot be told from 0"
        say(f"{name:<10} {plain(part.value)} {unit} (95 %: {plain(low)} to {plain(high)}{doubt})")


def _print_best(records: "Sequence[Record]", limits: "Limits") -> None:
    from bench.endpoint.sweep.choice import best, is_host_bound, pareto
    from bench.endpoint.sweep.records import doubts, knee_words, points_of

    points = points_of(records)
    if not points:
        return
    for name, words in doubts(records).items():
        say(f"{name:<10} {words}")
    if bend := knee_words(records):
        say(f"knee       {bend}")
    choice = best(points, limits)
    if choice is None:
        say("best       no load keeps the limits")
    else:
        alike = [point.concurrency for point in choice.alike]
        others = f"; cannot be told apart: {', '.join(map(str, alike))}" if len(alike) > 1 else ""
        say(f"best       {choice.best.concurrency} at a time, by {choice.by}{others}")
    front = ", ".join(str(point.concurrency) for point in pareto(points))
    say(f"pareto     {front}: no other load is better in throughput, speed for one user and energy at once")
    for point in is_host_bound(points):
        say(f"host       at {point.concurrency} power and throughput fall although the load rises: the host limits it")


def _print_for_a_site(records: "Sequence[Record]", limits: "Limits") -> None:
    """Print how a site uses the best of the loads, and all of them; a rate without a power cannot be used."""
    from bench.device_rates import usable_in_sites
    from bench.endpoint.sweep.choice import best
    from bench.endpoint.sweep.records import points_of

    points = points_of(records)
    choice = best(points, limits)
    usable = usable_in_sites(records)
    id_ = choice.best.record_id if choice is not None else "" if points else records[0].id
    if id_ in usable:
        say(f'in a site  device = "result:{id_}"  ({load_of(usable[id_])})')
    loads = [usable[point.record_id] for point in points if point.record_id in usable]
    if len({str(tags_of(load).lengths) for load in loads}) == 1 and len(loads) > 1:
        say(
            f'in a site  device = "curve:{loads[0].id}"  ({len(loads)} loads; the site uses the best ones in each hour)'
        )


def _requests(record: "Record") -> str:
    """Return prompts, answers and the count of tokens in words."""
    parameters, part = record.workload.parameters, record.endpoint
    prompts = "your own prompts"
    if parameters.get("prompts") != "own":
        prompts = f"prompts of {parameters.get('input')} tokens ({parameters.get('prompts')})"
    elif part is not None and part.prompt_tokens_mean:
        prompts = f"your own prompts (mean {plain(part.prompt_tokens_mean)} tokens)"
    source = str(parameters.get("tokens_from"))
    lengths, trace = str(parameters.get("lengths")), parameters.get("arrivals")
    spread = "" if "on average" in lengths else " ± 20 %"
    answers = "as long as the model likes" if ":free" in lengths else f"of {parameters.get('output')}{spread} tokens"
    times = f"; arrivals of {trace}" if trace else ""
    return f"{prompts}, answers {answers}{times}; tokens by {COUNTED_BY.get(source, source.replace('_', ' '))}"


def _print_checks(records: "Sequence[Record]") -> None:
    for record in records:
        part = record.endpoint
        if part is None:
            continue
        failed = {name: count for name, count in part.outcomes.items() if name != "ok"}
        if failed:
            say(f"outcomes   {load_of(record)}: {', '.join(f'{count} {name}' for name, count in failed.items())}")
        counts = part.server
        if counts is not None and counts.output_tokens is not None and counts.own_output_tokens:
            gap = counts.output_tokens / counts.own_output_tokens - 1.0
            running = "" if counts.running_mean is None else f"; {counts.running_mean:.1f} requests run"
            say(f"server     {load_of(record)}: its own count of tokens differs by {gap:+.2%}{running}")
        if counts is not None and counts.queue_s_mean is not None and (first := record.metrics.get("ttft_q50")):
            queue_ms, share = plain(counts.queue_s_mean * 1e3, 3), counts.queue_s_mean / first.value
            say(f"queue      {load_of(record)}: a request waits {queue_ms} ms in the server, {share:.0%} of TTFT q50")


def _print_ceiling(records: "Sequence[Record]") -> None:
    """Print the largest share of what the client takes from a null server that a load had."""
    shares = [
        (record.rate.value / ceiling.tokens_per_s, load_of(record), ceiling.tokens_per_s)
        for record in records
        if record.rate is not None and record.endpoint is not None
        if (ceiling := record.endpoint.client.ceiling) is not None
    ]
    if shares:
        share, load, most = max(shares)
        say(f"client     {load}: {share:.1%} of the {plain(most)} tokens/s that it takes from a server without work")


def load_of(record: "Record") -> str:
    """Return the load of a record in words, with its lengths if it is one of several mixes."""
    parameters = record.workload.parameters
    mix = f", {parameters['input']}:{parameters['output']}" if parameters.get("mix") else ""
    if parameters.get("concurrency") is not None:
        return f"{parameters['concurrency']} at a time{mix}"
    return f"{parameters.get('rate_per_s'):.4g} requests/s{mix}"


def _interval(metric: "Metric | None") -> str:
    """Return an interval in words; the figures are above 0 by nature, so it begins at 0 at the lowest."""
    if metric is None or metric.interval_95 is None:
        return "-"
    low, high = metric.interval_95
    return f"{plain(low)} to {plain(high)}" if low > 0.0 else f"0 to {plain(high)}"


def _value(record: "Record", name: str) -> str:
    metric = record.metrics.get(name)
    return "-" if metric is None else plain(metric.value)


def _ms(record: "Record", name: str) -> str:
    metric = record.metrics.get(name)
    return "-" if metric is None else f"{plain(metric.value * 1e3, 3)} ms"
