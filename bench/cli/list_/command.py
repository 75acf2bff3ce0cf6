"""`perwatt list`: what there is to run, to read, to compare; one subject a call."""

from typing import Any

import click

from bench.cli import NearGroup
from bench.cli.list_.models import models
from bench.cli.list_.profiles import profiles
from bench.cli.list_.results import results
from bench.cli.options import json_option
from bench.cli.output import emit_json, say
from bench.cli.table import print_table


@click.group(name="list", cls=NearGroup)
def list_() -> None:
    """List workloads, variants, models, profiles, meters or results."""


list_.add_command(models)
list_.add_command(profiles)
list_.add_command(results)


@list_.command()
@json_option
def workloads(as_json: bool) -> None:
    """List everything that `perwatt run` can measure."""
    from bench.workloads.registry import ENTRIES

    rows = [(row.name, row.device_kind, row.unit, "yes" if row.main_job else "", row.summary) for row in ENTRIES]
    _show(("workload", "device", "unit", "main job", "what it does"), rows, as_json=as_json)


@list_.command()
@json_option
def variants(as_json: bool) -> None:
    """List the variants of kernels: available here, and if not, why."""
    from kernels.scan_cpu import variants as table
    from kernels.scan_cuda.variants import TEXT_VARIANTS

    rows = [
        ("cpu", found.variant.name, found.variant.summary, "yes" if found.available else f"no: {found.reason}")
        for found in table.all_variants()
    ]
    on_a_gpu = "with an NVIDIA GPU: see perwatt doctor"
    rows += [("gpu", variant.name, variant.summary, on_a_gpu) for variant in TEXT_VARIANTS.values()]
    rows.append(("gpu", "numba", "the readable numba.cuda kernel, as a baseline", on_a_gpu))
    _show(("device", "variant", "what it is", "available here"), rows, as_json=as_json)


@list_.command()
@json_option
def meters(as_json: bool) -> None:
    """List the meters: usable here, and if not, why and what helps."""
    from bench.meters.registry import discover

    rows = [
        (
            found.name,
            found.spec,
            found.boundary,
            found.tier.value,
            "yes" if found.usable else "no",
            found.reason,
            found.cure,
        )
        for found in discover()
    ]
    _show(("meter", "spec", "boundary", "tier", "usable", "why", "cure"), rows, as_json=as_json)


def _show(columns: tuple[str, ...], rows: list[tuple[Any, ...]], *, as_json: bool) -> None:
    if as_json:
        emit_json([dict(zip((column.replace(" ", "_") for column in columns), row, strict=True)) for row in rows])
    elif rows:
        print_table(columns, rows)
    else:
        say("none")
