"""The content of a page: records that could be read, those that could not, sites and the catalogue."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.report.charts.svg import printable
from bench.results.folder import find_result, read_whole_signable
from bench.results.layout import RECORD, RECORD_FILE, STORE, is_result_path, result_names, unfinished_folders
from hardware_profiles.decoding import parse_json
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.opening import read_input

if TYPE_CHECKING:
    from bench.results.labs.coverage import Coverage
    from bench.results.record import Record
    from hardware_profiles.profile import Device
    from sites.dispatch.year import SiteYear
    from sites.perspective.one_device import Megawatt
    from sites.scenarios.outlook import Outlook

SITE_ENDING = ".toml"


@dataclass(frozen=True, slots=True)
class Stored:
    """A record and the folder that holds it."""

    folder: Path
    record: "Record"
    signature: str  # in words


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A result that is not used because its record is unreadable or one of its files was changed."""

    folder: str
    reason: str
    schema_version: str = "unknown"
    workload: str = "unknown"
    status: str = "unknown"
    started: str = "unknown"


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that the sections are made from; the records of a store are ordered by age, oldest first."""

    results: tuple[Stored, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    unfinished: int = 0  # number of unfinished result folders
    sites: "tuple[SiteYear, ...]" = ()
    catalogue: "tuple[Device, ...]" = ()
    outlook: "Outlook | None" = None
    megawatts: "tuple[Megawatt, ...]" = ()
    coverages: "tuple[Coverage, ...]" = ()  # of the lab runs that the results come from

    @property
    def records(self) -> "tuple[Record, ...]":
        """The records alone."""
        return tuple(stored.record for stored in self.results)

    @property
    def valid(self) -> "tuple[Record, ...]":
        """The valid records."""
        return tuple(stored.record for stored in self.results if stored.record.status == "ok")


@dataclass(slots=True)
class _Named:
    folders: list[Path] = field(default_factory=list)
    sites: list[str] = field(default_factory=list)
    strangers: list[Unreadable] = field(default_factory=list)  # entries of a results folder that are no results
    unfinished: int = 0  # number of unfinished result folders

    def add_store(self, store: Path) -> None:
        """Add everything in a results folder."""
        faults: list[str] = []
        self.folders.extend(store / name for name in result_names(store, faults.append))
        reasons = [without_folder(fault, store / "entry") for fault in faults]
        self.strangers.extend(Unreadable(reason.partition(":")[0], reason) for reason in reasons)
        self.unfinished += len(unfinished_folders(store))


def gather(
    names: Sequence[str], store: Path = STORE, profiles: Iterable[str | Path] = (), signers: Path | None = None
) -> Gathered:
    """Read the results and sites that are named: ids, beginnings of ids, folders; site files, bundled examples.

    Without a result the whole store is taken, without a site the example site. A record that cannot be read is listed
    on the page as such; a site that cannot be read is the user's mistake. `signers` is a file of allowed signers.

    Raises
    ------
    InputError
        A name is neither a result nor a site, or a site or profile is faulty.
    """
    named = _sort_out(names, store)
    if not named.folders and not named.unfinished and not any(_is_store(name) for name in names):
        named.add_store(store)
    gathered = collect(named.folders, named.sites or [""], store, profiles, signers)
    unreadable = (*named.strangers, *gathered.unreadable)
    return replace(gathered, unreadable=unreadable, unfinished=named.unfinished)


def collect(
    folders: Iterable[Path],
    sites: Iterable[str],
    store: Path,
    profiles: Iterable[str | Path] = (),
    signers: Path | None = None,
) -> Gathered:
    """Read result folders and sites ("" is the example site); see `gather`."""
    from hardware_profiles.catalog import load_all

    own = tuple(profiles)
    results: list[Stored] = []
    unreadable: list[Unreadable] = []
    for folder in dict.fromkeys(folders):
        try:
            record, text = read_whole_signable(folder)
            results.append(Stored(folder, record, _signature(folder, text, signers)))
        except InputError as fault:
            unreadable.append(_unreadable(folder, without_folder(str(fault), folder)))
    covered = _coverages(results, unreadable)
    years = tuple(_site(name, store, own) for name in dict.fromkeys(sites))
    return Gathered(
        tuple(results), tuple(unreadable), sites=years, catalogue=tuple(load_all(own)), coverages=tuple(covered)
    )


def _coverages(results: Sequence[Stored], unreadable: list[Unreadable]) -> "list[Coverage]":
    """Return the coverage of the lab runs that results come from; a book that cannot be read joins `unreadable`."""
    from bench.results.labs.coverage import coverages

    covered: list[Coverage] = []
    for store in dict.fromkeys(stored.folder.parent for stored in results):
        try:
            shown = {one.folder.name for one in results if one.folder.parent == store}
            covered.extend(coverages(store, None if shown.issuperset(result_names(store)) else sorted(shown)))
        except InputError as fault:
            unreadable.append(Unreadable("labs", without_folder(str(fault), store / "labs")))
    return covered


def _sort_out(names: Sequence[str], store: Path) -> _Named:
    from sites.examples import example_names

    named = _Named()
    examples = example_names()
    for name in names:
        path = Path(name)
        if name.endswith(SITE_ENDING) or name in examples:
            named.sites.append(name)
        elif is_result_path(name):
            named.folders.append(path)
        elif _is_store(name):
            named.add_store(path)
        else:
            named.folders.append(_result(name, store, examples))
    return named


def _is_store(name: str) -> bool:
    return os.path.isdir(name) and not is_result_path(name)  # noqa: PTH112 (False where it is not readable)


def _result(name: str, store: Path, examples: Sequence[str]) -> Path:
    try:
        return find_result(store, name)
    except InputError as fault:
        near = near_names(name, examples)
        raise InputError(f"{fault}" + (f"; or the site {' or '.join(near)}?" if near else "")) from None


def _site(name: str, store: Path, profiles: tuple[str | Path, ...]) -> "SiteYear":
    from bench.device_rates import resolve_device
    from sites.dispatch.year import site_year
    from sites.examples import example_path, site_path
    from sites.file.build import load_site

    path = site_path(name) if name else example_path()
    site = load_site(path, lambda device: resolve_device(device, store=store, profiles=profiles))
    return site_year(site, hourly=True)


def _signature(folder: Path, text: bytes, signers: Path | None) -> str:
    """Return the signature of a result in words."""
    from bench.results.integrity.signature import signature_of

    return signature_of(folder, text, signers).words()


def without_folder(text: str, folder: Path) -> str:
    """Return a fault without the path of the results folder: a page is mailed to others."""
    return text.replace(f"{folder.parent}{os.sep}", "") if folder.parent != Path() else text


def _unreadable(folder: Path, reason: str) -> Unreadable:
    """Return what the JSON of an unreadable record says of itself, for the list of unused results only."""
    try:
        data = parse_json(read_input(folder / RECORD_FILE, RECORD), folder, "a record")
    except InputError:
        data = None
    if not isinstance(data, dict):
        return Unreadable(folder.name, reason)

    def word(*keys: str) -> str:
        value: object = data
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return printable(value)[:80] if isinstance(value, str | int | float) else "unknown"

    return Unreadable(
        folder=folder.name,
        reason=reason,
        schema_version=word("schema_version"),
        workload=word("workload", "name"),
        status=word("status"),
        started=word("run", "started_utc"),
    )
