"""The option `--plan` of the commands that measure."""

from collections.abc import Callable
from typing import Any

import click

from bench.cli import completion
from bench.measure.plan import DEFAULT_PLAN, PLANS


def plan_option(help_text: str) -> Callable[[Any], Any]:
    """Return the option with this help, in which `PLANS` stands for the names of the plans."""
    *names, last = PLANS
    return click.option(
        "--plan",
        default=DEFAULT_PLAN,
        show_default=True,
        shell_complete=completion.plans,
        help=help_text.replace("PLANS", f"{', '.join(names)} or {last}"),
    )
