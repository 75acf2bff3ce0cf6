"""`perwatt list`: workloads, variants, models, profiles, meters, their tables, results, or ramps."""

from typing import Any

import click

from bench.cli.commands import NearGroup, examples
from bench.cli.list_.models import models
from bench.cli.list_.profiles import profiles
from bench.cli.list_.ramps import ramps
from bench.cli.list_.results import results
from bench.cli.options import json_option
from bench.cli.output import emit_json, say
from bench.cli.table import print_table


@click.group(
    name="list",
    cls=NearGroup,
    epilog=examples(
        "perwatt list workloads", "perwatt list profiles --kind asic --sort j-per-th", "perwatt list results"
    ),
)
def list_() -> None:
    """List workloads, variants, models, profiles, meters, tables, results or ramps."""


list_.add_command(models)
list_.add_command(profiles)
list_.add_command(ramps)
list_.add_command(results)


@list_.command(epilog=examples("perwatt list workloads", "perwatt list workloads --json"))
@json_option
def workloads(as_json: bool) -> None:
    """List the workloads that `perwatt run` can measure."""
    from bench.workloads.registry import ENTRIES

    rows = [(row.name, row.device_kind, row.unit, "yes" if row.main_job else "", row.summary) for row in ENTRIES]
    _print(
        {"workload": "workload", "device": "device", "unit": "unit", "main_job": "main job", "what_it_does": "summary"},
        rows,
        as_json=as_json,
    )


@list_.command(epilog=examples("perwatt list variants", "perwatt list variants --json"))
@json_option
def variants(as_json: bool) -> None:
    """List the kernel variants, and say for each why it is not available here."""
    from kernels.scan_cpu import variants as table
    from kernels.scan_cuda.variants import TEXT_VARIANTS

    rows = [
        ("cpu", status.variant.name, status.variant.summary, "yes" if status.available else f"no: {status.reason}")
        for status in table.all_variants()
    ]
    on_a_gpu = "with an NVIDIA GPU: see perwatt doctor"
    rows += [("gpu", variant.name, variant.summary, on_a_gpu) for variant in TEXT_VARIANTS.values()]
    rows.append(("gpu", "numba", "the readable numba.cuda kernel, as a baseline", on_a_gpu))
    _print(
        {"device": "device", "variant": "variant", "what_it_is": "summary", "available_here": "available here"},
        rows,
        as_json=as_json,
    )


@list_.command(epilog=examples("perwatt list meters", "perwatt list meters --json"))
@json_option
def meters(as_json: bool) -> None:
    """List the meters, and say for each why it cannot be used here and what helps."""
    from bench.meters.registry import discover

    rows = [
        (
            meter.name,
            meter.spec,
            meter.boundary_words,
            meter.tier.value,
            "yes" if meter.usable else "no",
            meter.reads,
            meter.reason,
            meter.cure,
        )
        for meter in discover()
    ]
    _print(
        {
            "meter": "meter",
            "spec": "spec",
            "boundary": "boundary",
            "tier": "tier",
            "usable": "usable",
            "reads": "reads",
            "why": "reason",
            "cure": "remedy",
        },
        rows,
        as_json=as_json,
    )


@list_.command(epilog=examples("perwatt list tables", "perwatt list tables --json"))
@json_option
def tables(as_json: bool) -> None:
    """List the tables of meters on the network (`table=` of a --meter), and how each is named."""
    from bench.meters.points.table import bundled, names, needed_settings
    from bench.meters.registry import entry

    rows = []
    for name in names():
        table = bundled(name)
        spec = entry(table.transport).find()[0].spec.replace("NAME", name) + needed_settings(table)
        optional = [key for key, setting in table.settings.items() if setting.default is not None]
        rows.append((name, table.transport, table.title, table.boundary, spec, optional, table.unverified))
    rows.sort(key=lambda row: (row[1], row[0]))
    if as_json:
        keys = ("table", "transport", "title", "boundary", "spec", "more_settings", "unverified")
        emit_json([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        print_table(
            ("for --meter", "what it reads", "boundary", "more settings"),
            [
                (spec, f"{title} (unverified scale)" if unverified else title, boundary, ", ".join(more))
                for _, _, title, boundary, spec, more, unverified in rows
            ],
        )


def _print(headings: dict[str, str], rows: list[tuple[Any, ...]], *, as_json: bool) -> None:
    """Print rows as a table, or as JSON; `headings` maps each key of the JSON rows to the heading of its column."""
    if as_json:
        emit_json([dict(zip(headings, row, strict=True)) for row in rows])
    elif rows:
        print_table(list(headings.values()), rows)
    else:
        say("none")
