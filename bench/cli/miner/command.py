"""`perwatt miner`: what an ASIC miner on the network says of itself."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli import completion
from bench.cli.commands import CommandWithVerbs, examples
from bench.cli.miner.restore import restore
from bench.cli.miner.simulate import simulate
from bench.cli.options import json_option
from bench.cli.output import emit_json
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.miners.link import Address
    from bench.miners.reader import Miner
    from bench.network.login import Login


@click.command(
    cls=CommandWithVerbs,
    invoke_without_command=True,
    subcommand_metavar="",
    epilog=examples(
        "perwatt miner 192.0.2.7",
        "perwatt miner 192.0.2.7 --watch",
        "perwatt miner 192.0.2.7 --family avalon --json",
        "perwatt miner 192.0.2.7 --user root --password-file ~/.antminer",
    ),
)
@click.argument("host", metavar="HOST")
@click.option(
    "--family", shell_complete=completion.miner_families, help="Family of the miner. [default: what its replies show]"
)
@click.option("--watch", is_flag=True, help="Read it again and again, one line each, until Ctrl-C.")
@click.option("--user", help="User of the miner's web pages, for figures that need a login.")
@click.option("--password-file", type=click.Path(path_type=Path), help="File of mode 0600 with the password.")
@click.option("--password-env", help="Environment variable with the password.")
@json_option
def miner(
    host: str,
    family: str | None,
    watch: bool,
    user: str | None,
    password_file: Path | None,
    password_env: str | None,
    as_json: bool,
) -> None:
    """Show what an ASIC miner on the network says of itself.

    The screen has every rate with its window, every power with its kind, and the rate that accepted difficulty implies.
    Nothing is written to the miner, and no password is tried but the one that you name. A port in HOST:PORT is the only
    one that is asked.
    """
    from bench.miners.link import parse_address

    login = login_of(user, password_file, password_env)
    machine = open_miner(parse_address(host, "HOST"), family, login)
    if watch:
        from bench.cli.miner.watch import watch as watch_miner

        watch_miner(machine, as_json=as_json)
    reading = machine.poll().reading
    if as_json:
        from bench.miners.document import document

        emit_json(document(reading))
    else:
        from bench.cli.miner.show import print_reading

        print_reading(reading)


miner.add_command(simulate)
miner.add_command(restore)


def login_of(user: str | None, password_file: Path | None, password_env: str | None) -> "Login | None":
    """Return the login that the options name; a password needs its user, because none is assumed."""
    from bench.network.login import read_login

    stated = {"user": user, "password_file": password_file, "password_env": password_env}
    settings = {key: str(value) for key, value in stated.items() if value is not None}
    if settings and "user" not in settings:
        raise InputError.at("--user", expected="the user of the password")
    if len(settings) == 1:
        expected = "a password with it: --password-file PATH (a file of mode 0600) or --password-env NAME"
        raise InputError.at("--user", expected=expected, got="a user without a password")
    return read_login("perwatt miner", settings)


def open_miner(address: "Address", name: str | None, login: "Login | None") -> "Miner":
    """Return the reader of a miner, whose family is the stated one or the one that its replies show."""
    from bench.miners.families import load
    from bench.miners.identify import identify
    from bench.miners.reader import Miner

    family = load(name) if name is not None else load(identify(address))
    return Miner(address, family, login)
