"""The base of the tables of TOML files: frozen, without unknown keys, and refused with all faults at once.

pydantic reports all faults of keys, but checks rules between keys only in a table without such faults. Here the rules
whose keys are valid are checked in any case, so that a user need not mend a file one fault at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple, Self, TypeVar, cast, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails

from hardware_profiles.errors import near_names
from hardware_profiles.reading import alternatives


class Broken(NamedTuple):
    """A rule that does not hold."""

    text: str  # "expected X, got Y"
    keys: tuple[str | int, ...] = ()  # path of the faulty key within the table; empty for the table itself


RuleT = TypeVar("RuleT", bound=Callable[..., Iterator[Broken]])


def rule(method: RuleT) -> RuleT:
    """Mark a method of a Table as a rule, which yields Broken for each fault among its keys.

    A rule reads only the keys that it compares: it is skipped where one of them has a fault of its own.
    """
    method.__dict__["is_rule"] = True
    return method


class Table(BaseModel):
    """The base of every table of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    one_of: ClassVar[tuple[tuple[str, ...], ...]] = ()  # groups of keys; a table has exactly one key of each group
    in_schema: ClassVar[tuple[dict[str, Any], ...]] = ()  # the rules that JSON Schema can state as well

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return pydantic's schema of the keys with the rules between them."""
        schema = handler.resolve_ref_schema(handler(core))
        rules = [{"oneOf": [{"required": [key]} for key in group]} for group in cls.one_of]
        if rules or cls.in_schema:
            schema["allOf"] = [*rules, *cls.in_schema]
        return schema

    @model_validator(mode="wrap")
    @classmethod
    def _with_every_fault(cls, content: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            table = handler(_with_absent_tables(cls, content))
        except ValidationError as error:
            if not isinstance(content, dict):
                raise
            details = [
                _detail(fault["loc"], fault["type"], fault["input"], fault.get("ctx")) for fault in error.errors()
            ]
            broken = [*_not_once(cls, content), *_broken_rules(_valid_part(cls, content), partial=True)]
        else:
            present = {key for key in table.model_fields_set if getattr(table, key) is not None}
            details, broken = [], [*_not_once(cls, present), *_broken_rules(table)]
        details += [_detail(fault.keys, "value_error", content, {"error": fault.text}) for fault in broken]
        if details:
            raise ValidationError.from_exception_data(cls.__name__, details)
        return table


def _detail(loc: tuple[str | int, ...], kind: str, content: Any, context: Any) -> InitErrorDetails:
    detail = InitErrorDetails(type=kind, loc=loc, input=content)
    if context:
        detail["ctx"] = context
    return detail


def _with_absent_tables(kind: type[Table], content: Any) -> Any:
    """Return a document with an empty table for each absent one, so that the keys that it needs are named."""
    if not isinstance(content, dict):
        return content
    fields = kind.model_fields
    absent = {key for key in fields if fields[key].is_required() and _is_table(fields[key].annotation)}
    return content | {key: {} for key in absent - content.keys() - _meant(kind, content)}


def _meant(kind: type[Table], keys: Iterable[str]) -> set[str]:
    """Return the keys that misspelt ones may mean."""
    return {name for key in keys if key not in kind.model_fields for name in near_names(key, kind.model_fields)}


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Table)


def _not_once(kind: type[Table], keys: Iterable[str]) -> Iterator[Broken]:
    """Yield a fault for each group that has none or several keys in the table, unless a misspelt key explains it."""
    meant = _meant(kind, keys)
    for group in kind.one_of:
        present = [key for key in group if key in keys]
        if len(present) > 1 or not (present or meant & set(group)):
            yield Broken(f"expected one of {', '.join(group)}, got {' and '.join(present) or 'none'}")


def _broken_rules(table: Table, *, partial: bool = False) -> Iterator[Broken]:
    methods = [method for kind in type(table).__mro__ for method in vars(kind).values()]
    for method in methods:
        if getattr(method, "is_rule", False):
            try:
                yield from list(method(table))
            except AttributeError:  # a key with a fault of its own
                if not partial:
                    raise


def _valid_part(kind: type[Table], content: dict[str, Any]) -> Table:
    """Return a table with only the valid keys of a faulty one."""
    part = kind.model_construct(_fields_set={key for key in content if key in kind.model_fields})
    for name, field in kind.model_fields.items():
        if name not in content:
            continue
        part.__dict__.pop(name, None)
        with suppress(ValidationError):
            part.__dict__[name] = TypeAdapter(field.rebuild_annotation()).validate_python(content[name])
            continue
        inner, value = _inner(field.annotation), content[name]
        if inner is not None and isinstance(value, dict):
            part.__dict__[name] = _valid_part(inner, value)
        if inner is not None and isinstance(value, list) and all(isinstance(item, dict) for item in value):
            part.__dict__[name] = tuple(_valid_part(inner, item) for item in value)
    return part


def _inner(annotation: Any) -> type[Table] | None:
    """Return the kind of table that a key holds, alone or in a list."""
    for kind in alternatives(annotation):
        if _is_table(kind):
            return cast("type[Table]", kind)
        if get_origin(kind) in (list, tuple):
            return _inner(get_args(kind)[0])
    return None
