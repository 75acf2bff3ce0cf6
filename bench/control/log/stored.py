"""What stands beside the log of a folder: its plans and terms by their digests, and the latest snapshot."""

import json
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.control.decision.terms import Setup
from bench.control.log.coding import Terms, canonical, state_document, state_of, terms_bytes, terms_of
from bench.control.log.fold import Fold, Snapshot
from bench.errors import not_written
from hardware_profiles.errors import InputError
from hardware_profiles.opening import MIB, Kind, is_there, read_input
from sites.control.plan import Plan, plan_from_json
from sites.files import UnflushedError, write_file

PLAN = Kind("plan of a run", 256 * MIB, stdin=False)
TERMS_KIND = Kind("terms of a run", 256 * MIB, stdin=False)
SNAPSHOT = Kind("snapshot of the controller", 256 * MIB, stdin=False)
SNAPSHOT_FILE = "memory.json"


def write_plan(folder: Path, plan: Plan) -> None:
    """Write a plan under its digest; raise RunFailedError if the disk refuses it."""
    _write_once(folder / f"plan-{plan.sha256}.json", plan.to_json())


def write_terms(folder: Path, terms: Terms) -> str:
    """Write terms under their digest and return it; raise RunFailedError if the disk refuses it."""
    content = terms_bytes(terms)
    digest = sha256(content).hexdigest()
    _write_once(folder / f"terms-{digest}.json", content)
    return digest


def setup_of(folder: Path, plan_sha256: str, terms_sha256: str) -> Setup:
    """Return the setup of a run as it was when it began.

    Raises
    ------
    InputError
        The file of its plan or its terms is missing or was changed.
    """
    plan_path, terms_path = folder / f"plan-{plan_sha256}.json", folder / f"terms-{terms_sha256}.json"
    plan = plan_from_json(_checked(plan_path, PLAN, plan_sha256), str(plan_path))
    content = _checked(terms_path, TERMS_KIND, terms_sha256)
    try:
        terms = terms_of(json.loads(content))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError.at(terms_path, expected=TERMS_KIND.name, got=str(error)) from None
    if terms.plan_sha256 != plan_sha256:
        raise InputError.at(terms_path, "plan_sha256", expected=plan_sha256, got=terms.plan_sha256)
    return terms.setup(plan)


def write_snapshot(folder: Path, head: tuple[int, str], state: Fold) -> None:
    """Write what is known after a line; raise RunFailedError if the disk refuses it."""
    content: dict[str, Any] = state_document(state.memory, state.looks, state.inputs)
    document = {"n": head[0], "sha256": head[1], "plan": state.plan_sha256, "terms": state.terms_sha256, **content}
    try:
        with suppress(UnflushedError):
            write_file(folder / SNAPSHOT_FILE, canonical(document))
    except OSError as error:
        raise not_written(folder / SNAPSHOT_FILE, error) from None


def snapshot(folder: Path) -> Snapshot | None:
    """Return the snapshot of a folder; None if there is none that can be used, since the log has everything."""
    path = folder / SNAPSHOT_FILE
    if not is_there(path):
        return None
    try:
        content = json.loads(read_input(path, SNAPSHOT))
        state = Fold(*state_of(content), {}, str(content["plan"]), str(content["terms"]))
        return Snapshot(int(content["n"]), str(content["sha256"]), state)
    except (InputError, ValueError, KeyError, TypeError):
        return None


def _write_once(path: Path, content: bytes) -> None:
    if is_there(path):
        return
    try:
        with suppress(UnflushedError):
            write_file(path, content)
    except OSError as error:
        raise not_written(path, error) from None


def _checked(path: Path, kind: Kind, digest: str) -> bytes:
    content = read_input(path, kind)
    if (seen := sha256(content).hexdigest()) != digest:
        raise InputError.at(path, expected=f"a file of sha256 {digest[:12]}…", got=f"{seen[:12]}…: it was changed")
    return content
