"""The loads of one run: those that were asked for, and of a sweep the ones that follow from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.endpoint.setting import Setting
from bench.endpoint.sweep.points import dips, in_random_order, refined
from bench.endpoint.sweep.records import points_of
from bench.endpoint.workload import LlmServeEndpoint
from bench.measure.runner import measure

if TYPE_CHECKING:
    from bench.measure.runner import Job, Progress
    from bench.meters.protocol import Meter
    from bench.results.record import Device, Record


@dataclass(frozen=True, slots=True)
class Loads:
    """The loads to measure: numbers of requests at a time, or a rate."""

    concurrency: tuple[int, ...] = ()
    rate_per_s: float | None = None
    sweep: bool = False
    mixes: tuple[tuple[int, int], ...] = ()  # lengths of prompt and answer [token], instead of the setting's own


def measure_loads(  # noqa: PLR0913, PLR0917 (what is measured, how, and what is shown meanwhile)
    setting: Setting,
    loads: Loads,
    job: "Job",
    meters: "Sequence[Meter]",
    device: "Device",
    begin: "Callable[[str], tuple[Progress, Callable[[str], None]]]",
) -> "list[Record]":
    """Measure each load, with prompts of its own; return the records in order.

    A sweep measures its points in random order and one of them twice, then those again that something slowed, then
    points around its knee.

    Parameters
    ----------
    setting
        What all loads have in common.
    loads, job, meters, device
        The loads, and how they are measured.
    begin
        Called with the name of each load; returns how its progress and how its end is shown.
    """
    records: list[Record] = []
    lengths = setting.prompt_tokens, setting.output_tokens
    longest = max(loads.mixes or (lengths,), key=sum)
    known = replace(setting, prompt_tokens=longest[0], output_tokens=longest[1]).ask()
    points: Sequence[int | None] = loads.concurrency or (None,)
    if loads.sweep:
        points = in_random_order(loads.concurrency, setting.seed)
    todo = [(point, mix) for point in points for mix in loads.mixes or (lengths,)]
    follow_up = [dips, refined] if loads.sweep else []
    while todo or follow_up:
        if not todo:
            throughput = {point.concurrency: point.tokens_per_s for point in points_of(records)}
            todo = [(at, lengths) for at in follow_up.pop(0)(throughput)]
            continue
        load, (prompt_tokens, output_tokens) = todo.pop(0)
        rate_per_s = loads.rate_per_s if setting.trace is None else setting.trace.rate_per_s
        name = f"{load} at a time" if load is not None else f"{rate_per_s:.4g} requests/s"
        show, end = begin(name)
        point = replace(
            setting, concurrency=load, rate_per_s=loads.rate_per_s, seed=f"{setting.seed}:{len(records)}",
            prompt_tokens=prompt_tokens, output_tokens=output_tokens, is_mix=bool(loads.mixes),
        )  # fmt: skip
        records.append(measure(LlmServeEndpoint(point, known), job, meters, device=device, on_progress=show))
        end(records[-1].status)
        if records[-1].status == "failed" and not loads.sweep:
            break
    return records
