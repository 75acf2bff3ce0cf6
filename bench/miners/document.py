"""The record of a miner as a JSON document."""

from dataclasses import asdict
from typing import Any

from bench.miners.record import MinerReading

SCHEMA = "perwatt-miner-1"


def document(reading: MinerReading) -> dict[str, Any]:
    """Return the record with the name of its schema."""
    return {"schema": SCHEMA, **asdict(reading)}
