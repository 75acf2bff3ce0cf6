"""`perwatt feed difficulty`: the difficulty table beyond the bundled one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.commands import examples
from bench.cli.feed.node_options import server_options
from bench.cli.options import WholeRange, json_option
from bench.cli.output import counted, emit_json, say
from bench.cli.table import print_table
from bench.errors import RunFailedError, not_written
from hardware_profiles.errors import InputError, near_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.market.retarget import EpochData

NODE, REST = "bitcoind", "mempool"


@click.command(
    epilog=examples(
        "perwatt feed difficulty bitcoind --out difficulty.csv",
        "perwatt feed difficulty mempool --url http://192.0.2.7:3000/api",
        "perwatt feed difficulty headers.csv",
    )
)
@click.argument("source", metavar="SOURCE")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("difficulty.csv"), show_default=True, help="CSV to write."
)
@server_options
@click.option(
    "--from-height",
    type=WholeRange(min=0, max=10_000_000),
    help="Height of the first epoch, a multiple of 2016. [default: the last bundled one]",
)
@click.option(
    "--first-height",
    type=WholeRange(min=0, max=10_000_000),
    help="Height of the first header of a file that states no heights.",
)
@json_option
def difficulty(
    source: str,
    out: Path,
    url: str | None,
    cookie_file: Path | None,
    user: str | None,
    password_env: str | None,
    timeout_s: float,
    from_height: int | None,
    first_height: int | None,
    as_json: bool,
) -> None:
    """Extend the bundled difficulty from SOURCE, and check every change by the rule of the network.

    SOURCE is `bitcoind` (your own node, by RPC), `mempool` (a REST server of the form of Esplora), or a file of block
    headers: 80 bytes each, hexadecimal lines, or a CSV table with height and header_hex_80_bytes. The table that is
    written is a difficulty_file of a site and the --difficulty of `validate mining`.
    """
    from bench.feeds.answers import FetchError
    from bench.feeds.difficulty.chain import MAINNET, epochs_of
    from bench.feeds.difficulty.table import write_table

    options = {"--url": url, "--cookie-file": cookie_file, "--user": user, "--password-env": password_env}
    try:
        if source in {NODE, REST}:
            if first_height is not None:
                raise InputError.at("--first-height", expected="a file of headers", got=source)
            headers, provenance = _from_server(source, options, timeout_s, from_height)
        else:
            headers, provenance = _from_file(source, {**options, "--from-height": from_height}, first_height)
        epochs = epochs_of(provenance["place"], headers, MAINNET)
    except FetchError as error:
        raise RunFailedError(str(error)) from None
    try:
        sidecar = write_table(out, epochs, headers, provenance)
    except OSError as error:
        raise not_written(out, error) from error
    if as_json:
        emit_json(_document(epochs, headers, provenance, out, sidecar))
    else:
        _print(epochs, headers, out, sidecar)


def _from_server(
    source: str, options: "Mapping[str, Any]", timeout_s: float, from_height: int | None
) -> tuple[dict[int, bytes], dict[str, str]]:
    from bench.feeds.answers import Server
    from bench.feeds.difficulty.node import node_headers
    from bench.feeds.difficulty.rest import DEFAULT_URL, rest_headers
    from bench.feeds.rpc import PASSWORDS, node_login, open_node
    from bench.network.url import parse_url
    from sites.market.bitcoin import EPOCH_BLOCKS, bundled_epochs

    first = bundled_epochs()[-1].start_height if from_height is None else from_height
    if first % EPOCH_BLOCKS:
        raise InputError.at("--from-height", expected=f"a multiple of {EPOCH_BLOCKS}", got=first)
    if source == NODE:
        login = node_login(options["--cookie-file"], options["--user"], options["--password-env"])
        node = open_node(options["--url"], login, timeout_s)
        return node_headers(node, first), {"kind": "RPC of a Bitcoin node", "place": str(node.url)}
    _refuse_others({name: value for name, value in options.items() if name != "--url"}, source)
    server = Server(parse_url(options["--url"] or DEFAULT_URL, "--url", PASSWORDS), timeout_s=timeout_s)
    return rest_headers(server, first), {"kind": "REST server", "place": str(server.url)}


def _from_file(
    source: str, options: "Mapping[str, Any]", first_height: int | None
) -> tuple[dict[int, bytes], dict[str, str]]:
    from hashlib import sha256

    from bench.feeds.difficulty.headers import HEADERS, read_headers
    from hardware_profiles.opening import is_there, read_input

    path = Path(source)
    if not is_there(path) and source != "-":
        raise InputError.at(
            "perwatt feed difficulty SOURCE",
            expected=f"{NODE}, {REST} or a file of block headers",
            got=source,
            near=near_names(source, (NODE, REST)),
        )
    _refuse_others(options, "a file of headers")
    data = read_input(path, HEADERS)
    return read_headers(path, data, first_height), {
        "kind": "file of block headers",
        "place": source,
        "sha256": sha256(data).hexdigest(),
    }


def _refuse_others(options: "Mapping[str, Any]", source: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise InputError.at(name, expected=f"no such option with {source}", got=str(value))


def _document(
    epochs: "Sequence[EpochData]",
    headers: "Mapping[int, bytes]",
    provenance: "Mapping[str, str]",
    out: Path,
    sidecar: Path,
) -> dict[str, object]:
    from bench.feeds.difficulty.table import RULE, rows

    return {
        "schema": "perwatt.feed_difficulty/1",
        "source": dict(provenance),
        "rule": RULE,
        "file": str(out),
        "provenance": str(sidecar),
        "known_until": _known_until(epochs),
        "epochs": rows(epochs, headers),
    }


def _known_until(epochs: "Sequence[EpochData]") -> str:
    from sites.market.bitcoin import DifficultyPath, known_until_utc

    return known_until_utc(DifficultyPath(supplied=tuple(epoch.epoch() for epoch in epochs)))


def _print(epochs: "Sequence[EpochData]", headers: "Mapping[int, bytes]", out: Path, sidecar: Path) -> None:
    from bench.feeds.difficulty.table import rows

    shown = rows(epochs, headers)[-12:]
    print_table(
        ("height", "first block, UTC", "bits", "difficulty"),
        [(str(row["height"]), row["start"], row["bits"], f"{row['difficulty']:.6g}") for row in shown],
        title="Difficulty epochs" if len(shown) == len(epochs) else f"Difficulty epochs, the last {len(shown)}",
        right=(0, 3),
    )
    say(f"{counted(len(epochs), 'epoch')} follow from the one before by the rule of the network.")
    say(f"Difficulty is known until {_known_until(epochs)}. Written: {out}, with its source in {sidecar}")
    say(f'Use it: [market] difficulty_file = "{out}", or perwatt validate mining --difficulty {out}')
