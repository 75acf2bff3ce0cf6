"""`perwatt feed fetch`: figures and prices over the network, with their age."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import examples
from bench.cli.feed.node_options import server_options
from bench.cli.options import FOLDER, json_option
from bench.cli.output import emit_json, fault, say
from bench.cli.table import print_table
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.feeds.answers import Server
    from bench.feeds.fetch import Outcome
    from bench.feeds.sources.source import Settings, Source

_DAY = click.DateTime(["%Y-%m-%d"])
_OPTIONS = {
    "zone": "--zone",
    "first_day": "--first-day",
    "last_day": "--last-day",
    "sequence": "--sequence",
    "model": "--model",
    "gpu": "--gpu",
}


@click.command(
    epilog=examples(
        "perwatt feed fetch bitcoind",
        "perwatt feed fetch mempool --url http://192.0.2.7:8999/api",
        "perwatt feed fetch kraken --json",
        "perwatt feed fetch energy-charts --zone DE-LU",
        "perwatt feed fetch entsoe --zone FR --key-env ENTSOE_API_KEY",
    )
)
@click.argument("name", metavar="SOURCE", shell_complete=completion.feed_sources)
@click.option("--store", type=FOLDER, default=Path("feeds"), show_default=True, help="Folder of the raw answers.")
@click.option("--stored", is_flag=True, help="Read the last good answers, without the network.")
@server_options
@click.option("--zone", default="", help="Bidding zone of day-ahead prices, such as DE-LU, or its EIC code.")
@click.option("--first-day", type=_DAY, help="First day of day-ahead prices. [default: today]")
@click.option("--last-day", type=_DAY, help="Last day of day-ahead prices. [default: tomorrow]")
@click.option("--sequence", default="", help="Auction of day-ahead prices where there are several.")
@click.option("--model", default="", help="Inference model, as the source names it.")
@click.option("--gpu", default="", help="GPU, as the source names it.")
@click.option("--key-env", help="Environment variable with the key of the source.")
@json_option
def fetch(
    name: str,
    store: Path,
    stored: bool,
    url: str | None,
    cookie_file: Path | None,
    user: str | None,
    password_env: str | None,
    timeout_s: float,
    zone: str,
    first_day: datetime | None,
    last_day: datetime | None,
    sequence: str,
    model: str,
    gpu: str,
    key_env: str | None,
    as_json: bool,
) -> int:
    """Fetch figures from SOURCE, and store its raw answers.

    SOURCE is bitcoind (your own node), mempool, kraken, coinbase, coingecko, openrouter, vast, energy-charts or entsoe.
    The raw answers are stored first, and then read as files. If the fetch fails, the figures of the last good one are
    shown with their age. The exit status is 1 if the fetch failed or a figure is older than the limit of its source.
    """
    import time

    from bench.errors import not_written
    from bench.feeds.fetch import archive_of
    from bench.feeds.fetch import fetch as fetch_source
    from bench.feeds.fetch import stored as read_stored
    from bench.feeds.sources.table import source_of

    source = source_of(name)
    values: dict[str, Any] = {"zone": zone, "sequence": sequence, "model": model, "gpu": gpu}
    values |= {
        key: None if day is None else day.date() for key, day in (("first_day", first_day), ("last_day", last_day))
    }
    settings = _settings(source, values, key_env, with_key=not stored)
    archive = archive_of(store, source, settings)
    if stored:
        outcome = read_stored(source, settings, archive)
    else:
        server = _server(
            source, url, {"--cookie-file": cookie_file, "--user": user, "--password-env": password_env}, timeout_s
        )
        try:
            outcome = fetch_source(source, settings, server, archive)
        except OSError as error:
            raise not_written(archive.folder, error) from error
    now_s = time.time()
    if as_json:
        emit_json(_document(outcome, now_s))
    else:
        _print(outcome, now_s)
    return _report(outcome, now_s, archive.folder)


def _settings(source: "Source", values: Mapping[str, Any], key_env: str | None, *, with_key: bool) -> "Settings":
    from bench.feeds.sources.source import Settings

    for key, option in _OPTIONS.items():
        if values[key] and key not in source.options:
            raise InputError.at(option, expected=f"no such option with {source.name}", got=str(values[key]))
        if not values[key] and key in source.needed:
            raise InputError.at(option, expected=f"a value, which {source.name} needs")
    first, last = values["first_day"], values["last_day"]
    if first and last and last < first:
        raise InputError.at("--last-day", expected=f"{first} or a later day", got=str(last))
    return Settings(**values, key=_key(source, key_env) if with_key else "")


def _key(source: "Source", key_env: str | None) -> str:
    """Return the key of a source from the environment, or an empty text if it needs none and none is stated."""
    import os

    from bench.network.login import password_of_variable

    if "key" not in source.options:
        if key_env is not None:
            raise InputError.at("--key-env", expected=f"no such option with {source.name}", got=key_env)
        return ""
    variable = key_env or source.key_env
    if key_env is None and "key" not in source.needed and not os.environ.get(variable):
        return ""
    return password_of_variable("--key-env", variable, "key")


def _server(source: "Source", url: str | None, login: Mapping[str, Any], timeout_s: float) -> "Server":
    from bench.feeds.answers import Server
    from bench.feeds.rpc import node_login, open_node
    from bench.network.url import parse_url

    if source.login == "node":
        return open_node(url, node_login(login["--cookie-file"], login["--user"], login["--password-env"]), timeout_s)
    for option, value in login.items():
        if value is not None:
            raise InputError.at(option, expected=f"no such option with {source.name}", got=str(value))
    return Server(parse_url(url or source.url, "--url", "--key-env"), timeout_s=timeout_s)


def _document(outcome: "Outcome", now_s: float) -> dict[str, object]:
    from bench.feeds.difficulty.table import utc_text

    fetched = outcome.fetched
    return {
        "schema": "perwatt.feed_fetch/1",
        "source": outcome.source.name,
        "url": fetched.url if fetched else None,
        "fetched_at_utc": utc_text(fetched.time_s) if fetched else None,
        "fault": outcome.fault or None,
        "age_limit_s": outcome.source.age_limit_s,
        "figures": [
            {
                "name": figure.name,
                "value": figure.value,
                "as_of_utc": utc_text(figure.as_of_s),
                "age_s": round(outcome.age_s(figure, now_s), 3),
                "stale": outcome.is_stale(figure, now_s),
                "note": figure.note,
            }
            for figure in outcome.figures
        ],
        "files": {name: str(path) for name, path in fetched.files.items()} if fetched else {},
    }


def _print(outcome: "Outcome", now_s: float) -> None:
    from bench.feeds.difficulty.table import utc_text

    if outcome.fetched is None:
        return
    print_table(
        ("figure", "value", "as of, UTC", "age", "note"),
        [
            (
                figure.name,
                _value(figure.value),
                utc_text(figure.as_of_s),
                age_words(outcome.age_s(figure, now_s)) + (", stale" if outcome.is_stale(figure, now_s) else ""),
                figure.note,
            )
            for figure in outcome.figures
        ],
        title=outcome.source.title,
        right=(1, 3),
    )
    how = "Last good answers, fetched" if outcome.fault else "Fetched"
    first, *others = outcome.fetched.files.values()
    shown = f"{first.with_name(first.name.partition('-')[0])}-*" if others else first
    say(f"{how} {utc_text(outcome.fetched.time_s)} from {outcome.fetched.url}, raw answers: {shown}")


def _value(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e9 else f"{value:.6g}"


def _report(outcome: "Outcome", now_s: float, folder: Path) -> int:
    """Print what is wrong with an outcome on stderr, and return the exit status."""
    if outcome.fetched is None:
        missing = f"{folder}: expected stored answers that can be read, got none"
        fault(f"{outcome.fault}; {folder} has no earlier answers that can be read" if outcome.fault else missing)
        return 1
    ages = [outcome.age_s(figure, now_s) for figure in outcome.figures]
    if outcome.fault:
        fault(f"{outcome.fault}; the figures shown are up to {age_words(max(ages))} old")
        return 1
    if any(outcome.is_stale(figure, now_s) for figure in outcome.figures):
        limit = age_words(outcome.source.age_limit_s)
        fault(f"{outcome.source.name}: expected data of at most {limit}, got data of {age_words(max(ages))}")
        return 1
    return 0


def age_words(age_s: float) -> str:
    """Return an age with the unit that suits it."""
    for unit_s, unit in ((86_400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if age_s >= 2 * unit_s:
            return f"{age_s / unit_s:.3g} {unit}"
    return f"{age_s:.3g} s"
