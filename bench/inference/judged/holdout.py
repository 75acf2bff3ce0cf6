"""The hold-out errors of a class of predictions, and the interval of a new one."""

import math
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bench.inference.engine import DOUBTFUL_FRAC, Holdout
from hardware_profiles.reading import read_toml

if TYPE_CHECKING:
    from bench.inference.serving import Setup

HOLDOUT = Path(__file__).parents[1] / "data" / "holdout.toml"
LEVEL = 0.9  # [-] of the interval
# half of the interval over the root mean square of the errors of other configurations in the widest class, so that
# LEVEL of the held-out rows lie within. A normal distribution has 1.64; here few errors are far above the others.
COVERING = 1.21
LEAST_CONFIGURATIONS = 3  # that give a class a spread of its own
TWO_SERVERS = "two-servers"
ONE_CLASS = {"trtllm-2026": "trtllm"}  # versions of an engine that differ in two constants alone are judged together
UNKNOWN_LN = 1.0  # spread that a class without held-out rows is assumed to have


@dataclass(frozen=True, slots=True)
class ClassHoldout(Holdout):
    """The errors of a class; `rms_ln` gives each configuration the same weight."""

    name: str  # of the class
    configurations: int  # of model, precision, device, number of GPUs and engine

    @property
    def is_doubtful(self) -> bool:
        """Whether the error of this class is too large, or unknown, to plan with its rates."""
        return self.rows == 0 or self.error_frac > DOUBTFUL_FRAC

    @property
    def half_ln(self) -> float:
        """Half of the interval in which a row of a new configuration lies with LEVEL, as a logarithm of the rate."""
        return 2.0 * UNKNOWN_LN if self.rows == 0 else COVERING * self.rms_ln

    def interval(self, rate: float) -> tuple[float, float]:
        """Return the interval of a predicted rate, in the rate's unit."""
        return rate * math.exp(-self.half_ln), rate * math.exp(self.half_ln)


def class_names(*, moe: bool, dtype: str, engine: str, family: str, servers: int = 1) -> tuple[str, ...]:
    """Return the names of the classes of a prediction: by precision, engine and device family.

    All models over two servers are one class by themselves.
    """
    if servers > 1:
        return (TWO_SERVERS,)
    kind = "mixture" if moe else "dense"
    engine = ONE_CLASS.get(engine, engine)
    return f"{kind}-{dtype.removesuffix('-ffn')}", f"{kind}-{engine}", f"{kind}-{family}"


def kind_name(names: tuple[str, ...]) -> str:
    """Return the class of all models of a kind to which the classes of a prediction belong."""
    return names[0] if names[0] == TWO_SERVERS else names[0].split("-")[0]


def holdout_of(setup: "Setup") -> ClassHoldout:
    """Return the errors of the worst of the classes that a setup is in; one without rows is worst."""
    names = class_names(
        moe=setup.shape.is_moe, dtype=setup.kind.name, engine=setup.engine.name, family=setup.family.name,
        servers=setup.servers,
    )  # fmt: skip
    known = holdouts()
    kind = known.get(kind_name(names))
    found = [widened(known.get(name, ClassHoldout(0.0, 0.0, 0.0, 0, name, 0)), kind) for name in names]
    return max(found, key=lambda one: (one.is_doubtful, one.half_ln))


def widened(one: ClassHoldout, kind: ClassHoldout | None) -> ClassHoldout:
    """Return a class of too few configurations with the spread of all models of its kind, if that is larger."""
    if kind is None or one.rows == 0 or one.configurations >= LEAST_CONFIGURATIONS:
        return one
    return replace(one, rms_ln=max(one.rms_ln, kind.rms_ln), configurations=kind.configurations)


@cache
def holdouts() -> dict[str, ClassHoldout]:
    """Return the errors of all classes with held-out rows."""
    return {name: ClassHoldout(name=name, **table) for name, table in read_toml(HOLDOUT).items()}
