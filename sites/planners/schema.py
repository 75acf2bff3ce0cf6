"""Tables of the output contract: every column with type, unit and meaning; the schema has a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = "1.0.0"
Kind = Literal["string", "number", "integer", "datetime", "boolean"]


class Column(NamedTuple):
    """One column: name, type, unit, whether it is always given, and what it means."""

    name: str
    kind: Kind
    unit: str
    required: bool
    meaning: str


NO_UNIT = "none"  # words
ONE = "1"  # shares, ratios and counts
OF_ROW = "as column unit says"
TIME = "UTC"


def _text(name: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name, "string", NO_UNIT, required, meaning)


def _number(name: str, unit: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name, "number", unit, required, meaning)


_SITE = _text("site", "name of the site")
_BLOCK = _text("block", "name of the block within the site")

TABLES: dict[str, tuple[Column, ...]] = {
    "run": (
        _text("run_id", "name of this run"),
        Column("created_utc", "datetime", TIME, True, "when it was computed"),
        _text("perwatt_version", "version of the program"),
        _text("schema_version", "version of these tables"),
        _text("inputs_sha256", "hash of all inputs"),
        _text("difficulty_sha256", "hash of the bundled difficulty data"),
        _text("difficulty_known_until", "day after which difficulty is assumed"),
    ),
    "site": (
        _SITE,
        _text("region", "region as the site file has it"),
        _text("timezone", "IANA time zone of its local hours"),
        Column("start_utc", "datetime", TIME, True, "first hour of the year"),
        Column("hours", "integer", "h", True, "hours of the year"),
        _number("interconnect_mw", "MW", "limit at the meter"),
        _number("delivered_frac", ONE, "share of metered energy that reaches the buildings"),
        _number("availability_frac", ONE, "share of the year with power"),
        _number("metered_mwh", "MWh", "energy drawn at the meter"),
        _number("revenue_usd", "USD", "from all blocks"),
        _number("energy_usd", "USD", "power: spot and contract less resale, delivery, peaks"),
        _number("demand_charge_usd", "USD", "within energy_usd: charge on the monthly peaks"),
        _number("resale_usd", "USD", "within energy_usd: earned by resale, as a positive number"),
        _number("credits_usd", "USD", "curtailment programme"),
        _number("penalty_usd", "USD", "promised and not served"),
        _number("fixed_usd", "USD", "fixed cost"),
        _number("net_usd", "USD", "revenue and credits less energy, penalties and fixed cost"),
        _number("carbon_kg", "kg", "CO2 of the metered energy", required=False),
        _number("difficulty_assumed_frac", ONE, "share of the hours whose difficulty is assumed"),
        _text("currency", "currency of the site file"),
        _number("currency_per_usd", "currency/USD", "its stated rate"),
    ),
    "site_block": (
        _SITE,
        _BLOCK,
        _text("product", "mining or inference"),
        _text("device", "device, result or figure the rate is of"),
        _number("count", ONE, "devices"),
        _text("unit", "what is made: hash, token, gpu_hour or kw_month"),
        _number("facility_mwh", "MWh", "drawn at the buildings, PUE included"),
        _number("device_mwh", "MWh", "drawn by the devices"),
        _number("units", OF_ROW, "made in the year, of unit"),
        _number("btc", "BTC", "after rejects and pool fee; missing for inference", required=False),
        _number("revenue_usd", "USD", "from this block"),
        _number("energy_usd", "USD", "its power at each hour's mean cost, without demand charge"),
        _number("short_units", OF_ROW, "promised and not served, of unit"),
        _text("basis", "of units, BTC and USD: modelled, whatever the device's rate is (see device_result)"),
    ),
    "device_result": (
        _SITE,
        _BLOCK,
        _text("device", "name of the device, result or figure"),
        _text("unit", "hash or token"),
        _number("rate_per_s", "1/s", "rate of one device, of unit"),
        _number("rate_low_per_s", "1/s", "lower end of its 95 % interval", required=False),
        _number("rate_high_per_s", "1/s", "upper end of its 95 % interval", required=False),
        _number("power_w", "W", "power of one device at the boundary"),
        _number("power_low_w", "W", "lower end of its 95 % interval", required=False),
        _number("power_high_w", "W", "upper end of its 95 % interval", required=False),
        _text("boundary", "chip, board, package, node, rack or wall"),
        _text("basis", "of the rate: measured, rated, modelled or assumed"),
        _text("power_basis", "of the power"),
        _text("confidence", "two_sources, one_source or unverified"),
        _text("power_kind", "measured or provisioned, for token rates", required=False),
        _text("token_basis", "output or total, for token rates", required=False),
        _text("lengths", "input:output tokens, for token rates", required=False),
        _text("latency_limit", "limit the rate was reached under, for token rates", required=False),
        _text("source", "where the figures come from"),
    ),
    "yield_hourly": (
        _SITE,
        Column("time_utc", "datetime", TIME, True, "start of the hour"),
        _BLOCK,
        _text("part", "idle, sla, on-demand or a mode; missing for a whole block", required=False),
        _text("product", "mining or inference"),
        _number("device_mw", "MW", "drawn by the devices"),
        _number("meter_mw", "MW", "drawn at the meter for them"),
        _number("worth_usd_per_mwh", "USD/MWh", "worth of one more MWh at the meter in this part", required=False),
        _number("price_usd_per_mwh", "USD/MWh", "price of power that decided, at the meter"),
        _number("revenue_usd", "USD", "earned in the hour"),
        _text("reason", "why it runs so much"),
    ),
    "yield_annual": (
        _SITE,
        _text("block", "name of the block; missing for the site", required=False),
        _text("product", "mining or inference; missing for the site", required=False),
        _text("metric", "what the value is"),
        _text("unit", "of the value"),
        _text("statistic", "base, mean, p50, p90, p99 (exceeded with that probability) or cvar"),
        _number("value", OF_ROW, "in the row's unit", required=False),
        _number("scenarios", ONE, "scenarios behind the statistic; missing for base", required=False),
    ),
    "loss_waterfall": (
        _SITE,
        _text("product", "mining or inference"),
        Column("step", "integer", ONE, True, "order of the step, 0 is nameplate"),
        _text("name", "of the step"),
        _text("kind", "physical, commercial or economic"),
        _text("reaches", "nameplate, measured, available, delivered or sold, where a stage is reached", required=False),
        _number("factor", ONE, "share of the energy before the step that is left"),
        _number("mwh", "MWh", "left after the step, at nameplate efficiency"),
        _number("factor_usd", ONE, "the same of its gross worth"),
        _number("usd", "USD", "gross worth left after the step"),
    ),
    "value_curve": (
        _SITE,
        _BLOCK,
        _text("product", "mining or inference"),
        _text("statistic", "base, mean, p50, p90, p99 or cvar"),
        _number("mw_from", "MW", "where the block's megawatts begin at the meter, best first, mean over the year"),
        _number("mw_to", "MW", "where they end"),
        _number("usd_per_mwh", "USD/MWh", "mean worth of one more metered MWh in them"),
    ),
    "assumption": (
        _SITE,
        _text("key", "key in the site file"),
        _text("value", "as given"),
        _text("source", "where it comes from, or assumption"),
        _text("date", "of the value, or unknown"),
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


def arrow_schema(table: str) -> pa.Schema:
    """Arrow schema of a table; units and meanings are its fields' metadata."""
    import pyarrow as pa

    fields = []
    for column in TABLES[table]:
        kind = pa.timestamp("s", tz="UTC") if column.kind == "datetime" else getattr(pa, _ARROW[column.kind])()
        metadata = {"unit": column.unit, "description": column.meaning}
        fields.append(pa.field(column.name, kind, nullable=not column.required, metadata=metadata))
    return pa.schema(fields, metadata={"schema_version": SCHEMA_VERSION})


def table_schema(table: str) -> dict[str, object]:
    """Frictionless Table Schema of a table."""
    return {
        "fields": [
            {
                "name": column.name,
                "type": column.kind,
                "description": column.meaning,
                "unit": column.unit,
                "constraints": {"required": column.required},
            }
            for column in TABLES[table]
        ],
        "missingValues": [""],
    }


def json_schema() -> dict[str, object]:
    """JSON Schema (2020-12) of a run: an object of tables, each an array of rows, with a definition of each row."""
    rows: dict[str, object] = {}
    for name, columns in TABLES.items():
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
        "properties": {name: {"type": "array", "items": {"$ref": f"#/$defs/{name}"}} for name in TABLES},
        "required": list(TABLES),
        "additionalProperties": False,
        "$defs": rows,
    }
