"""The figures of one cycle as the page shows them, from one row of the audit log."""

import json
import math
from collections.abc import Mapping
from typing import Any

NUMBERS = ("at_s", "plan_mw", "intent_mw", "meter_mw", "devices_mw", "price_usd_per_mwh", "target_mw")
MONEY = ("earned_usd", "would_have_earned_usd", "regret_usd")
STATES = ("running", "off", "changing", "fault", "unknown")
MODES = ("shadow", "armed", "halted")
_UNIT_KEYS = ("unit", "state", "level", "intent", "reason")
MOST_UNITS = 100  # that the page lists
_MOST_FAULTS = 20  # and reasons
_LONGEST_TEXT = 300  # characters


def cycle(line: bytes) -> dict[str, Any] | None:
    """Return the figures of a row, or None if it is no cycle or is damaged.

    A figure that the row does not have is None, never 0. Of the units, only those that are not as intended are listed,
    at most `MOST_UNITS`, with the number of all of them.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or row.get("kind") != "cycle" or _number(row.get("at_s")) is None:
        return None
    money, states = _table(row.get("money")), _table(row.get("states"))
    units, faults = _list(row.get("not_as_intended")), _list(row.get("faults"))
    reasons = _list(row.get("reasons"))
    mode = row.get("mode")
    return {
        **{name: _number(row.get(name)) for name in NUMBERS},
        **{name: _number(money.get(name)) for name in MONEY},
        "site": _text(row.get("site")),
        "mode": mode if mode in MODES else "unknown",
        "mode_reason": _text(row.get("mode_reason")),
        "simulated": row.get("simulated") is not False,  # what does not say that it is real is not taken for it
        "states": {name: _number(states.get(name)) for name in STATES},
        "units": [{key: _text(unit.get(key)) for key in _UNIT_KEYS} for unit in map(_table, units[:MOST_UNITS])],
        "units_count": len(units),
        "reasons": [_text(reason) for reason in reasons[:_MOST_FAULTS]],
        "faults": [_text(fault) for fault in faults[:_MOST_FAULTS]],
        "faults_count": len(faults),
    }


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def _text(value: Any) -> str:
    return "" if value is None else " ".join(str(value)[:_LONGEST_TEXT].split())


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
