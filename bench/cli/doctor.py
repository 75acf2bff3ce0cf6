"""`perwatt doctor`: a check of what this machine can run and meter, with a remedy for what is missing."""

from dataclasses import asdict

import click

from bench.cli.commands import examples
from bench.cli.options import json_option
from bench.cli.output import emit_json, say, warn
from bench.cli.table import print_table
from bench.results.layout import STORE


@click.command(epilog=examples("perwatt doctor", "perwatt doctor --json"))
@json_option
def doctor(as_json: bool) -> None:
    """Check what this machine can run and meter, and how to add what is missing.

    The check covers the CPU, the SHA-256d kernel variants, NVIDIA GPUs, meters, the miner that PERWATT_MINER names,
    folders that a killed run left, and devices that one left set.
    """
    from bench.gpu.doctor import gpu_findings
    from bench.levers.journal import pending
    from bench.machine import environment
    from bench.machine.clock import core_clock_hz
    from bench.machine.cores import cores, cores_in_words
    from bench.meters.default import default_meter, measurable_devices
    from bench.meters.registry import discover
    from bench.results.layout import rescued_folder, result_folders, unfinished_folders
    from kernels.scan_cpu import variants

    system = environment.capture()
    clock_hz = core_clock_hz()
    kernel_variants = [
        {"variant": status.variant.name, "available": status.available, "why_not": status.reason}
        for status in variants.all_variants()
    ]
    listed = discover()
    defaults = [default_meter(device, listed) for device in measurable_devices(listed)]
    meters = [
        {
            "meter": meter.name,
            "spec": meter.spec,
            "boundary": meter.boundary,
            "boundary_words": meter.boundary_words,
            "tier": meter.tier.value,
            "usable": meter.usable,
            "reads": meter.reads,
            "reason": meter.reason,
            "cure": meter.cure,
        }
        for meter in listed
    ]
    gpu = gpu_findings()
    miner = _miner()
    rescued = rescued_folder()
    in_second_folder = [str(folder) for folder in result_folders(rescued)] if rescued is not None else []
    left_set = pending(warn)
    unfinished = [str(folder) for folder in unfinished_folders(STORE)]
    if as_json:
        emit_json(
            {
                "system": system,
                "core_clock_hz": clock_hz,
                "variants": kernel_variants,
                "gpu": [asdict(finding) for finding in gpu],
                "meters": meters,
                "default_meters": [asdict(default) for default in defaults],
                "miner": miner,
                "unfinished_results": unfinished,
                "rescued_results": in_second_folder,
                "devices_not_brought_back": [str(entry.device) for entry in left_set],
            }
        )
        return
    cpu = environment.cpu()
    say(f"CPU      {cpu['model']}, {cpu['logical_cores']} logical cores, features: {' '.join(environment.features())}")
    say(f"cores    {cores_in_words(cores())}")
    say(
        f"clock    {clock_hz / 1e9:.2f} GHz, measured by a chain of dependent additions"
        if clock_hz
        else "clock    unknown"
    )
    say(f"system   {system['os']}, kernel {system['kernel']}, virtualisation: {system['virtualisation']}")
    print_table(
        ("variant", "runs here", "reason if not"),
        [(row["variant"], "yes" if row["available"] else "no", row["why_not"]) for row in kernel_variants],
        title="SHA-256d variants",
    )
    print_table(
        ("check", "ok", "detail", "remedy"),
        [(finding.part, "yes" if finding.good else "no", finding.detail, finding.cure) for finding in gpu],
        title="NVIDIA GPUs",
    )
    print_table(
        ("meter", "usable", "boundary", "tier", "reads, or why not", "remedy"),
        [
            (
                row["spec"] or row["meter"],
                "yes" if row["usable"] else "no",
                row["boundary_words"],
                row["tier"],
                row["reason"] or row["reads"],
                row["cure"],
            )
            for row in meters
        ],
        title="Meters",
    )
    for default in defaults:
        say(f"without --meter, a run on {default.device} takes {default.spec or 'no meter'}: {default.why}")
    say(f"miner    {miner['words']}")
    for folder in in_second_folder:
        say(f"rescued: {folder}: a whole result that its results folder refused; move it there with mv")
    for entry in left_set:
        say(f"set: {entry.device}: {entry.who} set it at {entry.at}; once that has ended: perwatt levers restore")
    for folder in unfinished:
        say(f"ignored: {folder}: a killed run left it unfinished; you can delete it")


def _miner() -> dict[str, object]:
    """Return whether the miner that PERWATT_MINER names answers, and the same in words."""
    from bench.lab_miner import VARIABLE, ask, configured_host
    from hardware_profiles.errors import InputError

    host = configured_host()
    if not host:
        return {"host": None, "answers": None, "words": f"none configured; {VARIABLE}=HOST names one for the main job"}
    try:
        answer = ask(host)
    except InputError as fault:
        return {"host": host, "answers": False, "words": str(fault)}
    if answer.reading is None:
        return {"host": host, "answers": False, "words": f"at {host} does not answer: {answer.fault}"}
    return {"host": host, "answers": True, "words": f"at {host} answers: {answer.title}"}
