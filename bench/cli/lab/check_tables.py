"""The check of a lab as tables, and as a JSON document."""

from typing import TYPE_CHECKING, Any

from bench.cli.output import counted, quantity, say
from bench.cli.table import numbered, print_table, say_reasons

if TYPE_CHECKING:
    from bench.lab.check.result import HostCheck, LabCheck, MeterCheck, MinerCheck, Refusal

WIDTH = 80
_GIB = 2**30


def print_check(check: "LabCheck") -> None:
    """Print the check of a lab: its hosts, meters and miners, then each reason with its cure."""
    marks = numbered(_sentence(one) for one in _refusals(check))
    hosts = check.hosts.values()
    good = sum(host.ok for host in hosts)
    say(f"lab        {check.lab.name}: {good} of {counted(len(check.hosts), 'host')} ok")
    versions = sorted({host.hello.perwatt_version for host in hosts if host.hello is not None})
    if versions:
        say(f"perwatt    {', '.join(versions)}")
    print_table(
        ("host", "check", "clock off by [s]", "devices", "free", "domain"),
        [
            (
                host.name,
                _state(host.refusals, marks),
                _clock(host),
                _devices(host),
                _room(host),
                check.lab.hosts[host.name].domain or "",
            )
            for host in hosts
        ],
        piped=WIDTH,
        optional=(5, 4),
    )
    if check.meters:
        print_table(
            ("meter", "check", "read by", "covers", "power"),
            [(one.meter.name, _one_state(one, marks), one.meter.read_by, _covers(one), _power(one))
             for one in check.meters.values()],
            piped=WIDTH,
        )  # fmt: skip
    if check.miners:
        print_table(
            ("miner", "check", "measured from", "says"),
            [(one.miner.name, _one_state(one, marks), one.miner.measured_from, one.seen.title if one.seen else "")
             for one in check.miners.values()],
            piped=WIDTH,
        )  # fmt: skip
    say_reasons(marks)


def check_document(check: "LabCheck") -> dict[str, Any]:
    """Return the check of a lab as JSON-ready data."""
    return {
        "lab": check.lab.name,
        "ok": check.ok,
        "hosts": [_host_document(check, host) for host in check.hosts.values()],
        "meters": [
            {"name": one.meter.name, "ok": one.ok, "read_by": one.meter.read_by, "covers": list(one.meter.covers),
             "power_w": one.seen.power_w if one.seen else None, **_reason(one.refusal)}
            for one in check.meters.values()
        ],
        "miners": [
            {"name": one.miner.name, "ok": one.ok, "measured_from": one.miner.measured_from,
             "title": one.seen.title if one.seen else None, **_reason(one.refusal)}
            for one in check.miners.values()
        ],
    }  # fmt: skip


def _host_document(check: "LabCheck", host: "HostCheck") -> dict[str, Any]:
    hello, offset, look = host.hello, host.offset, host.look
    return {
        "name": host.name,
        "ok": host.ok,
        "reasons": [_reason(refusal) for refusal in host.refusals],
        "host_id": hello.host_id if hello else None,
        "host_key": host.host_key or None,
        "hostname": hello.hostname if hello else None,
        "perwatt_version": hello.perwatt_version if hello else None,
        "clock_offset_s": offset.utc_s if offset else None,
        "clock_bound_s": offset.utc_bound_s if offset else None,
        "round_trip_s": offset.round_trip_s if offset else None,
        "quiet": look.quiet.is_quiet if look else None,
        "load": (look.quiet.detail or None) if look else None,
        "devices": [device.model_dump() for device in hello.devices] if hello else [],
        "meters": [{"spec": one.spec, "power_w": one.power_w, "fault": one.fault or None} for one in look.meters]
        if look
        else [],
        "free_bytes": hello.room_bytes if hello else None,
        "domains": list(check.lab.domains_of_host(host.name)),
    }


def _refusals(check: "LabCheck") -> list["Refusal"]:
    own = [refusal for host in check.hosts.values() for refusal in host.refusals]
    meters = [one.refusal for one in check.meters.values() if one.refusal is not None]
    return own + meters + [one.refusal for one in check.miners.values() if one.refusal is not None]


def _sentence(refusal: "Refusal") -> str:
    from bench.results.labs.reasons import REASONS, sentence

    cure = f"; {REASONS[refusal.code].cure}" if refusal.code in REASONS else ""
    return f"{refusal.code}: {sentence(*refusal)}{cure}"


def _reason(refusal: "Refusal | None") -> dict[str, str | None]:
    code, detail = refusal or (None, None)
    return {"code": code, "reason": _sentence(refusal) if refusal else None, "detail": detail or None}


def _state(refusals: "tuple[Refusal, ...]", marks: dict[str, str]) -> str:
    return " ".join(f"{one.code} {marks[_sentence(one)]}" for one in refusals) or "ok"


def _one_state(part: "MeterCheck | MinerCheck", marks: dict[str, str]) -> str:
    return _state((part.refusal,) if part.refusal is not None else (), marks)


def _clock(host: "HostCheck") -> str:
    if host.offset is None:
        return ""
    return f"{host.offset.utc_s:+.4f} ± {host.offset.utc_bound_s:.4f}"


def _devices(host: "HostCheck") -> str:
    if host.hello is None:
        return ""
    gpus = sum(device.device.startswith("gpu:") for device in host.hello.devices)
    return f"cpu, {gpus} gpu" if gpus else "cpu"


def _room(host: "HostCheck") -> str:
    room = host.hello.room_bytes if host.hello is not None else None
    return "" if room is None else f"{room / _GIB:.0f} GiB"


def _covers(check: "MeterCheck") -> str:
    first, *others = check.meter.covers
    return f"{first} and {len(others)} more" if others else first


def _power(check: "MeterCheck") -> str:
    power_w = check.seen.power_w if check.seen is not None else None
    return "" if power_w is None else quantity(power_w, "W")
