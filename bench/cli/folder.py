"""An option's value that is a folder's path."""

from pathlib import Path
from typing import Any

import click

from hardware_profiles.errors import InputError


class _Folder(click.Path):
    """Not empty: `--out ""`, from an unset variable in a script, would else be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not str(value).strip():
            raise InputError.at(param.opts[0] if param else "value", expected="a folder", got=str(value))
        return Path(str(super().convert(value, param, ctx)))


FOLDER = _Folder(path_type=Path)
