"""The setup of a served model: its precision, its GPUs, and whether it fits on them."""

from dataclasses import dataclass

from bench.inference.accelerator import Accelerator
from bench.inference.engine import Engine
from hardware_profiles.errors import InputError
from kernels.llm.counts import PRECISIONS, Precision, cache_copies, kv_bytes, state_bytes, weight_bytes
from kernels.llm.shapes import ModelShape

GB = 1e9


@dataclass(frozen=True, slots=True)
class Setup:
    """A model that is served on some GPUs.

    Raises
    ------
    InputError
        The device lacks the precision, the shapes do not divide over the shards, there is no link between the GPUs, or
        the weights do not fit.
    """

    shape: ModelShape
    kind: Precision
    device: Accelerator
    gpus: int  # tensor-parallel shards
    engine: Engine

    def __post_init__(self) -> None:
        """Refuse a setup that cannot be served."""
        place = f"{self.shape.name} in {self.kind.name} on {self.gpus} x {self.device.slug}"
        if self.gpus < 1:
            raise InputError.at(place, "gpus", expected="at least 1", got=self.gpus)
        if self.compute not in self.device.peaks_flop_per_s:
            known = ", ".join(sorted(name for name, kind in PRECISIONS.items() if self._computes(kind)))
            raise InputError(
                f"{place}: dtype: expected one that the device computes in ({known}), got {self.kind.name}"
            )
        self._check_shards(place)
        if self.kv_memory_bytes <= 0:
            raise InputError(self._too_large(place))

    def _computes(self, kind: Precision) -> bool:
        return kind.compute in self.device.peaks_flop_per_s or (
            kind.compute == "fp32" and "tf32" in self.device.peaks_flop_per_s
        )

    @property
    def compute(self) -> str:
        """The dtype whose peak matrix products reach; fp32 uses TF32 if the device has it."""
        if self.kind.compute == "fp32" and "tf32" in self.device.peaks_flop_per_s:
            return "tf32"
        return self.kind.compute

    @property
    def kv_memory_bytes(self) -> float:
        """Memory for keys and values over all shards [byte]; negative if the weights do not fit."""
        whole = self.gpus * (self.device.memory_bytes - self.engine.reserve_bytes)
        return (whole - weight_bytes(self.shape, self.kind)) * self.engine.kv_memory_frac

    @property
    def kv_copies(self) -> float:
        """Number of copies of the cache over all shards, above 1 if there are more shards than heads."""
        return cache_copies(self.shape, self.gpus)

    def kv_bytes_per_sequence(self, tokens: int) -> float:
        """Return the cache and the recurrent state of one sequence over all shards [byte]."""
        return kv_bytes(self.shape, self.kind, tokens) * self.kv_copies + state_bytes(self.shape, self.kind)

    def most_sequences(self, tokens: int) -> int:
        """Return the number of sequences of `tokens` that fit in memory at once."""
        return int(self.kv_memory_bytes / self.kv_bytes_per_sequence(tokens))

    def check_lengths(self, input_len: int, output_len: int) -> None:
        """Refuse lengths below 1 and sequences beyond the model's context.

        Raises
        ------
        InputError
            As above.
        """
        for key, value in (("input", input_len), ("output", output_len)):
            if value < 1:
                raise InputError.at(f"model {self.shape.name}", key, expected="at least 1 token", got=value)
        if input_len + output_len > self.shape.context:
            raise InputError(
                f"model {self.shape.name}: input + output: expected at most {self.shape.context} tokens (its context), "
                f"got {input_len} + {output_len} = {input_len + output_len}"
            )

    def check_batch(self, batch: int, input_len: int, output_len: int) -> None:
        """Refuse a batch whose keys and values do not fit.

        Raises
        ------
        InputError
            It does not fit; the message has the excess and the largest batch that fits.
        """
        if batch < 1:
            raise InputError.at("batch", expected="at least 1", got=batch)
        most = self.most_sequences(input_len + output_len)
        if batch > most:
            needed = batch * self.kv_bytes_per_sequence(input_len + output_len)
            raise InputError(
                f"{self.shape.name} in {self.kind.name} on {self.gpus} x {self.device.slug}: batch: expected at most "
                f"{most} sequences of {input_len} + {output_len} tokens (the largest batch that fits), got {batch}: "
                f"keys and values need {needed / GB:.1f} GB, {(needed - self.kv_memory_bytes) / GB:.1f} GB more than "
                f"the {self.kv_memory_bytes / GB:.1f} GB that the weights leave"
            )

    def _check_shards(self, place: str) -> None:
        if self.gpus == 1:
            return
        for key, value in (("heads", self.shape.heads), ("ffn", self.shape.ffn), ("vocabulary", self.shape.vocabulary)):
            if value % self.gpus:
                fitting = ", ".join(str(count) for count in range(1, 9) if value % count == 0)
                raise InputError(
                    f"{place}: gpus: expected a divisor of {key} = {value}, got {self.gpus} (up to 8: {fitting})"
                )
        whole = self.shape.latent is not None  # every shard holds all of a latent cache
        if not whole and self.shape.kv_heads % self.gpus and self.gpus % self.shape.kv_heads:
            raise InputError(
                f"{place}: gpus: expected a divisor or a multiple of kv_heads = {self.shape.kv_heads}, got {self.gpus}"
            )
        if self.device.link_byte_per_s is None:
            raise InputError(
                f"{place}: gpus: expected 1, because no link between these devices is known, got {self.gpus}"
            )
        linked = self.device.linked_gpus
        if linked is not None and self.gpus > linked:
            raise InputError(
                f"{place}: gpus: expected at most {linked} (linked in a server or rack), got {self.gpus}; shards over "
                "a network are not modelled"
            )

    def _too_large(self, place: str) -> str:
        weights = weight_bytes(self.shape, self.kind)
        usable = self.device.memory_bytes - self.engine.reserve_bytes
        most = 1 if self.device.link_byte_per_s is None else self.device.linked_gpus or 8
        enough = next((count for count in (2, 4, 8, 16, 32, 64) if count * usable > weights and count <= most), None)
        hint = (
            f"; {enough} of them would hold it" if enough else f"; not even the {most} that can be linked would hold it"
        )
        hint = "; only a single device can be modelled" if most == 1 else hint
        return (
            f"{place}: model: expected weights of less than {self.gpus * usable / GB:.1f} GB, got "
            f"{weights / GB:.1f} GB, {(weights - self.gpus * usable) / GB:.1f} GB too large; no batch fits, not even "
            f"1{hint}"
        )
