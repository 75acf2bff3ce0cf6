"""The overview of a comparison: one row a device, with USD/MWh, tokens per joule and measured over rated."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bench.compare.device_figures import DeviceFigures, Figure
from bench.compare.over_rated import Against, over_rated
from bench.quantity import HASHES_PER_TH
from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from hardware_profiles.profile import Device
    from sites.market.published_rates import PublishedFigure


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens per joule with the tags that define them."""

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
class OverviewRow:
    """A device of a comparison with what the overview adds to its figures; None where there is nothing to add."""

    device: DeviceFigures
    usd_per_mwh: float | None  # gross, per MWh that the device draws, at the stated hashprice
    tokens: Tokens | None
    against: Against  # the rated figures of its device

    @property
    def basis(self) -> str:
        """The bases of its figures, without its power's where it has others."""
        return " and ".join(sorted({figure.basis for figure in self._leading()})) or "-"

    @property
    def confidence(self) -> str | None:
        """The confidence of its first figure that has one."""
        return next((figure.confidence for figure in self._leading() if figure.confidence), None)

    def _leading(self) -> list[Figure]:
        figures = self.device.figures
        return [figure for figure in figures if figure.group != "power"] or list(figures)


def overview(
    subjects: Sequence[DeviceFigures],
    *,
    hashprice_usd_per_ph_s_day: float | None = None,
    tokens_of: str | None = None,
    catalogue: Iterable["Device"] | None = None,
) -> list[OverviewRow]:
    """Return a row per subject.

    Parameters
    ----------
    hashprice_usd_per_ph_s_day
        Stated price [USD/PH/s/day]; None omits USD/MWh.
    tokens_of
        Published workload for tokens/J as MODEL:LENGTHS (`Llama-3.3-70B-Instruct:1000:1000`); None takes the workload
        with figures for most of the compared GPUs.

    Raises
    ------
    InputError
        No published figure has that workload.
    """
    from hardware_profiles.catalog import load_all

    devices = list(load_all() if catalogue is None else catalogue)
    published = _published(subjects, devices, tokens_of)
    return [_row(subject, subjects, devices, published, hashprice_usd_per_ph_s_day) for subject in subjects]


def _row(
    subject: DeviceFigures,
    subjects: Sequence[DeviceFigures],
    devices: Sequence["Device"],
    published: dict[str, "PublishedFigure"],
    hashprice: float | None,
) -> OverviewRow:
    usd, j_per_th = None, subject.j_per_th
    if hashprice is not None and j_per_th is not None:
        from sites.market.mining import usd_per_device_mwh

        usd = usd_per_device_mwh(hashprice, j_per_th)
    return OverviewRow(
        subject,
        usd,
        _tokens(subject, devices, published.get(subject.device)),
        over_rated(subject, devices, subjects),
    )


def _published(
    subjects: Sequence[DeviceFigures], devices: Sequence["Device"], workload: str | None
) -> dict[str, "PublishedFigure"]:
    """Return one published serving figure per GPU of the comparison, all of one workload."""
    from hardware_profiles.catalog import recognise
    from sites.market.published_rates import published_figures

    slugs = {subject.device for subject in subjects if subject.source == "profile" and subject.device_kind == "gpu"}
    by_workload: dict[str, dict[str, PublishedFigure]] = {}
    for figure in published_figures().values():
        by_slug = by_workload.setdefault(f"{figure.model}:{figure.lengths}", {})
        device = recognise(figure.gpu, devices)
        if device is None or device.slug not in slugs or not figure.latency_limit.startswith("none"):
            continue
        best = by_slug.get(device.slug)
        if best is None or _worth(figure) > _worth(best):
            by_slug[device.slug] = figure
    if workload is not None:
        by_name = {name.casefold(): figures for name, figures in by_workload.items()}
        if workload.casefold() not in by_name:
            raise InputError.at(
                "--tokens", expected="a published MODEL:LENGTHS", got=workload, near=near_names(workload, by_workload)
            )
        return by_name[workload.casefold()]
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


def _tokens(subject: DeviceFigures, devices: Sequence["Device"], figure: "PublishedFigure | None") -> Tokens | None:
    if figure is None or subject.source != "profile":
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


def as_documents(rows: Sequence[OverviewRow]) -> list[dict[str, Any]]:
    """Return the rows as JSON-ready tables in base units."""
    return [_document(row) for row in rows]


def _document(row: OverviewRow) -> dict[str, Any]:
    device = row.device
    power, headline, j_per_th = device.power(), device.headline(), device.j_per_th
    hashes, bytes_ = device.rate("hash"), device.rate("byte")
    return {
        "name": device.name,
        "title": device.title,
        "kind": device.source,
        "power_w": power.value if power else None,
        "boundary": (power.boundary if power else "") or None,
        "power_basis": power.basis if power else None,
        "rate_hash_s": hashes.value if hashes else None,
        "rate": headline.value if headline else None,
        "rate_of": headline.of if headline else "",
        "j_per_th": j_per_th,
        "hash_per_j": HASHES_PER_TH / j_per_th if j_per_th else None,
        "usd_per_mwh": row.usd_per_mwh,
        "flop_per_j": device.flop_per_j(),
        "byte_per_s": bytes_.value if bytes_ else None,
        "tokens": asdict(row.tokens) if row.tokens else None,
        "over_rated": tuple(asdict(line) for line in row.against.lines),
        "basis": row.basis,
        "confidence": row.confidence,
        "why": device.refused,
    }
