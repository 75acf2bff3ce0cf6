"""The values of the brain as JSON and back, bit for bit; a value that is the default of its key is left out."""

import json
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from bench.control.decision.looks import changed, merged
from bench.control.decision.memory import Memory
from bench.control.decision.terms import Limits, Permit, Setup, UnitTerms
from bench.control.decision.tick import Decision, Look, Tick
from bench.control.policy import policy_of
from sites.control.model import Inputs
from sites.control.plan import Plan
from sites.control.rules import Rules


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run is bound to, without its plan, which has a file of its own."""

    site: str
    plan_sha256: str
    rules: Rules
    limits: Limits
    units: dict[str, UnitTerms]
    tick_s: float  # [s]
    lost_telemetry_s: float  # [s]
    verify_s: float | None  # [s]
    permit: Permit | None

    @classmethod
    def of(cls, setup: Setup, plan: Plan, rules: Rules) -> "Terms":
        """Return the terms of a run."""
        return cls(
            setup.site, plan.sha256, rules, setup.limits, dict(setup.units), setup.tick_s, setup.lost_telemetry_s,
            setup.verify_s, setup.permit,
        )  # fmt: skip

    def setup(self, plan: Plan) -> Setup:
        """Return the setup that they make with their plan."""
        return Setup(
            self.site, policy_of(plan, self.rules), self.limits, self.units, self.tick_s, self.lost_telemetry_s,
            self.verify_s, self.permit,
        )  # fmt: skip


TERMS, MEMORY = TypeAdapter(Terms), TypeAdapter(Memory)
_TICK, _DECISION, _LOOKS = TypeAdapter(Tick), TypeAdapter(Decision), TypeAdapter(dict[str, Look])
_INPUTS = TypeAdapter(Inputs)


def document(adapter: TypeAdapter[Any], value: object) -> Any:
    """Return a value as JSON-ready data."""
    return adapter.dump_python(value, mode="json", exclude_defaults=True)


def canonical(content: object) -> bytes:
    """Return JSON-ready data as bytes: equal data give equal bytes.

    Raises
    ------
    ValueError
        A number is not finite.
    """
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True).encode()


def terms_bytes(terms: Terms) -> bytes:
    """Return terms as canonical JSON; units that a permit allows are listed by name."""
    content = document(TERMS, terms)
    if terms.permit is not None:
        content["permit"]["units"] = sorted(terms.permit.units)
    return canonical({**content, "units": [[name, content["units"][name]] for name in terms.units]})


def terms_of(content: Any) -> Terms:
    """Return the terms of their JSON; raise ValueError if it is not that of terms."""
    terms: Terms = TERMS.validate_python({**content, "units": dict(content["units"])})
    return terms


def tick_document(tick: Tick, looks: dict[str, Look], inputs: Inputs | None) -> dict[str, Any]:
    """Return a tick as JSON-ready data, with what differs from the tick before.

    Parameters
    ----------
    tick
        The tick.
    looks
        Looks of the tick before.
    inputs
        Inputs of the tick before; None if there was none.
    """
    news = changed(tick.looks, looks, tick.now_s)
    content: dict[str, Any] = document(_TICK, replace(tick, looks=news, inputs=Inputs()))
    content.pop("inputs", None)
    unseen = looks.keys() - tick.looks.keys()
    if unseen:
        content["unseen"] = sorted(unseen)
    if tick.inputs != inputs:
        content["inputs"] = document(_INPUTS, tick.inputs)
    return content


def tick_of(content: dict[str, Any], looks: dict[str, Look], inputs: Inputs | None) -> Tick:
    """Return the tick of `tick_document`; raise ValueError if the data are not those of a tick."""
    unseen = frozenset(content.get("unseen", ()))
    tick: Tick = _TICK.validate_python({key: value for key, value in content.items() if key != "unseen"})
    looks = {name: look for name, look in looks.items() if name not in unseen}
    now = tick.inputs if "inputs" in content else inputs or Inputs()
    return replace(tick, looks=merged(tick.looks, looks, tick.now_s), inputs=now)


def decision_document(decision: Decision) -> Any:
    """Return a decision as JSON-ready data."""
    return document(_DECISION, decision)


def decision_of(content: Any) -> Decision:
    """Return the decision of its JSON; raise ValueError if the data are not those of a decision."""
    decision: Decision = _DECISION.validate_python(content)
    return decision


def state_document(memory: Memory, looks: dict[str, Look], inputs: Inputs | None) -> dict[str, Any]:
    """Return what a later run needs as JSON-ready data."""
    return {
        "memory": document(MEMORY, memory),
        "looks": document(_LOOKS, looks),
        "inputs": None if inputs is None else document(_INPUTS, inputs),
    }


def state_of(content: Any) -> tuple[Memory, dict[str, Look], Inputs | None]:
    """Return what `state_document` holds; raise ValueError or KeyError if the data are something else."""
    inputs = content["inputs"]
    return (
        MEMORY.validate_python(content["memory"]),
        _LOOKS.validate_python(content["looks"]),
        None if inputs is None else _INPUTS.validate_python(inputs),
    )
