"""Layout of a drawing: labels shortened to its width, and its height increased until its axes have room."""

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.text import Text

_WIDEST_LABEL_FRAC = 0.6  # [-] of the width of axes with their labels
_BESIDE_AXES = 50.0  # [px] ticks and labels on one side of axes
_LEGEND_ROOM = 90.0  # [px] height of a legend above its axes that every drawing has room for
_LOWEST_AXES = 30.0  # [px]
_STEP = 1.25
_MOST_STEPS = 10


def lay_out(figure: "Figure") -> None:
    """Lay out a figure once and for all; the marks of a chart carry the whole text of a shortened label."""
    heights: dict[int, float] = {}  # [px] of the legends by row of axes
    for axes in figure.axes:
        position, legend = axes.get_subplotspec(), axes.get_legend()
        width = figure.bbox.width / (position.get_gridspec().ncols if position is not None else 1)
        _shorten_ticks(axes, width * _WIDEST_LABEL_FRAC)
        if legend is None or position is None or legend.get_bbox_to_anchor() is axes.bbox:
            continue  # within its axes
        legend = _above(axes, legend, width - _BESIDE_AXES)
        row = position.rowspan.start
        heights[row] = max(heights.get(row, 0.0), legend.get_window_extent().height - _LEGEND_ROOM)
    figure.set_figheight(figure.get_figheight() + sum(heights.values()) / figure.dpi)
    for _ in range(_MOST_STEPS):
        if _fits(figure):
            break
        figure.set_figheight(figure.get_figheight() * _STEP)
    figure.set_layout_engine("none")  # once more would cost as much again


def _fits(figure: "Figure") -> bool:
    """Lay out a figure as it is, and return whether its axes have room beside their labels and legends."""
    engine = figure.get_layout_engine()
    if engine is None:
        return True
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="constrained_layout not applied")
        try:
            engine.execute(figure)
        except UserWarning:  # the axes would have no size
            return False
    return all(axes.get_window_extent().height >= _LOWEST_AXES for axes in figure.axes)


def _shorten_ticks(axes: "Axes", widest: float) -> None:
    labels = axes.get_yticklabels()
    if _width(labels) > widest:
        axes.set_yticks(axes.get_yticks(), [_shortened(label, widest) for label in labels])


def _above(axes: "Axes", legend: "Legend", widest: float) -> "Legend":
    """Return the legend above the axes with fewer columns, then with shorter texts, where it is too wide [px]."""
    handles, labels = axes.get_legend_handles_labels()
    size, columns = legend.get_texts()[0].get_fontsize(), len(labels)
    while legend.get_window_extent().width > widest and columns > 1:
        columns -= 1
        legend = axes.legend(handles, labels, fontsize=size, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns)
    texts = legend.get_texts()
    excess = legend.get_window_extent().width - widest
    allowed = _width(texts) - excess
    for text in texts if excess > 0 else ():
        text.set_text(_shortened(text, allowed))
    return legend


def _width(labels: "Iterable[Text]") -> float:
    return max((label.get_window_extent().width for label in labels), default=0.0)


def _shortened(label: "Text", widest: float) -> str:
    """Return a label's text with its middle left out where it is too wide [px]; both ends tell names apart."""
    text, width = label.get_text(), label.get_window_extent().width
    if width <= widest:
        return text
    kept = max(3, int(len(text) * widest / width) - 1)
    return f"{text[: (kept + 1) // 2]}…{text[-(kept // 2) :]}"
