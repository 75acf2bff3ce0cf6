"""The writer of the page: sections through the template, style and script inline, all foreign text escaped."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import not_written
from bench.report.sections import curves, devices, fleet, headline, kernels, provenance, serving, traces
from bench.report.sections.site import section as site
from hardware_profiles.errors import InputError
from hardware_profiles.opening import is_folder
from sites.files import write_file
from sites.plots import palette

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from bench.report.gather import Gathered

_HERE = Path(__file__).parent
MAX_BYTES = 5_000_000


def write_page(gathered: "Gathered", target: Path) -> Path:
    """Write the page to `target`, completely or not at all, and return the path.

    Raises
    ------
    InputError
        As `check_target`.
    RunFailedError
        The system refused to write.
    """
    check_target(target)
    page = build(gathered).encode("utf-8", errors="replace")
    try:
        write_file(target, page)
    except OSError as error:
        raise not_written(target, error) from error
    return target


def check_target(target: Path) -> None:
    """Check that a page can be written to `target`, before the work of making it.

    Raises
    ------
    InputError
        The target is a folder, or its folder does not exist.
    """
    if is_folder(target):
        raise InputError(f"--out: expected a file to write the page to, got {target}, which is a folder")
    if not is_folder(target.parent):
        raise InputError.at("--out", expected="a file in a folder that exists", got=str(target))


def build(gathered: "Gathered", now: datetime | None = None) -> str:
    """Return the page as HTML; `now` is the time printed on it."""
    whole = fleet.measured(gathered)
    servers, units, swept = serving.section(gathered), fleet.section(whole), curves.section(gathered)
    sections = (
        headline.section(gathered, whole),
        devices.section(gathered),
        *((units,) if units is not None else ()),
        kernels.section(gathered),
        *((swept,) if swept is not None else ()),
        *((servers,) if servers is not None else ()),
        traces.section(gathered),
        site.section(gathered),
        provenance.section(gathered),
    )
    script, style = _asset("page.js"), colour_variables() + _asset("page.css")
    written = (now or datetime.now(UTC)).astimezone(UTC)
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            title=headline.title(gathered),
            lead=headline.lead(gathered),
            sections=sections,
            written=f"{written:%Y-%m-%d %H:%M} UTC",
            version=_version(),
            style=style,
            script=script,
        )
    )


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["prose"] = prose
    environment.filters["digest"] = digest
    return environment


def digest(text: str) -> str:
    """Return the digest by which the page's policy allows a style or a script of its own, and no other."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def prose(text: str) -> "Markup":
    """Return a sentence of ours, escaped, with text between backticks set as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 (escaped just before)


def colour_variables() -> "Markup":
    """Return the palette as CSS variables `--c-<name>`: for light and dark screens, and for paper."""
    from markupsafe import Markup

    light, dark, paper = (
        " ".join(f"--c-{name}: {colour};" for name, colour in colours.items())
        for colours in (palette.LIGHT, palette.DARK, palette.PRINT)
    )
    return Markup(  # noqa: S704 (our own colours)
        f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        f"@media print {{ :root {{ {paper} }} }}\n"
    )


@cache
def _asset(name: str) -> "Markup":
    """Return a file of this folder that goes into the page unchanged."""
    from markupsafe import Markup

    return Markup((_HERE / name).read_text(encoding="utf-8").strip())  # noqa: S704 (our own file)


def _version() -> str:
    from bench import __version__

    return __version__
