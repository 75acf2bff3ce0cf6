"""The record of a miner as a JSON document, and the schema of that document."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from bench.miners.implied import ImpliedRate, implied_rate
from bench.miners.record import MinerReading

SCHEMA = "perwatt-miner-1"
PUBLISHED = Path(__file__).with_name("miner-1.schema.json")


@dataclass(frozen=True, slots=True)
class MinerDocument(MinerReading):
    """The record with what follows from it, and the name of its schema."""

    implied_rate: ImpliedRate | None = None  # from accepted difficulty
    schema: Literal["perwatt-miner-1"] = "perwatt-miner-1"


def document(reading: MinerReading) -> dict[str, Any]:
    """Return the JSON document of a record; its keys are the fields of `bench/miners/record.py`."""
    implied = implied_rate(reading.counters)
    return {"schema": SCHEMA, **asdict(reading), "implied_rate": None if implied is None else asdict(implied)}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    made = TypeAdapter(MinerDocument).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": SCHEMA}


def published() -> str:
    """Return the text of `bench/miners/miner-1.schema.json`, from which programs read what a document holds."""
    return json.dumps(schema(), indent=2) + "\n"
