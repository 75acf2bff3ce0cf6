"""The table of an overview: headings, cells, and the sentences that a reader needs with them."""

from collections.abc import Sequence

from bench.compare.over_rated import OverRated
from bench.compare.overview import OverviewRow
from bench.quantity import HASHES_PER_TH, j_per_th, quantity, rate

DTYPES = ("fp64", "fp32", "bf16", "fp8", "fp4")
"""Data types with a column of TFLOP/J, where a device has a figure of it."""


def columns(rows: Sequence[OverviewRow]) -> list[str]:
    """Return the headings of the table that `cells` fills; columns without any figure are omitted."""
    per_joule = [row.device.flop_per_j() for row in rows]
    dtypes = [dtype for dtype in DTYPES if any(dtype in by_dtype for by_dtype in per_joule)]
    hashing = any(row.device.j_per_th for row in rows)
    optional = [
        ("rate", any(row.device.headline() is not None for row in rows)),
        ("J/TH", hashing),
        ("USD/MWh", any(row.usd_per_mwh is not None for row in rows)),
        ("GH/J", hashing),
        *((f"{dtype} TFLOP/J", True) for dtype in dtypes),
        ("tokens/J", any(row.tokens for row in rows)),
        ("measured/rated", any(_rates(row) for row in rows)),
    ]
    shown = [heading for heading, has_figures in optional if has_figures]
    return ["name", "power", "at", *shown, "basis", "confidence"]


def cells(row: OverviewRow, headings: Sequence[str]) -> list[str]:
    """Return a row's cells under these headings; a dash where there is no figure."""
    return [_cell(row, heading) for heading in headings]


def _cell(row: OverviewRow, heading: str) -> str:
    device, dtype = row.device, heading.removesuffix(" TFLOP/J")
    if dtype != heading:
        return _number(device.flop_per_j().get(dtype), 1e12, 3)
    power = device.power()
    assumed = " (assumed)" if power is not None and power.basis == "assumed" else ""
    values = {
        "name": device.name,
        "power": f"{power.value:,.4g} W{assumed}" if power is not None else "-",
        "at": (power.boundary if power is not None else "") or "-",
        "rate": _rate(row),
        "J/TH": j_per_th(device.j_per_th),
        "USD/MWh": _number(row.usd_per_mwh, 1, 4),
        "GH/J": _number(HASHES_PER_TH / device.j_per_th if device.j_per_th else None, 1e9, 4),
        "tokens/J": f"{row.tokens.tokens_per_j:.3g} ({row.tokens.power})" if row.tokens else "-",
        "measured/rated": "; ".join(_ratio(ratio) for ratio in _rates(row)) or "-",
        "basis": row.basis,
        "confidence": row.confidence or "-",
    }
    return values[heading]


def _number(value: float | None, scale: float, digits: int) -> str:
    return "-" if value is None else f"{value / scale:.{digits}g}"


def _rate(row: OverviewRow) -> str:
    figure = row.device.headline()
    if figure is None:
        return "-"
    work, _, dtype = figure.of.partition(" ")
    return f"{rate(figure.value, f'{work}/s')} {dtype}".strip()


def _rates(row: OverviewRow) -> list[OverRated]:
    """Return the ratios that fit a column; those of a miner have a table of their own."""
    return [line for line in row.against.lines if not line.verdict]


def _ratio(over: OverRated) -> str:
    spread = f" [{over.interval_95[0]:.3f}, {over.interval_95[1]:.3f}]" if over.interval_95 else ""
    doubt = ", rated figure unverified" if over.rated_confidence == "unverified" else ""
    return f"{over.ratio:.3f}{spread} {over.of} ({over.rated_by}{doubt})"


RATED_COLUMNS = ("miner", "figure", "measured", "rated", "tolerance", "measured/rated", "95 % of ratio", "verdict")


def rated_cells(rows: Sequence[OverviewRow]) -> list[tuple[str, ...]]:
    """Return measured over rated of the miners, one row a figure."""
    return [(row.device.name, *_rated(line)) for row in rows for line in row.against.lines if line.verdict]


def _rated(line: OverRated) -> tuple[str, ...]:
    spread = line.interval_95
    doubt = "rated figure unverified" if line.rated_confidence == "unverified" else ""
    return (
        {"rate": "hash rate", "power": "power at the wall", "energy": "J/TH at the wall"}[line.group],
        quantity(line.measured, line.unit),
        f"{quantity(line.rated, line.unit)} ({line.rated_by})",
        "unknown" if line.tolerance_frac is None else f"± {line.tolerance_frac:.0%}",
        f"{line.ratio:.3f}",
        f"{spread[0]:.3f} to {spread[1]:.3f}" if spread else "-",
        "; ".join(filter(None, (line.verdict, line.note, doubt))),
    )


def captions(rows: Sequence[OverviewRow], hashprice: float | None) -> list[str]:
    """Return what a reader must know of the columns: boundaries, the price, the tags of the tokens."""
    sentences = ["Per joule at the boundary in the column `at`; rated FLOP/J are dense peaks over TDP."]
    if hashprice is not None:
        sentences.append(f"USD/MWh: gross, per MWh the device draws, at {hashprice:g} USD per PH/s and day as stated.")
    elif any(row.device.j_per_th for row in rows):
        sentences.append("--hashprice USD_PER_PH_S_DAY adds USD/MWh.")
    sentences.extend(missing for row in rows for missing in row.against.missing)
    for row in rows:
        if row.tokens is not None:
            t = row.tokens
            sentences.append(
                f"tokens/J of {row.device.name}: {t.model} {t.precision}, {t.token_basis} tokens, {t.lengths}, latency "
                f"limit {t.latency_limit}, power {t.power} at the {t.boundary}."
            )
    return sentences
