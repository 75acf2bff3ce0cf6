"""The reading of TOML files and their validation by pydantic models, with each fault as one line."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

import tomli  # compiled, and so some ten times faster than tomllib

from hardware_profiles.decoding import decode, parse
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.opening import CSV, TOML, read_input

if TYPE_CHECKING:
    from pathlib import Path

    # pydantic takes 0.1 s to import: only what validates pays for it
    from pydantic import BaseModel, ValidationError

ModelT = TypeVar("ModelT", bound="BaseModel")
Location = tuple[int | str, ...]

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
    InputError
        As `read_input` and `parse_toml`.
    """
    return parse_toml(read_file(path), path)


def read_file(path: Path) -> bytes:
    """Return the bytes of a TOML file.

    Raises
    ------
    InputError
        As `read_input`.
    """
    return read_input(path, TOML)


def read_text(path: Path, kind: str) -> str:
    """Return the text of a UTF-8 file of CSV without its byte order mark.

    Parameters
    ----------
    path
        Path of the file.
    kind
        Kind of file, for error messages.

    Raises
    ------
    InputError
        As `read_input` and `decode`.
    """
    return decode(read_input(path, CSV._replace(name=kind)), path)


def parse_toml(data: bytes, file: object) -> dict[str, Any]:
    """Return the content of TOML bytes.

    Parameters
    ----------
    data
        The bytes of a file.
    file
        Path or name of the file, for error messages.

    Raises
    ------
    InputError
        The bytes are not UTF-8, have a syntax error (the line is named), are nested too deeply, or have a whole number
        beyond every float.
    """
    document: dict[str, Any] = parse(data, file, tomli.loads, "valid TOML", (tomli.TOMLDecodeError, "a syntax error"))
    return document


def validate(model: type[ModelT], data: object, file: object) -> ModelT:
    """Return a document as a pydantic model.

    Parameters
    ----------
    model
        The model.
    data
        Content of the document.
    file
        Path or name of the document, for error messages.

    Raises
    ------
    InputError
        Keys are unknown (near names are listed), missing or of a wrong type or value; the message has one line
        "FILE: key a.b.c: expected X, got Y" for each.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(data)
    except ValidationError as fault:
        raise InputError(*_lines(model, fault, data, file)) from None


def _lines(model: type[BaseModel], fault: ValidationError, data: object, file: object) -> Iterator[str]:
    """Yield the line of each fault: unknown keys first, then the faults that these do not explain."""
    errors: list[Any] = [{**error, "loc": _without_forms(error["loc"])} for error in fault.errors(include_url=False)]
    explained: set[Location] = set()
    for error in errors:
        if error["type"] == "extra_forbidden":
            *table, key = error["loc"]
            known = _fields_at(model, tuple(table))
            near = near_names(str(key), known)
            explained.update((*table, name) for name in near)
            expected = "a known key" if near or not known else f"one of {', '.join(sorted(known))}"
            hint = f" (did you mean {', '.join(near)}?)" if near else ""
            yield f"{file}: key {dotted(error['loc'])}: expected {expected}, got an unknown key{hint}"
    for error in errors:
        if error["type"] == "extra_forbidden" or (error["type"] == "missing" and error["loc"] in explained):
            continue
        outside = error["type"] in {"missing", "value_error"}  # a key that should be there, or a rule of a table
        location = error["loc"] if outside else _in_document(error["loc"], data)
        if location != error["loc"]:  # each type that the value may have reports the same fault
            if location in explained:
                continue
            explained.add(location)
        yield _line(error, dotted(location), file)


def _without_forms(location: Location) -> Location:
    """Return a location without the names of a value's forms, which begin with < (as in `<series>`)."""
    return tuple(part for part in location if not str(part).startswith("<"))


def _in_document(location: Location, data: Any) -> Location:
    """Return the part of a location that is in the document, without the names of a value's possible types."""
    for depth, part in enumerate(location):
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return location[:depth]
    return location


def _line(error: Any, key: str, file: object) -> str:
    kind = error["type"]
    if kind == "value_error":  # raised by our own validator, whose text is already "expected X, got Y"
        text = str(error.get("ctx", {}).get("error", error["msg"]))
        return f"{file}: key {key}: {text}" if key else f"{file}: {text}"
    if kind == "string_pattern_mismatch":
        expected = f"text of the form {error['ctx']['pattern']}"
    else:
        expected = _EXPECTED.get(kind) or _from_message(error["msg"])
    return str(InputError.at(file, key or None, expected=expected, got=... if kind == "missing" else error["input"]))


def _from_message(message: str) -> str:
    if message.startswith(("Input should be greater", "Input should be less")):
        return message.replace("Input should be", "a number", 1)
    for start in ("Input should be ", "Input should have ", "Input should match "):
        if message.startswith(start):
            return message[len(start) :]
    return message[0].lower() + message[1:]


def dotted(location: Location) -> str:
    """Return the path of a key within a document: (`bins`, 0, `power_w`) becomes `bins[0].power_w`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _fields_at(model: type[BaseModel], location: Location) -> set[str]:
    """Return the known keys at a location of a model, for all alternatives of a union."""
    from pydantic import BaseModel

    kinds: list[Any] = [model]
    for part in location:
        kinds = [inner for kind in kinds for inner in _step(kind, part)]
    return {
        name if field.alias is None else field.alias
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, field in kind.model_fields.items()
    }


def _step(kind: Any, part: int | str) -> list[Any]:
    from pydantic import BaseModel

    if isinstance(kind, type) and issubclass(kind, BaseModel):
        by_key = {field.alias or name: field for name, field in kind.model_fields.items()}
        field = by_key.get(str(part))
        return alternatives(field.annotation) if field is not None else [kind]  # a union's tag: stay
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin in (list, tuple):
        return alternatives(arguments[0])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return alternatives(arguments[1])
    return []


def alternatives(annotation: Any) -> list[Any]:
    """Return the types that an annotation allows: those of a union, each without its metadata."""
    if hasattr(annotation, "__metadata__"):  # Annotated[...]
        return alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for kind in get_args(annotation) for inner in alternatives(kind)]
    return [annotation]
