"""The generator of docs/catalogue.md: numbers of devices, figures, confidences and sources of the catalogue."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bench.quantity import j_per_th_with_unit
from hardware_profiles.catalog import OURS, iter_profiles, load_all
from hardware_profiles.opening import is_folder
from hardware_profiles.profile import KINDS, Device, Profile, Source, weakest
from hardware_profiles.provenance import CONFIDENCES

PAGE = OURS.parent / "docs" / "catalogue.md"
WIDTH = 120
_SOURCE_KINDS = ("maker", "press", "test", "reseller", "table", "machine")
_NAMES = {"asic": "miners", "gpu": "GPUs", "cpu": "CPUs"}


def write_page() -> None:
    """Write the page anew in a checkout; an installation has no docs folder."""
    if is_folder(PAGE.parent):
        PAGE.write_text(page(ours()), encoding="utf-8")


def ours() -> list[Device]:
    """Return the devices of the bundled catalogue, without those of the user's folders."""
    return [device for device in load_all() if device.path.is_relative_to(OURS)]


def page(devices: Sequence[Device]) -> str:
    """Return the page in Markdown."""
    lines = [*_head(), *_counts(devices), *_bins(devices), *_sources(devices), *_contradictions(devices)]
    return "\n".join(line if line.startswith("|") else _wrapped(line) for line in lines) + "\n"


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False)


def _head() -> list[str]:
    return [
        "# The catalogue in figures",
        "",
        (
            "Generated from the profile files by `perwatt profile check --record`; a test compares them. What the "
            "words mean: [profile-keys.md](profile-keys.md). How to add a device: [profiles.md](profiles.md)."
        ),
        "",
    ]


def _counts(devices: Sequence[Device]) -> list[str]:
    rows = []
    for kind in KINDS:
        of_kind = [device for device in devices if device.kind == kind]
        figures = Counter[str](figure.confidence for device in of_kind for _, figure in device.every_figure())
        rows.append(
            (
                _NAMES[kind],
                len(of_kind),
                sum(len(device.bins) for device in of_kind) or "-",
                sum(len(chosen.modes) for device in of_kind for chosen in device.bins) or "-",
                sum(figures.values()),
                *(_share(figures[word], sum(figures.values())) for word in CONFIDENCES),
            )
        )
    return [
        "## Devices and figures",
        "",
        *_table(("kind", "devices", "bins", "modes", "figures", *CONFIDENCES), rows),
        "",
    ]


def _bins(devices: Sequence[Device]) -> list[str]:
    asics = [device for device in devices if device.kind == "asic"]
    words = Counter(_of_bin(profile) for profile in iter_profiles(asics))
    rows = []
    for maker in sorted({device.maker for device in asics}):
        of_maker = [profile for profile in iter_profiles(asics) if profile.device.maker == maker]
        best = min(of_maker, key=lambda profile: profile.j_per_th or float("inf"))
        by_confidence = Counter(_of_bin(profile) for profile in of_maker)
        rows.append(
            (
                maker,
                len(of_maker),
                *(by_confidence[word] for word in CONFIDENCES),
                f"`{best.name}` {j_per_th_with_unit(best.j_per_th or 0.0)}",
            )
        )
    doubtful = [f"`{profile.name}`" for profile in iter_profiles(asics) if _of_bin(profile) == "unverified"]
    summary = (
        f"There are {sum(words.values())} bins. For {words['two_sources']} of them two publishers print rate and "
        f"power, for {words['one_source']} at least one does. {words['unverified']} bins have a figure whose source "
        "was not found again."
    )
    return [
        "## Bins of miners",
        "",
        summary,
        "",
        *_table(("maker", "bins", *CONFIDENCES, "most efficient"), rows),
        "",
        f"With an unverified rate or power: {', '.join(doubtful) or 'none'}.",
        "",
    ]


def _of_bin(profile: Profile) -> str:
    return weakest(profile.figures[key].confidence for key in ("hash_rate_th_s", "wall_power_w"))


def _sources(devices: Sequence[Device]) -> list[str]:
    sources = list(_every_source(devices))
    publishers = {source.publisher for source in sources if source.address != "unknown"}
    by_kind = Counter(source.kind for source in _distinct(sources) if source.address != "unknown")
    lost = {source.id for source in sources if source.address == "unknown"}
    cited = {source.cites for source in sources if source.cites}
    asics = [device for device in devices if device.kind == "asic"]
    beyond = sum(
        any(
            profile.device.sources[name].kind != "table"
            for key in ("hash_rate_th_s", "stated_j_per_th", "wall_power_w")
            if key in profile.figures
            for name in profile.figures[key].sources
            if profile.device.sources[name].address != "unknown"
        )
        for profile in iter_profiles(asics)
    )
    summary = (
        f"There are {len(list(_distinct(sources)))} sources of {len(publishers)} publishers. For {len(lost)} of them "
        f"only the title is known; they support only unverified figures. The sources cite {len(cited)} pages of makers "
        "and filings that were not read for the catalogue."
    )
    return [
        "## Sources",
        "",
        summary,
        "",
        *_table(("kind of source, found again", "number"), [(kind, by_kind[kind]) for kind in _SOURCE_KINDS]),
        "",
        (
            "Third-party tables copy each other: `two_sources` says that two publishers print a figure, not that it "
            f"was measured twice. {beyond} bins of miners have a source that is not such a table: maker, press, test "
            "or reseller."
        ),
        "",
    ]


def _every_source(devices: Iterable[Device]) -> Iterator[Source]:
    for device in devices:
        yield from device.sources.values()


def _distinct(sources: Iterable[Source]) -> Iterator[Source]:
    seen: set[tuple[str, str]] = set()
    for source in sources:
        key = (source.id, source.address)
        if key not in seen:
            seen.add(key)
            yield source


def _contradictions(devices: Sequence[Device]) -> list[str]:
    rows = []
    for device in devices:
        figures = dict(device.every_figure())
        for entry in device.disagreements:
            ours_is = figures[entry.figure]
            rows.append(
                (
                    f"`{device.slug}`",
                    f"`{entry.figure}`",
                    f"{ours_is.value:g} {ours_is.unit}",
                    f"{entry.value:g} {ours_is.unit}",
                    entry.source,
                    entry.note,
                )
            )
    heading = ("device", "figure", "carried", "also printed", "by", "note")
    return [f"## Contradictions on record: {len(rows)}", "", *_table(heading, rows)]


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else "0"


def _table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(heading)} |", f"|{'---|' * len(heading)}"]
    return [*lines, *(f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in rows)]
