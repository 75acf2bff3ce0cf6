"""`perwatt profile`: write a profile of this machine; check profile files."""

import os
from pathlib import Path

import click

from bench.cli.options import json_option
from bench.cli.output import emit_json, emit_text, say
from hardware_profiles.errors import InputError


@click.group()
def profile() -> None:
    """Write a profile of this machine; check profile files."""


@profile.command()
@click.option("--device", default="cpu", show_default=True, help="cpu or gpu:INDEX.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write NAME.toml into; without it, print.")
@click.option("--name", help="Name of the file and so of the profile; without it, maker and model.")
@json_option
def new(device: str, out: Path | None, name: str | None, as_json: bool) -> None:
    """Write a profile of this machine; what it could not know is left out and listed."""
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
    if name is not None and Path(name).name != name:
        raise InputError.at("--name", expected="a name without a folder", got=name)
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
                "left_out": draft.left_out,
                "catalogue_profile": known.slug if known else None,
                "toml": text,
            }
        )
        return
    if out is None:
        emit_text(text.rstrip())
        return
    say(f"{path}: {len(draft.figures)} figures of {draft.maker} {draft.model}")
    say(f"left out, for this machine does not tell: {', '.join(draft.left_out) or 'nothing'}")
    if known is not None:
        say(f"the catalogue has this device as {known.slug}: perwatt show {known.slug}")
    else:
        say(f"no profile of the catalogue is called {draft.reported!r}; virtual machines hide the model's name")


def _write_new(path: Path, text: str) -> None:
    if path.parent.exists() and not path.parent.is_dir():
        raise InputError.at("--out", expected="a folder", got=str(path.parent))
    path.parent.mkdir(parents=True, exist_ok=True)
    # A temporary file that is linked to its name: whole or not there, and never over a file of yours.
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        os.link(partial, path)
    except FileExistsError:
        raise InputError.at("--out", expected="a name that is not taken (--name)", got=str(path)) from None
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        partial.unlink(missing_ok=True)


@profile.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--profiles", "own", multiple=True, type=click.Path(path_type=Path), help="A folder of your own, checked too."
)
@click.option(
    "--record",
    is_flag=True,
    help="For developers: after a change of our files, note that they passed and write docs/catalogue.md anew.",
)
@json_option
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...], own: tuple[Path, ...], record: bool, as_json: bool) -> None:
    """Check profile files and folders, or the whole catalogue: every fault with file, key, expected and got."""
    from hardware_profiles import catalog

    paths = [found for given in files or catalog.folders(own) for found in _toml_files(given)]
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
        click.echo(f"error: {fault}", err=True)
    if faults:
        raise InputError(faults[-1])
    say(f"{len(paths)} profile files: no fault")


def _toml_files(given: Path) -> list[Path]:
    if not given.is_dir():
        return [given]
    found = sorted(given.rglob("*.toml"))
    if not found:
        raise InputError.at(given, expected="profile files (*.toml) in the folder")
    return found


def _taken_twice(paths: list[Path], roots: tuple[Path, ...]) -> list[str]:
    faults = []
    for root in roots:
        seen: dict[str, Path] = {}
        for path in (path for path in paths if path.is_relative_to(root)):
            other = seen.setdefault(path.stem, path)
            if other != path:
                faults.append(f"{path}: expected a file name of its own in {root}, got that of {other}")
    return faults
