"""The reading of a control file: every unit with its lever, the limits and the rules; nothing is contacted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from bench.control.decision.terms import Limits, Setup, UnitTerms
from bench.control.setup.file import ControlFile, LevelTable, UnitTable
from bench.levers.journal import Device
from bench.levers.registry import open_lever
from bench.network.node_sets import expand, expand_beside
from bench.ramp.terms import resolve_ramp
from hardware_profiles.errors import Faults, InputError, near_names
from hardware_profiles.reading import parse_toml, read_file, validate
from sites.control.model import OFF, ON, Level, Unit
from sites.control.rules import Fallback, Rules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.control.decision.terms import Permit, Policy
    from bench.control.inputs.tables import PriceTable, TargetTable
    from sites.storage.ramps import MeasuredRamp

W_PER_KW = 1e3
W_PER_MW = 1e6
HASHES_PER_TH = 1e12
RAMP_PREFIX = "ramp:"
_NODE_SET = re.compile(r"[\w.-]*(\[[\d,-]+\][\w.-]*)+")
CYCLES_LOST = 3  # after which a look is too old, unless the file says otherwise


@dataclass(frozen=True, slots=True)
class Controlled:
    """What a control file declares."""

    path: Path
    sha256: str  # of the bytes of the file
    tick_s: float
    lost_telemetry_s: float
    rules: Rules
    limits: Limits
    units: Mapping[str, UnitTerms]  # in the order of the file
    devices: Mapping[str, Device]  # of each unit
    price: PriceTable | None
    targets: tuple[TargetTable, ...]
    feeder: str | None  # the meter, as --meter takes it
    verify_s: float | None

    def setup(self, site: str, policy: Policy, permit: Permit | None = None) -> Setup:
        """Return the terms of a run."""
        return Setup(
            site=site,
            policy=policy,
            limits=self.limits,
            units=self.units,
            tick_s=self.tick_s,
            lost_telemetry_s=self.lost_telemetry_s,
            verify_s=self.verify_s,
            permit=permit,
        )

    def check_blocks(self, names: tuple[str, ...], site: str) -> None:
        """Raise InputError for units of blocks that the site does not have."""
        faults = Faults()
        for block in dict.fromkeys(terms.unit.block for terms in self.units.values()):
            with faults.noted():
                if block not in names:
                    expected = f"a block of site {site} ({', '.join(names)})"
                    raise InputError.at(
                        self.path, "unit.block", expected=expected, got=block, near=near_names(block, names)
                    )
        faults.refuse()


def read_control(path: Path) -> Controlled:
    """Return what a control file declares.

    Raises
    ------
    InputError
        The file is not readable, or a key, a name, an address, a lever or a ramp in it is wrong; one line a fault.
    """
    return parse_control(read_file(path), path)


def parse_control(content: bytes, path: Path) -> Controlled:
    """Return what the bytes of a control file declare; see `read_control`."""
    file = validate(ControlFile, parse_toml(content, path), path)
    units, devices = _units(file, path)
    limits = _limits(file, path, len(units))
    return Controlled(
        path=path,
        sha256=sha256(content).hexdigest(),
        tick_s=file.control.tick_s,
        lost_telemetry_s=file.control.lost_telemetry_s or CYCLES_LOST * file.control.tick_s,
        rules=_rules(file, limits),
        limits=limits,
        units=units,
        devices=devices,
        price=file.price,
        targets=file.target,
        feeder=None if file.feeder is None else file.feeder.meter,
        verify_s=None if file.feeder is None else file.feeder.verify_s,
    )


def _limits(file: ControlFile, path: Path, fleet: int) -> Limits:
    table = file.limits
    limits = Limits(
        feeder_w=table.feeder_kw * W_PER_KW,
        ramp_w_per_min=table.ramp_kw_per_min * W_PER_KW,
        units_per_wave=table.units_per_wave,
        wave_interval_s=table.wave_interval_s,
        min_on_s=table.min_on_s,
        min_off_s=table.min_off_s,
        commands_per_hour=table.commands_per_hour,
        fleet_frac=table.fleet_frac,
        overshoot_frac=table.overshoot_percent / 100.0,
        other_w=table.other_kw * W_PER_KW,
        losses_frac=table.losses_percent / 100.0,
    )
    if limits.wave_units(fleet) < 1:
        expected = f"a share of at least one of {fleet} units ({1.0 / fleet:.3g})"
        raise InputError.at(path, "limits.fleet_frac", expected=expected, got=table.fleet_frac)
    if limits.at_feeder_w(0.0) >= limits.feeder_w:
        expected = f"more than other loads and losses ({limits.at_feeder_w(0.0) / W_PER_KW:,.5g} kW)"
        raise InputError.at(path, "limits.feeder_kw", expected=expected, got=table.feeder_kw)
    return limits


def _rules(file: ControlFile, limits: Limits) -> Rules:
    table = file.control
    return Rules(
        on_stale_price=Fallback(table.on_stale_price),
        on_lost_telemetry=Fallback(table.on_lost_telemetry),
        on_lost_target=None if table.on_lost_target is None else Fallback(table.on_lost_target),
        has_price=file.price is not None,
        stale_price_s=table.stale_price_s,
        windows_down=table.windows_down,
        windows_up=table.windows_up,
        units_mw=(limits.feeder_w * (1.0 - limits.losses_frac) - limits.other_w) / W_PER_MW,
        other_mw=limits.other_w / W_PER_MW,
        losses_frac=limits.losses_frac,
    )


def _units(file: ControlFile, path: Path) -> tuple[dict[str, UnitTerms], dict[str, Device]]:
    faults = Faults()
    units: dict[str, UnitTerms] = {}
    devices: dict[str, Device] = {}
    owners: dict[str, str] = {}  # unit of each device
    for index, table in enumerate(file.unit):
        place = f"{path}: key unit[{index}]"
        with faults.noted():
            for terms, device in _of_table(table, place):
                name = terms.unit.name
                if name in units:
                    raise InputError(f"{place}.name: expected another name, got {name!r} again")
                owner = owners.setdefault(device.key, name)
                if owner != name:
                    raise InputError(f"{place}.address: expected another device than that of {owner}, got {device}")
                units[name], devices[name] = terms, device
    faults.refuse()
    return units, devices


def _of_table(table: UnitTable, place: str) -> Iterator[tuple[UnitTerms, Device]]:
    """Yield the units of a table, after one look whether there is such a lever with such options."""
    names = expand(table.name, f"{place}.name")
    addresses = _addresses(table.address, names, f"{place}.address")
    identities = (
        [None] * len(names) if table.identity is None else expand_beside(table.identity, names, f"{place}.identity")
    )
    open_lever(table.lever, addresses[0], table.options, f"{place}.lever")
    levels = _levels(table)
    up_s, down_s = _ramp_s(table.ramp_up_s, "up_s", place), _ramp_s(table.ramp_down_s, "down_s", place)
    for name, address, identity in zip(names, addresses, identities, strict=True):
        unit = Unit(name, table.block, levels, ramp_up_s=up_s, ramp_down_s=down_s)
        device = Device(table.lever, address, table.options, identity)
        yield UnitTerms(unit, identity), device


def _addresses(text: str, names: list[str], place: str) -> list[str]:
    """Return the address of each unit: a node set within a text, or a text for one unit."""
    sets = list(_NODE_SET.finditer(text))
    if len(names) == 1 or not sets:
        return [text] * len(names)
    if len(sets) > 1:
        raise InputError.at(place, expected="one node set", got=text)
    first, last = sets[0].span()
    return [f"{text[:first]}{one}{text[last:]}" for one in expand_beside(text[first:last], names, place)]


def _levels(table: UnitTable) -> tuple[Level, ...]:
    points = sorted((Level(level.name, level.power_w, _rate_per_s(level)) for level in table.level), key=_power_w)
    return (Level(OFF, table.asleep_w, 0.0), *points, Level(ON, table.power_w, _rate_per_s(table)))


def _power_w(level: Level) -> float:
    return level.power_w or 0.0


def _rate_per_s(table: UnitTable | LevelTable) -> float | None:
    """Return the rate of an efficiency [hash/s] or [token/s]; None where none is stated."""
    if table.efficiency_j_per_th is not None:
        return table.power_w / table.efficiency_j_per_th * HASHES_PER_TH
    return None if table.efficiency_j_per_token is None else table.power_w / table.efficiency_j_per_token


def _ramp_s(stated: float | str, figure: str, place: str) -> float:
    """Return the seconds of a ramp, or those that a stored ramp says."""
    if not isinstance(stated, str):
        return stated
    try:
        ramp: MeasuredRamp = resolve_ramp(stated)
    except InputError as error:
        raise InputError(*(f"{place}.ramp_{figure}: {fault}" for fault in error.faults)) from None
    return ramp.up_s if figure == "up_s" else ramp.down_s
