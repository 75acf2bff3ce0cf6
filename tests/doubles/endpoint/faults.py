"""The faults: each changes the script of one reply in the way that a server, or a gateway before it, was seen to do."""

import json

from doubles.endpoint.reply import DONE, Part, event

PING = b": ping\n\n"
HTML = b"<!DOCTYPE html><html><body>Bad gateway</body></html>"


def _insert(script, place, *data):
    """Put events at a place among the parts: 0 is before all, -1 before the last."""
    at = place if place >= 0 else len(script.parts) + place
    when_s = script.parts[min(at, len(script.parts) - 1)].at_s if at else 0.0
    script.parts[at:at] = [Part(when_s, one) for one in data]


def _each(script, change):
    for part in script.parts:
        part.data = change(part.data)


def _documents(script, change):
    """Change the JSON of every event that has text."""
    for part in script.parts:
        if part.tokens:
            document = json.loads(part.data.removeprefix(b"data: "))
            change(document)
            part.data = event(document)


def _status(status, body=b"", kind="application/json", **headers):
    def fault(script):
        script.status, script.framing = status, "length"
        script.headers = {"Content-Type": kind, **headers}
        script.parts = [Part(0.0, body)]

    return fault


def _role_first(script):
    _insert(script, 0, event({"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}))


def _comments(script):
    parts = []
    for part in script.parts:
        parts += [Part(part.at_s, PING), part, Part(part.at_s, b":\n\n")]
    script.parts = [Part(0.0, PING), *parts]


def _comment_inside(script):
    _each(script, lambda data: b": inside\n" + data)


def _pieces(count):
    def fault(script):
        def accent(document):
            document["choices"][0]["text"] = "né ✓ 😀"

        _documents(script, accent)
        script.piece_bytes = count

    return fault


def _keep(script, wanted):
    """Keep the parts that `wanted` accepts."""
    script.parts = [part for part in script.parts if wanted(part)]


def _is_finish(part):
    return b'"finish_reason": "' in part.data


def _error(place, document):
    def fault(script):
        _insert(script, place, event(document) if isinstance(document, dict) else document)

    return fault


def _cut(end, framing="chunked"):
    def fault(script):
        count = sum(1 for part in script.parts if part.tokens)
        kept = [part for part in script.parts if part.tokens][: count // 2]
        script.parts, script.end, script.framing = kept, end, framing

    return fault


def _usage_early(script):
    usage = [part for part in script.parts if b'"choices": []' in part.data]
    _keep(script, lambda part: part not in usage)
    _insert(script, 1, *(part.data for part in usage))


def _usage_in_finish(script):
    usage = next(part for part in script.parts if b'"choices": []' in part.data)
    _keep(script, lambda part: part is not usage)
    finish = next(part for part in script.parts if _is_finish(part))
    document = json.loads(finish.data.removeprefix(b"data: "))
    document["usage"] = json.loads(usage.data.removeprefix(b"data: "))["usage"]
    finish.data = event(document)


def _usage_in_choice(script):
    usage = next(part for part in script.parts if b'"choices": []' in part.data)
    counted = json.loads(usage.data.removeprefix(b"data: "))["usage"]
    usage.data = event({"choices": [{"delta": {}, "usage": counted}]})


def _usage_null(script):
    _documents(script, lambda document: document.update(usage=None))


def _usage_zero_first(script):
    _insert(script, 0, event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 0}}))


def _big_event(script):
    finish = next(part for part in script.parts if _is_finish(part))
    document = json.loads(finish.data.removeprefix(b"data: "))
    document["choices"][0]["logprobs"] = {"tokens": ["x" * 100] * 10_000}
    finish.data = event(document)


def _large_events(script):
    _documents(script, lambda document: document.update(padding="x" * 70_000))


def _one_piece(script):
    """Hold all text back until the end, as with a call of a tool."""
    text = [part for part in script.parts if part.tokens]
    document = json.loads(text[0].data.removeprefix(b"data: "))
    document["choices"][0] = {
        "delta": {"tool_calls": [{"function": {"arguments": "{}" * len(text)}}]},
        "finish_reason": None,
    }
    text[-1].data, text[-1].tokens = event(document), sum(part.tokens for part in text)
    _keep(script, lambda part: part is text[-1] or part not in text)


def _reasoning(script):
    for part in [part for part in script.parts if part.tokens][:3]:
        document = json.loads(part.data.removeprefix(b"data: "))
        document["choices"][0] = {"delta": {"reasoning_content": " hm"}, "finish_reason": None}
        part.data = event(document)


def _compressed(script):
    script.compress()


def _wrong_length(difference):
    def fault(script):
        script.framing, script.length_error = "length", difference

    return fault


def _named_error(script):
    _insert(script, 2, b'event: error\ndata: {"detail": "gone"}\n\n')


def _replace(*data, end="keep"):
    def fault(script):
        script.parts, script.end = [Part(0.0, one) for one in data], end

    return fault


def _finish_early(script):
    """End for the length that the server knows, after half the tokens: it took no notice of the one requested."""
    text = [part for part in script.parts if part.tokens]
    dropped = text[len(text) // 2 :]
    _keep(script, lambda part: part not in dropped)
    for part in script.parts:
        total, half = sum(one.tokens for one in text), sum(one.tokens for one in text if one not in dropped)
        part.data = part.data.replace(b'"completion_tokens": %d' % total, b'"completion_tokens": %d' % half)


def _multi_line(script):
    _each(script, lambda data: data.replace(b'{"id"', b'{\ndata: "id"'))


FAULTS = {
    "role first": _role_first,
    "comments": _comments,
    "comment inside": _comment_inside,
    "every byte": _pieces(1),
    "seven bytes": _pieces(7),
    "crlf": lambda script: _each(script, lambda data: data.replace(b"\n", b"\r\n")),
    "cr": lambda script: _each(script, lambda data: data.replace(b"\n", b"\r")),
    "no space": lambda script: _each(script, lambda data: data.replace(b"data: ", b"data:")),
    "several lines": _multi_line,
    "byte order mark": lambda script: _insert(script, 0, b"\xef\xbb\xbf"),
    "no done": lambda script: _keep(script, lambda part: part.data != DONE),
    "no finish reason": lambda script: _keep(script, lambda part: not _is_finish(part)),
    "no end at all": lambda script: _keep(script, lambda part: bool(part.tokens)),
    "no last blank line": lambda script: setattr(script.parts[-1], "data", DONE.rstrip()),
    "error first": _error(0, {"error": {"message": "out of memory", "code": 500}}),
    "error amid": _error(3, {"error": {"message": "out of memory", "code": 500}}),
    "error last": _error(-1, {"error": {"message": "out of memory", "code": 500}}),
    "error after done": lambda script: script.parts.append(Part(0.0, event({"error": "too late"}))),
    "error as text": _error(2, {"error": "overloaded"}),
    "error as object": _error(2, {"object": "error", "message": "bad state", "code": 500}),
    "error by name": _named_error,
    "damaged json": _error(2, b'data: {"choices": [{"te\n\n'),
    "empty stream": _replace(),
    "only done": _replace(DONE),
    "only comments": _replace(PING, PING, DONE),
    "usage early": _usage_early,
    "usage in finish": _usage_in_finish,
    "usage in choice": _usage_in_choice,
    "usage null": _usage_null,
    "usage zero first": _usage_zero_first,
    "one megabyte": _big_event,
    "large events": _large_events,
    "one piece": _one_piece,
    "reasoning": _reasoning,
    "cut": _cut("close"),
    "reset": _cut("reset"),
    "cut without framing": _cut("close", "close"),
    "reset without framing": _cut("reset", "close"),
    "silence": _cut("silent"),
    "silence after done": lambda script: setattr(script, "end", "silent"),
    "status 400": _status("400 Bad Request", b'{"error": {"message": "unknown field"}}'),
    "status 429": _status("429 Too Many Requests", b'{"error": {"message": "slow down"}}', **{"Retry-After": "1"}),
    "status 503": _status("503 Service Unavailable", b'{"error": {"message": "Loading model", "code": 503}}'),
    "redirect": _status("307 Temporary Redirect", Location="/elsewhere"),
    "html": _status("200 OK", HTML, "text/html"),
    "html error": _status("502 Bad Gateway", HTML, "text/html"),
    "gzip": _compressed,
    "length too small": _wrong_length(-40),
    "length too large": _wrong_length(40),
    "length without end": _wrong_length(0),
    "upper case type": lambda script: script.headers.update({"Content-Type": "Text/Event-Stream"}),
    "finish too early": _finish_early,
    "no type": lambda script: script.headers.clear(),
}
