"""A host that only notes what it would measure: each job is two files with its stamps, and ends by the clock.

Its notes outlive every Dask worker, as a keeper does. Run as a program it is the Dask worker of such a host.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from bench.results.labs.ending import Ending, Stamp
from bench.results.labs.plan import Job

TAKES_S = 0.6


def answer(verb: str, folder: str, request: dict[str, Any]) -> dict[str, Any]:
    """Answer as `bench.lab.host.answer.answer` does."""
    jobs = Path(folder)
    jobs.mkdir(parents=True, exist_ok=True)
    if verb == "start":
        return _start(jobs, Job.model_validate(request["job"]), float(request["within_s"]))
    assert verb == "state"
    seen = [_seen(jobs / f"{id_}.json") for id_ in request["jobs"] if (jobs / f"{id_}.json").exists()]
    now = Stamp(utc_s=time.time(), monotonic_s=time.monotonic(), boot_id="paper").model_dump()
    return {"host_id": "0123abcd", "now": now, "room_bytes": None, "jobs": seen}


def _start(jobs: Path, job: Job, within_s: float) -> dict[str, Any]:
    if within_s < 0:
        return {"refused": "late", "detail": ""}
    if (jobs / f"{job.id}.json").exists():
        return {"refused": "job_exists", "detail": ""}
    if any(_seen(path)["state"] == "running" for path in jobs.glob("*.json")):
        return {"refused": "busy", "detail": ""}
    note = {"job": job.model_dump(mode="json"), "start_s": time.time(), "end_s": time.time() + TAKES_S}
    (jobs / ".new").write_text(json.dumps(note))
    (jobs / ".new").rename(jobs / f"{job.id}.json")
    return {"state": "running"}


def _seen(path: Path) -> dict[str, Any]:
    note = json.loads(path.read_text())
    if time.time() < note["end_s"]:
        return {"id": path.stem, "state": "running"}
    started, ended = (Stamp(utc_s=note[key], monotonic_s=note[key], boot_id="paper") for key in ("start_s", "end_s"))
    ending = Ending(job=path.stem, host=note["job"]["host"], host_id="0123abcd", perwatt_version="1", exit_status=0,
                    started=started, ended=ended)  # fmt: skip
    return {"id": path.stem, "state": "ended", "ending": ending.model_dump(mode="json")}


def stamps(folders: list[Path]) -> list[dict[str, Any]]:
    """Return the notes of all jobs, in the order of their starts."""
    notes = [json.loads(path.read_text()) for folder in folders for path in folder.glob("*.json")]
    return sorted(notes, key=lambda note: note["start_s"])


if __name__ == "__main__":
    from distributed.cli.dask_spec import main

    from bench.lab.reach import dask
    from bench.lab.run import on_host

    on_host.answer = dask.answer = answer
    on_host.WATCH_S = 0.05
    main(sys.argv[1:])
