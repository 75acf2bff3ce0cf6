"""The daily files of OMIE, the market operator of Spain and Portugal: one column for each period of the day."""

from datetime import timedelta

from doubles.feeds.europe.market import MADRID, by_day, text

SPAIN = "Precio marginal en el sistema español (EUR/MWh)"
PORTUGAL = "Precio marginal en el sistema portugués (EUR/MWh)"


def day(date, spain, portugal):
    """Return the file of a local date: hours are 1, 2, …, quarters are H1Q1, H1Q2, …."""
    quarters = spain[0].end_s - spain[0].start_s == 900
    names = [f"H{i // 4 + 1}Q{i % 4 + 1}" if quarters else f"{i + 1}" for i in range(len(spain))]
    issued = date - timedelta(days=1)
    title = f"Fecha Emisión :{issued:%d/%m/%Y} - 13:51;;{date:%d/%m/%Y};Precio del mercado diario (EUR/MWh);;;;"
    lines = [
        f"OMIE - Mercado de electricidad;{title}",
        "",
        f";{';'.join(names)};",
        f"{SPAIN};{_cells(spain)};",
        f"{PORTUGAL};{_cells(portugal)};",
        f"Energía total de compra sistema español (MWh);{';'.join('  10.123,4' for _ in names)};",
    ]
    return "".join(f"{line}\n" for line in lines).encode("latin-1")


def year(steps, portugal=None):
    """Return the files of all days, one behind the other, as `cat` makes them."""
    others = by_day(portugal or steps, MADRID)
    return b"".join(day(date, spain, others[date]) for date, spain in by_day(steps, MADRID).items())


def marginal(date, spain, portugal):
    """Return the list of marginal prices of a local date, Portugal before Spain."""
    lines = ["MARGINALPDBC;"]
    for i, (first, second) in enumerate(zip(portugal, spain, strict=True), 1):
        lines.append(f"{date:%Y;%m;%d};{i};{text(first.price)};{text(second.price)};")
    return "".join(f"{line}\n" for line in [*lines, "*"]).encode()


def marginal_year(steps):
    """Return the lists of all days, one behind the other."""
    return b"".join(marginal(date, day_, day_) for date, day_ in by_day(steps, MADRID).items())


def _cells(steps):
    return ";".join(
        (step.price if isinstance(step.price, str) else f"{step.price:.2f}".replace(".", ",")).rjust(9)
        for step in steps
    )
