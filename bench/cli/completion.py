"""Shell completion of arguments: names of results, profiles, sites, workloads, models and meters."""

from collections.abc import Iterable
from pathlib import Path

import click


def results_and_profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the id of a stored result, or the name of a profile."""
    from hardware_profiles.catalog import names

    return [*result_ids(ctx, param, incomplete), *_matching(names(), incomplete)]


def result_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the id of a result in the store that the command line names."""
    from bench.results.layout import STORE, result_names
    from hardware_profiles.errors import InputError

    store = ctx.params.get("store") or STORE
    try:
        return _matching(result_names(Path(store)), incomplete)
    except InputError:
        return []


def sites(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the name of a bundled site, or the path of a site file."""
    from sites.examples import example_names

    return [*_matching(example_names(), incomplete), *_files(incomplete, ".toml")]


def capital_plans(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the name of a bundled capital plan, or the path of a plan file."""
    from sites.examples import example_path

    bundled = sorted(path.stem for path in (example_path().parent / "capital").glob("*.toml"))
    return [*_matching(bundled, incomplete), *_files(incomplete, ".toml")]


def results_and_sites(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the id of a stored result, the name of a bundled site, or the path of a site file."""
    return [*result_ids(ctx, param, incomplete), *sites(ctx, param, incomplete)]


def workloads(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the name of a workload."""
    from bench.workloads.registry import ENTRIES

    return _matching((row.name for row in ENTRIES), incomplete)


def workloads_and_verbs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a workload, or of a subcommand as the first argument."""
    verbs = ctx.command.commands if isinstance(ctx.command, click.Group) and not ctx.params.get("workloads") else ()
    return [*_matching(verbs, incomplete), *workloads(ctx, param, incomplete)]


def models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the name of a language model."""
    from kernels.llm.shapes import names

    return _matching(names(), incomplete)


def meters(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the kind of a meter, and the table of one on the network after `table=`."""
    from bench.meters.points import table
    from bench.meters.registry import names

    head, word, begun = incomplete.rpartition(",table=")
    if word:
        of_transport = table.names(head.partition(":")[0].partition(",")[0])
        return [f"{head}{word}{name}" for name in [*_matching(of_transport, begun), *_files(begun, ".toml")]]
    return _matching(("none", *names()), incomplete)


def miner_families(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the name of a family of miners."""
    from bench.miners.families import names

    return _matching(names(), incomplete)


def feeds(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the name of a feed."""
    from sites.feeds.layouts import LAYOUTS

    return _matching((layout.name for layout in LAYOUTS), incomplete)


def feed_sources(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the name of a source over the network."""
    from bench.feeds.sources.table import SOURCES

    return _matching(SOURCES, incomplete)


def plans(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete the name of a measurement plan."""
    from bench.measure.plans import PLANS

    return _matching(PLANS, incomplete)


def devices(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Complete a device of this machine, or a GPU of the catalogue."""
    from hardware_profiles.catalog import names

    return _matching(("cpu", "gpu:0", *names()), incomplete)


def _matching(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _files(incomplete: str, suffix: str) -> list[str]:
    """Return the folders and the files of this suffix that a partly typed path may become."""
    from hardware_profiles.opening import is_folder

    folder = Path(incomplete).parent if not incomplete.endswith("/") else Path(incomplete)
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        return []
    named = [f"{path}/" if is_folder(path) else str(path) for path in inside]
    paths = [path for path in named if path.endswith(("/", suffix))]
    return _matching((path for path in paths if not Path(path).name.startswith(".")), incomplete)
