"""`perwatt sweep endpoint`: the load of an inference server, as `perwatt run endpoint --concurrency sweep`."""

import copy

import click

from bench.cli.commands import examples
from bench.cli.run.endpoint import SWEEP
from bench.cli.run.endpoint import endpoint as run_endpoint


def _with_sweep() -> list[click.Parameter]:
    """Return the parameters of `perwatt run endpoint`, whose loads are a sweep unless they are stated."""
    parameters = []
    for parameter in run_endpoint.params:
        own = copy.copy(parameter)
        if own.name == "concurrency":
            own.default = SWEEP
        parameters.append(own)
    return parameters


endpoint = click.Command(
    "endpoint",
    params=_with_sweep(),
    callback=run_endpoint.callback,
    help="Measure the load of an inference server: the same as `perwatt run endpoint --concurrency sweep`.",
    epilog=examples(
        "perwatt sweep endpoint --url http://gpu1:8000 --meter shelly:10.0.0.9",
        "perwatt sweep endpoint --url small --most 16",
    ),
)
