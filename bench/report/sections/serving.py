"""The page's section of inference servers: their loads, the best of them, codes and definitions."""

from typing import TYPE_CHECKING

from bench.device_rates import usable_in_sites
from bench.endpoint.figures.summary import Limits
from bench.endpoint.sweep.choice import best, is_host_bound
from bench.endpoint.sweep.records import doubts, knee_words, points_of
from bench.quantity import plain
from bench.report.blocks import Block, Cell, Chip, Facts, Missing, Notices, Section, Table, figure_cell
from bench.report.sections.provenance import notices_of
from bench.report.text import energy_per_unit_text, metric_interval
from bench.results.token_tags import tags_of

if TYPE_CHECKING:
    from bench.report.charts.serving import Load
    from bench.report.gather import Gathered
    from bench.results.record import Metric, Record

WORKLOAD = "llm_serve_endpoint"
_CHARTS = 4  # runs that are drawn
_MILLI = 1e3


def section(gathered: "Gathered") -> Section | None:
    """Return the section, or None for a page without a result of a server."""
    records = [record for record in gathered.valid if record.workload.name == WORKLOAD]
    if not records:
        return None
    runs: dict[str, list[Record]] = {}
    for record in reversed(records):
        runs.setdefault(record.run.run_id, []).insert(0, record)
    swept = [run for run in runs.values() if len(points_of(run)) > 1]
    blocks: list[Block] = []
    for number, run in enumerate(swept[:_CHARTS]):
        blocks.extend(_of_run(number, run))
    if not swept:
        blocks.append(Missing("Loads against each other", "each run has one load; `--concurrency sweep` measures more"))
    elif len(swept) > _CHARTS:
        blocks.append(Missing(f"{len(swept) - _CHARTS} more runs", "the page draws the newest; the table has all"))
    blocks.append(_table(list(reversed(records))))
    blocks.append(Notices(notices_of(records, load_name)))
    if definitions := _definitions(records):
        blocks.append(Facts("Definitions", definitions, open=False))
    return Section(
        "serving",
        "Inference servers: each load",
        "Live servers under load. Tokens are counted as they arrive, in the same seconds as the energy. Requests that "
        "run at a window's edge count with the tokens that came within it.",
        tuple(blocks),
    )


def load_name(record: "Record") -> str:
    """Return the load of a record in words."""
    parameters = record.workload.parameters
    at, rate = parameters.get("concurrency"), parameters.get("rate_per_s")
    if at is not None:
        return f"{at} at a time"
    return f"{rate:.4g} requests/s" if isinstance(rate, int | float) else "load unknown"


def _of_run(number: int, run: "list[Record]") -> list[Block]:
    """Return the drawing of a run and its best loads."""
    from bench.report.charts.serving import pareto_chart

    first, points = run[0], points_of(run)
    model = first.workload.parameters.get("model")
    title = f"{first.device.name}, model {model}, {first.run.started_utc:%Y-%m-%d %H:%M} UTC"
    blocks: list[Block] = []
    if any(point.user_rate for point in points):
        blocks.append(pareto_chart(f"chart-serving-{number}", title, _loads(run)))
    else:
        blocks.append(Missing(title, "no load has enough requests for a time per token"))
    limits = Limits(*(_limit(first, name) for name in ("ttft_s", "tpot_s")))
    choice = best(points, limits)
    words = "no load keeps the limits"
    if choice is not None:
        alike = ", ".join(str(point.concurrency) for point in choice.alike)
        words = f"{choice.best.concurrency} at a time, by {choice.by}"
        words += f"; cannot be told apart: {alike}" if len(choice.alike) > 1 else ""
    pairs = [("limits (median)", _limit_words(limits)), ("best load", words)]
    usable = usable_in_sites(run)
    if choice is not None and (id_ := choice.best.record_id) in usable:
        all_loads = f', or with all loads device = "curve:{id_}"' if len(usable) > 1 else ""
        pairs.append(("in a site", f'device = "result:{id_}"{all_loads}'))
    if bend := knee_words(run):
        pairs.append(("knee", bend))
    pairs.extend(doubts(run).items())
    host = ", ".join(str(point.concurrency) for point in is_host_bound(points))
    if host:
        pairs.append(("host", f"at {host} power and throughput fall although the load rises: the host limits it"))
    blocks.append(Facts(f"Best load: {title}", tuple(pairs)))
    return blocks


def _loads(run: "list[Record]") -> "list[Load]":
    from bench.report.charts.serving import Load

    by_id = {record.id: record for record in run}
    return [
        Load(
            point,
            rate.interval_95 if (rate := by_id[point.record_id].rate) else None,
            energy.interval_95 if (energy := by_id[point.record_id].energy_per_unit) else None,
        )
        for point in points_of(run)
    ]


def _limit(record: "Record", name: str) -> float | None:
    value = record.workload.parameters.get(f"limit_{name}")
    return float(value) if isinstance(value, int | float) else None


def _limit_words(limits: Limits) -> str:
    stated = (("TTFT", limits.ttft_s), ("TPOT", limits.tpot_s))
    return ", ".join(f"{name} ≤ {value * _MILLI:g} ms" for name, value in stated if value is not None) or "none"


def _table(records: "list[Record]") -> Table:
    columns = (
        "Load", "Output tokens/s", "Interval", "TTFT q50 ms", "TTFT q90 ms", "TPOT q50 ms", "TPOT q90 ms",
        "Good requests/s", "Power W", "Energy per output token", "Interval of the energy", "J/total token", "J/request",
        "Tags", "Requests",
    )  # fmt: skip
    return Table(
        "serving-table",
        f"Loads of inference servers: {len(records)}, newest first",
        columns,
        tuple(_row(record) for record in records),
        frozenset(range(1, 13)) - {2, 10},
        sortable=True,
        roomy=frozenset({13}),
        note="q50 and q90 are quantiles over requests; one that too few requests support is left out.",
    )


def _row(record: "Record") -> tuple[Cell, ...]:
    energy, power, metrics = record.energy_per_unit, record.power, record.metrics
    number, unit = energy_per_unit_text(energy.value, "J/token") if energy else ("not metered", "")
    boundary = power.boundary if power is not None else None
    codes = {reason.code for reason in record.warnings}
    chips = tuple(Chip(word, "warn") for code, word in (("imported", "imported"), ("plan_smoke", "smoke"))
                  if code in codes)  # fmt: skip
    return (
        Cell(load_name(record), _order(record), chips, note=f"{record.device.name}, {_model(record)}"),
        _figure(record.rate),
        Cell(metric_interval(record.rate) if record.rate else "-"),
        *(_figure(metrics.get(name), _MILLI) for name in ("ttft_q50", "ttft_q90", "tpot_q50", "tpot_q90")),
        _figure(metrics.get("good_request_rate")),
        _figure(power),
        figure_cell(f"{number} {unit}".strip(), energy.value if energy else None),
        Cell(metric_interval(energy) if energy else "-"),
        *(_figure(metrics.get(f"joules_per_{unit_}_{boundary}")) for unit_ in ("total_token", "request")),
        Cell(tags_of(record).words()),
        Cell(_outcomes(record)),
    )


def _model(record: "Record") -> str:
    return f"model {record.workload.parameters.get('model')}"


def _order(record: "Record") -> float | None:
    value = record.workload.parameters.get("concurrency")
    return float(value) if isinstance(value, int | float) else None


def _figure(metric: "Metric | None", factor: float = 1.0) -> Cell:
    return figure_cell("-", None) if metric is None else figure_cell(plain(metric.value * factor), metric.value)


def _outcomes(record: "Record") -> str:
    if record.endpoint is None:
        return "-"
    return ", ".join(f"{count:,} {name}" for name, count in record.endpoint.outcomes.items())


def _definitions(records: "list[Record]") -> tuple[tuple[str, str], ...]:
    known: dict[str, str] = {}
    for record in records:
        known.update(record.endpoint.definitions if record.endpoint is not None else {})
    return tuple(known.items())
