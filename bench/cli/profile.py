"""`perwatt profile`: a profile of this machine, and the check of profile files."""

import os
from pathlib import Path

import click

from bench.cli import completion
from bench.cli.commands import NearGroup, examples
from bench.cli.options import json_option, results_option
from bench.cli.output import counted, emit_json, emit_text, say
from bench.cli.output import fault as print_fault
from hardware_profiles.errors import InputError
from hardware_profiles.opening import is_folder, is_there


@click.group(cls=NearGroup, epilog=examples("perwatt profile new --out profiles", "perwatt profile check"))
def profile() -> None:
    """Write a profile of this machine, or check profile files."""


@profile.command(
    epilog=examples(
        "perwatt profile new",
        "perwatt profile new --out profiles --name my-server --device gpu:0",
        "perwatt profile new --from latest:sha256d_scan_asic --out profiles",
    )
)
@click.option("--device", default="cpu", show_default=True, help="Device to describe: cpu or gpu:INDEX.")
@click.option(
    "--from",
    "result",
    metavar="RESULT",
    shell_complete=completion.result_ids,
    help="Describe the ASIC miner of a result, by its measured rate and power, instead of this machine.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write NAME.toml to. [default: print it]")
@click.option("--name", help="Name of the file and of the profile. [default: maker and model]")
@results_option
@json_option
def new(device: str, result: str | None, out: Path | None, name: str | None, store: Path, as_json: bool) -> None:
    """Write a profile of this machine, or of the ASIC miner of a result.

    Figures that this machine does not report are left out, and their keys are listed.
    """
    if name is not None and Path(name).name != name:
        raise InputError.at("--name", expected="a name without a folder", got=name)
    if result is not None:
        _refuse_device_with_from()
        _new_of_result(result, store, out, name, as_json=as_json)
    else:
        _new_of_machine(device, out, name, as_json=as_json)


def _refuse_device_with_from() -> None:
    source = click.get_current_context().get_parameter_source("device")
    if source is click.core.ParameterSource.COMMANDLINE:
        raise InputError.at("--from", expected="no --device with it, because the result names its device")


def _new_of_result(result: str, store: Path, out: Path | None, name: str | None, *, as_json: bool) -> None:
    from bench.results.folder import find_result
    from bench.unit_profile import unit_profile
    from hardware_profiles.catalog import check, load_all
    from hardware_profiles.reading import parse_toml

    drawn = unit_profile(find_result(store, result.removeprefix("result:")), load_all())
    path = (out or Path()) / f"{name or drawn.slug}.toml"
    made = check(parse_toml(drawn.toml.encode(), path), path)
    if out is not None:
        _write_new(path, drawn.toml)
    if as_json:
        file = str(path) if out is not None else None
        known = {"name": path.stem, "file": file, "catalogue_profile": drawn.rated_by, "toml": drawn.toml}
        emit_json({**known, "figures": {key: figure.value for key, figure in made.every_figure()}})
    elif out is None:
        emit_text(drawn.toml.rstrip())
    else:
        say(f"{path}: measured rate and wall power of {made.maker} {made.model}, result {drawn.result}")
        say(f'use it: device = "{path.stem}" in a site file, and PERWATT_PROFILES={out} before `perwatt yield`')
        say(f"compared with the catalogue: perwatt compare {drawn.result} {drawn.rated_by or 'PROFILE'}")


def _new_of_machine(device: str, out: Path | None, name: str | None, *, as_json: bool) -> None:
    import datetime as dt

    from bench.machine.profile import draft_cpu, draft_gpu, to_toml
    from hardware_profiles.catalog import check, load_all, recognise
    from hardware_profiles.reading import parse_toml

    kind, _, index = device.partition(":")
    if kind == "gpu" and (index or "0").isdigit():
        draft = draft_gpu(int(index or 0))
    elif device == "cpu":
        draft = draft_cpu()
    else:
        raise InputError.at("--device", expected="cpu or gpu:INDEX", got=device)
    path = (out or Path()) / f"{name or draft.slug}.toml"
    text = to_toml(draft, dt.datetime.now(dt.UTC).date())
    check(parse_toml(text.encode(), path), path)
    if out is not None:
        _write_new(path, text)
    known = recognise(draft.reported or "", load_all())
    if as_json:
        emit_json(
            {
                "name": path.stem,
                "file": str(path) if out is not None else None,
                "figures": draft.figures,
                "features": draft.features,
                "left_out": draft.missing_keys,
                "catalogue_profile": known.slug if known else None,
                "toml": text,
            }
        )
        return
    if out is None:
        emit_text(text.rstrip())
        return
    say(f"{path}: {len(draft.figures)} figures of {draft.maker} {draft.model}")
    say(f"left out, because this machine does not report them: {', '.join(draft.missing_keys) or 'none'}")
    if known is not None:
        say(f"in the catalogue this device is {known.slug}: perwatt show {known.slug}")
    else:
        say(f"the catalogue has no profile for {draft.reported!r}; virtual machines often hide the name of the model")


def _write_new(path: Path, text: str) -> None:
    from sites.files import write_new

    if is_there(path.parent) and not is_folder(path.parent):
        raise InputError.at("--out", expected="a folder", got=str(path.parent))
    if os.path.lexists(path):
        raise InputError.at("--out", expected="a name that no file has yet (--name chooses another)", got=str(path))
    write_new(path, text.encode())


@profile.command(
    epilog=examples("perwatt profile check", "perwatt profile check my-server.toml", "perwatt profile check profiles/")
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--profiles",
    "own",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Folder of your own profiles to check too.",
)
@click.option(
    "--record",
    is_flag=True,
    help="For developers: record that the catalogue passed, and rewrite docs/catalogue.md.",
)
@json_option
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...], own: tuple[Path, ...], record: bool, as_json: bool) -> None:
    """Check profile files and folders; without an argument, the whole catalogue.

    Each fault is printed on one line with its file, its key, the expected value and the value found.
    """
    from hardware_profiles import catalog

    paths = [path for root in files or catalog.folders(own) for path in _toml_files(root)]
    faults = [fault for path in paths for fault in catalog.check_file(path)]
    faults += _taken_twice(paths, files or catalog.folders(own))
    if record and not faults and not files:
        from bench.compare.catalogue_page import write_page

        catalog.record_checked()
        write_page()
    if as_json:
        emit_json({"files": len(paths), "faults": faults})
        context.exit(2 if faults else 0)
    for fault in faults[:-1]:
        print_fault(fault)
    if faults:
        raise InputError(faults[-1])
    say(f"{counted(len(paths), 'profile file')} checked, no faults")


def _toml_files(root: Path) -> list[Path]:
    if not is_folder(root):
        return [root]
    paths = sorted(root.rglob("*.toml"))
    if not paths:
        raise InputError.at(root, expected="profile files (*.toml) in the folder")
    return paths


def _taken_twice(paths: list[Path], roots: tuple[Path, ...]) -> list[str]:
    faults = []
    for root in roots:
        seen: dict[str, Path] = {}
        for path in (path for path in paths if path.is_relative_to(root)):
            other = seen.setdefault(path.stem, path)
            if other != path:
                faults.append(f"{path}: expected a file name that is unique in {root}, got the same as {other}")
    return faults
