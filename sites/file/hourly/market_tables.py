"""The tables of market prices over time, which a site file may have in place of one number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from hardware_profiles.tables import Broken, rule
from sites.file.values import BtcUsd, Fees, FeesBtc, Name, SeriesTable, Usd

# Names of the forms of a value, which locations of faults contain and messages leave out.
_NUMBER, _SERIES = "<number>", "<series>"


class MarketSeriesTable(SeriesTable):
    """A series in place of a number: `column` of a series, or `feed` of a market file as downloaded."""

    one_of = (("column", "feed"),)

    column: Name | None = None
    feed: Name | None = None  # name of a layout, as `perwatt feed list` shows it
    where: Annotated[dict[Name, str], Field(default_factory=dict)]  # choices of a market file of several series

    @property
    def described(self) -> str:
        """The file and what is read of it, as the list of assumptions shows them."""
        chosen = "".join(f", {key} {name}" for key, name in self.where.items())
        return f"{self.file}, {f'column {self.column}' if self.column else f'feed {self.feed}{chosen}'}"

    @rule
    def _chosen(self) -> Iterator[Broken]:
        if self.where and self.feed is None:
            yield Broken("expected this key only with `feed`", ("where",))


def _form(content: Any) -> str:
    is_series = isinstance(content, SeriesTable) or (isinstance(content, dict) and "file" in content)
    return _SERIES if is_series else _NUMBER


_Series = Annotated[MarketSeriesTable, Tag(_SERIES)]
BtcUsdOrSeries = Annotated[Annotated[BtcUsd, Tag(_NUMBER)] | _Series, Discriminator(_form)]
FeesOrSeries = Annotated[Annotated[Fees, Tag(_NUMBER)] | _Series, Discriminator(_form)]
FeesBtcOrSeries = Annotated[Annotated[FeesBtc, Tag(_NUMBER)] | _Series, Discriminator(_form)]
UsdOrSeries = Annotated[Annotated[Usd, Tag(_NUMBER)] | _Series, Discriminator(_form)]
