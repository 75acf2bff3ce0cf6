"""The warnings of `perwatt yield`: doubtful numbers, enrolled power that is not there, and codes of results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.output import warn
from hardware_profiles.errors import InputError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sites.file.inputs import Inputs
    from sites.market.device_rate import DeviceRate
    from sites.model import Site

    Read = Sequence[tuple[Inputs, Site]]

MOST_NAMED = 3  # sites that share a warning


@dataclass(frozen=True, slots=True)
class Warnings:
    """The warnings of a request, before its years are computed."""

    by_site: dict[str, list[str]]  # the lines of each site, by its name
    lines: tuple[str, ...]  # as printed: with file and sites, each text once


def warnings_of(read: Read, capital: Iterable[str]) -> Warnings:
    """Return the warnings of sites and of capital plans.

    Raises
    ------
    InputError
        A capital plan cannot be read, or one of its numbers is absurd.
    """
    from sites.dispatch.programme import enrolment_flags
    from sites.plausible.exchange import says_exchanged

    by_site = {
        site.name: [*site.flags, *_codes(site), *(() if says_exchanged(site.flags) else enrolment_flags(site))]
        for _, site in read
    }
    plans = [line for plan in capital for line in _plan_lines(plan, read)]
    return Warnings(by_site, (*_grouped(read, by_site), *plans))


def print_warnings(warnings: Warnings) -> None:
    """Print a line for each warning."""
    for line in warnings.lines:
        warn(line)


def refuse(warnings: Warnings) -> None:
    """Raise InputError with every warning, if there is one, as `--strict` asks."""
    if warnings.lines:
        raise InputError(*(f"{line} (refused by --strict)" for line in warnings.lines))


def codes_text(codes: Iterable[str]) -> str:
    """Return the codes of a result that lessen its figures, each with its sentence; empty if there is none."""
    from bench.diagnostics import TABLE

    return "; ".join(f"{code}: {TABLE[code].sentence}" for code in codes if lessens(code))


def lessens(code: str) -> bool:
    """Return whether a code of a result lessens its figures; others are notes."""
    from bench.diagnostics import TABLE, Effect

    return code in TABLE and TABLE[code].effect is not Effect.NOTE


def _codes(site: Site) -> list[str]:
    rates: list[tuple[str, DeviceRate]] = [(f"mining[{block.name}]", block.rate) for block in site.mining]
    rates += [(f"inference[{block.name}]", block.rate) for block in site.inference]
    return [
        f"key {key}.device: {rate.name} was measured with warnings ({text})"
        for key, rate in rates
        if (text := codes_text(rate.codes))
    ]


def _plan_lines(name: str, read: Read) -> list[str]:
    from sites.capital.file import read_plan
    from sites.examples import capital_path, site_of_plan
    from sites.file.values import numbers_of
    from sites.plausible.checks import plan_doubts

    path = capital_path(name)
    plan = read_plan(path)
    lines = [f"{path}: {line}" for line in plan_doubts(list(numbers_of(plan)), path)]
    if site_of_plan(plan.site, path).resolve() not in {Path(inputs.path).resolve() for inputs, _ in read}:
        lines.append(
            f"{path}: key site: the plan is appraised at its own site, {shown(plan.site)}, which is not one of the "
            "sites of this command"
        )
    return lines


def _grouped(read: Read, by_site: dict[str, list[str]]) -> list[str]:
    """Return each text of a file once, with the names of its sites if the file has several."""
    sites: dict[tuple[str, str], list[str]] = {}
    in_file: dict[str, int] = {}
    for inputs, site in read:
        in_file[inputs.path] = in_file.get(inputs.path, 0) + 1
        for text in by_site[site.name]:
            sites.setdefault((inputs.path, text), []).append(site.name)
    lines = []
    for (path, text), names in sites.items():
        named = ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} sites"
        lines.append(f"{path}: {text}" if in_file[path] == 1 else f"{path}: {named}: {text}")
    return lines
