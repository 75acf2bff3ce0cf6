"""`perwatt run sha256d_scan_cpu --all-variants`: the figures of every variant of a CPU scan in one table."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench.cli.output import counted, emit_json, plain, progress, say
from bench.cli.run.tables import energy_cell, exit_status, print_notes
from bench.cli.table import print_table
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.measure.runner import Job
    from bench.meters.protocol import Meter
    from bench.results.record import Record
    from bench.workloads.protocol import Workload, WorkloadOptions

MIDSTATES = {"sha256d_scan_cpu": 1} | {f"sha256d_scan_vr{count}_cpu": count for count in (2, 4, 8)}  # by workload


ROUNDS = {"smoke": 5, "publish": 150}  # by plan, of quiet slices; the others take as many as a claim needs


def every_variant(workloads: Sequence[str], options: "WorkloadOptions") -> "list[Workload]":
    """Return a CPU scan once for each variant that runs here, on one thread unless the options state another number.

    Raises
    ------
    InputError
        The workload is no CPU scan, or a variant or a GPU is set too.
    """
    from bench.workloads.registry import create
    from kernels.scan_cpu import variants

    if len(workloads) != 1 or workloads[0] not in MIDSTATES:
        expected = f"one workload of {', '.join(MIDSTATES)}"
        raise InputError.at("--all-variants", expected=expected, got=" ".join(workloads) or "none")
    if options.variant is not None:
        raise InputError.at("--all-variants", expected="no --variant with it", got=f"--variant {options.variant}")
    threads = options.threads or 1
    names = [variant.name for variant in variants.candidates()]
    return [create(workloads[0], replace(options, variant=name, threads=threads)) for name in names]


def run_variants(workloads: "Sequence[Workload]", job: "Job", meters: "Sequence[Meter]", *, as_json: bool) -> int:
    """Measure every variant, in alternating windows and in short slices, and return the exit status.

    The windows of the plan give the stored records, with energy where a meter reads it. The slices give the figures
    that may be claimed: many, interleaved, each checked for a neighbour on its core.
    """
    from bench.machine.devices import device_under_test
    from bench.measure.runner import measure_together
    from bench.variants.figures import measure_variants

    name, threads = workloads[0].name, int(str(workloads[0].parameters()["threads"]))
    with progress(quiet=as_json) as bars:
        task = bars.add_task(name, total=1.0)

        def show(stage: str, done: float) -> None:
            bars.update(task, completed=done, description=f"{name}: {stage}")

        records = measure_together(workloads, job, meters, device=device_under_test("cpu"), on_progress=show)
        sound = [record.workload.variant for record in records if record.status != "failed"]
        figures = (
            measure_variants(
                threads, names=sound, midstates=MIDSTATES[name], rounds=ROUNDS.get(job.plan.name), on_progress=show
            )
            if sound
            else None
        )
    document = figures.document() if figures is not None else {"workload": name, "variants": []}
    if as_json:
        stored = [record.model_dump(mode="json") for record in records]
        emit_json(document | {"store": str(job.store), "records": stored})
    else:
        if figures is not None:
            _print(document, {record.workload.variant: record for record in records})
        print_notes(records, lambda record: record.workload.variant)
        say(f"stored in {job.store}/: {', '.join(record.id for record in records)}")
    return exit_status(records)


def _print(document: dict[str, Any], records: "dict[str, Record]") -> None:
    several = document["threads"] > 1
    metered = any(record.energy_per_unit for record in records.values())
    columns = [
        "variant",
        "MH/s",
        "cycles/hash",
        "95 %",
        "speed over the fastest",
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
            _over_fastest(row["over_fastest"]),
            plain(row["bound_cycles_per_hash"]),
            "-" if row["fraction_of_bound"] is None else f"{100 * row['fraction_of_bound']:.1f} %",
            f"{plain(row['compile_cold_s'], 3)}, {plain(row['compile_cached_s'], 3)}",
            f"{row['quiet_slices']} of {row['slices']}",
            *([plain(row["scaling"], 3)] if several else []),
            *([energy_cell(records[row["variant"]])] if metered else []),
        ]
        for row in document["variants"]
    ]
    print_table(
        [*columns, *(["speed-up over one thread"] if several else []), *(["energy"] if metered else [])],
        rows,
        title=f"{document['workload']}, {counted(document['threads'], 'thread')} on core {document['cores']}",
        right=(1, 2, 3, 4, 5, 6, 8, 9),
    )
    for row in document["unavailable"]:
        say(f"{row['variant']}: not available here: {row['reason']}")
    for row in document["variants"]:
        say(f"{row['variant']}: {row['bound_sentence']}")
    ungated = any(not row["over_fastest"]["quiet"] for row in document["variants"])
    say(document["verdict"] + ("; not quiet: ungated ratios are over all pairs of slices" if ungated else ""))


def _interval(ends: tuple[float, float] | None) -> str:
    return "-" if ends is None else f"{plain(ends[0])} to {plain(ends[1])}"


def _over_fastest(row: dict[str, Any]) -> str:
    ends = row["interval_95"]
    interval = f", {ends[0]:.3f} to {ends[1]:.3f}" if ends else ""
    return f"{row['ratio']:.3f}{interval}{'' if row['quiet'] else ', ungated'}"
