"""The requests for a completion, as HTTP messages, with the fields that the server accepts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Interface = Literal["completions", "chat"]
Prompt = str | tuple[int, ...]
"""The text of a prompt, or its token ids."""

OPTIONAL_FIELDS: dict[str, Mapping[str, object]] = {  # what a probe tries, by the name that the record states
    "usage": {"stream_options": {"include_usage": True}},
    "continuous_usage": {"stream_options": {"include_usage": True, "continuous_usage_stats": True}},
    "token_ids": {"return_token_ids": True},
    "ignore_eos": {"ignore_eos": True},
    "min_tokens": {},  # its value is the length of each request
    "no_prompt_cache": {"cache_prompt": False},
}


@dataclass(frozen=True, slots=True)
class Service:
    """A model at an address, and the way to ask it."""

    host: str
    port: int
    path: str  # before `/v1/...`: usually empty
    model: str
    interface: Interface = "completions"
    fields: frozenset[str] = frozenset()  # names of OPTIONAL_FIELDS that the server accepts
    length_field: str = "max_tokens"
    api_key: str = field(default="", repr=False)

    @property
    def route(self) -> str:
        """The path of a request."""
        return f"{self.path}/v1/{'chat/completions' if self.interface == 'chat' else 'completions'}"


def message(service: Service, prompt: Prompt, output_tokens: int) -> bytes:
    """Return the HTTP message that asks for `output_tokens` tokens after a prompt.

    Raises
    ------
    ValueError
        The prompt is token ids and the interface is chat.
    """
    body: dict[str, object] = {"model": service.model}
    if service.interface == "completions":
        body["prompt"] = list(prompt) if isinstance(prompt, tuple) else prompt
    elif isinstance(prompt, str):
        body["messages"] = [{"role": "user", "content": prompt}]
    else:
        raise ValueError("a chat needs a text")
    body |= {service.length_field: output_tokens, "temperature": 0, "stream": True}
    for name in sorted(service.fields):  # `usage` comes after `continuous_usage` and must not undo it
        body |= {key: value for key, value in OPTIONAL_FIELDS[name].items() if key not in body}
    if "min_tokens" in service.fields:
        body["min_tokens"] = output_tokens
    return post(service, service.route, body)


def post(service: Service, path: str, body: Mapping[str, object]) -> bytes:
    """Return an HTTP message with a JSON body."""
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    host = f"[{service.host}]" if ":" in service.host else service.host
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}:{service.port}",
        "Content-Type: application/json",
        "Accept: text/event-stream",
        "Accept-Encoding: identity",
        f"Content-Length: {len(data)}",
    ]
    if service.api_key:
        lines.append(f"Authorization: Bearer {service.api_key}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + data


def spread_lengths(mean_tokens: int, count: int, uniforms: Sequence[float], spread_frac: float = 0.2) -> list[int]:
    """Return output lengths spread evenly by ± `spread_frac` around their mean, so that requests do not keep step.

    Parameters
    ----------
    mean_tokens
        Mean length.
    count
        Number of lengths.
    uniforms
        `count` numbers from 0 to 1 that decide the order; the lengths themselves are a fixed set.
    spread_frac
        Half the range over the mean [-].
    """
    half = int(mean_tokens * spread_frac)
    lengths = [mean_tokens - half + int((2 * half + 1) * (i + 0.5) / count) for i in range(count)]
    return [length for _, length in sorted(zip(uniforms[:count], lengths, strict=True))]
