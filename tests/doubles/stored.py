"""Stored results as a careful hand would edit them: with the digests of what they hold now."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.results.integrity.digests import DIGESTS_FILE, digest, digests_text


def rewrite(folder: Path, document: dict[str, Any]) -> Path:
    """Write a record to a result folder with its digests, and return its path."""
    folder.mkdir(exist_ok=True)
    path = folder / "result.json"
    path.write_text(json.dumps(document))
    digests = {path.name: digest(path.read_bytes())}
    digests |= {file["name"]: file["sha256"] for file in document.get("artifacts", ())}
    (folder / DIGESTS_FILE).write_text(digests_text(digests))
    return path


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change a stored record in place, with its digests, and return its path."""
    document = json.loads((folder / "result.json").read_text())
    change(document)
    return rewrite(folder, document)


def with_rate(document: dict[str, Any], rate: float) -> dict[str, Any]:
    """Return a record whose windows all have this rate."""
    windows = [{**one, "work": rate * (one["end_s"] - one["start_s"])} for one in document["windows"]]
    low_high = None if document["metrics"]["rate"]["interval_95"] is None else [rate, rate]
    metric = {**document["metrics"]["rate"], "value": rate, "interval_95": low_high}
    return {**document, "windows": windows, "metrics": {"rate": metric}}
