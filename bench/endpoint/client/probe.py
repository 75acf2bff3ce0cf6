"""What a server accepts: a few short requests before the load, whose answers are written to the record."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from bench.endpoint.client.connection import Address, Connection, Intake
from bench.endpoint.client.prompts import PromptSource
from bench.endpoint.client.requests import Interface, Prompt, Service, message
from bench.endpoint.client.target import Target
from bench.endpoint.figures.tokens import TokenSource, token_times
from bench.endpoint.stream.reply import Reply, error_text, what_went_wrong
from bench.errors import RunFailedError
from bench.network.errors import ReadFailedError
from bench.network.http import Device
from hardware_profiles.errors import InputError, shown

PROBE_TOKENS = 12  # [token] output of each request
SAFE_VOCABULARY = 20_000  # ids below it exist in every model that is served, unless the server states fewer
LIST_TIMEOUT_S = 15.0  # [s] for the list of models, which needs no model
TIMEOUT_S = 60.0  # [s] for one request: a cold server compiles at the first
_TEXT_WORDS = (16, 64)
_REJECTED = (400, 404, 405, 415, 422, 501)
_WITHOUT_KEY = (401, 403)

Ask = Callable[[Service, Prompt], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server accepts and how it answers."""

    service: Service
    ip: str
    vocabulary: int  # prompts are token ids below it; 0 if they must be text
    tokens_of_no_words: float  # [token] prompt tokens of a text = this + `tokens_per_word` * words
    tokens_per_word: float
    source: TokenSource  # the best count of output tokens
    token_s: float  # [s] time per token of a single request, about
    honours_length: bool  # whether it goes on to the requested length
    largest_context: int | None  # [token]
    version: str

    def prompts(self, seed: str, *prompt_tokens: int) -> PromptSource:
        """Return unique prompts of a length, or of several lengths in turn."""
        if self.vocabulary:
            several = prompt_tokens if len(prompt_tokens) > 1 else ()
            return PromptSource(seed, self.vocabulary, prompt_tokens[0], lengths=several)
        words = tuple(
            max(1, round((tokens - self.tokens_of_no_words) / self.tokens_per_word)) for tokens in prompt_tokens
        )
        return PromptSource(seed, words=words[0], lengths=words if len(words) > 1 else ())


def probe(target: Target, model: str | None, seed: str, interface: Interface | None = None) -> Capabilities:
    """Ask a server what it accepts.

    Parameters
    ----------
    target
        The server.
    model
        Name of the model; None takes the only one.
    seed
        Seed of the prompts.
    interface
        The interface to use; None takes completions, or chat where the server has no completions.

    Raises
    ------
    InputError
        The model is unknown, or is not named among several.
    RunFailedError
        The server does not answer, or refuses the plainest request.
    """
    device = target.device()
    entry = _choose_model(_list_models(device, target), model)
    service = Service(target.host, target.port, target.path, str(entry["id"]), api_key=target.api_key)
    ip = device.remote.ip or target.host
    return asyncio.run(_probe(target, service, ip, entry, _version(device, target), seed, interface))


async def _probe(  # noqa: PLR0913, PLR0917 (what is known so far)
    target: Target,
    service: Service,
    ip: str,
    entry: dict[str, Any],
    version: str,
    seed: str,
    interface: Interface | None,
) -> Capabilities:
    tls = target.device().tls
    connection = Connection(Address(target.host, target.port, ip, tls), Intake())

    async def ask(how: Service, prompt: Prompt) -> Reply:
        return (await connection.request(message(how, prompt, PROBE_TOKENS), TIMEOUT_S)).reply

    texts = PromptSource(f"{seed}:probe", words=_TEXT_WORDS[0])
    try:
        service = await _choose_interface(ask, service, texts.prompt(0), interface, target.url)
        service, source = await _choose_fields(ask, service, texts)
        last = await ask(service, texts.prompt(20))
        vocabulary = await _try_token_ids(ask, service, entry, seed)
        offset, per_word = (0.0, 0.0) if vocabulary else await _measure_words(ask, service, seed)
    finally:
        connection.close()
    context = entry.get("max_model_len") or (entry.get("meta") or {}).get("n_ctx_train")
    return Capabilities(
        service=service,
        ip=ip,
        vocabulary=vocabulary,
        tokens_of_no_words=offset,
        tokens_per_word=per_word,
        source=source,
        token_s=_token_s(last),
        honours_length=token_times(last).total >= PROBE_TOKENS,
        largest_context=context if isinstance(context, int) else None,
        version=version,
    )


def _token_s(reply: Reply) -> float:
    """Return the time per token of a reply [s], about; 0 if it came in one piece."""
    if len(reply.chunks) < 2:
        return 0.0
    return (reply.chunks[-1].time_ns - reply.chunks[0].time_ns) * 1e-9 / PROBE_TOKENS


def _list_models(device: Device, target: Target) -> list[dict[str, Any]]:
    path = f"{target.path}/v1/models"
    headers = {"Authorization": f"Bearer {target.api_key}"} if target.api_key else None
    try:
        answer = device.ask(path, LIST_TIMEOUT_S, headers=headers)
    except ReadFailedError as error:
        raise RunFailedError(f"no inference server: {error}{_cure(str(error), tls=target.tls)}") from None
    if answer.status in _WITHOUT_KEY:
        raise _key_refused(target.url, answer.status)
    if 300 <= answer.status < 400:
        where = shown(answer.headers.get("location", "nowhere")[:200])
        raise RunFailedError(f"{device.url(path)} redirects to {where}: name the server that answers itself")
    try:
        document = device.document(path, answer)
    except ReadFailedError:
        kind = shown(answer.headers.get("content-type", "no type")[:80])
        if encoding := answer.headers.get("content-encoding"):
            kind = f"{kind} with the encoding {shown(encoding[:20])}"
        raise RunFailedError(
            f"no inference server: {device.url(path)} answers {kind} instead of JSON (HTTP status {answer.status})"
        ) from None
    if answer.status == 503:
        detail = shown((error_text(document) or "no reason")[:200])
        raise RunFailedError(
            f"{device.url(path)} answers HTTP status 503: {detail}; wait until it has loaded the model"
        )
    models = document.get("data") if isinstance(document, dict) else None
    named = (
        [entry for entry in models if isinstance(entry, dict) and isinstance(entry.get("id"), str)] if models else []
    )
    if answer.status != 200 or not named:
        raise RunFailedError(f"no inference server: {device.url(path)} lists no model (HTTP status {answer.status})")
    return named


def _cure(error: str, *, tls: bool) -> str:
    """Return the cure of an address that has no list of models, or an empty text."""
    if "Remote end closed" in error and not tls:
        return "; if it speaks TLS, begin the address with https:"
    if "certificate verify failed" not in error:
        return ""
    if "mismatch" in error:  # trust in it would not help
        return "; name the server in --url as its certificate does"
    return "; --ca-file names the certificates to trust"


def _key_refused(url: str, status: int) -> InputError:
    return InputError(f"--api-key-file: expected the key of {url}, which answers HTTP status {status}")


def _choose_model(models: list[dict[str, Any]], model: str | None) -> dict[str, Any]:
    names = [str(entry["id"]) for entry in models]
    if model is None and len(models) == 1:
        return models[0]
    for entry in models:
        if entry["id"] == model:
            return entry
    raise InputError.at("--model", expected=f"one of {', '.join(map(shown, names))}", got=model or ...)


def _version(device: Device, target: Target) -> str:
    """Return what the server says of its version, or an empty text."""
    for path, key in ((f"{target.path}/version", "version"), (f"{target.path}/props", "build_info")):
        try:
            document = device.get_json(path, 5.0)
        except ReadFailedError:
            continue
        if isinstance(document, dict) and isinstance(document.get(key), str):
            return str(document[key])[:80]
    return ""


async def _choose_interface(
    ask: Ask, service: Service, prompt: Prompt, interface: Interface | None, url: str
) -> Service:
    """Return the service with an interface and a name for the length that it accepts."""
    interfaces: tuple[Interface, ...] = (interface,) if interface else ("completions", "chat")
    reply = Reply()
    for kind in interfaces:
        for length_field in ("max_tokens", "max_completion_tokens"):
            attempt = replace(service, interface=kind, length_field=length_field)
            reply = await ask(attempt, prompt)
            if reply.outcome() == "ok":
                return attempt
            if reply.status not in _REJECTED:
                break
        if reply.status not in _REJECTED:
            break
    if reply.status in _WITHOUT_KEY:
        raise _key_refused(url, reply.status)
    raise RunFailedError(f"{url} refuses the plainest request: {what_went_wrong(reply.outcome(), reply.error)}")


async def _choose_fields(ask: Ask, service: Service, texts: PromptSource) -> tuple[Service, TokenSource]:
    """Return the service with the fields that the server accepts, and the best count of tokens that it then gives."""
    accepted: set[str] = set()
    source: TokenSource = "none"
    for index, name in enumerate(("continuous_usage", "usage", "token_ids", "ignore_eos", "min_tokens",
                                  "no_prompt_cache"), start=1):  # fmt: skip
        if name == "usage" and "continuous_usage" in accepted:
            continue
        reply = await ask(replace(service, fields=frozenset({*accepted, name})), texts.prompt(index))
        if reply.outcome() not in ("ok", "short"):
            continue
        accepted.add(name)
        source = token_times(reply).source
    return replace(service, fields=frozenset(accepted)), source


async def _try_token_ids(ask: Ask, service: Service, entry: dict[str, Any], seed: str) -> int:
    """Return the vocabulary if the server takes prompts as token ids and counts each as one token, else 0."""
    if service.interface == "chat":
        return 0
    stated = (entry.get("meta") or {}).get("n_vocab")
    vocabulary = stated if isinstance(stated, int) and stated > 100 else SAFE_VOCABULARY
    source = PromptSource(f"{seed}:ids", vocabulary=vocabulary, prompt_tokens=32)
    reply = await ask(service, source.prompt(0))
    counted = reply.prompt_tokens
    return vocabulary if reply.outcome() in ("ok", "short") and counted is not None and abs(counted - 32) <= 1 else 0


async def _measure_words(ask: Ask, service: Service, seed: str) -> tuple[float, float]:
    """Return the prompt tokens of a text without words, and those of each word."""
    counts = []
    for words in _TEXT_WORDS:
        reply = await ask(service, PromptSource(f"{seed}:words", words=words).prompt(words))
        counts.append(reply.prompt_tokens)
    first, last = counts
    if first is None or last is None or last <= first:
        return 0.0, 1.5  # the server counts no prompt tokens: the length of prompts is only about right
    per_word = (last - first) / (_TEXT_WORDS[1] - _TEXT_WORDS[0])
    return first - per_word * _TEXT_WORDS[0], per_word
