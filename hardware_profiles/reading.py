"""Read TOML files and validate them against models; each fault becomes one line that names place and key."""

import types
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

import tomli  # compiled, and so some ten times faster than tomllib

from hardware_profiles.errors import InputError, near_names, shown

if TYPE_CHECKING:  # pydantic takes 0.1 s to import: only what validates pays for it
    from pydantic import BaseModel, ValidationError

ModelT = TypeVar("ModelT", bound="BaseModel")

_EXPECTED = {
    "missing": "a value (the key is required)",
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "list_type": "a list",
    "tuple_type": "a list",
    "date_type": "a date YYYY-MM-DD",
    "finite_number": "a finite number",
    "string_too_short": "text that is not empty",
}


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises
    ------
        InputError: no such file, not a file, unreadable, not UTF-8, or a syntax error (with its line).
    """
    return parse_toml(read_file(path), path)


def read_file(path: Path) -> bytes:
    """Return a file's bytes. Raises InputError: no such file, not a file, unreadable."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: expected a TOML file, got no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: expected a TOML file, got a folder") from None
    except OSError as fault:
        raise InputError(f"{path}: expected a readable TOML file, got {fault.strerror or fault}") from None
    except ValueError as fault:  # a NUL byte in the path
        raise InputError(f"{shown(str(path))}: expected a path, got {fault}") from None


def read_text(path: Path, what: str) -> str:
    """Return a UTF-8 file's text without its byte order mark; `what` names the file in errors.

    Raises
    ------
        InputError: unreadable, not UTF-8, or no path at all.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise InputError(f"{path}: expected UTF-8 text, got byte {fault.object[fault.start]:#04x}") from None
    except OSError as fault:
        raise InputError(f"{path}: expected a readable {what}, got {fault.strerror or fault}") from None
    except ValueError as fault:  # a NUL byte in the path
        raise InputError(f"{shown(str(path))}: expected a path, got {fault}") from None


def parse_toml(data: bytes, place: object) -> dict[str, Any]:
    """Return TOML bytes as a dict; `place` names them in errors.

    Raises
    ------
        InputError: not UTF-8, or a syntax error (with its line).
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise InputError(f"{place}: line {line}: expected UTF-8 text, got byte 0x{data[fault.start]:02x}") from None
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise InputError(f"{place}: line {line}: expected text, got a NUL byte")
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as fault:
        raise InputError(f"{place}: expected valid TOML, got a syntax error: {fault}") from None
    except RecursionError:
        raise InputError(f"{place}: expected valid TOML, got one nested too deeply") from None


def validate(model: type[ModelT], data: object, place: object) -> ModelT:
    """Return `data` as a `model`; the first fault becomes "PLACE: key a.b.c: expected X, got Y".

    Raises
    ------
        InputError: an unknown key (near names are listed), a missing one, a wrong type or value.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(data)
    except ValidationError as fault:
        raise _input_error(model, fault, place) from None


def _input_error(model: "type[BaseModel]", fault: "ValidationError", place: object) -> InputError:
    # An unknown key explains a missing one (a misspelt name is both), so it is told first.
    errors = fault.errors(include_url=False)
    first = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    kind, location = first["type"], first["loc"]
    key = dotted(location)
    if kind == "extra_forbidden":
        known = _fields_at(model, location[:-1])
        near = near_names(str(location[-1]), known)
        listed = near or tuple(sorted(known))
        expected = "a known key" if near else f"one of {', '.join(listed)}" if listed else "a known key"
        return InputError(
            f"{place}: key {key}: expected {expected}, got an unknown key"
            + (f" (did you mean {', '.join(near)}?)" if near else "")
        )
    if kind == "value_error":  # raised by a validator of ours, whose text is already "expected X, got Y"
        text = str(first.get("ctx", {}).get("error", first["msg"]))
        return InputError(f"{place}: key {key}: {text}" if key else f"{place}: {text}")
    if kind == "string_pattern_mismatch":
        expected = f"text of the form {first['ctx']['pattern']}"
    else:
        expected = _EXPECTED.get(kind) or _from_message(first["msg"])
    return InputError.at(place, key or None, expected=expected, got=... if kind == "missing" else first["input"])


def _from_message(message: str) -> str:
    if message.startswith(("Input should be greater", "Input should be less")):
        return message.replace("Input should be", "a number", 1)
    for start in ("Input should be ", "Input should have ", "Input should match "):
        if message.startswith(start):
            return message[len(start) :]
    return message[0].lower() + message[1:]


def dotted(location: tuple[int | str, ...]) -> str:
    """Return a location within a document as TOML writes it: `bins.0.power_w` becomes `bins[0].power_w`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _fields_at(model: "type[BaseModel]", location: tuple[int | str, ...]) -> set[str]:
    """Return the keys that are known at a location of a model, over all alternatives of a union."""
    from pydantic import BaseModel

    found: list[Any] = [model]
    for part in location:
        found = [inner for kind in found for inner in _step(kind, part)]
    return {
        name if field.alias is None else field.alias
        for kind in found
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, field in kind.model_fields.items()
    }


def _step(kind: Any, part: int | str) -> list[Any]:
    from pydantic import BaseModel

    if isinstance(kind, type) and issubclass(kind, BaseModel):
        by_key = {field.alias or name: field for name, field in kind.model_fields.items()}
        field = by_key.get(str(part))
        return _alternatives(field.annotation) if field is not None else [kind]  # a union's tag: stay
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin in (list, tuple):
        return _alternatives(arguments[0])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _alternatives(arguments[1])
    return []


def _alternatives(annotation: Any) -> list[Any]:
    if hasattr(annotation, "__metadata__"):  # Annotated[...]
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for kind in get_args(annotation) for inner in _alternatives(kind)]
    return [annotation]
