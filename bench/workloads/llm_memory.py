"""Whether a model's replay fits: lengths within the context, weights and caches within a device's memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from kernels.llm.shapes import ModelShape

GB = 1e9


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of a model: tokens of a prompt and of an answer, and sequences at once."""

    input: int
    output: int
    batch: int

    @classmethod
    def of(cls, asked: Mapping[str, object]) -> "Load":
        """Return the load among a workload's options.

        Raises
        ------
        InputError
            One of the three is no whole number.
        """
        return cls(*(_whole(asked, key) for key in ("input", "output", "batch")))

    def check(self, place: str, shape: "ModelShape") -> None:
        """Refuse numbers below 1 and lengths beyond the model's context.

        Raises
        ------
        InputError
            As above.
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
class Room:
    """A device's memory and what a replay needs of it.

    usable_bytes: of the device. usable_why: what that is, in words. weight_bytes: of the model. rest_bytes: of all
    else, by the number of sequences. rest: what that is, in words.
    """

    usable_bytes: float
    usable_why: str
    weight_bytes: float
    rest_bytes: Callable[[int], float]
    rest: str = "keys and values"

    def most_sequences(self) -> int:
        """Return the largest batch that fits, 0 where none does."""
        low, high = 0, 1
        while self._fits(high):
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._fits(middle) else (low, middle)
        return low

    def check(self, place: str, load: Load) -> None:
        """Refuse a model or a batch beyond the memory, saying by how much; the largest batch that fits is named.

        Raises
        ------
        InputError
            As above.
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
                f"{(need + self.weight_bytes - self.usable_bytes) / GB:.1f} GB more than there is"
            )

    def _fits(self, batch: int) -> bool:
        return self.weight_bytes + self.rest_bytes(batch) <= self.usable_bytes


def _whole(asked: Mapping[str, object], key: str) -> int:
    value = asked[key]
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError.at("llm replay", key, expected="a whole number", got=value)
    return value
