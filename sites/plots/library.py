"""Matplotlib with its own defaults: no settings file of the user or of the current folder, and no notices."""

from __future__ import annotations

import logging
import os
from functools import cache

from hardware_profiles.errors import InputError

SETTINGS = "matplotlibrc"


@cache
def use_matplotlib() -> None:
    """Import Matplotlib; call it before the first other import from that package.

    Raises
    ------
    InputError
        Matplotlib finds no folder for its list of fonts.
    """
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)  # it notes every font and folder that it lacks
    os.environ["MATPLOTLIBRC"] = os.devnull  # in place of the user's settings
    try:
        if os.path.lexists(SETTINGS):
            _import_from_another_folder()
        else:
            import matplotlib as mpl  # noqa: F401
    except OSError as error:
        raise InputError(
            f"environment variable MPLCONFIGDIR: expected a folder that Matplotlib can write to, got "
            f"{os.environ.get('MPLCONFIGDIR', 'no such variable')!r} ({error.strerror or 'and no other one'})"
        ) from None


def _import_from_another_folder() -> None:
    """Import Matplotlib where it cannot see the settings file of the current folder, which it would obey."""
    here = os.open(".", os.O_PATH | os.O_DIRECTORY)
    try:
        os.chdir("/")
        import matplotlib as mpl  # noqa: F401
    finally:
        os.fchdir(here)
        os.close(here)
