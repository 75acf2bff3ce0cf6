"""A site as a PyPSA network in a folder of CSV files, whose optimum is the dispatch of the merit order."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from sites.dispatch.columns import KINDS, SLA
from sites.dispatch.formulas import resale_price
from sites.dispatch.parts import hourly_parts, meter_of_parts
from sites.dispatch.problem import labels, problem
from sites.hours.calendar import HOUR_S
from sites.planners.csv_files import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sites.arrays import Floats
    from sites.dispatch.merit_order import Problem
    from sites.dispatch.problem import Label
    from sites.model import Site

MARKET, GATE, SITE = "market", "gate", "site"
PYPSA_VERSION = "1.4.0"  # of the folder's format


@dataclass
class _Network:
    """The components of a network and their hourly series."""

    components: dict[str, list[dict[str, object]]] = field(default_factory=dict)  # by list name
    series: dict[tuple[str, str], dict[str, Floats]] = field(default_factory=dict)  # by (list name, attribute)

    def add(self, kind: str, name: str, **attributes: object) -> None:
        """Add a component, with arrays as series and other attributes as columns."""
        row: dict[str, object] = {"name": name}
        for key, value in attributes.items():
            if hasattr(value, "shape"):
                self.series.setdefault((kind, key), {})[name] = value  # type: ignore[assignment]
            else:
                row[key] = value
        self.components.setdefault(kind, []).append(row)


def write_pypsa(site: Site, folder: Path) -> None:
    """Write a network that `pypsa.Network(folder)` reads and `optimize()` solves to the dispatch of the site.

    Notes
    -----
    Power is bought at `market`, passes the interconnect to `site`, and leaves it through one sink for each part, with
    minus its worth as marginal cost. Idle power is a load. Promised work is a load with a generator for the shortfall.
    Contracted power is a must-run generator with a resale sink. A demand charge is one extendable link for each month.
    Sinks are named after kind and block: `block: NAME`, `mode MODE: NAME`, `on-demand: NAME`, `sla: NAME`.
    The objective [USD] is minus sites.dispatch.merit_order.Dispatch.net_usd.
    """
    net = _Network()
    site_problem = problem(site)
    for bus in (MARKET, GATE, SITE):
        net.add("buses", bus, carrier="AC")
    _market(net, site_problem)
    _interconnect(net, site_problem)
    _parts(net, site, site_problem)
    carriers = sorted({str(row["carrier"]) for rows in net.components.values() for row in rows})
    for carrier in carriers:
        net.add("carriers", carrier)
    _write(net, site, folder)


def _market(net: _Network, site_problem: Problem) -> None:
    spot = site_problem.hours.spot_usd_per_mwh
    resale = resale_price(site_problem.hours.resale_usd_per_mwh)
    largest = float(site_problem.hours.limit_mw.max()) + site_problem.contract_mw
    net.add("generators", "spot market", bus=MARKET, carrier="power", p_nom=2 * largest, marginal_cost=spot)
    if site_problem.contract_mw > 0:
        net.add(
            "generators",
            "contract",
            bus=MARKET,
            carrier="power",
            p_nom=site_problem.contract_mw,
            p_min_pu=1.0,
            marginal_cost=site_problem.contract_usd_per_mwh,
        )
        net.add(
            "generators",
            "resale",
            bus=MARKET,
            carrier="power",
            p_nom=site_problem.contract_mw,
            sign=-1,
            marginal_cost=-resale,
        )


def _interconnect(net: _Network, site_problem: Problem) -> None:
    most = float(site_problem.hours.limit_mw.max())
    net.add(
        "links",
        "interconnect",
        bus0=MARKET,
        bus1=GATE,
        carrier="power",
        p_nom=most,
        p_max_pu=site_problem.hours.limit_mw / (most or 1.0),
        marginal_cost=site_problem.hours.adder_usd_per_mwh + site_problem.hours.forgone_usd_per_mwh,
    )
    if not site_problem.charges_usd_per_mw.any():
        net.add("links", "feeder", bus0=GATE, bus1=SITE, carrier="power", p_nom=most)
        return
    for month, charge in enumerate(site_problem.charges_usd_per_mw):
        net.add(
            "links",
            f"feeder month {month + 1}",
            bus0=GATE,
            bus1=SITE,
            carrier="power",
            p_nom_extendable=True,
            p_nom_max=2 * most,
            capital_cost=float(charge),
            p_max_pu=np.where(site_problem.month == month, 1.0, 0.0),
        )


def _parts(net: _Network, site: Site, site_problem: Problem) -> None:
    rows = labels(site)
    caps, promises, worth = hourly_parts(site)
    ratio, over_mean = meter_of_parts(site, rows), site_problem.over_mean
    idle = sum((caps[k] * ratio[k] for k, row in enumerate(rows) if row.part == "idle"), start=np.zeros(site.hours))
    if idle.any():
        net.add("loads", "idle", bus=SITE, carrier="inference", p_set=np.minimum(idle, site_problem.hours.limit_mw))
    room = np.maximum(site_problem.hours.limit_mw - idle, 0.0)  # for tenants, whom nothing else displaces
    for k, row in enumerate(rows):
        most = float((caps[k] * ratio[k]).max())
        if row.part == "idle" or (most <= 0 and not promises[k].any()):
            continue
        name = _component(row)
        draw, penalty = caps[k] * ratio[k], site_problem.parts.penalty_usd_per_mwh[k] * over_mean[k] / ratio[k]
        if not promises[k].any():
            must_run = {}
            if site_problem.parts.is_firm[k]:
                draw = np.minimum(draw, room)
                room = room - draw
                must_run = {"p_min_pu": draw / most}
            net.add(
                "generators",
                name,
                bus=SITE,
                carrier=row.product,
                p_nom=most,
                sign=-1,
                **must_run,
                p_max_pu=draw / most,
                marginal_cost=penalty - worth[k] if must_run else -worth[k],
            )
            continue
        point = row.part.removeprefix(KINDS[SLA])  # of an operating curve
        promised = f"promised{point}: {row.name}"
        net.add("buses", promised, carrier="inference")
        net.add("loads", promised, bus=promised, carrier="inference", p_set=promises[k] * ratio[k])
        net.add(
            "generators",
            f"falls short{point}: {row.name}",
            bus=promised,
            carrier="inference",
            p_nom=2 * float((promises[k] * ratio[k]).max()),
            marginal_cost=penalty,
        )
        if most > 0:
            net.add(
                "links",
                name,
                bus0=SITE,
                bus1=promised,
                carrier="inference",
                p_nom=most,
                p_max_pu=caps[k] * ratio[k] / most,
                marginal_cost=penalty - worth[k],
            )


def _component(row: Label) -> str:
    """Return the name of a part's component: its kind, then the block's name, which makes it unique."""
    if row.product == "mining":
        return f"mode {row.part}: {row.name}" if row.part else f"block: {row.name}"
    return f"{row.part}: {row.name}"


def _write(net: _Network, site: Site, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    times = [
        datetime.fromtimestamp(site.start_s + HOUR_S * hour, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
        for hour in range(site.hours)
    ]
    for kind, rows in net.components.items():
        columns = list(dict.fromkeys(key for row in rows for key in row))
        _rows(folder / f"{kind}.csv", columns, ([row.get(column, "") for column in columns] for row in rows))
    for (kind, attribute), named in net.series.items():
        arrays = [array.tolist() for array in named.values()]
        _rows(
            folder / f"{kind}-{attribute}.csv",
            ["snapshot", *named],
            ([time, *map(repr, values)] for time, values in zip(times, zip(*arrays, strict=True), strict=True)),
        )
    weights = ("objective", "stores", "generators")
    _rows(folder / "snapshots.csv", ["snapshot", *weights], ([time, 1.0, 1.0, 1.0] for time in times))
    _rows(folder / "network.csv", ["name", "pypsa_version"], [[as_text(site.name), PYPSA_VERSION]])


def _rows(path: Path, heading: Iterable[object], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(list(heading))
        writer.writerows(rows)
