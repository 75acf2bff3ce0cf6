"""Shapes of language models, read from one TOML file a model in `kernels/llm/`, with the source of every figure."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kernels.errors import KernelInputError

FOLDER = Path(__file__).parent
NORMS_PER_LAYER = 2

Confidence = Literal["two_sources", "one_source", "unverified"]
Count = Annotated[int, Field(gt=0)]


class Source(BaseModel):
    """A page or file in which a model's figures were read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    address: str
    read: str  # ISO date
    printed: str  # the figures as they are printed there


class ModelShape(BaseModel):
    """Everything about a decoder-only model that decides its FLOP and bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())

    name: str  # of the file
    title: str
    model_schema: Literal[1] = 1
    layers: Count
    hidden: Count  # width of the residual stream
    heads: Count  # query heads
    kv_heads: Count
    head_size: Count  # width of a query or key head
    ffn: Count  # inner width of the gated feed-forward block, or of one expert
    experts: Count = 1  # of a layer; 1 for a dense model
    active_experts: Count = 1  # experts that a token uses
    vocabulary: Count  # rows of the embedding and of the output head
    context: Count  # [token] longest sequence that the model takes
    window: Count | None = None  # [token] reach of the sliding-window layers
    windowed_every: Annotated[int, Field(ge=0)] = 0  # every n-th layer, from the first on, uses the window; 0: none
    attention_bias: bool = False
    ffn_bias: bool = False
    qk_norm: bool = False  # query and key heads are normalised
    sinks: bool = False  # each head has a learned extra term in its softmax
    rope_theta: float
    norm_eps: float = 1e-5
    kv_bytes_per_token_bf16: Count  # [byte] keys and values of one token over all layers; must agree with the shape
    parameters: Count | None = None  # as the maker states it; must agree with the shape
    confidence: Confidence
    sources: Annotated[dict[str, Source], Field(min_length=1)]
    aliases: list[str] = []  # names that publishers use

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
        """Width of all key heads together, which is also that of all value heads."""
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

    def resized(self, **lengths: Any) -> Self:
        """Return the shape with other lengths, which are not checked against the published figures."""
        return self.model_copy(update=lengths)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.heads % self.kv_heads:
            raise ValueError(f"key heads: expected a multiple of kv_heads={self.kv_heads}, got {self.heads}")
        if self.head_size % 2:
            raise ValueError(f"key head_size: expected an even number (rotary pairs), got {self.head_size}")
        if self.active_experts > self.experts:
            raise ValueError(f"key active_experts: expected at most experts={self.experts}, got {self.active_experts}")
        if self.windowed_every and self.window is None:
            raise ValueError("key window: expected a length, because windowed_every is set, got nothing")
        kv_bytes = 2 * self.layers * self.kv_width * 2
        if kv_bytes != self.kv_bytes_per_token_bf16:
            raise ValueError(
                f"key kv_bytes_per_token_bf16: expected {kv_bytes} (2 x layers x kv_heads x head_size x 2 byte), "
                f"got {self.kv_bytes_per_token_bf16}"
            )
        if self.parameters is not None and self.parameters != parameter_count(self):
            raise ValueError(
                f"key parameters: expected {parameter_count(self)} (counted from the shape), got {self.parameters}"
            )
        return self


def names() -> list[str]:
    """Return the names of all models without reading their files."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> ModelShape:
    """Return a model by its name (`llama-3.1-8b`) or by a name that publishers use (`Llama-3.1-8B-Instruct`).

    Raises
    ------
    KernelInputError
        The name is unknown (near names are listed), or its file is faulty.
    """
    folded = name.strip().casefold()
    if folded in names():
        return read(FOLDER / f"{folded}.toml")
    for known in names():
        shape = read(FOLDER / f"{known}.toml")
        if folded in {alias.casefold() for alias in shape.aliases}:
            return shape
    near = get_close_matches(folded, names(), n=3, cutoff=0.4)
    hint = f" (did you mean {', '.join(near)}?)" if near else ""
    raise KernelInputError(f"model: expected one of {', '.join(names())}, got {name!r}{hint}")


def read(path: Path) -> ModelShape:
    """Return the shape in a model file, after checking that its figures agree with each other.

    Raises
    ------
    KernelInputError
        The file does not exist or is not TOML; a key is missing, unknown or has a wrong value; lengths do not divide.
    """
    try:
        data = tomli.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KernelInputError(f"{path}: expected a model file, got {error.strerror}") from None
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KernelInputError(f"{path}: expected valid TOML, got a syntax error: {error}") from None
    except RecursionError:
        raise KernelInputError(f"{path}: expected valid TOML, got one nested too deeply") from None
    except ValueError:  # more digits than Python converts
        raise KernelInputError(f"{path}: expected numbers below 1.8e308, got one of thousands of digits") from None
    return from_table(data, path.stem, str(path))


def from_table(data: Mapping[str, Any], name: str, file: str) -> ModelShape:
    """Return the shape in the content of a model file.

    Parameters
    ----------
    data
        Content of the file.
    name
        Name of the model.
    file
        Path that error messages name.

    Raises
    ------
    KernelInputError
        A key is missing, unknown or has a wrong value.
    """
    if "name" in data:
        raise KernelInputError(f"{file}: key name: expected a known key, got an unknown one")
    try:
        return ModelShape.model_validate({**data, "name": name})
    except ValidationError as error:
        raise KernelInputError(f"{file}: {_message(error)}") from None


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


_EXPECTED = {
    "missing": "a value (the key is required)",
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a table",
    "model_type": "a table",
    "list_type": "a list",
    "greater_than": "a whole number above 0",
    "greater_than_equal": "a whole number, 0 or above",
    "too_short": "at least one entry",
}


def _message(error: ValidationError) -> str:
    """Return the first fault as "key K: expected X, got Y"; an unknown key first, for it may explain a missing one."""
    faults = error.errors(include_url=False)
    fault = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    if fault["type"] == "value_error":  # from the model's validator, which writes the whole message
        return str(fault["ctx"]["error"])
    key = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(str(fault["loc"][-1]), {*ModelShape.model_fields, *Source.model_fields}, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return f"key {key}: expected a known key, got an unknown one{hint}"
    expected = fault["ctx"]["expected"] if fault["type"] == "literal_error" else _EXPECTED.get(fault["type"])
    got = "nothing" if fault["type"] == "missing" else repr(fault["input"])
    return f"key {key}: expected {expected or fault['msg']}, got {got}"
