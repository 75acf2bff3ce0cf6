"""Options of the commands that ask a Bitcoin node or a server in its place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bench.cli.options import PositiveRange

LONGEST_TIMEOUT_S = 600.0


def server_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the address, the login and the time limit of a source."""
    for option in reversed(
        (
            click.option(
                "--url", help="Address of the source, such as your own node or mirror. [default: that of the source]"
            ),
            click.option(
                "--cookie-file",
                type=click.Path(path_type=Path),
                help="Cookie file of a Bitcoin node. [default: ~/.bitcoin/.cookie]",
            ),
            click.option("--user", help="User of a Bitcoin node, in place of the cookie."),
            click.option("--password-env", help="Environment variable with the password of this user."),
            click.option(
                "--timeout-s",
                type=PositiveRange(LONGEST_TIMEOUT_S),
                default=30.0,
                show_default=True,
                help="Time for one answer [s].",
            ),
        )
    ):
        function = option(function)
    return function
