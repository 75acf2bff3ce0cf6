"""The layouts of market files that perwatt knows: a new module joins by one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError, near_names
from sites.feeds.america import caiso, ercot, isone, miso, nyiso, pjm, spp
from sites.feeds.europe import ember, energy_charts, entsoe, entsoe_xml, nordpool, omie, smard
from sites.feeds.others import aemo, api_answers, bitcoin, carbon, frames, own, rent

if TYPE_CHECKING:
    from sites.feeds.model import Layout

LAYOUTS: tuple[Layout, ...] = (
    *ercot.LAYOUTS,
    *pjm.LAYOUTS,
    *caiso.LAYOUTS,
    *miso.LAYOUTS,
    *spp.LAYOUTS,
    *nyiso.LAYOUTS,
    *isone.LAYOUTS,
    *entsoe.LAYOUTS,
    *entsoe_xml.LAYOUTS,
    *smard.LAYOUTS,
    *energy_charts.LAYOUTS,
    *omie.LAYOUTS,
    *nordpool.LAYOUTS,
    *ember.LAYOUTS,
    *aemo.LAYOUTS,
    *api_answers.LAYOUTS,
    *frames.LAYOUTS,
    *own.LAYOUTS,
    *carbon.LAYOUTS,
    *bitcoin.LAYOUTS,
    *rent.LAYOUTS,
)


def layout_of(name: str, place: str) -> Layout:
    """Return the layout of a name.

    Parameters
    ----------
    name
        Such as `ercot-dam`.
    place
        File or option that names it, for the error.

    Raises
    ------
    InputError
        No layout has this name.
    """
    by_name = {layout.name: layout for layout in LAYOUTS}
    if name not in by_name:
        raise InputError.at(
            place, expected="a feed that `perwatt feed list` shows", got=name, near=near_names(name, by_name)
        )
    return by_name[name]
