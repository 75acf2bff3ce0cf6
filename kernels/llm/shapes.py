"""Shapes of language models: one TOML a model in kernels/llm/, every figure with its source."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from kernels.errors import KernelInputError

FOLDER = Path(__file__).parent
CONFIDENCES = ("two_sources", "one_source", "unverified")
NORMS_PER_LAYER = 2


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model's figures were read.

    title, address: of the page or file; `printed`: the figures as they stand there; `read`: the day, ISO.
    """

    id: str
    title: str
    address: str
    read: str
    printed: str


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Everything about a decoder-only model that decides its FLOP and bytes.

    layers: decoder layers.
    hidden: width of the residual stream.
    heads, kv_heads, head_size: query heads, key-value heads, and the width of each.
    ffn: inner width of the gated feed-forward block, or of one expert.
    experts, active_experts: experts of a layer and those that a token uses; 1 and 1 for a dense model.
    vocabulary: rows of the embedding and of the output head.
    context: longest sequence that the model takes [token].
    window: reach of the sliding-window layers [token], or None.
    windowed_every: every n-th layer, the first one included, uses the window; 0 where none does.
    attention_bias, ffn_bias, qk_norm, sinks: extra parameters that the model has beside its matrices.
    weight_dtypes: the precisions that published checkpoints come in.
    kv_bytes_per_token_bf16: keys and values of one token over all layers [byte], as checked against the shape.
    parameters: count that the makers state, or None; checked against the shape where given.
    """

    name: str
    title: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    ffn: int
    experts: int
    active_experts: int
    vocabulary: int
    context: int
    window: int | None
    windowed_every: int
    attention_bias: bool
    ffn_bias: bool
    qk_norm: bool
    sinks: bool
    rope_theta: float
    norm_eps: float
    kv_bytes_per_token_bf16: int
    parameters: int | None
    confidence: str
    sources: tuple[Source, ...]
    aliases: tuple[str, ...]

    @property
    def is_moe(self) -> bool:
        """Whether a router picks experts."""
        return self.experts > 1

    @property
    def query_width(self) -> int:
        """Width of all query heads together."""
        return self.heads * self.head_size

    @property
    def kv_width(self) -> int:
        """Width of all key heads together (the value heads' is the same)."""
        return self.kv_heads * self.head_size

    @property
    def windowed_layers(self) -> int:
        """Layers whose attention reaches only `window` tokens back."""
        return 0 if self.windowed_every == 0 else -(-self.layers // self.windowed_every)

    def reach(self, layer: int, context: int) -> int:
        """Return how many keys a query sees in a layer at a context length [token]."""
        if self.window is not None and self.windowed_every and layer % self.windowed_every == 0:
            return min(context, self.window)
        return context


_INTEGERS = ("layers", "hidden", "heads", "kv_heads", "head_size", "ffn", "experts", "active_experts", "vocabulary",
             "context", "windowed_every", "kv_bytes_per_token_bf16")  # fmt: skip
_FLAGS = ("attention_bias", "ffn_bias", "qk_norm", "sinks")
_REALS = ("rope_theta", "norm_eps")
_OPTIONAL: dict[str, Any] = {
    "experts": 1, "active_experts": 1, "windowed_every": 0, "attention_bias": False, "ffn_bias": False,
    "qk_norm": False, "sinks": False, "window": None, "parameters": None, "aliases": [], "norm_eps": 1e-5,
}  # fmt: skip
_TEXTS = ("title", "confidence")
_KNOWN = {*_INTEGERS, *_FLAGS, *_REALS, *_TEXTS, "window", "parameters", "aliases", "sources", "model_schema"}


def names() -> list[str]:
    """Return the models that there are, without reading any."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> ModelShape:
    """Return a model by name (`llama-3.1-8b`) or by the name publishers use (`Llama-3.1-8B-Instruct`).

    Raises
    ------
    KernelInputError
        The name is unknown (near ones are listed), or its file is faulty.
    """
    wanted = name.strip().casefold()
    path = FOLDER / f"{wanted}.toml"
    if wanted in names():
        return read(path)
    for known in names():
        shape = read(FOLDER / f"{known}.toml")
        if wanted in {alias.casefold() for alias in shape.aliases}:
            return shape
    near = get_close_matches(wanted, names(), n=3, cutoff=0.4)
    hint = f" (did you mean {', '.join(near)}?)" if near else ""
    raise KernelInputError(f"model: expected one of {', '.join(names())}, got {name!r}{hint}")


def read(path: Path) -> ModelShape:
    """Return the shape of a model file, checked for every inner contradiction.

    Raises
    ------
    KernelInputError
        No such file, a syntax error, a key missing, unknown or of the wrong kind, shapes that do not divide.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise KernelInputError(f"{path}: expected a model file, got {fault.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise KernelInputError(f"{path}: expected valid TOML, got a syntax error: {fault}") from None
    return from_table(data, path.stem, str(path))


def from_table(data: Mapping[str, Any], name: str, place: str) -> ModelShape:
    """Return the shape of a model table. Raises KernelInputError as `read` does."""
    for key in data:
        if key not in _KNOWN:
            near = get_close_matches(key, _KNOWN, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise KernelInputError(f"{place}: key {key}: expected a known key, got an unknown one{hint}")
    table = {**_OPTIONAL, **data}
    values: dict[str, Any] = {key: _integer(table, key, place) for key in _INTEGERS}
    values |= {key: _typed(table, key, bool, "true or false", place) for key in _FLAGS}
    values |= {key: float(_typed(table, key, (int, float), "a number", place)) for key in _REALS}
    values |= {key: _typed(table, key, str, "text", place) for key in _TEXTS}
    values["window"] = None if table["window"] is None else _integer(table, "window", place)
    values["parameters"] = None if table["parameters"] is None else _integer(table, "parameters", place)
    values["aliases"] = tuple(_typed(table, "aliases", list, "a list of names", place))
    values["sources"] = _sources(table, place)
    shape = ModelShape(name=name, **values)
    _check(shape, place)
    return shape


def parameter_count(shape: ModelShape) -> int:
    """Return the number of weights, embedding, norms, biases and all experts included."""
    hidden, queries, keys = shape.hidden, shape.query_width, shape.kv_width
    attention = hidden * (queries + 2 * keys) + queries * hidden
    attention += shape.attention_bias * (queries + 2 * keys + hidden)
    attention += shape.qk_norm * 2 * shape.head_size + shape.sinks * shape.heads
    feed_forward = shape.experts * (3 * hidden * shape.ffn + shape.ffn_bias * (2 * shape.ffn + hidden))
    router = shape.is_moe * shape.experts * (hidden + shape.ffn_bias)
    layer = attention + feed_forward + router + NORMS_PER_LAYER * hidden
    return shape.layers * layer + 2 * shape.vocabulary * hidden + hidden


def _check(shape: ModelShape, place: str) -> None:
    if shape.heads % shape.kv_heads:
        raise KernelInputError(
            f"{place}: key heads: expected a multiple of kv_heads={shape.kv_heads}, got {shape.heads}"
        )
    if shape.head_size % 2:
        raise KernelInputError(f"{place}: key head_size: expected an even number (rotary pairs), got {shape.head_size}")
    if shape.active_experts > shape.experts:
        raise KernelInputError(
            f"{place}: key active_experts: expected at most experts={shape.experts}, got {shape.active_experts}"
        )
    if shape.windowed_every and shape.window is None:
        raise KernelInputError(f"{place}: key window: expected a length, for windowed_every is set, got nothing")
    if shape.confidence not in CONFIDENCES:
        raise KernelInputError(
            f"{place}: key confidence: expected one of {', '.join(CONFIDENCES)}, got {shape.confidence!r}"
        )
    kv_bytes = 2 * shape.layers * shape.kv_width * 2
    if kv_bytes != shape.kv_bytes_per_token_bf16:
        raise KernelInputError(
            f"{place}: key kv_bytes_per_token_bf16: expected {kv_bytes} (2 x layers x kv_heads x head_size x 2 byte), "
            f"got {shape.kv_bytes_per_token_bf16}"
        )
    if shape.parameters is not None and shape.parameters != parameter_count(shape):
        raise KernelInputError(
            f"{place}: key parameters: expected {parameter_count(shape)} (counted from the shape), "
            f"got {shape.parameters}"
        )


def _typed(table: Mapping[str, Any], key: str, kind: Any, expected: str, place: str) -> Any:
    if key not in table:
        raise KernelInputError(f"{place}: key {key}: expected {expected}, got nothing")
    value = table[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise KernelInputError(f"{place}: key {key}: expected {expected}, got {value!r}")
    return value


def _integer(table: Mapping[str, Any], key: str, place: str) -> int:
    value: int = _typed(table, key, int, "a whole number", place)
    if value < (0 if key == "windowed_every" else 1):
        raise KernelInputError(f"{place}: key {key}: expected a whole number above 0, got {value}")
    return value


def _sources(table: Mapping[str, Any], place: str) -> tuple[Source, ...]:
    entries = _typed(table, "sources", dict, "a table of sources", place)
    found = []
    for key, entry in entries.items():
        try:
            found.append(Source(id=key, **entry))
        except TypeError as fault:
            raise KernelInputError(
                f"{place}: key sources.{key}: expected title, address, read and printed ({fault})"
            ) from None
    if not found:
        raise KernelInputError(f"{place}: key sources: expected at least one source, got none")
    return tuple(found)
