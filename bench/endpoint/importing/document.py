"""Files of other tools: their documents, and the runs in them. A document's own keys say which tool wrote it."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.endpoint.importing import (
    aiperf,
    guidellm,
    inference_perf,
    inferencex,
    ml_energy,
    sglang,
    vllm,
)
from bench.endpoint.importing.fields import Fields
from bench.endpoint.importing.run import Format, ToolRun
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError
from hardware_profiles.opening import JSON, read_input

# In this order: ML.ENERGY and SGLang use keys of vLLM's client, from which theirs were made.
FORMATS: tuple[Format, ...] = (
    *ml_energy.FORMATS,
    inferencex.FORMAT,
    guidellm.FORMAT,
    inference_perf.FORMAT,
    sglang.FORMAT,
    vllm.FORMAT,
    aiperf.FORMAT,
)
MOST_RUNS = 1000  # of one command; each run becomes a folder
_KIND = "the JSON of a load generator, or one JSON document a line"


@dataclass(frozen=True, slots=True)
class Source:
    """A file of another tool, and its runs."""

    file: str
    sha256: str
    runs: tuple[ToolRun, ...]


def read_source(path: Path) -> Source:
    """Return the runs of a file.

    Raises
    ------
    InputError
        The file is not JSON, its keys are those of no known tool, or one of its values is none of a run.
    """
    content = read_input(path, JSON)
    runs: list[ToolRun] = []
    for place, document in _documents(content, path):
        runs += _runs(document, place)
        if len(runs) > MOST_RUNS:
            raise InputError.at(path, expected=f"at most {MOST_RUNS} runs", got="more")
    if not runs:
        raise InputError.at(path, expected="at least one run")
    return Source(path.name, hashlib.sha256(content).hexdigest(), tuple(runs))


def _documents(content: bytes, path: Path) -> Iterator[tuple[str, Any]]:
    """Yield each document with its place: the lines of a file whose first line is a document, else the whole file."""
    lines = [(number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
    if len(lines) > 1 and _is_document(lines[0][1], path):
        for number, line in lines:
            place = f"{path}: line {number}"
            yield place, parse_json(line, place, _KIND)
        return
    document = parse_json(content, path, _KIND)
    if isinstance(document, list):
        for index, item in enumerate(document):
            yield f"{path}: [{index}]", item
    else:
        yield str(path), document


def _is_document(line: bytes, path: Path) -> bool:
    if not line.strip().endswith(b"}"):
        return False
    try:
        return isinstance(parse_json(line, path, _KIND), dict)
    except InputError:
        return False


def _runs(document: Any, place: str) -> list[ToolRun]:
    if not isinstance(document, Mapping):
        raise InputError.at(place, expected=f"a table of {_names()}", got=document)
    kind = next((one for one in FORMATS if one.fits(document)), None)
    if kind is None:
        keys = ", ".join(map(str, document)) or "no key"
        raise InputError.at(place, expected=f"a result of {_names()}", got=keys, near=_nearest(document))
    runs = kind.read(Fields(document, place))
    for run in runs:
        if not any(figure.name for figure in run.figures):
            raise InputError.at(run.place, expected=f"at least one figure of {run.tool} above 0")
    return runs


def _nearest(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the name of the kind whose keys are most alike, or nothing where no key is known."""
    shared = {one.name: len(one.known & set(document)) for one in FORMATS}
    nearest = max(shared, key=lambda name: shared[name])
    return (nearest,) if shared[nearest] else ()


def _names() -> str:
    return ", ".join(dict.fromkeys(one.name.partition(" ")[0] for one in reversed(FORMATS)))
