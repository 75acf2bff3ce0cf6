"""The table of difficulty epochs that a site and `validate mining` take, and the JSON with its provenance."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.feeds.difficulty.chain import hash_text
from sites.file.difficulty import EPOCH_COLUMNS
from sites.files import write_file
from sites.market.bitcoin import EPOCH_BLOCKS
from sites.market.retarget import EpochData, check_bits

RULE = "2016 blocks over 2015 intervals, a factor of 4 at most, truncated to compact bits"
COLUMNS = (*EPOCH_COLUMNS, "block_hash")


def utc_text(time_s: float) -> str:
    """Return a time [s, unix] as ISO text in UTC with seconds."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rows(epochs: Sequence[EpochData], headers: Mapping[int, bytes]) -> list[dict[str, Any]]:
    """Return a row for each epoch, by the names of the columns."""
    return [
        {
            "start": utc_text(epoch.start_unix),
            "difficulty": check_bits(f"height {epoch.height}", epoch.nbits, None),
            "height": epoch.height,
            "bits": f"{epoch.nbits:08x}",
            "last_unix": epoch.last_unix,
            "block_hash": hash_text(headers[epoch.height]),
        }
        for epoch in epochs
    ]


def table_bytes(epochs: Sequence[EpochData], headers: Mapping[int, bytes]) -> bytes:
    """Return the table as CSV."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows(epochs, headers):
        last = "" if row["last_unix"] is None else row["last_unix"]
        writer.writerow({**row, "difficulty": f"{row['difficulty']:.6f}", "last_unix": last})
    return text.getvalue().encode()


def write_table(
    target: Path, epochs: Sequence[EpochData], headers: Mapping[int, bytes], source: Mapping[str, str]
) -> Path:
    """Write the table, and beside it the JSON with its source and its headers; return the path of the JSON.

    Raises
    ------
    InputError, OSError
        As `write_file`.
    """
    content = table_bytes(epochs, headers)
    proof = {height: headers[height].hex() for height in sorted(headers) if _proves(height)}
    document = {
        "schema": "perwatt.difficulty/1",
        "table_sha256": sha256(content).hexdigest(),
        "source": dict(source),
        "retrieved_at_utc": utc_text(datetime.now(UTC).timestamp()),
        "rule": RULE,
        "epochs": len(epochs),
        "first_height": epochs[0].height,
        "last_height": epochs[-1].height,
        "headers": proof,
    }
    sidecar = target.with_name(f"{target.name}.json")
    write_file(target, content)
    write_file(sidecar, json.dumps(document, indent=1).encode() + b"\n")
    return sidecar


def _proves(height: int) -> bool:
    """Return whether the header of a height is the first or the last of an epoch."""
    return height % EPOCH_BLOCKS in {0, EPOCH_BLOCKS - 1}
