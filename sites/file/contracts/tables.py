"""All contracts and the money of a site file: what `[[contract]]`, `[[debt]]`, `[[capex]]` and `[tax]` may hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Discriminator, Tag

from hardware_profiles.tables import Broken, Table, rule
from sites.file.contracts.hosting_tables import GpuHoursTable, HostingTable, LeaseTable
from sites.file.contracts.money_tables import CapexTable, DebtTable, TaxTable  # noqa: TC001 (pydantic reads them)
from sites.file.contracts.power_tables import DemandResponseTable, PpaTable, SwapTable, TakeTable, TransmissionTable

KINDS = ("hosting", "lease", "gpu_hours", "ppa", "swap", "demand_response", "transmission", "minimum_take")


def _kind(content: Any) -> str | None:
    kind = content.get("kind") if isinstance(content, dict) else getattr(content, "kind", None)
    return f"<{kind}>" if kind in KINDS else None


AnyContract = (
    HostingTable
    | LeaseTable
    | GpuHoursTable
    | PpaTable
    | SwapTable
    | DemandResponseTable
    | TransmissionTable
    | TakeTable
)
ContractTable = Annotated[
    Annotated[HostingTable, Tag("<hosting>")]
    | Annotated[LeaseTable, Tag("<lease>")]
    | Annotated[GpuHoursTable, Tag("<gpu_hours>")]
    | Annotated[PpaTable, Tag("<ppa>")]
    | Annotated[SwapTable, Tag("<swap>")]
    | Annotated[DemandResponseTable, Tag("<demand_response>")]
    | Annotated[TransmissionTable, Tag("<transmission>")]
    | Annotated[TakeTable, Tag("<minimum_take>")],
    Discriminator(
        _kind,
        custom_error_type="value_error",
        custom_error_context={"error": f"expected a kind of {', '.join(KINDS)}, got another or none"},
    ),
]


class MoneyTables(Table):
    """The contracts and the money of a site over its horizon."""

    contract: tuple[ContractTable, ...] = ()
    capex: tuple[CapexTable, ...] = ()
    debt: tuple[DebtTable, ...] = ()
    tax: TaxTable | None = None

    @rule
    def _each_name_once(self) -> Iterator[Broken]:
        for key in ("contract", "capex", "debt"):
            names = [table.name for table in getattr(self, key)]
            for name in dict.fromkeys(names):
                if names.count(name) > 1:
                    yield Broken(f"expected each name once, got {name!r} {names.count(name)} times", (key,))
