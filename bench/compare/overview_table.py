"""The table of an overview: headings, cells, and the sentences without which its columns would mislead."""

from collections.abc import Sequence

from bench.compare.overview import Line, OverRated
from bench.quantity import j_per_th, rate

DTYPES = ("fp64", "fp32", "bf16", "fp8", "fp4")
"""Data types of FLOP/J columns; a column without a figure is left out."""


def columns(lines: Sequence[Line]) -> list[str]:
    """Return the headings of the table that `cells` fills, without those that no line has a figure for."""
    dtypes = [dtype for dtype in DTYPES if any(dtype in line.flop_per_j for line in lines)]
    optional = [
        ("rate", any(line.rate is not None for line in lines)),
        ("J/TH", any(line.j_per_th for line in lines)),
        ("USD/MWh", any(line.usd_per_mwh is not None for line in lines)),
        ("GH/J", any(line.hash_per_j for line in lines)),
        *((f"{dtype} TFLOP/J", True) for dtype in dtypes),
        ("tokens/J", any(line.tokens for line in lines)),
        ("measured/rated", any(line.over_rated for line in lines)),
    ]
    return ["name", "power", "at", *(name for name, there in optional if there), "basis", "confidence"]


def cells(line: Line, headings: Sequence[str]) -> list[str]:
    """Return a line's cells under these headings; a dash where there is no figure."""
    return [_cell(line, heading) for heading in headings]


def _cell(line: Line, heading: str) -> str:
    dtype = heading.removesuffix(" TFLOP/J")
    if dtype != heading:
        return _number(line.flop_per_j.get(dtype), 1e12, 3)
    assumed = " (assumed)" if line.power_basis == "assumed" else ""
    values = {
        "name": line.name,
        "power": f"{line.power_w:,.4g} W{assumed}" if line.power_w else "-",
        "at": line.boundary or "-",
        "rate": _rate(line),
        "J/TH": j_per_th(line.j_per_th),
        "USD/MWh": _number(line.usd_per_mwh, 1, 4),
        "GH/J": _number(line.hash_per_j, 1e9, 4),
        "tokens/J": f"{line.tokens.tokens_per_j:.3g} ({line.tokens.power})" if line.tokens else "-",
        "measured/rated": "; ".join(_ratio(found) for found in line.over_rated) or "-",
        "basis": line.basis,
        "confidence": line.confidence or "-",
    }
    return values[heading]


def _number(value: float | None, scale: float, digits: int) -> str:
    return "-" if value is None else f"{value / scale:.{digits}g}"


def _rate(line: Line) -> str:
    if line.rate is None:
        return "-"
    work, _, dtype = line.rate_of.partition(" ")
    return f"{rate(line.rate, f'{work}/s')} {dtype}".strip()


def _ratio(found: OverRated) -> str:
    spread = f" [{found.interval_95[0]:.3f}, {found.interval_95[1]:.3f}]" if found.interval_95 else ""
    doubt = ", rated figure unverified" if found.rated_confidence == "unverified" else ""
    return f"{found.ratio:.3f}{spread} {found.of} ({found.rated_by}{doubt})"


def captions(lines: Sequence[Line], hashprice: float | None) -> list[str]:
    """Return what a reader must know of the columns: boundaries, the price, the tags of the tokens."""
    said = ["Per joule of the power in its column, at the boundary beside it; rated FLOP/J are dense peaks over TDP."]
    if hashprice is not None:
        said.append(f"USD/MWh: gross, per MWh the device draws, at {hashprice:g} USD per PH/s and day as stated.")
    elif any(line.j_per_th for line in lines):
        said.append("--hashprice USD_PER_PH_S_DAY adds USD/MWh.")
    for line in lines:
        if line.tokens is not None:
            t = line.tokens
            said.append(
                f"tokens/J of {line.name}: {t.model} {t.precision}, {t.token_basis} tokens, {t.lengths}, latency limit "
                f"{t.latency_limit}, power {t.power} at the {t.boundary}."
            )
    return said
