"""The pydantic models of a profile file; `keys` defines the meaning of each key."""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    WithJsonSchema,
    create_model,
)

from hardware_profiles.dates import DATE_PATTERN, partial_date
from hardware_profiles.errors import InputError, near_names, shown
from hardware_profiles.keys import (
    ASIC_ENVIRONMENT,
    ASIC_POINT,
    COOLINGS,
    CPU_FIGURES,
    FEATURES,
    GPU_FIGURES,
    GPU_PEAKS,
    GPU_SPARSE_PEAKS,
    Key,
)
from hardware_profiles.provenance import Basis, Confidence
from hardware_profiles.reading import validate

SCHEMA_VERSION = 1
ADDRESS = r"https?://[^\s/]+\.[^\s/]+(/\S*)?|local:\S+"


def _feature(name: str) -> str:
    if name not in FEATURES:
        near = near_names(name, FEATURES)
        hint = f" (did you mean {', '.join(near)}?)" if near else ""
        raise ValueError(f"expected one of {', '.join(FEATURES)}, got {shown(name)}{hint}")
    return name


def _unique(names: list[str]) -> list[str]:
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise ValueError(f"expected each once, got {shown(repeated[0])} twice")
    return names


def _address(text: str) -> str:
    if text != "unknown" and not re.fullmatch(ADDRESS, text):
        raise ValueError(f"expected an https address, local:PATH or unknown, got {shown(text)}")
    return text


Text = Annotated[str, StringConstraints(min_length=1, pattern=r"^\S(.*\S)?$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.+_-]*$")]
_DATE = WithJsonSchema({"type": "string", "pattern": DATE_PATTERN})
Date = Annotated[str, AfterValidator(partial_date()), _DATE]
Announced = Annotated[str, AfterValidator(partial_date(years_ahead=2)), _DATE]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
_ONCE = Field(json_schema_extra={"uniqueItems": True})
Names = Annotated[list[Name], AfterValidator(_unique), _ONCE]
Address = Annotated[
    str, AfterValidator(_address), WithJsonSchema({"type": "string", "pattern": f"^(unknown|{ADDRESS})$"})
]
Feature = Annotated[str, AfterValidator(_feature), WithJsonSchema({"enum": list(FEATURES)})]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FigureTable(_Table):
    """A number with its tolerance (per cent), origin and sources; the key of the table names the unit."""

    value: Number
    tolerance_pct: Annotated[Number, Field(ge=0, le=50)] | Literal["unknown"]
    basis: Basis
    confidence: Confidence
    date: Date
    sources: Names
    note: Text | None = None


class FeatureTable(_Table):
    """Instruction-set features by the names that the Linux kernel uses, with their origin."""

    values: Annotated[list[Feature], AfterValidator(_unique), _ONCE]
    basis: Basis
    confidence: Confidence
    date: Date
    sources: Names


class SourceTable(_Table):
    """A page or file in which figures were read, and the figures as they are printed there."""

    title: Text
    kind: Literal["maker", "reseller", "press", "table", "test", "machine"]
    address: Address
    read: Date
    cites: Address | None = None  # the maker's page that it cites
    printed: list[Text]


class DisagreementTable(_Table):
    """Another value that a source prints for a figure."""

    figure: Text
    value: Number
    source: Name
    note: Text | None = None


def _tables(title: str, keys: dict[str, Key], required: tuple[str, ...] = (), **more: Any) -> type[_Table]:
    fields: dict[str, Any] = {
        key: (FigureTable, ...) if key in required else (FigureTable | None, None) for key in keys
    }
    return create_model(title, __base__=_Table, **more, **fields)


AsicMode = _tables(
    "AsicMode", ASIC_POINT, ("hash_rate_th_s", "wall_power_w"), name=(Name, ...), note=(Text | None, None)
)
AsicBin = _tables(
    "AsicBin",
    ASIC_POINT,
    ("hash_rate_th_s", "wall_power_w"),
    name=(Name, ...),
    note=(Text | None, None),
    cooling=(Literal[COOLINGS] | None, None),
    modes=(list[AsicMode], []),  # type: ignore[valid-type]
)
AsicEnvironment = _tables("AsicEnvironment", ASIC_ENVIRONMENT)
GpuFigures = _tables("GpuFigures", GPU_FIGURES)
GpuPeaks = _tables("GpuPeaks", GPU_PEAKS)
GpuSparsePeaks = _tables("GpuSparsePeaks", GPU_SPARSE_PEAKS)
CpuFigures = _tables("CpuFigures", CPU_FIGURES, ("cores",))


class _File(_Table):
    profile_schema: Literal[1]
    maker: Text
    model: Text
    released: Announced
    reported_names: list[Text] = []  # names of the device in machines' reports and published tables
    notes: list[Text] = []
    disagreements: list[DisagreementTable] = []
    sources: dict[Name, SourceTable] = {}


class AsicFile(_File):
    """The file of a miner: its bins, each with its modes."""

    kind: Literal["asic"]
    cooling: Literal[COOLINGS]  # type: ignore[valid-type]
    environment: AsicEnvironment | None = None  # type: ignore[valid-type]
    bins: Annotated[list[AsicBin], Field(min_length=1)]  # type: ignore[valid-type]


class GpuFile(_File):
    """The file of a GPU board or module, with dense and sparse peaks in separate tables."""

    kind: Literal["gpu"]
    cooling: Literal[COOLINGS] | None = None  # type: ignore[valid-type]
    figures: GpuFigures  # type: ignore[valid-type]
    peaks: GpuPeaks | None = None  # type: ignore[valid-type]
    sparse_peaks: GpuSparsePeaks | None = None  # type: ignore[valid-type]


class CpuFile(_File):
    """The file of a CPU package and its instruction sets."""

    kind: Literal["cpu"]
    figures: CpuFigures  # type: ignore[valid-type]
    features: FeatureTable


FILES: dict[str, type[_File]] = {"asic": AsicFile, "gpu": GpuFile, "cpu": CpuFile}


def validate_file(data: dict[str, Any], file: object) -> None:
    """Check the content of a profile file against the model of its kind.

    Raises
    ------
    InputError
        The content is faulty; the message names file, key, expected and got.
    """
    kind = data.get("kind", ...)
    if not isinstance(kind, str) or kind not in FILES:
        near = near_names(kind, FILES) if isinstance(kind, str) else ()
        raise InputError.at(file, "kind", expected=f"one of {', '.join(FILES)}", got=kind, near=near)
    validate(FILES[kind], data, file)
