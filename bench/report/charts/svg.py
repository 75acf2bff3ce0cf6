"""Inline SVG of the page from matplotlib figures: colours that follow the scheme, and marks with texts.

A chart is drawn twice, for a phone and for wider screens, so that its letters stay legible. matplotlib gets stand-in
colours, which become CSS variables. Transparent marks over the drawing carry the texts that a pointer, a keyboard or a
screen reader reaches.
"""

import io
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from markupsafe import Markup

from bench.report.charts.layout import lay_out
from sites.plots.library import use_matplotlib
from sites.plots.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_STAND_IN = "#00f0"
COLOURS = {name: f"{_STAND_IN}{index + 1:02x}" for index, name in enumerate(LIGHT)}
"""Stand-in colours by name of the palette; in the page they are the CSS variables `--c-<name>`."""

POINTS_PER_INCH = 72
WIDE, NARROW = (880.0, 420.0), (360.0, 380.0)
"""Width and height of the two drawings [px]."""
_SMALLEST = 9.0
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_PAINTS = ("fill", "stroke")
_GEOMETRY = frozenset({"d", "x", "y", "transform", "width", "height", "points", "x1", "x2", "y1", "y2"})
_RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11.0,
    "axes.titlesize": 11.0,
    "axes.labelsize": 11.0,
    "xtick.labelsize": 10.0,
    "ytick.labelsize": 10.0,
    "legend.fontsize": 10.0,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.titlecolor": COLOURS["ink"],
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.8,
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
    "text.color": COLOURS["ink"],
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "text.parse_math": False,
    "axes.unicode_minus": True,
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A point or area of a chart with its text, in data coordinates; `x_to` makes it a band of full height."""

    axes: "Axes"
    x: float  # in data coordinates, as are y, x_to and y_to
    y: float
    text: str
    x_to: float | None = None
    y_to: float | None = None


Draw = Callable[["Figure", bool], Iterable[Mark]]
"""Draws into a figure (narrow or not) and returns its marks."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of the page: a title, a summary in words, and its drawings."""

    key: str
    title: str
    summary: str
    wide: Markup | None  # None for a chart of a grid
    narrow: Markup
    notes: tuple[str, ...] = field(default=())


def render(  # noqa: PLR0913 (what a chart is)
    key: str,
    title: str,
    summary: str,
    draw: Draw,
    *,
    notes: Sequence[str] = (),
    heights: tuple[float, float] | None = None,
    small: bool = False,
) -> Chart:
    """Draw a chart in both sizes, or for a grid of small ones only narrow.

    Parameters
    ----------
    key
        Unique on the page; the beginning of every id within the drawings.
    summary
        What the chart shows, for those who do not see it.
    heights
        Of the wide and the narrow drawing [px], where the usual ones do not fit.
    """
    wide, narrow = WIDE, NARROW
    label = printable(f"{title}: {summary}")
    if heights is not None:
        wide, narrow = (WIDE[0], heights[0]), (NARROW[0], heights[1])
    return Chart(
        key,
        title,
        summary,
        None if small else _drawing(f"{key}-w", label, draw, wide, narrow=False),
        _drawing(f"{key}-n", label, draw, narrow, narrow=True),
        tuple(notes),
    )


def _drawing(prefix: str, label: str, draw: Draw, size: tuple[float, float], *, narrow: bool) -> Markup:
    use_matplotlib()
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({**_RC, "svg.hashsalt": prefix}), warnings.catch_warnings():
        # Letters are set by the browser in its own fonts; matplotlib's font only measures them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
        inches = (size[0] / POINTS_PER_INCH, size[1] / POINTS_PER_INCH)
        figure = Figure(figsize=inches, dpi=POINTS_PER_INCH, layout="constrained")
        marks = list(draw(figure, narrow))
        _tidy(figure)
        size = (size[0], figure.get_figheight() * POINTS_PER_INCH)  # _tidy makes a crowded drawing higher
        target = io.StringIO()
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        # The layout is settled by now, so that data coordinates lie where the drawing has them.
        placed = [pair for mark in marks if (pair := _placed(mark, size[1])) is not None]
    root = ET.fromstring(target.getvalue())  # noqa: S314 (matplotlib wrote it just now)
    _clean(root, prefix)
    root.attrib = {"viewBox": f"0 0 {size[0]:g} {size[1]:g}", "role": "group", "aria-label": label}
    if placed:
        layer = ET.SubElement(root, f"{{{_SVG}}}g", {"class": "marks"})
        layer.extend(_mark_element(text, box, first=index == 0) for index, (text, box) in enumerate(placed))
    ET.register_namespace("", _SVG)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 (serialised XML: every text in it is escaped)


def _tidy(figure: "Figure") -> None:
    """Lay out, keep the letters within the drawing and large enough, and drop grey ones that cover others."""
    from matplotlib.text import Text

    for letters in figure.findobj(match=Text):
        if isinstance(letters, Text):
            letters.set_fontsize(max(letters.get_fontsize(), _SMALLEST))
    for axes in figure.axes:
        for text in axes.texts:
            text.set_in_layout(False)
    lay_out(figure)
    for axes in figure.axes:
        legend = axes.get_legend()
        taken = [] if legend is None else [legend.get_window_extent()]
        for text in sorted(axes.texts, key=lambda one: one.get_color() == COLOURS["muted"]):
            _turn_inwards(text, figure.bbox.width)
            box = text.get_window_extent()
            if text.get_color() == COLOURS["muted"] and any(box.overlaps(other) for other in taken):
                text.set_visible(False)
            else:
                taken.append(box)


def _turn_inwards(text: "Text", width: float) -> None:
    """Put a label on its point's other side where it would leave the drawing."""
    box, side = text.get_window_extent(), text.get_horizontalalignment()
    if (box.x1 > width and side == "left") or (box.x0 < 0 and side == "right"):
        text.set_horizontalalignment("right" if side == "left" else "left")
        if hasattr(text, "xyann"):
            text.xyann = (-text.xyann[0], text.xyann[1])


_Box = tuple[float, float, float, float]


def _placed(mark: Mark, height: float) -> tuple[str, _Box] | None:
    """Return the mark's text and its box (x, y, width, height) in the drawing; a point has no size.

    None means that the axes do not show the mark.
    """
    transform = mark.axes.transData.transform
    x, y = transform((mark.x, mark.y))
    frame = mark.axes.get_window_extent()
    if mark.x_to is None and mark.y_to is None:
        shown = frame.x0 - 1 <= x <= frame.x1 + 1 and frame.y0 - 1 <= y <= frame.y1 + 1
        return (printable(mark.text), (x, height - y, 0.0, 0.0)) if shown else None
    x2 = transform((mark.x_to, mark.y))[0] if mark.x_to is not None else x
    bottom, top = (frame.y0, frame.y1) if mark.y_to is None else sorted((y, transform((mark.x, mark.y_to))[1]))
    left, right = max(min(x, x2), frame.x0), min(max(x, x2), frame.x1)
    return printable(mark.text), (left, height - top, max(right - left, 0.0), top - bottom)


def _mark_element(text: str, box: _Box, *, first: bool) -> ET.Element:
    x, y, width, height = box
    shared = {"class": "mark", "role": "img", "aria-label": text, "tabindex": "0" if first else "-1"}
    if width or height:
        place = {
            "x": f"{x:.1f}",
            "y": f"{y:.1f}",
            "width": f"{max(width, 1.0):.1f}",
            "height": f"{max(height, 1.0):.1f}",
        }
        element = ET.Element(f"{{{_SVG}}}rect", {**shared, **place})
    else:
        element = ET.Element(f"{{{_SVG}}}circle", {**shared, "cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "8"})
    ET.SubElement(element, f"{{{_SVG}}}title").text = text
    return element


def _clean(root: ET.Element, prefix: str) -> None:
    """Remove styles and unused ids, make the other ids unique, replace colours by variables, and shorten numbers."""
    used = set(re.findall(r"#([\w-]+)", " ".join(_references(root))))
    for parent in list(root.iter()):
        for child in [one for one in parent if one.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style")]:
            parent.remove(child)
    for element in root.iter():
        element.tail = (element.tail or "").strip() or None
        element.text = (element.text or "").strip() or None
        if _XLINK in element.attrib:
            element.set("href", element.attrib.pop(_XLINK))
        own = element.attrib.pop("id", None)
        if own in used:
            element.set("id", f"{prefix}-{own}")
        # A colour in an attribute of its own moves into the style, where it can be a variable.
        own_paint = [
            f"{key}: {element.attrib.pop(key)}" for key in _PAINTS if element.get(key, "").startswith(_STAND_IN)
        ]
        if own_paint:
            element.set("style", "; ".join([*own_paint, element.get("style", "")]))
        for name, value in element.attrib.items():
            element.set(name, _attribute(name, value, prefix))
        _spread_style(element)


def _spread_style(element: ET.Element) -> None:
    """Replace an element's style by attributes, because the page's policy forbids styles in elements."""
    for declaration in element.attrib.pop("style", "").split(";"):
        name, _, value = declaration.partition(":")
        if name.strip():
            element.set(name.strip(), value.strip())


def _attribute(name: str, value: str, prefix: str) -> str:
    if name == "href" and value.startswith("#"):
        return f"#{prefix}-{value[1:]}"
    if name in _GEOMETRY:
        return re.sub(r"(\d+\.\d)\d+", r"\1", value).strip()
    if name == "style":
        for colour_name, colour in COLOURS.items():
            value = value.replace(colour, f"var(--c-{colour_name})")
        value = value.replace("url(#", f"url(#{prefix}-")
        return re.sub(r"font(-family)?: [^;]*?(?:([\d.]+px) )?'[^;]*", _font, value)
    return value.replace("url(#", f"url(#{prefix}-")


def _font(match: re.Match[str]) -> str:
    """Return a font declaration without its family, which is the page's."""
    size = match.group(2)
    return f"font-size: {size}" if size else ""


def _references(root: ET.Element) -> Iterable[str]:
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in (_XLINK, "href") or "url(#" in value:
                yield value


def printable(text: object) -> str:
    """Return a text on one line without what XML cannot hold: control characters and lone surrogates."""
    return "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}"
        for letter in str(text)
    )
