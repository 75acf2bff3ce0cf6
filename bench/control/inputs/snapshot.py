"""Inputs as canonical JSON, whose SHA-256 stands in the audit log, and back for a replay."""

import json
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from sites.control.model import Inputs, LoadTarget, Price

SCHEMA = "perwatt.inputs/1"


def snapshot(inputs: Inputs) -> bytes:
    """Return inputs as canonical JSON: the same content gives the same bytes."""
    document = {"schema": SCHEMA, **asdict(inputs)}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


def snapshot_sha256(inputs: Inputs) -> str:
    """Return the SHA-256 of the snapshot in hexadecimal digits."""
    return sha256(snapshot(inputs)).hexdigest()


def inputs_of(document: dict[str, Any]) -> Inputs:
    """Return the inputs of a snapshot, bit for bit as they were.

    Parameters
    ----------
    document
        The JSON of `snapshot`, with or without its schema.
    """
    return Inputs(
        prices=tuple(Price(**price) for price in document["prices"]),
        targets=tuple(LoadTarget(**target) for target in document["targets"]),
        faults=tuple(document["faults"]),
        targets_lost=document["targets_lost"],
    )
