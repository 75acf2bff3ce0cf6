"""`perwatt run sha256d_scan_cpu --all-variants`: the figures of every variant of a CPU scan in one table."""

from collections.abc import Sequence
from typing import Any

from bench.cli.output import counted, emit_json, plain, progress, say
from bench.cli.table import print_table
from hardware_profiles.errors import InputError

MIDSTATES = {"sha256d_scan_cpu": 1} | {f"sha256d_scan_vr{count}_cpu": count for count in (2, 4, 8)}  # by workload


def run_variants(workloads: Sequence[str], threads: int, variant: str | None, *, as_json: bool) -> int:
    """Measure every variant, print the figures, and return the exit status.

    Raises
    ------
    InputError
        The workload is not the CPU scan, or `--variant` is set too.
    """
    from bench.variants.figures import measure_variants

    if len(workloads) != 1 or workloads[0] not in MIDSTATES:
        expected = f"one workload of {', '.join(MIDSTATES)}"
        raise InputError.at("--all-variants", expected=expected, got=" ".join(workloads) or "none")
    workload = workloads[0]
    if variant is not None:
        raise InputError.at("--all-variants", expected="no --variant with it", got=f"--variant {variant}")
    with progress(quiet=as_json) as bars:
        task = bars.add_task(workload, total=1.0)
        figures = measure_variants(
            threads,
            midstates=MIDSTATES[workload],
            on_progress=lambda stage, done: bars.update(task, completed=done, description=f"{workload}: {stage}"),
        )
    document = figures.document()
    if as_json:
        emit_json(document)
    else:
        _print(document)
    return 0


def _print(document: dict[str, Any]) -> None:
    several = document["threads"] > 1
    columns = [
        "variant",
        "MH/s",
        "cycles/hash",
        "95 %",
        "bound",
        "% of bound",
        "compile s: cold, cached",
        "quiet slices",
    ]
    rows = [
        [
            row["variant"],
            plain(row["mh_per_s"]),
            plain(row["cycles_per_hash"]),
            _interval(row["cycles_per_hash_interval"]),
            plain(row["bound_cycles_per_hash"]),
            "-" if row["fraction_of_bound"] is None else f"{100 * row['fraction_of_bound']:.1f} %",
            f"{plain(row['compile_cold_s'], 3)}, {plain(row['compile_cached_s'], 3)}",
            f"{row['quiet_slices']} of {row['slices']}",
            *([plain(row["scaling"], 3)] if several else []),
        ]
        for row in document["variants"]
    ]
    print_table(
        [*columns, *(["speed-up over one thread"] if several else [])],
        rows,
        title=f"{document['workload']}, {counted(document['threads'], 'thread')} on core {document['cores']}",
        right=(1, 2, 3, 4, 5, 7, 8),
    )
    for row in document["unavailable"]:
        say(f"{row['variant']}: not available here: {row['reason']}")
    if document["instructions_per_cycle"]:
        rates = ", ".join(f"{name} {plain(value, 3)}" for name, value in document["instructions_per_cycle"].items())
        say(f"measured instructions per cycle: {rates}")
    say(document["verdict"])


def _interval(ends: tuple[float, float] | None) -> str:
    return "-" if ends is None else f"{plain(ends[0])} to {plain(ends[1])}"
