"""One line a device: rate, power, J/TH, USD/MWh, hash/J, FLOP/J, tokens/J; measured over rated where both exist."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bench.compare.subjects import Figure, Subject
from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from hardware_profiles.profile import Device
    from sites.market.published_rates import PublishedFigure


@dataclass(frozen=True, slots=True)
class OverRated:
    """A measured rate over the rated one of the same work; the interval is the measured one's."""

    of: str
    ratio: float
    interval_95: tuple[float, float] | None
    rated_by: str
    rated_confidence: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens per joule with the tags without which it means nothing."""

    tokens_per_j: float
    model: str
    precision: str
    boundary: str
    power: str
    token_basis: str
    lengths: str
    latency_limit: str
    source: str


@dataclass(frozen=True, slots=True)
class Line:
    """One subject of a comparison; None is what it has no figure for, `why` says what a refused one lacks.

    rate is the headline one [unit/s] of the work `rate_of`; power_w is drawn at `boundary`, and the per-joule figures
    are over that power; tokens carry their own.
    """

    name: str
    title: str
    kind: str
    power_w: float | None
    boundary: str | None
    power_basis: str | None
    rate_hash_s: float | None
    rate: float | None
    rate_of: str
    j_per_th: float | None
    hash_per_j: float | None
    usd_per_mwh: float | None
    flop_per_j: dict[str, float]
    byte_per_s: float | None
    tokens: Tokens | None
    over_rated: tuple[OverRated, ...]
    basis: str
    confidence: str | None
    why: str = ""


def overview(
    subjects: Sequence[Subject],
    *,
    hashprice_usd_per_ph_s_day: float | None = None,
    tokens_of: str | None = None,
    catalogue: Iterable["Device"] | None = None,
) -> list[Line]:
    """Return a line per subject.

    Parameters
    ----------
    hashprice_usd_per_ph_s_day
        Stated price; None leaves USD/MWh out.
    tokens_of
        Published workload for tokens/J as MODEL:LENGTHS (`Llama-3.3-70B-Instruct:1000:1000`); None takes the one that
        most of the compared GPUs were published with.

    Raises
    ------
    InputError
        No published figure has that workload.
    """
    from hardware_profiles.catalog import load_all

    devices = list(load_all() if catalogue is None else catalogue)
    published = _published(subjects, devices, tokens_of)
    return [_line(subject, devices, published, hashprice_usd_per_ph_s_day) for subject in subjects]


def _line(
    subject: Subject, devices: Sequence["Device"], published: dict[str, "PublishedFigure"], hashprice: float | None
) -> Line:
    power = next((figure for figure in subject.figures if figure.group == "power"), None)
    hashes = _rate(subject, "hash")
    energy = next((figure for figure in subject.figures if figure.group == "energy" and figure.of == "hash"), None)
    j_per_hash = energy.value if energy else power.value / hashes.value if power and hashes else None
    usd = None
    if hashprice is not None and j_per_hash is not None:
        from sites.market.mining import usd_per_device_mwh

        usd = usd_per_device_mwh(hashprice, j_per_hash * 1e12)
    headline = _headline(subject)
    figures = [figure for figure in subject.figures if figure.group != "power"] or list(subject.figures)
    bases = sorted({figure.basis for figure in figures})
    return Line(
        name=subject.name,
        title=subject.title,
        kind=subject.kind,
        power_w=power.value if power else None,
        boundary=power.boundary or None if power else None,
        power_basis=power.basis if power else None,
        rate_hash_s=hashes.value if hashes else None,
        rate=headline.value if headline else None,
        rate_of=headline.of if headline else "",
        j_per_th=j_per_hash * 1e12 if j_per_hash else None,
        hash_per_j=1 / j_per_hash if j_per_hash else None,
        usd_per_mwh=usd,
        flop_per_j=_flop_per_j(subject, power),
        byte_per_s=found.value if (found := _rate(subject, "byte")) else None,
        tokens=_tokens(subject, devices, published.get(subject.device)),
        over_rated=_over_rated(subject, devices) if not subject.refused else (),
        basis=" and ".join(bases) or "-",
        confidence=next((figure.confidence for figure in figures if figure.confidence), None),
        why=subject.refused,
    )


_HEADLINES = ("hash", "flop bf16", "flop fp16", "flop fp32", "flop fp64", "byte")


def _headline(subject: Subject) -> Figure | None:
    """Return the rate that a line leads with: hashes, else the matrix peak that most work is done in, else bytes."""
    found = (_rate(subject, of) for of in _HEADLINES)
    rates = (figure for figure in subject.figures if figure.group == "rate")
    return next((figure for figure in found if figure is not None), next(rates, None))


def _rate(subject: Subject, of: str) -> Figure | None:
    return next((figure for figure in subject.figures if figure.group == "rate" and figure.of == of), None)


def _flop_per_j(subject: Subject, power: Figure | None) -> dict[str, float]:
    """Return FLOP/J by dtype: metered energy where there is some, else the rate over the power stated beside it."""
    found: dict[str, float] = {}
    for figure in subject.figures:
        work, _, dtype = figure.of.partition(" ")
        if work != "flop":
            continue
        if figure.group == "energy" and figure.value > 0:
            found[dtype] = 1 / figure.value
        elif figure.group == "rate" and power is not None:
            found.setdefault(dtype, figure.value / power.value)
    return found


def _over_rated(subject: Subject, devices: Sequence["Device"]) -> tuple[OverRated, ...]:
    """Return measured over rated for each rate of a result whose device the catalogue knows by its reported name."""
    from bench.compare.subjects import of_profile
    from hardware_profiles.catalog import recognise

    if subject.kind != "result":
        return ()
    device = recognise(subject.device, devices)
    if device is None:
        return ()
    rated = of_profile(next(device.profiles()))
    lines = []
    for figure in subject.figures:
        match = _rate(rated, figure.of) if figure.group == "rate" and figure.basis == "measured" else None
        if match is None:
            continue
        low_high = figure.interval
        lines.append(
            OverRated(
                figure.of,
                figure.value / match.value,
                (low_high[0] / match.value, low_high[1] / match.value) if low_high else None,
                rated.name,
                match.confidence,
            )
        )
    return tuple(lines)


def _published(
    subjects: Sequence[Subject], devices: Sequence["Device"], wanted: str | None
) -> dict[str, "PublishedFigure"]:
    """Return one published serving figure per GPU of the comparison, all of one workload."""
    from hardware_profiles.catalog import recognise
    from sites.market.published_rates import published_figures

    slugs = {subject.device for subject in subjects if subject.kind == "profile" and subject.device_kind == "gpu"}
    by_workload: dict[str, dict[str, PublishedFigure]] = {}
    for figure in published_figures().values():
        mine = by_workload.setdefault(f"{figure.model}:{figure.lengths}", {})
        device = recognise(figure.gpu, devices)
        if device is None or device.slug not in slugs or not figure.latency_limit.startswith("none"):
            continue
        best = mine.get(device.slug)
        if best is None or _worth(figure) > _worth(best):
            mine[device.slug] = figure
    if wanted is not None:
        by_name = {name.casefold(): found for name, found in by_workload.items()}
        if wanted.casefold() not in by_name:
            raise InputError.at(
                "--tokens", expected="a published MODEL:LENGTHS", got=wanted, near=near_names(wanted, by_workload)
            )
        return by_name[wanted.casefold()]
    # Most GPUs first, then figures with a metered power, then the name that sorts last (the larger model).
    return max(
        by_workload.items(),
        key=lambda item: (
            len(item[1]),
            sum(figure.system_power_w is not None for figure in item[1].values()),
            item[0].endswith(":1000:1000"),
            item[0],
        ),
    )[1]


def _worth(figure: "PublishedFigure") -> tuple[bool, float]:
    return figure.system_power_w is not None, figure.tokens_per_s / figure.gpus


def _tokens(subject: Subject, devices: Sequence["Device"], figure: "PublishedFigure | None") -> Tokens | None:
    if figure is None or subject.kind != "profile":
        return None
    from sites.market.published_rates import published_rate

    device = next((device for device in devices if device.slug == subject.device), None)
    watts = next(device.profiles()).server_w_per_gpu if device is not None else None
    if watts is None and figure.system_power_w is None:
        return None
    rate = published_rate(figure.name, provisioned_w_per_gpu=watts)
    if rate.power_w is None or rate.tags is None:
        return None
    tags = rate.tags
    return Tokens(
        rate.rate_per_s / rate.power_w,
        figure.model,
        figure.weight_precision,
        tags.boundary,
        tags.power_kind,
        tags.token_basis,
        tags.lengths,
        tags.latency_limit,
        figure.source,
    )


def as_documents(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return the lines as JSON-ready tables in base units."""
    return [asdict(line) for line in lines]
