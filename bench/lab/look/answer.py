"""The answers of a host to `look` and `load`."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.lab.look.devices import meter_seen, miner_seen
from bench.lab.look.load import load, quiet
from bench.lab.look.messages import LookAnswer, LookRequest
from hardware_profiles.reading import validate

_MINERS_AT_ONCE = 16


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Return what this host sees: its load first, because the looks at its meters and miners are load too.

    Raises
    ------
    InputError
        The request is no LookRequest.
    """
    asked = validate(LookRequest, request, "request")
    alone = quiet(asked.quiet_limit_s)
    meters = tuple(meter_seen(spec) for spec in asked.meters)
    with ThreadPoolExecutor(_MINERS_AT_ONCE) as pool:
        miners = tuple(pool.map(miner_seen, asked.miners))
    return LookAnswer(quiet=alone, meters=meters, miners=miners).model_dump(mode="json")


def load_answer() -> dict[str, Any]:
    """Return how busy this host was since its boot."""
    return load().model_dump(mode="json")
