"""The entry of a transport in the table of meter kinds: from the words of a spec to a meter."""

from collections.abc import Mapping
from typing import Any

from bench import limits
from bench.meters.points.meter import PointMeter
from bench.meters.points.table import Point, Table, bundled, choices, filled, find, names, needed_settings
from bench.meters.points.transport import Transport, TransportKind
from bench.meters.protocol import Found, Meter, MeterInfo, MeterKind, MeterKindEntry, MeterOptions, Tier
from bench.meters.settings import COMMON, Stated, read_stated
from bench.network.login import refuse_password
from hardware_profiles.errors import InputError
from hardware_profiles.provenance import BOUNDARIES


def entry(kind: TransportKind) -> MeterKindEntry:
    """Return the entry of one transport."""

    def make(target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
        spec = f"{kind.name}:{target}" if target else kind.name
        place = f"--meter {spec}"
        refuse_password(place, settings)
        name = settings.get("table")
        if name is None:
            raise InputError.at(place, "table", expected="the name of a table (perwatt list meters) or a .toml file")
        table = find(name, place, kind.name)
        stated = _stated(spec, settings, options, kind, table)
        transport = kind.make(target, settings, table.transport_settings, place)
        chosen = choices(table, settings, place)
        words = ",".join(f"{key}={value}" for key, value in chosen.items())
        full = f"{spec},table={name}" + (f",{words}" if words else "")
        places, digits = _places(table, transport, chosen, f"{name}")
        sources = [
            f"{key}={value.lstrip('0') or value}" for key, value in chosen.items() if not table.settings[key].one_source
        ]
        domain = "/".join(filter(None, (f"{kind.name}:{transport.name}", ",".join(sources))))
        return PointMeter(_described(full, table, stated, kind, domain), table, transport, places, digits)

    def find_none() -> list[Found]:
        known = names(kind.name)
        boundaries = {bundled(name).boundary for name in known}
        example = f"table={known[0]}{needed_settings(bundled(known[0]))}"
        head = f"{kind.name}:{kind.example}" if kind.example else kind.name
        return [
            Found(
                kind.name, MeterKind.POWER, None, Tier.C, usable=False,
                reason=f"not looked for, only what you name is contacted; table= is one of {', '.join(known)}",
                cure=f"perwatt meter check {head},{example} (all tables: perwatt list tables)",
                spec=f"{head},table=NAME",
                reads=kind.summary,
                of_tables=tuple(boundary for boundary in BOUNDARIES if boundary in boundaries),
            )
        ]  # fmt: skip

    return MeterKindEntry(kind.name, kind.summary, make, find_none)


def _stated(spec: str, settings: Mapping[str, str], options: MeterOptions, kind: TransportKind, table: Table) -> Stated:
    """Return the common settings; what the spec does not state comes from the table."""
    taken = {*COMMON, "table", "sum", "password", *kind.settings} & set(table.settings)
    if taken:
        expected = "names that a spec does not have already"
        raise InputError.at(f"table {settings['table']}", "settings", expected=expected, got=", ".join(sorted(taken)))
    known = dict(settings)
    if table.accuracy is not None and "accuracy" not in known:
        known["accuracy"] = str(table.accuracy.frac)
        known.setdefault("source", table.accuracy.source)
    if table.period.s > limits.SLOWEST_PERIOD_S and "period" not in known and options.period_s is None:
        expected = f"period= of at most {limits.SLOWEST_PERIOD_S:g} s, as you set the device to publish"
        raise InputError(
            f"--meter {spec}: key period: expected {expected}, got {table.period.s:g} s ({table.period.source})"
        )
    return read_stated(
        spec, known, options, boundary=table.boundary, period_s=table.period.s,
        more=("table", *kind.settings, *table.settings),
    )  # fmt: skip


def _described(full: str, table: Table, stated: Stated, kind: TransportKind, domain: str) -> MeterInfo:
    counter = table.reads == "energy"
    averaging_s = max((point.averaging_s for point in table.of("power")), default=0.0)
    return MeterInfo(
        name=full,
        kind=MeterKind.COUNTER if counter else MeterKind.POWER,
        boundary=stated.boundary,
        tier=Tier.E if table.attribution else stated.tier,
        accuracy_frac=stated.accuracy_frac,
        accuracy_source=stated.accuracy_source,
        period_s=stated.period_s,
        averaging_s=0.0 if counter else averaging_s or stated.period_s,
        poll_s=max(stated.period_s, kind.least_poll_s),
        domains=(domain,),
        scope=f"{table.title}: {table.scope}",
        unit=table.of(table.reads)[0].unit,
    )


def _places(
    table: Table, transport: Transport, chosen: Mapping[str, str], name: str
) -> tuple[list[tuple[Point, Any]], dict[int, Any]]:
    """Return each point with its place, and the places of the decimal digits by the position of their point."""
    places, digits = [], {}
    for position, (key, point) in enumerate(table.points.items()):
        try:
            places.append((point, transport.place_of(filled(point.at, chosen))))
            if point.digits_at is not None:
                digits[position] = transport.place_of(filled(point.digits_at, chosen))
        except ValueError as error:
            raise InputError(f"table {name}: key points.{key}.at: {error}") from None
    return places, digits
