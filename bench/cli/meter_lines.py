"""What `show` and `run` print of a record's meters: each with its tier, the windows, the idle, the gap between two."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.cli.output import plain

if TYPE_CHECKING:
    from bench.results.record import MetersGap, Record


def meter_lines(record: "Record") -> Iterator[str]:
    """Yield one line a fact, for people."""
    run = record.run
    if run.window_s is not None:
        planned = f"{len(record.windows)} windows of {run.window_s:g} s ({run.window_why})"
        lead = f", load {run.lead_s:g} s before and {run.tail_s:g} s after" if run.lead_s else ""
        yield f"windows   {planned}{lead}"
    if run.harness_overhead_frac is not None:
        yield f"          the runner itself took {run.harness_overhead_frac:.3%} of the windows"
    yield f"meters    {', '.join(record.meters) or 'not metered'}"
    for meter in record.meters_used:
        accuracy = f"± {meter.accuracy_frac:.2%}" if meter.accuracy_frac is not None else "accuracy not stated"
        yield (
            f"          {meter.name}: {meter.kind}, {meter.boundary}, tier {meter.tier}, {accuracy} "
            f"({meter.accuracy_source}), every {meter.period_s:.3g} s; {meter.scope}"
        )
    for gap in record.meters_gaps:
        yield f"          {gap_text(gap)}"
    for idle in record.idle:
        yield f"idle      {idle.meter}: {plain(idle.power_w)} W {idle.when}, over {idle.duration_s:.0f} s"
    steady = record.steadiness
    if steady is not None:
        parts = []
        if steady.rate_halves_frac is not None:
            parts.append(f"rate {steady.rate_halves_frac:+.2%}")
        parts += [f"{meter} {change:+.2%}" for meter, change in steady.power_halves_frac.items()]
        if parts:
            yield f"steady    second half over first: {', '.join(parts)}"


def gap_text(gap: "MetersGap") -> str:
    """Return the gap of two meters as a sentence."""
    inner = f"{gap.inner} ({gap.inner_boundary})"
    return f"{inner} read {gap.inner_over_outer:.1%} of {gap.outer} ({gap.outer_boundary})"
