"""The tables and keys of a lab file (lab.toml)."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bench.results.part import Positive
from hardware_profiles.errors import shown
from hardware_profiles.tables import Broken, Table, rule

CLOCK_LIMIT_S = 2.0
FOLDER = "~/.local/state/perwatt/lab"


def _printable(text: str) -> str:
    """Refuse characters that a terminal or a shell would obey."""
    if not text.isprintable():
        raise ValueError(f"expected text without control characters, got {shown(text)}")
    return text


Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_printable)]
Texts = tuple[Text, ...]


class LabTable(Table):
    """[lab]: the name of the lab, and what holds for all its hosts."""

    name: Text
    clock_limit_s: Annotated[Positive, Field(strict=True)] = CLOCK_LIMIT_S  # [s] by which a host's clock may differ
    ssh_config: Text | None = None  # file for `ssh -F`, relative to the lab file
    note: str = ""


class HostTable(Table):
    """[[host]]: a host or a node set of hosts."""

    name: Text
    address: Text | None = None  # by default the name; may carry user@, or be an alias of the ssh configuration
    reach: Literal["ssh", "slurm", "local"] = "ssh"
    python: Text | None = None  # by default `perwatt` on the PATH of the host
    folder: Text = FOLDER
    domain: Text | None = None
    meters: Texts = ()
    tags: Texts = ()
    worker: Text | None = None  # by default the name


class DomainTable(Table):
    """[[domain]]: a power domain, or a node set of them."""

    name: Text
    within: Text | None = None
    note: str = ""


class MeterTable(Table):
    """[[meter]]: a meter that one host reads for others."""

    name: Text
    spec: Text
    read_by: Text
    covers: Texts

    @rule
    def _covers_something(self) -> Iterator[Broken]:
        if not self.covers:
            yield Broken("expected a host or miner, got none", ("covers",))


class MinerTable(Table):
    """[[miner]]: an ASIC miner, which a host measures over the network."""

    name: Text
    address: Text
    from_: Annotated[Text, Field(alias="from")]
    meters: Texts = ()
    domain: Text | None = None
    tags: Texts = ()


class LabFile(Table):
    """A lab file."""

    lab: LabTable
    host: tuple[HostTable, ...]
    domain: tuple[DomainTable, ...] = ()
    meter: tuple[MeterTable, ...] = ()
    miner: tuple[MinerTable, ...] = ()

    @rule
    def _has_a_host(self) -> Iterator[Broken]:
        if not self.host:
            yield Broken("expected a host, got none", ("host",))
