"""The checks of a profile beyond its types: sources print the figures, numbers are plausible and consistent."""

import re
from collections.abc import Iterator
from itertools import pairwise

from hardware_profiles.errors import near_names, shown
from hardware_profiles.keys import key_for
from hardware_profiles.profile import Device, Figure, Point, Source

J_PER_TH_PLAUSIBLE = (4.0, 4000.0)  # a slip between GH, TH and PH leaves these bounds
J_PER_TH_AGREES_FRAC = 0.01
PRINTED_AGREES_FRAC = 0.001  # 989.4 stands for a printed 989.43
ROUNDED_AGREES_FRAC = 0.01  # 1125 stands for a printed 1.13 (in thousands): its last digit rounded
_NUMBER = re.compile(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:[.,]\d+)?)")  # not the 21 of S21


def faults(device: Device) -> list[str]:
    """Return all faults of a device, each as "key KEY: expected X, got Y"."""
    return [
        *_names(device),
        *_efficiency(device),  # before the plain bounds, because it names the likely unit
        *_plausible(device),
        *_modes(device),
        *_pairs(device),
        *_sources(device),
    ]


def _names(device: Device) -> Iterator[str]:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9.+]+)*", device.slug):
        yield f"file name: expected lower-case words joined by '-', got {shown(device.slug)}"
    yield from _repeated("bins", device.bins)
    for chosen in device.bins:
        yield from _repeated(f"bins.{chosen.name}.modes", chosen.modes)


def _repeated(key: str, points: tuple[Point, ...]) -> Iterator[str]:
    seen: dict[tuple[float, float], str] = {}
    names = [point.name for point in points]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"key {key}: expected every name once, got {shown(name)} {names.count(name)} times"
    for point in points:
        pair = (point.figures["hash_rate_th_s"].value, point.figures["wall_power_w"].value)
        if pair in seen and seen[pair] != point.name:
            yield f"key {key}.{point.name}: expected figures of its own, got those of {shown(seen[pair])}"
        seen[pair] = point.name


def _sources(device: Device) -> Iterator[str]:
    cited: set[str] = set()
    for key, figure in device.every_figure():
        cited.update(figure.sources)
        yield from _cites(device, key, figure)
    cited.update(device.feature_sources)
    known = {key for key, _ in device.every_figure()}
    for entry in device.disagreements:
        cited.add(entry.source)
        if entry.figure not in known:
            near = ", ".join(near_names(entry.figure, known))
            hint = f" (did you mean {near}?)" if near else ""
            yield f"key disagreements: expected a figure of this file, got {shown(entry.figure)}{hint}"
        source = device.sources.get(entry.source)
        if source is not None and source.address != "unknown" and not prints(source, entry.value):
            yield (
                f"key sources.{source.id}.printed: expected a figure that says {entry.value:g} (it disagrees on "
                f"{entry.figure}), got {shown(list(source.printed))}"
            )
    for name in sorted(cited - set(device.sources)):
        near = ", ".join(near_names(name, device.sources))
        hint = f" (did you mean {near}?)" if near else ""
        yield f"key sources.{name}: expected a source of that name, got none{hint}"
    for name in sorted(set(device.sources) - cited):
        yield f"key sources.{name}: expected a figure that cites it, got none"


def _cites(device: Device, key: str, figure: Figure) -> Iterator[str]:
    if figure.confidence == "unverified":
        return
    sources = [device.sources[name] for name in figure.sources if name in device.sources]
    needed = 2 if figure.confidence == "two_sources" else 1
    if len({source.publisher for source in sources}) < needed:
        expected = "two sources of different publishers" if needed == 2 else "a source"
        listed = ", ".join(figure.sources) or "none"
        yield f"key {key}.sources: expected {expected} for {figure.confidence}, got {listed}"
    for source in sources:
        if source.address == "unknown" or source.read == "unknown":
            yield (
                f"key sources.{source.id}: expected an address and the date it was read "
                f"({key} is {figure.confidence}), got unknown"
            )
        if figure.basis == "rated" and not prints(source, figure.value):
            yield (
                f"key sources.{source.id}.printed: expected a figure that says {figure.value:g} "
                f"{figure.unit} (for {key}), got {shown(list(source.printed))}"
            )


def prints(source: Source, value: float) -> bool:
    """Return whether a source prints a value, in this unit or one a power of 1000 larger or smaller, rounded."""
    return any(_equals(number, abs(value)) for text in source.printed for number in _NUMBER.findall(text))


def _equals(printed: str, value: float) -> bool:
    # 3,500 is a thousands comma, 157,3 a decimal one.
    plain = (
        printed.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", printed) else printed.replace(",", ".")
    )
    decimals = len(plain.partition(".")[2])
    for scale in (1.0, 1e3, 1e-3, 1e6, 1e-6):
        error = abs(float(plain) * scale - value)
        rounding = 0.5000001 * 10.0**-decimals * scale
        if error <= PRINTED_AGREES_FRAC * value or error <= min(rounding, ROUNDED_AGREES_FRAC * value):
            return True
    return False


def _plausible(device: Device) -> Iterator[str]:
    for key, figure in device.every_figure():
        known = key_for(device.kind, figure.key)
        if not known.low <= figure.value <= known.high:
            yield (f"key {key}: expected {known.low:g} to {known.high:g} {known.unit}, got {figure.value:g}")


def _efficiency(device: Device) -> Iterator[str]:
    for chosen in device.bins:
        yield from _point_efficiency(f"bins.{chosen.name}", chosen)
        for mode in chosen.modes:
            yield from _point_efficiency(f"bins.{chosen.name}.modes.{mode.name}", mode)


def _point_efficiency(key: str, point: Point) -> Iterator[str]:
    rate, power = point.figures["hash_rate_th_s"].value, point.figures["wall_power_w"].value
    if rate <= 0 or power <= 0:
        return
    computed = power / rate
    low, high = J_PER_TH_PLAUSIBLE
    if not low <= computed <= high:
        guess = "GH/s" if computed < low else "PH/s or kW"
        yield (
            f"key {key}.hash_rate_th_s: expected TH/s that give {low:g} to {high:g} J/TH with {power:g} W, "
            f"got {rate:g}, which gives {computed:.4g} J/TH (is it {guess}?)"
        )
    stated = point.figures.get("stated_j_per_th")
    if stated is not None and abs(stated.value / computed - 1) > J_PER_TH_AGREES_FRAC:
        yield (
            f"key {key}.stated_j_per_th: expected {computed:.2f} J/TH ({power:g} W / {rate:g} TH/s) "
            f"within 1 %, got {stated.value:g}"
        )


def _modes(device: Device) -> Iterator[str]:
    for chosen in device.bins:
        points = sorted(
            (mode.figures["wall_power_w"].value, mode.figures["hash_rate_th_s"].value, mode.name)
            for mode in (chosen, *chosen.modes)
        )
        for (watts, rate, name), (next_watts, next_rate, next_name) in pairwise(points):
            if next_watts <= watts or next_rate <= rate:
                yield (
                    f"key bins.{chosen.name}.modes: expected more hash rate for more power, got "
                    f"{name} {rate:g} TH/s at {watts:g} W and {next_name} {next_rate:g} TH/s at {next_watts:g} W"
                )


_ORDERED = (
    ("ambient_min_c", "ambient_max_c"),
    ("derate_above_c", "stop_above_c"),
    ("voltage_min_v", "voltage_max_v"),
    ("cores", "threads"),
    ("base_clock_ghz", "boost_clock_ghz"),
)


def _pairs(device: Device) -> Iterator[str]:
    for key, figure in device.figures.items():
        if "_sparse_" not in key:
            continue
        dense = device.figures.get(key.replace("_sparse_", "_dense_"))
        if dense is not None and dense.value > figure.value:
            yield f"key {dense.key}: expected at most its sparse peak {figure.value:g}, got {dense.value:g}"
    for low, high in _ORDERED:
        small, large = device.figures.get(low), device.figures.get(high)
        if small is not None and large is not None and small.value > large.value:
            yield f"key {low}: expected at most {high} {large.value:g}, got {small.value:g}"
