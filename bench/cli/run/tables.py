"""The tables and the JSON document of `perwatt run`: results, the catalogue, the example site and the notes."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import diagnostics
from bench.cli.output import fault, j_per_th, plain, quantity, rate, say, short, si
from bench.cli.table import print_table

if TYPE_CHECKING:
    from bench.compare.device_figures import DeviceFigures
    from bench.main_job import Assessment
    from bench.results.record import Metric, Record
    from sites.dispatch.year import SiteYear
    from sites.perspective.blocks import BlockPerspective
    from sites.perspective.one_device import Megawatt


def document(records: "Sequence[Record]", store: Path, main_job: "Assessment | None") -> dict[str, Any]:
    """Return the run as one JSON-ready document."""
    run: dict[str, Any] = {
        "schema": "perwatt.run/1",
        "store": str(store),
        "records": [record.model_dump(mode="json") for record in records],
    }
    if main_job is not None:
        from bench.main_job import device_document

        choice = main_job.scan_choice
        run["scan_choice"] = choice.document() if choice is not None else None
        run["devices"] = [device_document(device) for device in main_job.devices]
        run["miner"] = main_job.lab.document() if main_job.lab is not None else None
        from sites.dispatch.year import summarise
        from sites.perspective.blocks import perspectives

        run["site"] = asdict(summarise(main_job.site))
        run["scenarios"] = {
            "count": main_job.outlook.run.scenarios,
            "seed": main_job.outlook.run.run.seed,
            "site": {name: asdict(spread) if spread else None for name, spread in main_job.outlook.fleet.items()},
            "tornado": asdict(main_job.outlook.tornado),
        }
        run["perspective"] = [item.document() for item in perspectives(main_job.site)]
        run["megawatts"] = [asdict(line) for line in main_job.megawatts]
    return run


def print_run(records: "Sequence[Record]", store: Path, main_job: "Assessment | None") -> None:
    """Print a run for people."""
    _print_measured(records)
    print_tags(records)
    if main_job is not None:
        if main_job.scan_choice is not None:
            say(main_job.scan_choice.sentence())
        _print_devices(main_job)
        if main_job.lab is not None:
            from bench.cli.run.lab import print_lab

            print_lab(main_job.lab, main_job.why_no_megawatt)
        _print_site(main_job)
    print_notes(records)
    say(f"stored in {store}/: {', '.join(record.id for record in records)}")


def _print_measured(records: "Sequence[Record]") -> None:
    names = {record.device.name for record in records}
    print_table(
        ("workload", "variant", "rate (measured)", "95 % interval", "cycles/hash", "% of bound", "energy"),
        [
            (
                record.workload.name,
                record.workload.variant,
                rate(record.rate.value, record.rate.unit) if record.rate else record.status.upper(),
                _interval(record.rate) if record.rate else "",
                _cycles(record),
                _of_bound(record),
                energy_cell(record),
            )
            for record in records
        ],
        title=f"Measured on {', '.join(names)}, plan {records[0].run.plan}",
        right=(2, 3, 4, 5),
    )


def print_tags(records: "Sequence[Record]") -> None:
    """Print the five tags of the workloads that count tokens; workloads with the same tags share a line."""
    from dataclasses import replace

    from bench.results.token_tags import TagSet, tags_of

    alike: dict[tuple[TagSet, str], list[Record]] = {}
    for record in records:
        if record.workload.unit == "token":
            parameters = record.workload.parameters
            model = f"{parameters.get('model')}, batch {parameters.get('batch')}"
            alike.setdefault((replace(tags_of(record), token_basis=""), model), []).append(record)
    for (tags, model), group in alike.items():
        basis = " and ".join(dict.fromkeys(tags_of(record).token_basis for record in group))
        names = "tok/s" if len(alike) == 1 else ", ".join(record.workload.name for record in group)
        say(f"{names}: {model}; {replace(tags, token_basis=basis).words()}")


def _interval(metric: "Metric") -> str:
    if metric.interval_95 is None:
        return "one window"
    half = (metric.interval_95[1] - metric.interval_95[0]) / 2
    return f"± {half / metric.value:.2%}"


def _cycles(record: "Record") -> str:
    metric = record.metrics.get(f"cycles_per_{record.workload.unit}")
    if metric is None or record.workload.unit != "hash":
        return ""
    return f"{metric.value:.1f}"


def _of_bound(record: "Record") -> str:
    fraction = record.metrics.get("fraction_of_bound")
    if fraction is None:
        return ""
    bound_by = record.metrics["bound"].bound_by
    return f"{fraction.value:.0%}" + (f" ({bound_by})" if bound_by else "")


def energy_cell(record: "Record") -> str:
    """Return the energy per unit of work, or why there is none."""
    energy = record.energy_per_unit
    if energy is not None:
        return f"{quantity(energy.value, energy.unit)} ({energy.boundary}, tier {energy.tier})"
    if record.assumed_power_w is not None:
        return f"not metered ({record.assumed_power_w.power_w:g} W assumed)"
    return "not metered"


def _print_devices(main_job: "Assessment") -> None:
    print_table(
        ("device", "basis", "hash rate", "matrix product", "power", "J/TH", "FLOP/J", "confidence"),
        [_device_cells(device) for device in main_job.devices],
        title="Compared with the catalogue (rated: by the maker or in a table; sources: `perwatt show DEVICE`)",
        right=(2, 3, 4, 5, 6),
    )


def _device_cells(device: "DeviceFigures") -> tuple[str, ...]:
    from bench.cli.yield_.tables import CONFIDENCE

    hashes, product, power = device.rate("hash"), device.matrix_product(), device.power()
    dtype = product.of.partition(" ")[2] if product else ""
    basis = "" if device.power_basis == device.basis else f", {device.power_basis}"
    return (
        device.name,
        device.basis,
        rate(hashes.value if hashes else None, "hash/s"),
        f"{si(product.value, 'FLOP/s')} {dtype}" if product else "-",
        f"{plain(power.value)} W {power.boundary}{basis}" if power else device.power_basis,
        j_per_th(device.j_per_th),
        si(device.flop_per_j().get(dtype), "").strip(),
        CONFIDENCE.get(device.confidence, ""),
    )


def _print_site(main_job: "Assessment") -> None:
    from bench.cli.yield_.perspective import print_perspective
    from bench.cli.yield_.tables import print_token_tags
    from sites.dispatch.year import summarise
    from sites.perspective.blocks import net_after_capital_usd, perspectives

    year, outlook = main_job.site, main_job.outlook
    items = perspectives(year)
    print_table(
        ("product", "device", "rate", "output/day", "MW", "USD/MWh (facility)", "after energy", "after capital"),
        [_block_cells(item, year) for item in items],
        title=f"Example site: {summarise(year).site}. Output and USD are modelled; assumptions: `perwatt yield`.",
        right=(3, 4, 5, 6, 7),
    )
    print_token_tags(year)
    print_perspective(items)
    after_capital = net_after_capital_usd(year)
    say(
        f"The whole site: net {short(year.net_usd)} USD a year before capital, "
        f"{'unknown' if after_capital is None else short(after_capital)} after it."
    )
    say()
    _print_megawatts(main_job)
    causes = ", ".join(
        f"{cause.name} {cause.share_frac:.0%}" for cause in outlook.tornado.causes if cause.share_frac >= 0.005
    )
    say(f"drivers of the spread in net USD of the site: {causes or 'none'}; most volatilities are assumptions")
    say("more: `perwatt yield --scenarios` and `--capital` (docs/scenarios.md, docs/capital.md)")


def _block_cells(item: "BlockPerspective", year: "SiteYear") -> tuple[str, ...]:
    from bench.cli.yield_.tables import output_per_day

    block = item.year
    device = next(source.rate for source in year.site.blocks if source.name == block.name)
    mwh = block.facility_mwh
    after_capital = item.after_capital_usd_per_mwh
    return (
        block.product,
        device.name,
        device.basis,
        output_per_day(block, year.hours),
        plain(mwh / year.hours, 3),
        plain(block.revenue_usd / mwh) if mwh else "-",
        plain((block.revenue_usd - block.energy_usd) / mwh) if mwh else "-",
        plain(after_capital) if after_capital is not None else "-",
    )


def _print_megawatts(main_job: "Assessment") -> None:
    print_table(
        (
            "device",
            "rate",
            "output/day",
            "USD/MWh (facility)",
            "before capital",
            "P50",
            "P90",
            "worst 5 %",
            "after capital",
        ),
        [
            (
                line.name,
                line.basis,
                f"{plain(line.tokens_per_day / 1e9)} G tokens"
                if line.product == "inference"
                else f"{plain(line.btc_per_day)} BTC",
                plain(line.usd_per_mwh),
                short(line.net_usd),
                *_after_capital(line),
            )
            for line in main_job.megawatts
        ],
        title="One megawatt of that site with each device type, net in USD/year. P50, P90 (exceeded with 90 % "
        f"probability) and the worst 5 % of {main_job.outlook.run.scenarios:,} scenarios are after capital cost; "
        "the last column is without spread",
        right=(2, 3, 4, 5, 6, 7, 8),
    )
    if any(
        line.net_after_capital_usd is not None and line.spread.p50 < line.net_after_capital_usd
        for line in main_job.megawatts
    ):
        from sites.scenarios.distributions import WHY_P50_IS_LOWER

        say(WHY_P50_IS_LOWER)
    unpriced = [line.name for line in main_job.megawatts if line.net_after_capital_usd is None]
    if unpriced:
        say(f"no price is known for: {', '.join(unpriced)}")


def _after_capital(line: "Megawatt") -> tuple[str, ...]:
    if line.net_after_capital_usd is None:
        return "-", "-", "-", "-"
    return tuple(
        short(value) for value in (line.spread.p50, line.spread.p90, line.spread.cvar, line.net_after_capital_usd)
    )


def print_notes(
    records: "Sequence[Record]", name_of: "Callable[[Record], str]" = lambda record: record.workload.name
) -> None:
    """Print each warning and reason once, with its remedy and the workloads it concerns."""
    seen: dict[str, list[str]] = {}
    for record in records:
        for reason in (*record.reasons, *record.warnings):
            seen.setdefault(reason.code, []).append(name_of(record) + (f" ({reason.detail})" if reason.detail else ""))
    for code, workloads in seen.items():
        say(f"note: {diagnostics.sentence(code)}\n      {'; '.join(dict.fromkeys(workloads))}")


def exit_status(records: "Sequence[Record]") -> int:
    """Return 0 if every record is valid; else print the first failure on one line of stderr and return 1."""
    bad = [record for record in records if record.status != "ok"]
    if not bad:
        return 0
    first = bad[0]
    reasons = "; ".join(f"{reason.code}: {reason.detail}" if reason.detail else reason.code for reason in first.reasons)
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    line = f"{first.workload.name}: {first.status}: {reasons}; stored as {first.id}{more}"
    fault(" ".join(line.split()))
    return 1
