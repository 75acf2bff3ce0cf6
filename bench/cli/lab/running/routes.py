"""The options of `perwatt lab run` and `resume` that say how Dask gets its workers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.lab.run.session import Route


def route_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the way to the workers."""
    options = (
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Dask scheduler with one worker a host, named as the host. [default: workers start over ssh]",
        ),
        click.option("--slurm", is_flag=True, help="Start each worker as a job of Slurm on the node of that name."),
        click.option(
            "--slurm-option", "directives", multiple=True, metavar="TEXT", help="Further option of sbatch (repeatable)."
        ),
        click.option(
            "--listen",
            metavar="IP",
            help="Address of this machine for the workers. [default: the one that routes to them]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def route_of(scheduler: str | None, directives: tuple[str, ...], listen: str | None, *, slurm: bool) -> "Route":
    """Return the way to the workers.

    Raises
    ------
    InputError
        Options exclude one another, the address to listen at is not one of this machine, or Dask is not installed.
    """
    from bench.lab.run.session import Route

    if scheduler is not None and (slurm or listen is not None):
        with_it = "--slurm" if slurm else "--listen"
        raise InputError.at("--scheduler", expected="neither --slurm nor --listen with it", got=with_it)
    if directives and not slurm:
        raise InputError("--slurm-option: expected --slurm with it")
    if listen is not None:
        _check_own_address(listen)
    modules = ["distributed", "dask_jobqueue" if slurm else "asyncssh"] if scheduler is None else ["distributed"]
    for module in modules:
        _require(module)
    return Route(scheduler, slurm, directives, listen)


def _check_own_address(listen: str) -> None:
    """Refuse an address that is not one of this machine, before anything is planned."""
    import socket

    try:
        family, kind, _, _, address = socket.getaddrinfo(listen, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.bind(address)
    except (OSError, UnicodeError):  # UnicodeError: a name with an empty label
        raise InputError.at("--listen", expected="an address of this machine", got=listen) from None


def _require(module: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise InputError(f"perwatt lab: the package {module} is not installed: pip install 'perwatt[lab]'")
