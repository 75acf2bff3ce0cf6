"""All contracts and the money of a site file: what `[[contract]]`, `[[debt]]`, `[[capex]]` and `[tax]` may hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Tag

from hardware_profiles.tables import Broken, Table, rule
from sites.file.contracts.hosting_tables import GpuHoursTable, HostingTable, LeaseTable
from sites.file.contracts.money_tables import CapexTable, DebtTable, TaxTable  # noqa: TC001 (pydantic reads them)
from sites.file.contracts.power_tables import DemandResponseTable, PpaTable, SwapTable, TakeTable, TransmissionTable

if TYPE_CHECKING:
    from sites.file.contracts.quantities import Dated

KW = 1000.0  # in a MW
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


def powers_mw(contracts: tuple[AnyContract, ...]) -> Iterator[tuple[tuple[str | int, ...], float]]:
    """Yield the keys and the power of each contract that names a power at this site [MW]."""
    for index, table in enumerate(contracts):
        place = ("contract", index)
        if isinstance(table, DemandResponseTable):
            yield (*place, "enrolled_mw"), table.enrolled_mw.value
        elif isinstance(table, PpaTable | SwapTable):
            if table.mw is not None:
                yield (*place, "mw"), table.mw.value
            if table.mw_by_hour_of_week is not None:
                yield (*place, "mw_by_hour_of_week"), max(table.mw_by_hour_of_week)
        elif (
            isinstance(table, HostingTable | LeaseTable) and table.contracted_kw is not None and not _is_customer(table)
        ):
            yield (*place, "contracted_kw"), table.contracted_kw.value / KW


def _is_customer(table: Dated) -> bool:
    """Return whether a contract leaves the output of its blocks to this site."""
    return isinstance(table, HostingTable) and table.role == "customer"


def _overlap(one: Dated, other: Dated) -> bool:
    return all(
        early.start is None or late.end is None or early.start <= late.end
        for early, late in ((one, other), (other, one))
    )


class MoneyTables(Table):
    """The contracts and the money of a site over its horizon."""

    contract: tuple[ContractTable, ...] = ()
    capex: tuple[CapexTable, ...] = ()
    debt: tuple[DebtTable, ...] = ()
    tax: TaxTable | None = None

    @rule
    def _output_of_a_block_once(self) -> Iterator[Broken]:
        machines = [table for table in self.contract if isinstance(table, HostingTable | LeaseTable | GpuHoursTable)]
        for at, one in enumerate(machines):
            for other in machines[:at]:
                shared = set(one.blocks) & set(other.blocks)
                if shared and _is_customer(one) == _is_customer(other) and _overlap(one, other):
                    yield Broken(
                        f"expected one contract for a block at a time, got {one.name!r} and {other.name!r} for "
                        f"{min(shared)!r}",
                        ("contract",),
                    )

    @rule
    def _each_name_once(self) -> Iterator[Broken]:
        for key in ("contract", "capex", "debt"):
            names = [table.name for table in getattr(self, key)]
            for name in dict.fromkeys(names):
                if names.count(name) > 1:
                    yield Broken(f"expected each name once, got {name!r} {names.count(name)} times", (key,))
