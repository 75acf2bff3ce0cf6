"""The tables of a control file that name what comes in from outside: [price] and [target]."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from bench.network.login import SETTINGS as LOGIN
from bench.network.reach import SETTING as PUBLIC
from bench.network.tls import SETTINGS as TRUST
from hardware_profiles.tables import Broken, Table, rule
from sites.file.prices.tables import PriceSeriesTable
from sites.file.values import Name

Seconds = Annotated[float, Field(strict=True, gt=0, le=86_400, allow_inf_nan=False)]
Megawatts = Annotated[float, Field(strict=True, ge=0, le=100_000, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Unit = Literal["kilowatt", "megawatt"]
KINDS = ("mqtt", "openadr", "file")
_SERIES = (
    *("feed", "point", "where", "value", "time", "unit", "timezone", "label", "separator", "decimal"),
    *("time_format", "minutes", "repeated_hour"),
)
_SETTINGS = (*LOGIN, *TRUST, PUBLIC)
_OF_MQTT, _OF_OPENADR = ("topic", "full_mw"), ("program", "ven", "payloads", "simple_mw", "unit", "token_url")


class _OneOrSeveral:
    """Takes a value where a list of such values is expected, and says so in the JSON Schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the list with a step before it that makes a list of one value."""
        return no_info_before_validator_function(_listed, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON Schema of a value or of a list."""
        several = handler(core)
        return {"anyOf": [several["items"], several]}


def _listed(content: Any) -> Any:
    return (content,) if isinstance(content, str | dict) else content


class _Reached(Table):
    """How a source is asked: the times, and the login and the trust as the specs of meters have them."""

    poll_s: Seconds = 30.0
    timeout_s: Annotated[Seconds, Field(le=60)] = 10.0
    user: Text | None = None
    password_file: Text | None = None
    password_env: Text | None = None
    fingerprint: Text | None = None
    ca_file: Text | None = None
    public: Literal["yes", "no"] | None = None

    @property
    def settings(self) -> Mapping[str, str]:
        """The login and the trust, by the names that the specs of meters use."""
        return {key: value for key in _SETTINGS if (value := getattr(self, key)) is not None}


class PriceTable(_Reached):
    """[price]: a market file, by path or by address, in a layout that `perwatt feed list` shows or as it is described.

    The keys that describe the file are those of [price.hourly] in a site file.
    """

    source: Text  # "file:PATH", or an address of http or https
    currency_per_usd: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    feed: Name | None = None  # recognised by the columns of the file unless it is stated
    point: Name | None = None
    where: Annotated[dict[Name, str], Field(default_factory=dict)]
    value: Name | None = None
    time: Name | None = None
    unit: str | None = None
    timezone: Name | None = None
    label: Literal["start", "end"] | None = None
    separator: Literal[",", ";", "\t", "|"] | None = None
    decimal: Literal[".", ","] | None = None
    time_format: Name | None = None
    minutes: int | None = None
    repeated_hour: Literal["order"] | None = None

    @rule
    def _known(self) -> Iterator[Broken]:
        kind = self.source.partition(":")[0]
        if kind not in {"file", "http", "https"}:
            yield Broken(f"expected file:PATH or an address of http or https, got {self.source!r}", ("source",))
        if (self.currency == "USD") != (self.currency_per_usd is None):
            yield Broken("expected currency_per_usd with another currency than USD, and only then")

    def series(self, path: Path, feed: str | None) -> PriceSeriesTable:
        """Return the file as a site file would describe it.

        Parameters
        ----------
        path
            The file.
        feed
            Its layout if the table states none and does not describe the file.
        """
        stated = {key: value for key in _SERIES if (value := getattr(self, key)) is not None}
        return PriceSeriesTable.model_validate({"feed": feed, **stated, "file": path.name})


class TargetTable(_Reached):
    """[target]: who asks for the most that the site may draw."""

    source: Annotated[tuple[Text, ...], Field(min_length=1, max_length=2), _OneOrSeveral()]
    silence_s: Seconds = 90.0  # after which the source is lost
    topic: Text = "maestro/target"
    full_mw: Megawatts | None = None  # that 100 percent is
    program: Name | None = None  # name or id; all programs of the VTN unless it is stated
    ven: Name | None = None  # the name that events are addressed to; all events unless it is stated
    payloads: tuple[Literal["DISPATCH_SETPOINT", "IMPORT_CAPACITY_LIMIT", "SIMPLE"], ...] = ()
    simple_mw: tuple[Megawatts, ...] | None = None  # the limit at each level of SIMPLE, from level 0
    unit: Unit | None = None  # of payloads whose event and program state none
    token_url: Text | None = None

    @property
    def kind(self) -> str:
        """The kind of the source."""
        return self.source[0].partition(":")[0]

    @property
    def places(self) -> tuple[str, ...]:
        """What follows the kind: paths or addresses."""
        return tuple(source.partition(":")[2] for source in self.source)

    @rule
    def _known(self) -> Iterator[Broken]:
        kinds = {source.partition(":")[0] for source in self.source}
        if len(kinds) > 1 or not kinds <= set(KINDS) or not all(self.places):
            yield Broken(f"expected mqtt:HOST, openadr:URL or file:PATH, got {', '.join(self.source)}", ("source",))
        if len(self.source) > 1 and self.kind != "mqtt":
            yield Broken("expected one source (only mqtt has two brokers), got two", ("source",))

    @rule
    def _of_its_kind(self) -> Iterator[Broken]:
        stated = self.model_fields_set
        for kind, keys in (("mqtt", _OF_MQTT), ("openadr", _OF_OPENADR)):
            for key in keys:
                if key in stated and self.kind != kind:
                    yield Broken(f"expected this key only with {kind}:", (key,))
        if self.kind == "mqtt" and not self.full_mw:
            yield Broken("expected the megawatts that 100 percent is, got nothing", ("full_mw",))
        if self.kind == "openadr":
            if not self.payloads:
                yield Broken("expected the types of payload that limit this site, got nothing", ("payloads",))
            if ("SIMPLE" in self.payloads) != (self.simple_mw is not None):
                yield Broken("expected simple_mw with the payload SIMPLE, and only then", ("simple_mw",))


Targets = Annotated[tuple[TargetTable, ...], _OneOrSeveral()]
"""[target], or several [[target]], of a control file."""


class InputTables(NamedTuple):
    """What a control file states of the inputs."""

    price: PriceTable | None
    targets: tuple[TargetTable, ...]
    file: Path  # the control file: paths are relative to its folder, and messages name it
    folder: Path  # for the answers that came in over the network
