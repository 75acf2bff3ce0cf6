"""`perwatt lab worker`: the Dask worker of a host, with the Python of this command. People do not call it."""

import runpy
import sys

import click

from bench.cli.commands import examples
from hardware_profiles.errors import InputError

MODULE = "distributed.cli.dask_spec"


@click.command(
    hidden=True,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    epilog=examples("perwatt lab worker -m distributed.cli.dask_spec tcp://192.0.2.1:8786"),
)
@click.option("-m", "module", required=True, help=f"Module that is run: {MODULE}.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def worker(module: str, arguments: tuple[str, ...]) -> None:
    """Run a Dask worker as `python -m distributed.cli.dask_spec` does."""
    if module != MODULE:
        raise InputError.at("-m", expected=MODULE, got=module)
    try:
        import distributed  # noqa: F401 (only whether it is installed)
    except ImportError:
        raise InputError("perwatt lab worker: Dask is not installed: pip install 'perwatt[lab]'") from None
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
