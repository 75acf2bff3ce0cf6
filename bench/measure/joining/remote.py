"""Joining of a log that another machine recorded: the clocks of both machines place it, within a known bound."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.measure.energy import MARGIN_S
from bench.measure.joining.attach import joined, samples_of, span_of
from bench.measure.joining.replaced_logs import logs_replaced
from bench.meters.kinds.remote_log import RemoteLog
from bench.meters.kinds.trace_samples import RunClock
from bench.results.folder import read_whole
from bench.results.record import Record
from bench.results.samples import Sample
from bench.results.writing import write_record
from hardware_profiles.errors import InputError


def attach_remote(  # noqa: PLR0913 (the parts of one joining)
    folder: Path, log: RemoteLog, clock: RunClock, evidence: dict[str, object], *, store: Path, argv: Sequence[str]
) -> Record:
    """Write and return the record of a stored run with the log of another machine's meter joined to it.

    Parameters
    ----------
    folder
        The result of the run.
    log
        The log.
    clock
        How the clock of the log lies to that of the run. Its span is replaced by that of the run.
    evidence
        What is known of the clocks and of the other machines behind the meter, for the audit of the record.
    store
        The results folder.
    argv
        The command line, for the new record.

    Raises
    ------
    InputError
        The result does not exist or failed, or the log cannot be read.
    RunFailedError
        The record could not be written.
    """
    old = read_whole(folder)
    if old.status == "failed" or not old.windows:
        raise InputError.at(f"result {old.id}", "status", expected="a run with windows", got=old.status)
    record, samples = with_remote(old, log, clock, evidence, argv)
    write_record(store, record, [*samples_of(folder, old), *samples])
    return record


def with_remote(
    old: Record, log: RemoteLog, clock: RunClock, evidence: dict[str, object], argv: Sequence[str]
) -> tuple[Record, list[Sample]]:
    """Return the record of a run with the log of another machine's meter, and the log's samples; see `attach_remote`.

    Raises
    ------
    InputError
        The log cannot be read.
    """
    first_s, last_s = span_of(old)
    around_s = MARGIN_S + clock.bound_s
    log.join(replace(clock, first_s=first_s - around_s, last_s=last_s + around_s))
    record, samples = joined(old, [log], logs_replaced(old, [log.info]), argv)
    return record.model_copy(update={"audit": {**record.audit, "remote_meter": evidence}}), samples
