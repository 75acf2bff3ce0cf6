"""The measured units of one model as the plain `DeviceRate` of a site: their mean, and how far its units may be off."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.device_rates.records import from_record, is_usable, prompts_in
from bench.fleet.errors import Figures
from bench.fleet.spread import spread
from bench.fleet.study import Study, fleet
from bench.results.layout import STORE, result_names
from hardware_profiles.errors import InputError, near_names
from sites.market.unit_spread import FLEET_PREFIX, UnitMean, UnitSpread

if TYPE_CHECKING:
    from bench.fleet.measurements import Model
    from bench.fleet.spread import Spread
    from bench.results.record import Record
    from sites.market.device_rate import DeviceRate


def fleet_rate(name: str, store: Path = STORE) -> "DeviceRate":
    """Return the mean rate and power of the measured units of a model.

    Parameters
    ----------
    name
        `fleet:WORKLOAD/MODEL`, or `fleet:WORKLOAD/MODEL@KEY=VALUE,…` with settings (or `variant`) that tell fleets of
        one model apart.
    store
        The results folder.

    Raises
    ------
    InputError
        The folder has no such workload or model, several fleets fit, or the workload counts neither hashes nor tokens.
    """
    workload, _, rest = name.removeprefix(FLEET_PREFIX).partition("/")
    model, _, chosen = rest.partition("@")
    if not workload or not model:
        raise InputError.at("device", expected=f"{FLEET_PREFIX}WORKLOAD/MODEL", got=name)
    records = {record.id: record for record in _records(store, workload)}
    if any(record.workload.unit not in {"hash", "token"} for record in records.values()):
        raise InputError.at(name, "workload", expected="a workload that counts hashes or tokens", got=workload)
    studies = fleet(records.values()).studies
    found = _chosen(name, model, chosen, list(dict.fromkeys(study.model for study in studies)))
    rate, power = _figures([study for study in studies if study.model == found], records)
    if workload.startswith("llm_decode_"):
        return _served(name, rate, records, store)
    units = {id_: records[id_] for unit in (power or rate).units for id_ in unit.records}
    newest = max(units.values(), key=lambda record: (record.run.started_utc, record.id))
    return _joined(name, from_record(newest), rate, power, units.values())


def _records(store: Path, workload: str) -> "Iterable[Record]":
    """Yield the sound records of a workload; a superseded one is left out by those that supersede it."""
    from bench.results.folder import read_whole

    for name in result_names(store):
        if f"-{workload}-" in name:
            record = read_whole(store / name)
            if record.supersedes or is_usable(record):
                yield record


def _chosen(name: str, model: str, chosen: str, models: "Sequence[Model]") -> "Model":
    devices = {_plain(one.device): one.device for one in models}
    if _plain(model) not in devices:
        expected = f"a model with measured units ({', '.join(sorted(devices.values())) or 'there are none'})"
        near = (devices[one] for one in near_names(_plain(model), devices))
        raise InputError.at(name, expected=expected, got=model, near=near)
    wanted = [tuple(pair.strip().split("=", 1)) for pair in chosen.split(",") if pair.strip()]
    fitting = [one for one in models if _plain(one.device) == _plain(model) and set(wanted) <= set(_words(one).items())]
    if len(fitting) == 1:
        return fitting[0]
    every = [one for one in models if _plain(one.device) == _plain(model)]
    listed = "; ".join("@" + ",".join(f"{key}={value}" for key, value in _differing(one, every)) for one in every)
    one_of = f"one of {listed}" if len(every) > 1 else "no settings after the model, which has one fleet"
    raise InputError.at(name, expected=one_of, got=f"@{chosen}" if chosen else "no settings")


def _words(model: "Model") -> dict[str, str]:
    return {"variant": model.variant, "version": str(model.version), **dict(model.parameters), **dict(model.settings)}


def _differing(model: "Model", models: "Sequence[Model]") -> list[tuple[str, str]]:
    """Return the settings of a fleet in which the fleets of its model differ."""
    return [(key, value) for key, value in _words(model).items() if {_words(one).get(key) for one in models} != {value}]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")


def _figures(studies: "Sequence[Study]", records: "dict[str, Record]") -> tuple[Study, Study | None]:
    """Return the rate, and the power of the best tier: of miners at the wall only."""
    rate = next(study for study in studies if study.kind.group == "rate")
    is_miner = records[rate.units[0].records[0]].device.kind == "asic"
    powers = [
        study for study in studies if study.kind.group == "power" and (study.kind.boundary == "wall" or not is_miner)
    ]
    return rate, min(powers, key=lambda study: (study.kind.tier, -len(study.units)), default=None)


def _joined(
    name: str, newest: "DeviceRate", rate: Study, power: Study | None, records: "Iterable[Record]"
) -> "DeviceRate":
    """Return the rate of the newest record with the means of all units in place of its own."""
    codes = dict.fromkeys(code.code for record in records for code in record.warnings)
    watts = newest.power_w if power is None else _mean(power)
    interval_w = newest.power_interval_w if power is None else _interval(power)
    spread = None
    if rate.spread is not None:
        spread = UnitSpread(
            _unit_mean(rate.spread), _unit_mean(power.spread) if power is not None and power.spread else None
        )
    head, _, tail = newest.source.partition(f", result {newest.name}")
    return replace(
        newest,
        name=name,
        rate_per_s=_mean(rate),
        rate_interval_per_s=_interval(rate),
        power_w=watts,
        power_interval_w=interval_w,
        source=f"{head}, mean of {len(rate.units)} units, {sum(len(one.records) for one in rate.units)} results{tail}",
        codes=tuple(codes),
        spread=spread,
    )


def _served(name: str, study: Study, records: "dict[str, Record]", store: Path) -> "DeviceRate":
    """Return the mean rate of GPUs that answer requests: each unit's tokens include the time of its prompts.

    The scatter of the windows is not taken from the spread, because two records make one figure.
    """
    by_unit = [
        [from_record(records[id_], prompts_in(store, records[id_])) for id_ in unit.records] for unit in study.units
    ]
    newest = by_unit[max(range(len(by_unit)), key=lambda at: study.units[at].series[-1])][-1]
    if len(by_unit) < 2:
        return replace(newest, name=name)
    errors = [metric.u_meter_frac or 0.0 for record in records.values() if (metric := record.power) is not None]
    rate = spread(_plain_figures([[one.rate_per_s for one in rates] for rates in by_unit], 0.0))
    power = spread(
        _plain_figures([[one.power_w or 0.0 for one in rates] for rates in by_unit], max(errors, default=0.0))
    )
    metered = newest.power_basis == "measured"
    return replace(
        newest,
        name=name,
        rate_per_s=rate.mean,
        rate_interval_per_s=rate.mean_interval,
        power_w=power.mean if metered else newest.power_w,
        power_interval_w=power.mean_interval if metered else None,
        source=f"{newest.source}, mean of {len(by_unit)} units",
        codes=tuple(dict.fromkeys(code for rates in by_unit for one in rates for code in one.codes)),
        spread=UnitSpread(_unit_mean(rate), _unit_mean(power) if metered else None),
    )


def _plain_figures(by_unit: "Sequence[Sequence[float]]", u_meter_frac: float) -> Figures:
    """Return the figures of units from which no error is taken but that of their meters, which counts as common."""
    logs = np.array([np.log(values).mean() for values in by_unit])
    none = np.zeros_like(logs)
    group = np.zeros(logs.size, int)
    return Figures(logs, none, math.inf, none, math.inf, none, group, np.array([u_meter_frac**2]))


def _mean(study: Study) -> float:
    return study.spread.mean if study.spread is not None else study.units[0].value


def _interval(study: Study) -> tuple[float, float] | None:
    return study.spread.mean_interval if study.spread is not None else study.units[0].interval


def _unit_mean(spread: "Spread") -> UnitMean:
    return UnitMean(
        measured=spread.units,
        spread_frac=spread.sd_frac,
        weight_frac=spread.weight_frac,
        u_own_frac=spread.u_own_frac,
        u_common_frac=spread.u_common_frac,
        inflation=spread.inflation,
        quantile=spread.quantile,
    )
