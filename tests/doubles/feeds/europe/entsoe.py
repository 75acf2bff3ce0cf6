"""ENTSO-E's transparency platform: the web export in its three layouts, and the file library."""

from datetime import timedelta

from doubles.feeds import truth
from doubles.feeds.europe.market import BERLIN, quoted, text

UTC = "UTC"
CET = "CET/CEST"
WITHOUT = "Without Sequence"
LIBRARY = (
    "InstanceCode", "DateTime(UTC)", "ResolutionCode", "AreaCode", "AreaDisplayName", "AreaTypeCode", "MapCode",
    "ContractType", "Sequence", "Price[Currency/MWh]", "Currency", "UpdateTime(UTC)",
)  # fmt: skip
LIBRARY_R31 = tuple("AreaMapCode" if name == "MapCode" else name for name in LIBRARY)


def web(*series, clock=CET, marks="changes", currency="EUR"):
    """Return the current web export of series, each an area, a sequence and steps.

    `marks` is where a time says `(CET)` or `(CEST)`: on the days of the clock changes (`changes`), at every time
    (`all`) or nowhere (`no`).
    """
    heading = (
        f"MTU ({clock})", "Area", "Sequence", f"Day-ahead Price ({currency}/MWh)",
        f"Intraday Period ({clock})", f"Intraday Price ({currency}/MWh)",
    )  # fmt: skip
    rows = [heading]
    for area, sequence, steps in series:
        for step in steps:
            period = " - ".join(_stamp(time_s, clock, marks) for time_s in (step.start_s, step.end_s))
            rows.append((period, area, sequence, text(step.price), "", ""))
    return quoted(rows).encode()


def dotted(*series):
    """Return the web export with points in its dates and the name of the clock behind each period."""
    rows = [("MTU (CET/CEST)", "Area", "Sequence", "Day-ahead Price (EUR/MWh)", "Intraday Period (CET/CEST)",
             "Intraday Price (EUR/MWh)")]  # fmt: skip
    rows += [
        (f"{_dotted(step)} (CET/CEST)", area, sequence, text(step.price), "", "")
        for area, sequence, steps in series
        for step in steps
    ]
    return quoted(rows).encode()


def older(area, steps, clock=CET, gap=False):
    """Return the export of the platform before 2024: a file of one area, whose name is that of the last column.

    With `gap` the hour that spring leaves out is there, and empty.
    """
    lines = [f'MTU ({clock}),"Day-ahead Price [EUR/MWh]","Currency","{area}"']
    for step in steps:
        if gap and clock == CET and _is_spring(step):
            day = truth.local(BERLIN, step.start_s)
            lines.append(f'"{day:%d.%m.%Y} 02:00 - {day:%d.%m.%Y} 03:00","","",""')
        lines.append(f'"{_dotted(step, clock)}","{text(step.price)}","EUR",""')
    return "".join(f"{line}\n" for line in lines).encode()


def library(*series, heading=LIBRARY, revised=()):
    """Return a file of the file library of series, each an area, its type, a sequence, a currency and steps.

    The intervals that start at the times `revised` come twice: the later row is the first version, 1000 too high.
    """
    rows = [heading]
    for area, kind, sequence, currency, steps in series:
        for step in steps:
            minutes = (step.end_s - step.start_s) // 60
            start = f"{truth.local('UTC', step.start_s):%Y-%m-%d %H:%M:%S}"
            cells = ["2ede04b15f2b8c90", start, f"PT{minutes}M", "10Y1001A1001A82H", area, kind,
                     area.replace("-", "_"), "Day-ahead", sequence]  # fmt: skip
            update = f"{truth.local('UTC', step.start_s - 36_000):%Y-%m-%d %H:%M:%S}"
            rows.append([*cells, text(step.price), currency, update])
            if step.start_s in revised:
                earlier = f"{truth.local('UTC', step.start_s - 40_000):%Y-%m-%d %H:%M:%S}"
                rows.append([*cells, text(step.price + 1000), currency, earlier])
    return "".join("\t".join(row) + "\r\n" for row in rows).encode("utf-8-sig")


def _stamp(time_s, clock, marks):
    if clock == UTC:
        return f"{truth.local('UTC', time_s):%d/%m/%Y %H:%M:%S}"
    local = truth.local(BERLIN, time_s)
    is_change = (local.month, local.day) in {(3, 30), (10, 26)}
    mark = f" ({local.tzname()})" if marks == "all" or (marks == "changes" and is_change) else ""
    return f"{local:%d/%m/%Y %H:%M:%S}{mark}"


def _dotted(step, clock=CET):
    """Return a period whose end is the label of its start plus its length, whatever the clock does."""
    start = truth.local(BERLIN if clock == CET else "UTC", step.start_s).replace(tzinfo=None)
    end = start + timedelta(seconds=step.end_s - step.start_s)
    return f"{start:%d.%m.%Y %H:%M} - {end:%d.%m.%Y %H:%M}"


def _is_spring(step):
    before, after = truth.local(BERLIN, step.start_s - 1), truth.local(BERLIN, step.start_s)
    return after.utcoffset() > before.utcoffset()
