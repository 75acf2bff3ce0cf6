"""Model files: one TOML file a model in `kernels/llm/models/`, with the source of every figure."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import tomli
from pydantic import ValidationError

from kernels.errors import KernelInputError
from kernels.llm.shapes.model import ModelShape
from kernels.llm.shapes.parts import DenseLayers, Indexer, Latent, Recurrent, Source, Whole

FOLDER = Path(__file__).parents[1] / "models"
_KEYS = {
    key for table in (ModelShape, Source, DenseLayers, Whole, Latent, Indexer, Recurrent) for key in table.model_fields
}


def names() -> list[str]:
    """Return the names of all models without reading their files."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> ModelShape:
    """Return a model by its name (`llama-3.1-8b`) or by a name that publishers use (`Llama-3.1-8B-Instruct`).

    Raises
    ------
    KernelInputError
        The name is unknown (near names are listed), or its file is faulty.
    """
    folded = name.strip().casefold()
    if folded in names():
        return read(FOLDER / f"{folded}.toml")
    for known in names():
        shape = read(FOLDER / f"{known}.toml")
        if folded in {alias.casefold() for alias in shape.aliases}:
            return shape
    near = get_close_matches(folded, names(), n=3, cutoff=0.4)
    hint = f" (did you mean {', '.join(near)}?)" if near else ""
    raise KernelInputError(f"model: expected one of {', '.join(names())}, got {name!r}{hint}")


def read(path: Path) -> ModelShape:
    """Return the shape in a model file, after checking that its figures agree with each other.

    Raises
    ------
    KernelInputError
        The file does not exist or is not TOML; a key is missing, unknown or has a wrong value; lengths do not divide.
    """
    try:
        data = tomli.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KernelInputError(f"{path}: expected a model file, got {error.strerror}") from None
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KernelInputError(f"{path}: expected valid TOML, got a syntax error: {error}") from None
    except RecursionError:
        raise KernelInputError(f"{path}: expected valid TOML, got one nested too deeply") from None
    except ValueError:  # more digits than Python converts
        raise KernelInputError(f"{path}: expected numbers below 1.8e308, got one of thousands of digits") from None
    return from_table(data, path.stem, str(path))


def from_table(data: Mapping[str, Any], name: str, file: str) -> ModelShape:
    """Return the shape in the content of a model file.

    Parameters
    ----------
    data
        Content of the file.
    name
        Name of the model.
    file
        Path that error messages name.

    Raises
    ------
    KernelInputError
        A key is missing, unknown or has a wrong value.
    """
    if "name" in data:
        raise KernelInputError(f"{file}: key name: expected a known key, got an unknown one")
    try:
        return ModelShape.model_validate({**data, "name": name})
    except ValidationError as error:
        raise KernelInputError(f"{file}: {_message(error)}") from None


_EXPECTED = {
    "missing": "a value (the key is required)",
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a table",
    "model_type": "a table",
    "list_type": "a list",
    "greater_than": "a whole number above 0",
    "greater_than_equal": "a whole number, 0 or above",
    "too_short": "at least one entry",
}


def _message(error: ValidationError) -> str:
    """Return the first fault as "key K: expected X, got Y"; an unknown key first, for it may explain a missing one."""
    faults = error.errors(include_url=False)
    fault = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    if fault["type"] == "value_error":  # from the model's validator, which writes the whole message
        return str(fault["ctx"]["error"])
    key = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(str(fault["loc"][-1]), _KEYS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return f"key {key}: expected a known key, got an unknown one{hint}"
    expected = fault["ctx"]["expected"] if fault["type"] == "literal_error" else _EXPECTED.get(fault["type"])
    got = "nothing" if fault["type"] == "missing" else repr(fault["input"])
    return f"key {key}: expected {expected or fault['msg']}, got {got}"
