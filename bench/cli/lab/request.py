"""Arguments and options that say what a lab run measures."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.options import PositiveRange, WholeRange, plan_option

if TYPE_CHECKING:
    from bench.lab.run.planning import Request

LONGEST_S = 7 * 86400.0

_OPTIONS = (
    click.argument("workloads", metavar="[WORKLOAD]...", nargs=-1, shell_complete=completion.workloads),
    plan_option("Measurement plan: PLANS."),
    click.option("--host", "hosts", multiple=True, help="Only this host or node set; may be repeated."),
    click.option("--tag", "tags", multiple=True, help="Only hosts and miners with this tag; may be repeated."),
    click.option("--meter", "meters", multiple=True, help="Meter on every host, besides those of the lab file."),
    click.option("--repeat", type=WholeRange(1, 1000), default=1, show_default=True, help="Measure so many times."),
    click.option("--deadline-s", type=PositiveRange(LONGEST_S), help="Time that one measurement may take [s]."),
)


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the arguments and options of a request to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def request_of(
    *,
    workloads: tuple[str, ...],
    plan: str,
    hosts: tuple[str, ...],
    tags: tuple[str, ...],
    meters: tuple[str, ...],
    repeat: int,
    deadline_s: float | None,
) -> "Request":
    """Return the request that the options of `request_options` mean."""
    from bench.lab.run.planning import Request

    return Request(workloads, plan, hosts, tags, meters, repeat, deadline_s)
