"""The check that a model's replay fits: lengths within the context, weights and caches within a device's memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from kernels.llm.shapes import ModelShape

GB = 1e9


@dataclass(frozen=True, slots=True)
class Load:
    """The load of a model."""

    input: int  # tokens of a prompt
    output: int  # tokens of an answer
    batch: int  # sequences at once

    @classmethod
    def of(cls, options: Mapping[str, object]) -> "Load":
        """Return the load among a workload's options.

        Raises
        ------
        InputError
            One of the three is not a whole number.
        """
        return cls(*(_whole(options, key) for key in ("input", "output", "batch")))

    def check(self, place: str, shape: "ModelShape") -> None:
        """Refuse numbers below 1 and lengths beyond the model's context.

        Raises
        ------
        InputError
            A number is below 1, or input and output together exceed the context.
        """
        for key in ("input", "output", "batch"):
            if getattr(self, key) < 1:
                raise InputError.at(place, key, expected="at least 1", got=getattr(self, key))
        if self.input + self.output > shape.context:
            raise InputError(
                f"{place}: input + output: expected at most {shape.context} tokens (its context), got "
                f"{self.input} + {self.output} = {self.input + self.output}"
            )


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """A device's memory and the needs of a replay."""

    usable_bytes: float  # [byte] of the device
    usable_why: str  # the same in words
    weight_bytes: float  # [byte] of the model
    rest_bytes: Callable[[int], float]  # [byte] of everything else, by the number of sequences
    rest: str = "keys and values"  # the same in words

    def most_sequences(self) -> int:
        """Return the largest batch that fits, or 0 if none does."""
        low, high = 0, 1
        while self._fits(high):
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._fits(middle) else (low, middle)
        return low

    def check(self, place: str, load: Load) -> None:
        """Refuse a model or a batch that exceeds the memory.

        Raises
        ------
        InputError
            It does not fit; the message has the excess and the largest batch that fits.
        """
        if self.weight_bytes > self.usable_bytes:
            raise InputError(
                f"{place}: model: expected weights of at most {self.usable_bytes / GB:.1f} GB ({self.usable_why}), got "
                f"{self.weight_bytes / GB:.1f} GB, {(self.weight_bytes - self.usable_bytes) / GB:.1f} GB too large; no "
                "batch fits, not even 1"
            )
        if not self._fits(load.batch):
            need = self.rest_bytes(load.batch)
            raise InputError(
                f"{place}: batch: expected at most {self.most_sequences()} sequences of {load.input} + {load.output} "
                f"tokens (the largest batch that fits), got {load.batch}: {self.rest} need {need / GB:.1f} GB, "
                f"{(need + self.weight_bytes - self.usable_bytes) / GB:.1f} GB more than is available"
            )

    def _fits(self, batch: int) -> bool:
        return self.weight_bytes + self.rest_bytes(batch) <= self.usable_bytes


def _whole(options: Mapping[str, object], key: str) -> int:
    value = options[key]
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError.at("llm replay", key, expected="a whole number", got=value)
    return value
