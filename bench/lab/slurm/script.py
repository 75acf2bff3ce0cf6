"""The script of a lab run: called by the operator it submits arrays, and called by Slurm it is a task of one.

What a real slurmd 22.05 does decides its form. `--dependency=singleton` does not keep the tasks of one array apart, so
that an array has `%1`; it keeps apart the arrays of one name, those of other runs too. Neither waits for a task that is
cancelled but still runs, or whose node is lost. So the tasks themselves look into the book of the run: see on_host.py.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path

from bench.lab.inventory.lab import Host
from bench.lab.run.schedule import longest_s
from bench.results.labs.plan import Job

LOGS = "slurm"
"""Folder in the book of a run for what the tasks print."""
MOST_TASKS = 1000  # in an array: Slurm's MaxArraySize is 1001 unless its administrator has changed it
_HEAD = """\
#!/bin/sh
# Measurements of lab run {run_id} for Slurm. Submit them with `sh FILE [OPTION OF SBATCH]...`, such as --partition=gpu.
# In each array the tasks share power domains: one of them runs at a time, each on its own host.
set -eu
book={book}

# array LANE NUMBER MINUTES TASKS HOST...: the host of all tasks, or one for each task in turn
array() {{
  lane=$1 number=$2 minutes=$3 tasks=$4
  shift 4
  pin=--hold
  [ $# -gt 1 ] || pin=--nodelist=$1
  id=$(sbatch --parsable "$pin" --array="0-$((tasks - 1))%1" --exclusive --nodes=1 --ntasks=1 --mem=0 --no-requeue \
    --open-mode=append --output="$book/{logs}/%A_%a.txt" --time="$minutes" --job-name="perwatt-$lane" \
    --dependency=singleton $options {path} task "$lane" "$number")
  id=${{id%%;*}}
  if [ $# -gt 1 ]; then
    index=0
    for host; do
      scontrol update "JobId=${{id}}_$index" "ReqNodeList=$host" || {{
        scancel "$id"
        echo "Slurm does not pin task $index of $lane to $host: its array is cancelled" >&2
        exit 1
      }}
      index=$((index + 1))
    done
    scontrol release "$id"
  fi
  echo "array $id: $tasks measurements of $lane"
}}

refuse() {{
  echo "perwatt: $1" >&2
  exit 2
}}

"""
_TASK = """\
[ -e "$book/plan.json" ] || refuse "expected a results folder that all hosts share, but this host has no $book"
[ "${SLURM_RESTART_COUNT:-0}" -eq 0 ] ||
  refuse "Slurm has started this task again; a second attempt is a new job: perwatt lab script --resume"
case "$2.$3.$SLURM_ARRAY_TASK_ID" in
"""
_HOSTS = """\
*) refuse "expected a task of this run, got $2.$3.$SLURM_ARRAY_TASK_ID" ;;
esac
[ "${SLURMD_NODENAME-}" = "$host" ] || refuse "expected node $host, got ${SLURMD_NODENAME-none}"
case "$host" in
"""


def script(book: Path, path: Path, run_id: str, lanes: Mapping[str, Sequence[Job]], hosts: Mapping[str, Host]) -> str:
    """Return the text of the script.

    Parameters
    ----------
    book
        Folder of the run's book, which all hosts see under this path.
    path
        The script's own file.
    run_id
        The run.
    lanes
        The jobs of each lane in their order.
    hosts
        The hosts by name.
    """
    arrays = [
        (lane, number, jobs[start : start + MOST_TASKS])
        for lane, jobs in lanes.items()
        for number, start in enumerate(range(0, len(jobs), MOST_TASKS))
    ]
    quoted = {"path": shlex.quote(str(path)), "book": shlex.quote(str(book))}
    parts = [_HEAD.format(run_id=run_id, logs=LOGS, **quoted), *_submission(arrays), _TASK]
    for lane, number, jobs in arrays:
        parts += [f"{lane}.{number}.{i}) host={job.host} job={job.id} ;;\n" for i, job in enumerate(jobs)]
    named = dict.fromkeys(job.host for _, _, jobs in arrays for job in jobs)
    parts += [_HOSTS, *(f"{name}) set -- {_command(hosts[name])} ;;\n" for name in named), "esac\n"]
    store = shlex.quote(str(book.parent.parent))
    parts.append(f'exec "$@" lab task --results {store} {run_id} "$job"\n')
    return "".join(parts)


def _submission(arrays: Sequence[tuple[str, int, Sequence[Job]]]) -> Iterator[str]:
    yield 'if [ "${1-}" != task ]; then\n  options=$*\n'
    for lane, number, jobs in arrays:
        # A task may have to wait until nothing of a lost measurement can run any more, and then takes its own time.
        minutes = ceil((max(map(longest_s, jobs)) + max(job.deadline_s for job in jobs)) / 60) + 5
        hosts = [job.host for job in jobs]
        pinned = hosts if len(set(hosts)) > 1 else hosts[:1]
        yield f"  array {lane} {number} {minutes} {len(jobs)} {' '.join(pinned)}\n"
    yield "  exit 0\nfi\n\n"


def _command(host: Host) -> str:
    """Return the command that is perwatt on a host, for the shell; `~` is the home of the user there."""
    if host.python is None:
        return "perwatt"
    home, _, rest = host.python.partition("~/")
    return f'"$HOME"/{shlex.quote(rest)} -m bench' if rest and not home else f"{shlex.quote(host.python)} -m bench"
