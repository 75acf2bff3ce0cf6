"""The schema of the planner tables: each column with its type, unit and meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from sites.scenarios.distributions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

SCHEMA_VERSION = "1.2.0"
Kind = Literal["string", "number", "integer", "datetime", "boolean"]


class Column(NamedTuple):
    """A column of a planner table."""

    name: str
    kind: Kind
    unit: str
    required: bool  # whether every row has a value
    meaning: str


NO_UNIT = "none"  # of texts
ONE = "1"  # of shares, ratios and counts
OF_ROW = "unit in column unit"
TIME = "UTC"
CURVE_LEVELS = tuple(level for level in reversed(LEVELS) if LEVELS[level] >= 0.5)
"""Levels of the value curve: P50 and those that are exceeded with more."""


def _or(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


def _text(name: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name, "string", NO_UNIT, required, meaning)


def _number(name: str, unit: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name, "number", unit, required, meaning)


_SITE = _text("site", "name of the site")
_BLOCK = _text("block", "name of the block within the site")

Tables = Mapping[str, tuple[Column, ...]]
TABLES: dict[str, tuple[Column, ...]] = {
    "run": (
        _text("run_id", "name of this run"),
        Column("created_utc", "datetime", TIME, True, "time of the computation"),
        _text("perwatt_version", "version of the program"),
        _text("schema_version", "version of these tables"),
        _text("inputs_sha256", "hash of all inputs"),
        _text("difficulty_sha256", "hash of the bundled difficulty data"),
        _text(
            "difficulty_known_until", "day after which the difficulty of a site is assumed, the earliest of all sites"
        ),
    ),
    "site": (
        _SITE,
        _text("region", "region in the site file"),
        _text("timezone", "IANA time zone of the local hours"),
        Column("start_utc", "datetime", TIME, True, "first hour of the year"),
        _text("start_local", "the same hour in local time, with its offset"),
        Column("hours", "integer", "h", True, "hours of the year"),
        _number("interconnect_mw", "MW", "limit at the meter"),
        _number("delivered_frac", ONE, "share of metered energy that reaches the facility"),
        _number("availability_frac", ONE, "share of the year with power"),
        _number("metered_mwh", "MWh", "energy drawn at the meter"),
        _number("revenue_usd", "USD", "revenue of all blocks"),
        _number("energy_usd", "USD", "cost of power: spot, contract, delivery, peaks and demand charge less resale"),
        _number("demand_charge_usd", "USD", "part of energy_usd: charge on the monthly peaks"),
        _number("resale_usd", "USD", "part of energy_usd: revenue of resale, as a positive number"),
        _number("credits_usd", "USD", "revenue of the curtailment programme"),
        _number("penalty_usd", "USD", "penalty for promised output that was not served"),
        _number("fixed_usd", "USD", "fixed cost"),
        _number("net_usd", "USD", "revenue and credits less energy, penalties, fixed cost, degradation and starts"),
        _number("carbon_kg", "kg", "CO2 of the metered energy", required=False),
        _number("difficulty_assumed_frac", ONE, "share of the hours whose difficulty is assumed"),
        _text("currency", "currency of the site file"),
        _number("currency_per_usd", "currency/USD", "exchange rate in the site file"),
        _number("battery_cycles", ONE, "full discharges of the battery", required=False),
        _number("shifted_mwh", "MWh", "energy that the battery discharged", required=False),
        _number(
            "battery_power_usd", "USD", "part of energy_usd: charging less the power displaced or sold", required=False
        ),
        _number("degradation_usd", "USD", "degradation of the battery", required=False),
        _number("export_mwh", "MWh", "energy that the battery fed into the grid", required=False),
        _number("export_usd", "USD", "paid for it, part of battery_power_usd, as a positive number", required=False),
        Column("starts", "integer", ONE, False, "starts of all blocks with start costs"),
        _number("start_usd", "USD", "cost of the starts", required=False),
        _number("wake_mwh", "MWh", "energy at the meter drawn without output while waking up", required=False),
        _number("storage_gap_frac", ONE, "gap between the plan and the best one, as its solver states", required=False),
    ),
    "site_block": (
        _SITE,
        _BLOCK,
        _text("product", "mining or inference"),
        _text("device", "device, result or figure that the rate belongs to"),
        _number("count", ONE, "number of devices"),
        _text("unit", "unit of the output: hash, token, gpu_hour or kw_month"),
        _number("facility_mwh", "MWh", "energy drawn by the facility for the block, PUE included"),
        _number("device_mwh", "MWh", "energy drawn by the devices"),
        _number("units", OF_ROW, "output of the year"),
        _number("btc", "BTC", "bitcoin after rejects and pool fee; missing for inference", required=False),
        _number("revenue_usd", "USD", "revenue of the block"),
        _number("energy_usd", "USD", "cost of its power at the mean price of each hour, without demand charge"),
        _number("short_units", OF_ROW, "promised output that was not served"),
        _text("basis", "basis of units, BTC and USD: always modelled; the basis of the rate is in device_result"),
    ),
    "device_result": (
        _SITE,
        _BLOCK,
        _text("device", "name of the device, result or figure"),
        _text("unit", "hash or token"),
        _number("rate_per_s", "1/s", "rate of one device, in its unit"),
        _number("rate_low_per_s", "1/s", "lower end of its 95 % interval", required=False),
        _number("rate_high_per_s", "1/s", "upper end of its 95 % interval", required=False),
        _number("power_w", "W", "power of one device at the boundary"),
        _number("power_low_w", "W", "lower end of its 95 % interval", required=False),
        _number("power_high_w", "W", "upper end of its 95 % interval", required=False),
        _text("boundary", "boundary of the power: chip, board, package, node, rack or wall"),
        _text("basis", "basis of the rate: measured, replayed, rated, modelled or assumed"),
        _text("power_basis", "basis of the power: measured, rated, modelled or assumed"),
        _text("confidence", "two_sources, one_source or unverified"),
        _text("power_kind", "measured, modelled or provisioned, for token rates", required=False),
        _text("token_basis", "output or total, for token rates", required=False),
        _text("lengths", "input:output tokens, for token rates", required=False),
        _text("latency_limit", "latency limit that the rate was reached under, for token rates", required=False),
        _text("plan", "plan of the measurement (quick or publish); missing for a rate not measured", required=False),
        _text("codes", "warnings of the result that the rate comes from", required=False),
        _text("source", "source of the figures"),
    ),
    "yield_hourly": (
        _SITE,
        Column("time_utc", "datetime", TIME, True, "start of the hour"),
        _text("time_local", "the same hour in local time, with its offset"),
        _BLOCK,
        _text(
            "part",
            "idle, sla, on-demand (with its operating point) or a mode; missing if the block has one part",
            required=False,
        ),
        _text("product", "mining or inference"),
        _number("device_mw", "MW", "power drawn by the devices"),
        _number("meter_mw", "MW", "power drawn at the meter for the devices"),
        _number("worth_usd_per_mwh", "USD/MWh", "worth of one more MWh at the meter in this part", required=False),
        _number("price_usd_per_mwh", "USD/MWh", "price of power at the meter that decided the dispatch"),
        _number("revenue_usd", "USD", "revenue of the hour"),
        _text("reason", "reason for the power of the part in the hour"),
    ),
    "yield_annual": (
        _SITE,
        _text("block", "name of the block; missing for the site", required=False),
        _text("product", "mining or inference; missing for the site", required=False),
        _text("metric", "name of the quantity"),
        _text("unit", "unit of the value"),
        _text("statistic", f"base, mean, sd, cvar, or a level exceeded with a probability: {_or(LEVELS)}"),
        _number("value", OF_ROW, "value in the unit of the row", required=False),
        _number("scenarios", ONE, "number of scenarios of the statistic; missing for base", required=False),
    ),
    "loss_waterfall": (
        _SITE,
        _text("product", "mining or inference"),
        Column("step", "integer", ONE, True, "order of the step; 0 is nameplate"),
        _text("name", "name of the step"),
        _text("kind", "kind of the step: physical, commercial or economic"),
        _text(
            "reaches", "stage reached by the step: nameplate, measured, available, delivered or sold", required=False
        ),
        _number("factor", ONE, "share of the energy before the step that remains after it"),
        _number("mwh", "MWh", "energy after the step, at nameplate efficiency"),
        _number("factor_usd", ONE, "share of the gross revenue before the step that remains after it"),
        _number("usd", "USD", "gross revenue after the step"),
    ),
    "value_curve": (
        _SITE,
        _BLOCK,
        _text("product", "mining or inference"),
        _text("statistic", f"base, mean, cvar, or a level exceeded with a probability: {_or(CURVE_LEVELS)}"),
        _number("mw_from", "MW", "start of the part's megawatts at the meter, most valuable first, mean over the year"),
        _number("mw_to", "MW", "end of the part's megawatts"),
        _number("usd_per_mwh", "USD/MWh", "mean worth of one more metered MWh in the part"),
    ),
    "assumption": (
        _SITE,
        _text("key", "key in the site file"),
        _text("value", "value in the site file"),
        _text("source", "source of the value, or assumption"),
        _text("date", "date of the value, or unknown"),
    ),
}
SMALL = tuple(name for name in TABLES if name != "yield_hourly")
_ARROW = {"string": "string", "number": "float64", "integer": "int64", "boolean": "bool"}
_JSON = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
}


def arrow_schema(table: str, tables: Tables = TABLES) -> pa.Schema:
    """Return the Arrow schema of a table, with units and meanings as metadata of its fields."""
    import pyarrow as pa

    fields = []
    for column in tables[table]:
        kind = pa.timestamp("s", tz="UTC") if column.kind == "datetime" else getattr(pa, _ARROW[column.kind])()
        metadata = {"unit": column.unit, "description": column.meaning}
        fields.append(pa.field(column.name, kind, nullable=not column.required, metadata=metadata))
    return pa.schema(fields, metadata={"schema_version": SCHEMA_VERSION})


def table_schema(table: str, tables: Tables = TABLES) -> dict[str, object]:
    """Return the Frictionless Table Schema of a table."""
    return {
        "fields": [
            {
                "name": column.name,
                "type": column.kind,
                "description": column.meaning,
                "unit": column.unit,
                "constraints": {"required": column.required},
            }
            for column in tables[table]
        ],
        "missingValues": [""],
    }


def json_schema(tables: Tables = TABLES) -> dict[str, object]:
    """Return the JSON Schema (2020-12) of all tables: an object of tables, each an array of rows."""
    rows: dict[str, object] = {}
    for name, columns in tables.items():
        properties: dict[str, object] = {}
        for column in columns:
            kind: dict[str, object] = {**_JSON[column.kind], "description": column.meaning}
            if not column.required:
                kind["type"] = [_JSON[column.kind]["type"], "null"]
            kind["x-unit"] = column.unit
            properties[column.name] = kind
        rows[name] = {
            "type": "object",
            "properties": properties,
            "required": [column.name for column in columns],
            "additionalProperties": False,
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "perwatt planner tables",
        "version": SCHEMA_VERSION,
        "type": "object",
        "properties": {name: {"type": "array", "items": {"$ref": f"#/$defs/{name}"}} for name in tables},
        "required": list(tables),
        "additionalProperties": False,
        "$defs": rows,
    }
