"""The screen of `perwatt miner`: what a lab engineer wants of one machine, in seconds."""

from collections.abc import Iterator, Sequence

from bench.cli.output import counted, j_per_th, plain, rate, say
from bench.cli.table import print_table
from bench.miners.implied import implied_rate
from bench.miners.record import Board, MinerReading, Pool, RateReading
from bench.miners.words import (
    BASIS_WORDS,
    NOT_MEASURED,
    POWER_WORDS,
    duration_words,
    rates_for_power,
    window_words,
)
from bench.quantity import HASHES_PER_TH


def print_reading(reading: MinerReading) -> None:
    """Print one record; a part that the firmware does not show is left out."""
    for line in _head(reading):
        say(line)
    _print_rates(reading)
    _print_powers(reading)
    if reading.boards:
        _print_boards(reading.boards)
    if reading.pools:
        _print_pools(reading.pools)
    for line in _foot(reading):
        say(line)


def _head(reading: MinerReading) -> Iterator[str]:
    identity, mode = reading.identity, reading.mode
    name = " ".join(filter(None, (identity.maker, identity.model))) or "model not stated"
    yield f"miner      {name}{f', unit {identity.unit}' if identity.unit else ''}, read {reading.read_utc}"
    version = " ".join(filter(None, (identity.firmware, identity.firmware_version))) or "not stated"
    api = f", API {identity.api_version}" if identity.api_version else ""
    yield f"firmware   {version}{api} (family {identity.family})"
    hashing = {True: "hashing", False: "not hashing", None: ""}[mode.hashing]
    settled = {True: "settled", False: "not settled", None: ""}[mode.settled]
    elapsed_s = reading.counters.elapsed_s
    since = "" if elapsed_s is None else f"restarted {duration_words(elapsed_s)} ago"
    words = filter(None, (mode.name, mode.profile, hashing, settled, mode.state, since))
    yield f"state      {', '.join(words) or 'not stated'}"
    targets = (
        "" if mode.target_power_w is None else f"{plain(mode.target_power_w)} W",
        "" if mode.target_rate_h_s is None else rate(mode.target_rate_h_s, "hash/s"),
    )
    if any(targets):
        yield f"target     {', '.join(filter(None, targets))}"


def _print_rates(reading: MinerReading) -> None:
    implied = implied_rate(reading.counters)
    rows = [
        (shown.raw_key, _th(shown.rate_h_s), window_words(shown), BASIS_WORDS[shown.basis]) for shown in reading.rates
    ]
    if reading.nominal_rate_h_s is not None:
        rows.append(("nominal, by the firmware", _th(reading.nominal_rate_h_s), "", "maker's figure"))
    if implied is not None:
        width = implied.half_width_frac
        shares = "accepted shares" if implied.shares is None else counted(implied.shares, "accepted share")
        sure = "" if width is None else f", 95 %: ± {width:.1%}"
        rows.append(("implied by accepted difficulty", _th(implied.rate_h_s), "since restart", f"{shares}{sure}"))
    if not rows:
        say("hashrate   not shown by the firmware")
        return
    print_table(("hashrate, displayed", "TH/s", "window", "from"), rows, right=(1,))
    if implied is not None:
        say(f"The implied rate is computed here: {implied.assumes}.")


def _print_powers(reading: MinerReading) -> None:
    if not reading.powers:
        say("power      not shown by the firmware; use a meter at the plug")
        return
    pairs = rates_for_power(reading) if reading.mode.hashing is not False else ()
    rows = [
        (
            power.raw_key,
            plain(power.power_w),
            POWER_WORDS[power.kind],
            *("" if power.kind in NOT_MEASURED else _efficiency(power.power_w, shown) for shown in pairs),
        )
        for power in reading.powers
    ]
    marks = "ab"[: len(pairs)]
    names = "; ".join(f"[{mark}] {shown.raw_key}" for mark, shown in zip(marks, pairs, strict=True))
    columns = ("power, displayed", "W", "what it is", *(f"J/TH [{mark}]" for mark in marks))
    print_table(columns, rows, right=(1, *range(3, 3 + len(pairs))))
    if pairs:
        say(f"J/TH: displayed power over displayed rate, {names}. Nothing here is measured at the wall.")


def _efficiency(power_w: float, shown: RateReading) -> str:
    return j_per_th(power_w / shown.rate_h_s * HASHES_PER_TH) if shown.rate_h_s > 0.0 else ""


def _th(rate_h_s: float) -> str:
    return plain(rate_h_s / HASHES_PER_TH, most_decimals=4)


def _print_boards(boards: Sequence[Board]) -> None:
    rows = [
        (
            board.name,
            "" if board.rate_h_s is None else _th(board.rate_h_s),
            "" if board.nominal_rate_h_s is None else _th(board.nominal_rate_h_s),
            _of(board.chips, board.chips_expected),
            "" if board.frequency_hz is None else plain(board.frequency_hz / 1e6),
            "" if board.voltage_v is None else plain(board.voltage_v),
            "" if board.hardware_errors is None else f"{board.hardware_errors:,}",
        )
        for board in boards
    ]
    _print_filled(("board", "TH/s", "nominal TH/s", "chips", "MHz", "V", "errors"), rows, right=range(1, 7))


def _of(count: int | None, expected: int | None) -> str:
    if count is None:
        return "" if expected is None else f"? of {expected}"
    return str(count) if expected is None else f"{count} of {expected}"


def _print_pools(pools: Sequence[Pool]) -> None:
    rows = [
        (
            pool.url,
            ", ".join(filter(None, (pool.status, {True: "in use", False: "", None: ""}[pool.active], pool.kind))),
            "" if pool.difficulty is None else plain(pool.difficulty, 6, most_decimals=0),
            *("" if count is None else f"{count:,}" for count in (pool.accepted, pool.rejected, pool.stale)),
        )
        for pool in pools
    ]
    _print_filled(("pool", "status", "difficulty", "accepted", "rejected", "stale"), rows, right=range(2, 6))


def _print_filled(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> None:
    """Print a table without the columns that no row fills."""
    kept = [at for at in range(len(columns)) if any(row[at] for row in rows)]
    numbers = [position for position, at in enumerate(kept) if at in right]
    print_table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], right=numbers)


def _foot(reading: MinerReading) -> Iterator[str]:
    by_place: dict[str, list[float]] = {}
    for sensor in reading.temperatures:
        by_place.setdefault(sensor.place.replace("_", " "), []).append(sensor.temperature_c)
    heat = (f"{place} {_span(degrees)} °C ({counted(len(degrees), 'value')})" for place, degrees in by_place.items())
    if by_place:
        yield f"heat       {', '.join(heat)}"
    speeds = [fan.speed_rpm for fan in reading.fans if fan.speed_rpm is not None]
    drives = [fan.duty_frac * 100.0 for fan in reading.fans if fan.duty_frac is not None]
    fans = (f"{_span(speeds)} rpm ({len(speeds)})" if speeds else "", f"drive {_span(drives)} %" if drives else "")
    if any(fans):
        yield f"fans       {', '.join(filter(None, fans))}"
    yield f"counters   {', '.join(_counters(reading)) or 'not shown by the firmware'}"
    if reading.fee_frac is not None:
        yield f"fee        {reading.fee_frac:.2%} of the work goes to the maker of the firmware, by its own statement"
    for warning in reading.warnings:
        yield f"warning    {warning}"


def _span(numbers: Sequence[float]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,.4g}" if low == high else f"{low:,.4g} to {high:,.4g}"


def _counters(reading: MinerReading) -> Iterator[str]:
    counters = reading.counters
    named = (
        ("accepted", counters.accepted),
        ("rejected", counters.rejected),
        ("stale", counters.stale),
        ("hardware errors", counters.hardware_errors),
    )
    yield from (f"{name} {count:,}" for name, count in named if count is not None)
    if counters.accepted_difficulty is not None:
        yield f"accepted difficulty {counters.accepted_difficulty:,.6g}"
