"""The REST interface of Braiins OS from version 25.07 on, which wants a login."""

from collections.abc import Iterable, Mapping
from typing import Any

from bench.miners.link import WEB, Link
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.nested import fan, inside, rows_inside
from bench.miners.parsing.recognise import accept
from bench.miners.parsing.windows import unfilled
from bench.miners.record import (
    Board,
    Counters,
    FanReading,
    Identity,
    MinerReading,
    Mode,
    Place,
    Pool,
    PowerReading,
    RateReading,
    TemperatureReading,
)
from bench.miners.reply import RateKey, Replies, Reply, Section, rows, section
from bench.miners.values import pool_address, unit_hash
from bench.network.errors import ReadFailedError
from bench.network.http import LoginRefusedError, OtherAnswerError

_PATHS = ("miner/details", "miner/hw/hashboards", "performance/tuner-state", "cooling/state", "pools")
_WINDOWS_S = {
    "last_5s": 5.0, "last_15s": 15.0, "last_30s": 30.0, "last_1m": 60.0, "last_5m": 300.0, "last_15m": 900.0,
    "last_30m": 1800.0, "last_1h": 3600.0, "last_24h": 86400.0,
}  # fmt: skip
_UNIT = "gigahash_per_second"
_MINER_STATUS = {1: "not started", 2: "normal", 3: "paused", 4: "suspended", 5: "restricted"}
_TUNER_STATUS = {1: "disabled", 2: "stable", 3: "tuning", 4: "error", 5: "continuous", 6: "preheat"}


class NoRestError(ReadFailedError):
    """The miner has no REST interface."""


def read_rest(link: Link) -> dict[str, Reply]:
    """Return the replies of the REST interface.

    Raises
    ------
    NoRestError
        The miner has no such interface.
    ReadFailedError
        There is no login, it is refused, or the miner does not answer.
    """
    if link.login is None:
        raise ReadFailedError("the REST interface of Braiins OS wants a user and a password")
    body = {"username": link.login.user, "password": link.login.password}
    try:
        opened = link.web("auth/login", "/api/v1/auth/login", port=WEB, body=body)
    except LoginRefusedError:
        raise ReadFailedError("auth/login: the miner does not accept the user and the password") from None
    except OtherAnswerError as error:
        raise NoRestError(f"{error}, as before version 25.07") from None
    token = opened.document.get("token") if isinstance(opened.document, dict) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise ReadFailedError("auth/login: the miner gives no token: it is no Braiins OS, or the login is refused")
    headers = {"Authorization": token}
    stats = link.web("miner/stats", "/api/v1/miner/stats", headers=headers)
    accept(stats, _is_stats, "Braiins OS", "a reply with miner_stats")
    others = {path: link.web(path, f"/api/v1/{path}", optional=True, headers=headers) for path in _PATHS}
    return {"miner/stats": stats, **others}


def _is_stats(document: Any) -> bool:
    return isinstance(document, Mapping) and "miner_stats" in document


def parse_rest(replies: Replies, family: str) -> MinerReading:
    """Return the record that the replies make."""
    stats, details = section(replies, "miner/stats"), section(replies, "miner/details")
    tuner = section(replies, "performance/tuner-state")
    shares, uptime_s = inside(stats, "pool_stats"), details.number("bosminer_uptime_s")
    rates = _rates(inside(stats, "miner_stats"))
    return with_contradictions(
        MinerReading(
            identity=_identity(details, family),
            rates=rates,
            powers=_powers(stats, tuner),
            boards=tuple(_board(row) for row in rows(replies, "miner/hw/hashboards", "hashboards")),
            temperatures=_temperatures(replies),
            fans=_fans(replies),
            mode=_mode(details, tuner),
            counters=Counters(
                elapsed_s=uptime_s,
                accepted=shares.whole("accepted_shares"),
                rejected=shares.whole("rejected_shares"),
                stale=shares.whole("stale_shares"),
            ),
            pools=_pools(replies, shares),
            nominal_rate_h_s=inside(details, "sticker_hashrate").rate_h_s(_UNIT, "GH/s"),
        ),
        unfilled(rates, uptime_s, ", and the firmware divides by its whole length"),
    )


def _rates(stats: Section) -> tuple[RateReading, ...]:
    """Return the rates of all windows, the mean since the restart, and the nominal rate of the tuner."""
    windows = [RateKey(key, "GH/s", "mean", window_s, "nonces_minus_errors") for key, window_s in _WINDOWS_S.items()]
    mean = RateKey("since_restart", "GH/s", "since_restart", None, "nonces_minus_errors")
    nominal = RateKey("nominal_hashrate", "GH/s", "instant", None, "nominal")
    return (*_flat(inside(stats, "real_hashrate"), (*windows, mean)), *_flat(stats, (nominal,)))


def _flat(outer: Section, keys: Iterable[RateKey]) -> tuple[RateReading, ...]:
    """Return rates that are each in an object of their own."""
    named = [key._replace(key=f"{key.key}.{_UNIT}") for key in keys]
    values = {key.key: inside(outer, key.key.removesuffix(f".{_UNIT}")).get(_UNIT) for key in named}
    return Section(outer.name, values).rates(named)


def _powers(stats: Section, tuner: Section) -> tuple[PowerReading, ...]:
    target = inside(tuner, "mode_state", "powertargetmodestate", "current_target")
    return (
        *inside(stats, "power_stats", "approximated_consumption").powers((("watt", "estimate"),)),
        *target.powers((("watt", "target"),)),
    )


def _identity(details: Section, family: str) -> Identity:
    name = inside(details, "miner_identity").text("miner_model", "name")
    return Identity(
        family=family,
        maker="Bitmain" if name.startswith("Antminer") else "",
        model=name,
        firmware="Braiins OS",
        firmware_version=inside(details, "bos_version").text("current"),
        unit=unit_hash(details.get("serial_number"), details.get("uid"), details.get("mac_address")),
    )


def _board(row: Section) -> Board:
    stats = inside(row, "stats")
    return Board(
        name=row.text("id"),
        rate_h_s=inside(stats, "real_hashrate", "last_1m").rate_h_s(_UNIT, "GH/s"),
        nominal_rate_h_s=inside(stats, "nominal_hashrate").rate_h_s(_UNIT, "GH/s"),
        chips=row.whole("chips_count"),
        frequency_hz=inside(row, "current_frequency").number("hertz"),
        voltage_v=inside(row, "current_voltage").number("volt"),
    )


def _temperatures(replies: Replies) -> tuple[TemperatureReading, ...]:
    places: tuple[tuple[tuple[str, ...], Place], ...] = (
        (("board_temp",), "board"),
        (("highest_chip_temp", "temperature"), "chip"),
        (("lowest_inlet_temp",), "inlet"),
        (("highest_outlet_temp",), "outlet"),
    )
    return tuple(
        reading
        for row in rows(replies, "miner/hw/hashboards", "hashboards")
        for keys, place in places
        for reading in inside(row, *keys).temperatures((("degree_c", place),))
    )


def _fans(replies: Replies) -> tuple[FanReading, ...]:
    fans = rows(replies, "cooling/state", "fans")
    return tuple(reading for row in fans for reading in fan(row, "rpm", "target_speed_ratio", full=1.0))


def _mode(details: Section, tuner: Section) -> Mode:
    status, tuning = details.whole("status"), tuner.whole("overall_tuner_state")
    words = [_MINER_STATUS.get(status or 0, ""), _TUNER_STATUS.get(tuning or 0, "")]
    state = inside(tuner, "mode_state")
    power, rate = inside(state, "powertargetmodestate"), inside(state, "hashratetargetmodestate")
    return Mode(
        name="power target" if power.values else "hashrate target" if rate.values else "",
        hashing=None if status is None else status in {2, 5},
        settled=None if status is None or tuning is None else status == 2 and tuning in {1, 2, 5},
        state=", tuner ".join(word for word in words if word),
        target_power_w=inside(power, "current_target").number("watt"),
        target_rate_h_s=inside(rate, "current_target").rate_h_s("terahash_per_second", "TH/s"),
    )


def _pools(replies: Replies, shares: Section) -> tuple[Pool, ...]:
    """Return the pools of all groups; only the active one has the last difficulty of the miner."""
    pools = [pool for group in rows(replies, "pools") for pool in rows_inside(group, "pools")]
    return tuple(
        Pool(
            url=pool_address(pool.get("url")),
            status="alive" if pool.truth("alive") else "dead",
            active=pool.truth("active"),
            priority=priority,
            difficulty=shares.number("last_difficulty") if pool.truth("active") else None,
            accepted=inside(pool, "stats").whole("accepted_shares"),
            rejected=inside(pool, "stats").whole("rejected_shares"),
            stale=inside(pool, "stats").whole("stale_shares"),
        )
        for priority, pool in enumerate(pools)
    )
