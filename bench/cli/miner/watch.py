"""The lines of `perwatt miner --watch`: one a poll, until Ctrl-C."""

import json
from typing import NoReturn

from bench.cli.output import emit_text, plain, rate, say
from bench.miners.document import document
from bench.miners.reader import Miner, MinerError
from bench.miners.record import MinerReading
from bench.miners.watch import Change, Watch
from bench.miners.words import NOT_MEASURED, rates_for_power


def watch(machine: Miner, *, as_json: bool) -> NoReturn:
    """Poll a miner for ever, at the interval of its family; a poll without an answer is a line too.

    Raises
    ------
    MinerError
        The first poll fails.
    """
    reading = machine.poll().reading
    polls = Watch()
    if not as_json:
        for line in _legend(machine, reading):
            say(line)
    _print(reading, polls.add(reading), as_json=as_json)
    while True:
        try:
            reading = machine.poll().reading
        except MinerError as error:
            emit_text(json.dumps({"error": str(error)})) if as_json else say(f"no answer: {error}")
            continue
        _print(reading, polls.add(reading), as_json=as_json)


def _legend(machine: Miner, reading: MinerReading) -> list[str]:
    identity = reading.identity
    rates = [shown.raw_key for shown in rates_for_power(reading)[:1]]
    powers = [power.raw_key for power in reading.powers if power.kind not in NOT_MEASURED]
    name = " ".join(filter(None, (identity.maker, identity.model, identity.firmware_version)))
    columns = (*rates, *powers, "hottest chip or board", "new shares", "rate implied by shares since the first line")
    return [
        f"miner      {name} (family {identity.family})",
        f"each line  {', '.join(columns)}; a line with ! has something to look at",
        f"interval   {machine.family.poll_s:g} s; Ctrl-C ends",
    ]


def _print(reading: MinerReading, change: Change, *, as_json: bool) -> None:
    if as_json:
        emit_text(json.dumps({**document(reading), "marks": list(change.marks)}))
    else:
        say(_line(reading, change))


def _line(reading: MinerReading, change: Change) -> str:
    rates = [rate(shown.rate_h_s, "hash/s") for shown in rates_for_power(reading)[:1]]
    powers = [f"{plain(power.power_w)} W" for power in reading.powers if power.kind not in NOT_MEASURED]
    inside = [sensor.temperature_c for sensor in reading.temperatures if sensor.place in {"chip", "board"}]
    heat = [f"{max(inside):.4g} °C"] if inside else []
    shares = [] if change.new_shares is None else [f"+{change.new_shares}"]
    implied = change.implied
    if implied is not None and implied.shares:
        width = implied.half_width_frac or 0.0
        shares.append(f"implied {rate(implied.rate_h_s, 'hash/s')} ± {width:.0%}")
    parts = (reading.read_utc.partition("T")[2], *rates, *powers, *heat, *shares, *(f"! {m}" for m in change.marks))
    return "  ".join(parts)
