"""The conversation of a host with its controller: requests of one line of JSON in, answers of one line out.

Every answer begins with a mark, because the shell of a user may print something of its own first.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from bench.lab.host import jobs
from bench.lab.host.bundle import write_bundle
from bench.lab.host.identity import hello, stamp
from bench.results.labs.plan import Job
from bench.results.part import Part
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.reading import validate

MARK = b"perwatt-lab: "
LONGEST_REQUEST_BYTES = 2**22
Verb = Callable[[Path, dict[str, Any]], dict[str, Any]]


class _Request(Part):
    """One line from the controller."""

    verb: str
    folder: str
    request: dict[str, Any]


def _start(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    within_s = request.get("within_s")
    by_s = None if within_s is None else time.monotonic() + float(within_s)
    return jobs.start(folder, validate(Job, request.get("job"), "request"), by_s)


def _state(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    return jobs.state(folder, request.get("jobs")).model_dump(mode="json")


def _look(_folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    from bench.lab.look.answer import look  # the code of all meters and miners, which the other requests do without

    return look(request)


def _load(_folder: Path, _request: dict[str, Any]) -> dict[str, Any]:
    from bench.lab.look.answer import load_answer

    return load_answer()


VERBS: dict[str, Verb] = {
    "hello": lambda folder, _: hello(folder).model_dump(mode="json"),
    "clock": lambda _folder, _: stamp().model_dump(mode="json"),
    "start": _start,
    "state": _state,
    "stop": lambda folder, request: jobs.stop(folder, str(request.get("job"))),
    "look": _look,
    "load": _load,
}
"""What a host can be asked: the folder of its jobs and the request in, the answer out."""


def answer(verb: str, folder: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to one request; what goes wrong is an answer too.

    Parameters
    ----------
    verb
        One of VERBS.
    folder
        Where the host keeps jobs; `~` is the home of its user.
    request
        What the verb needs.
    """
    if verb not in VERBS:
        return jobs.refusal("wrong_answer", f"this perwatt does not know the request {verb!r}")
    try:
        return VERBS[verb](Path(folder).expanduser(), request)
    except InputError as fault:
        return jobs.refusal("wrong_answer", str(fault))
    except OSError as error:
        return jobs.refusal_of(error)
    except RuntimeError as error:  # a user without a home
        return jobs.refusal("not_writable", str(error))


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more; a request for a bundle is the last one."""
    for line in _lines(requests):
        request = validate(_Request, parse_json(line, "request", "a request"), "request")
        if request.verb == "fetch":
            jobs_ = [str(id_) for id_ in request.request.get("jobs") or ()]
            _say(answers, {"tar": True})
            write_bundle(Path(request.folder).expanduser(), jobs_, answers)
            answers.flush()
            return
        _say(answers, answer(request.verb, request.folder, request.request))


def _lines(requests: BinaryIO) -> Iterator[bytes]:
    while line := requests.readline(LONGEST_REQUEST_BYTES):
        yield line


def _say(answers: BinaryIO, document: dict[str, Any]) -> None:
    answers.write(MARK + json.dumps(document, ensure_ascii=True).encode() + b"\n")
    answers.flush()
