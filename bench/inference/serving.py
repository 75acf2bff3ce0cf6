"""The setup of a served model: its precision, its GPUs, and whether it fits on them."""

from dataclasses import dataclass, replace

from bench.inference.accelerator import Accelerator
from bench.inference.batching import Limits
from bench.inference.engine import Engine
from bench.inference.terms.constants import Constants, constants_of
from bench.inference.terms.family import Family, family_of
from hardware_profiles.errors import InputError
from kernels.llm.counts import (
    PRECISIONS,
    Precision,
    cache_copies,
    kv_bytes,
    matrices,
    precision,
    state_bytes,
    weight_bytes,
    weight_width,
)
from kernels.llm.shapes import ModelShape

GB = 1e9
MOST_SERVERS = 2


def served_precision(dtype: str, engine: Engine) -> Precision:
    """Return a precision by name, with the cache of an engine.

    Raises
    ------
    KernelInputError
        The name is unknown.
    """
    kind = precision(dtype)
    return kind if engine.cache_bytes is None else replace(kind, kv=engine.cache_bytes)


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
    gpus: int  # tensor-parallel shards, or shards of each copy of attention times the copies
    engine: Engine
    expert: int = 1  # GPUs that hold whole experts each; 1: every expert is cut into shards
    data: int = 1  # copies of attention, each with its own sequences
    drafted: int = 0  # further tokens that a step tries for each sequence
    accepted: float = 0.0  # of them that the model accepts on average
    hit_frac: float = 0.0  # [-] share of each prompt that is in the cache already

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
        self._check_parallelism(place)
        self._check_shards(place)
        if self.kv_memory_bytes <= 0:
            raise InputError(self._too_large(place))

    @property
    def tensor(self) -> int:
        """Number of shards of one copy of attention."""
        return self.gpus // self.data

    @property
    def servers(self) -> int:
        """Number of servers over which the GPUs lie."""
        return self.device.servers(self.gpus)

    @property
    def step_tokens(self) -> int:
        """Tokens that a step computes for each decoding sequence."""
        return 1 + self.drafted

    @property
    def family(self) -> Family:
        """The family of the device."""
        return family_of(self.device.slug)

    @property
    def constants(self) -> Constants:
        """The constants of the engine on the device."""
        return constants_of(self.engine, self.family)

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
        whole = self.gpus * (self.device.memory_bytes - self.engine.reserved_bytes(self.device.memory_bytes))
        return (whole - self.weight_bytes) * self.engine.kv_memory_frac

    @property
    def weight_bytes(self) -> float:
        """Size of the weights over all GPUs [byte]; each copy of attention has all but the experts."""
        total = weight_bytes(self.shape, self.kind)
        experts = sum(
            matrix.layers * matrix.weights * matrix.copies * weight_width(matrix, self.kind)
            for matrix in matrices(self.shape)
            if matrix.copies > 1
        )
        return total + (self.data - 1) * (total - experts)

    @property
    def kv_copies(self) -> float:
        """Number of copies of the cache over all shards, above 1 if there are more shards than heads."""
        return cache_copies(self.shape, self.tensor)

    def kv_bytes_per_sequence(self, tokens: int) -> float:
        """Return the cache and the recurrent state of one sequence over all shards [byte]."""
        return kv_bytes(self.shape, self.kind, tokens) * self.kv_copies + state_bytes(self.shape, self.kind)

    def most_sequences(self, tokens: int) -> int:
        """Return the number of sequences of `tokens` that fit in memory at once."""
        return int(self.kv_memory_bytes / self.kv_bytes_per_sequence(tokens))

    def online_limits(self) -> Limits:
        """Return the limits of a step of all copies of attention, in a server at the engine's defaults."""
        return self.together(self.engine.online_limits())

    def together(self, limits: Limits) -> Limits:
        """Return the limits of a step of all copies of attention: each has the sequences and tokens of one engine."""
        return Limits(self.data * limits.batch, self.data * limits.tokens)

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

    def _check_parallelism(self, place: str) -> None:
        for key, value in (("data", self.data), ("expert", self.expert)):
            if value < 1 or self.gpus % value:
                raise InputError.at(place, key, expected=f"a divisor of {self.gpus} GPUs", got=value)
        if not 0.0 <= self.accepted <= self.drafted:
            raise InputError.at(place, "accepted", expected=f"0 to {self.drafted} drafted tokens", got=self.accepted)
        if not 0.0 <= self.hit_frac < 1.0:
            raise InputError.at(place, "hit_frac", expected="at least 0 and below 1", got=self.hit_frac)

    def _check_shards(self, place: str) -> None:
        if self.gpus == 1:
            return
        cut = {"heads": self.shape.heads, "vocabulary": self.shape.vocabulary}
        if self.expert == 1:
            cut["ffn"] = self.shape.ffn
        for key, value in cut.items():
            if value % self.tensor:
                fitting = ", ".join(str(count) for count in range(1, 9) if value % count == 0)
                raise InputError(
                    f"{place}: gpus: expected a divisor of {key} = {value}, got {self.tensor} (up to 8: {fitting})"
                )
        whole = self.shape.latent is not None  # every shard holds all of a latent cache
        if not whole and self.shape.kv_heads % self.tensor and self.tensor % self.shape.kv_heads:
            raise InputError(
                f"{place}: gpus: expected a divisor or a multiple of kv_heads = {self.shape.kv_heads}, "
                f"got {self.tensor}"
            )
        if self.device.link_byte_per_s is None:
            raise InputError(
                f"{place}: gpus: expected 1, because no link between these devices is known, got {self.gpus}"
            )
        linked = self.device.most_linked
        if self.gpus <= linked:
            return
        if self.device.network is None:
            raise InputError(
                f"{place}: gpus: expected at most {linked} (linked in a server or rack), got {self.gpus}; no network "
                "between them is known"
            )
        if self.gpus != MOST_SERVERS * linked:
            expected = f"at most {linked} (one server), or {MOST_SERVERS * linked} (two whole servers)"
            raise InputError.at(place, "gpus", expected=expected, got=self.gpus)

    def _too_large(self, place: str) -> str:
        weights = weight_bytes(self.shape, self.kind)
        usable = self.device.memory_bytes - self.engine.reserved_bytes(self.device.memory_bytes)
        servers = 1 if self.device.network is None else MOST_SERVERS
        most = 1 if self.device.link_byte_per_s is None else servers * self.device.most_linked
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
