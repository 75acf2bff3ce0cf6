"""`perwatt doctor`: what can run and be metered here; what is missing, and the cure."""

from dataclasses import asdict

import click

from bench.cli.options import json_option
from bench.cli.output import emit_json, say
from bench.cli.table import print_table
from bench.results.layout import STORE


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say what can run and be metered here, what is missing, and the cure."""
    from bench.gpu.doctor import gpu_findings
    from bench.machine import environment
    from bench.machine.clock import core_clock_hz
    from bench.meters.registry import discover
    from bench.results.layout import unfinished_folders
    from kernels.scan_cpu import variants

    system = environment.capture()
    clock_hz = core_clock_hz()
    found = [
        {"variant": one.variant.name, "available": one.available, "why_not": one.reason}
        for one in variants.all_variants()
    ]
    meters = [
        {
            "meter": meter.name,
            "spec": meter.spec,
            "boundary": meter.boundary,
            "tier": meter.tier.value,
            "usable": meter.usable,
            "reason": meter.reason,
            "cure": meter.cure,
        }
        for meter in discover()
    ]
    gpu = gpu_findings()
    unfinished = [str(folder) for folder in unfinished_folders(STORE)]
    if as_json:
        emit_json(
            {
                "system": system,
                "core_clock_hz": clock_hz,
                "variants": found,
                "gpu": [asdict(finding) for finding in gpu],
                "meters": meters,
                "unfinished_results": unfinished,
            }
        )
        return
    cpu = environment.cpu()
    say(f"CPU      {cpu['model']}, {cpu['logical_cores']} logical cores, features: {' '.join(environment.features())}")
    say(
        f"clock    {clock_hz / 1e9:.2f} GHz, by a chain of dependent additions" if clock_hz else "clock    not readable"
    )
    say(f"system   {system['os']}, kernel {system['kernel']}, virtualisation: {system['virtualisation']}")
    print_table(
        ("variant", "runs here", "why not"),
        [(row["variant"], "yes" if row["available"] else "no", row["why_not"]) for row in found],
        title="SHA-256d variants",
    )
    print_table(
        ("part", "good", "what is there", "cure"),
        [(one.part, "yes" if one.good else "no", one.detail, one.cure) for one in gpu],
        title="NVIDIA GPUs",
    )
    print_table(
        ("meter", "usable", "boundary", "tier", "why", "cure"),
        [
            (
                row["spec"] or row["meter"],
                "yes" if row["usable"] else "no",
                row["boundary"],
                row["tier"],
                row["reason"],
                row["cure"],
            )
            for row in meters
        ],
        title="Meters",
    )
    for folder in unfinished:
        say(f"ignored: {folder} is the unfinished folder of a killed run; it may be deleted")
