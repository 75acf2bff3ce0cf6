"""A GPU as the throughput model needs it, from its profile in the catalogue."""

import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError
from hardware_profiles.provenance import Boundary, Confidence
from hardware_profiles.reading import read_toml

if TYPE_CHECKING:
    from hardware_profiles.profile import Profile

DATA = Path(__file__).parent / "data"
MIB = 1 << 20
USUAL_LINKED = 8
"""GPUs that a server links where the catalogue does not say how many."""

# patterns of the names that publishers use, the most specific first, with the slug in the catalogue
_PUBLISHED = (
    (r"gb200", "nvidia-gb200"), (r"b200", "nvidia-b200"), (r"b300", "nvidia-b300"), (r"h200", "nvidia-h200"),
    (r"h100.*pcie", "nvidia-h100-pcie"), (r"h100", "nvidia-h100-sxm"), (r"a100.*pcie", "nvidia-a100-pcie"),
    (r"a100", "nvidia-a100-sxm"), (r"l40s", "nvidia-l40s"), (r"mi300x", "amd-instinct-mi300x"),
    (r"mi325x", "amd-instinct-mi325x"), (r"mi355x", "amd-instinct-mi355x"), (r"4090", "nvidia-rtx-4090"),
    (r"5090", "nvidia-rtx-5090"), (r"(rtx )?(pro )?6000.*blackwell", "nvidia-rtx-pro-6000-blackwell"),
    (r"rtx pro 6000|rtx 6000 pro", "nvidia-rtx-pro-6000-blackwell"),
)  # fmt: skip
_OTHER_MEMORY = re.compile(r"\b(gh200|h800|h20|h100 nvl|h200 nvl|a800)\b")


@dataclass(frozen=True, slots=True)
class Network:
    """The network adapter that each GPU of a server has for itself."""

    byte_per_s: float  # [byte/s] that it reaches in one direction
    latency_s: float  # [s] of a collective operation of a short message between servers


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One GPU."""

    slug: str
    title: str
    peaks_flop_per_s: dict[str, float]  # [FLOP/s] dense, by dtype
    bandwidth_byte_per_s: float  # [byte/s] of the memory
    memory_bytes: float  # [byte] as the driver reports it, if that is known
    memory_source: str
    link_byte_per_s: float | None  # [byte/s] to other GPUs in one direction
    linked_gpus: int | None  # GPUs that one server or rack links, or None if unknown
    network: Network | None  # to other servers, or None if unknown
    limit_w: float | None  # [W] power limit of the GPU as it ships
    power_w: float | None  # [W] provisioned per GPU at `boundary`
    boundary: Boundary
    power_source: str
    confidence: Confidence

    @property
    def most_linked(self) -> int:
        """GPUs that one server links at most."""
        return self.linked_gpus or USUAL_LINKED

    def servers(self, gpus: int) -> int:
        """Return the number of servers over which some GPUs lie."""
        return max(1, math.ceil(gpus / self.most_linked))


def accelerator(name: str) -> Accelerator:
    """Return a GPU of the catalogue by its slug.

    Raises
    ------
    InputError
        The name is unknown or is not of a GPU, or its profile lacks memory or bandwidth.
    """
    from hardware_profiles.catalog import load

    return from_profile(load(name))


def from_profile(profile: "Profile") -> Accelerator:
    """Return the GPU of a profile; a device of several GPUs is divided into one.

    Raises
    ------
    InputError
        The profile is not of a GPU, or lacks memory or bandwidth.
    """
    place = f"profile {profile.name}"
    if profile.kind != "gpu":
        raise InputError.at(place, "kind", expected="gpu; only a GPU serves a model", got=profile.kind)
    parts = profile.figure("gpus")
    gpus = parts.value if parts is not None else 1.0
    memory, bandwidth = profile.memory_bytes, profile.bandwidth_byte_per_s
    if memory is None or bandwidth is None:
        missing = "memory_gb" if memory is None else "memory_bandwidth_tb_s"
        raise InputError.at(place, missing, expected="a figure; serving a model needs it")
    facts = _facts()
    visible = facts["visible_memory_mib"].get(profile.slug)
    power_w, boundary, source = _power(profile, gpus)
    return Accelerator(
        slug=profile.slug,
        title=profile.title if gpus == 1.0 else f"GPU of {profile.title}",
        peaks_flop_per_s={key: peak / gpus for key, peak in profile.peaks_flop_per_s.items()},
        bandwidth_byte_per_s=bandwidth / gpus,
        memory_bytes=visible["value"] * MIB if visible else memory / gpus,
        memory_source=visible["source"] if visible else "catalogue, as rated",
        link_byte_per_s=_link(profile, gpus, facts),
        linked_gpus=_linked(profile),
        network=_network(profile.slug, facts),
        limit_w=profile.tdp_w / gpus if profile.tdp_w is not None else None,
        power_w=power_w,
        boundary=boundary,
        power_source=source,
        confidence=profile.confidence,
    )


def slug_of(published: str) -> str | None:
    """Return the catalogue's slug of a GPU by its published name (`NVIDIA H200-SXM-141GB`), or None."""
    text = re.sub(r"[-_/]+", " ", published.casefold())
    if _OTHER_MEMORY.search(text):
        return None
    return next((slug for pattern, slug in _PUBLISHED if re.search(rf"\b{pattern}", text)), None)


def _power(profile: "Profile", gpus: float) -> tuple[float | None, Boundary, str]:
    if profile.server_w_per_gpu is not None:
        return profile.server_w_per_gpu, "node", "highest input power of its server over its GPUs"
    if profile.rack_w_per_gpu is not None:
        return profile.rack_w_per_gpu, "rack", "highest input power of its rack over its GPUs"
    if profile.tdp_w is not None:
        return profile.tdp_w / gpus, "board", "thermal design power of the board"
    return None, "board", "no power in the catalogue"


def _link(profile: "Profile", gpus: float, facts: dict[str, Any]) -> float | None:
    rated = profile.figure("interconnect_gb_s")
    if rated is not None:
        return rated.si_value / gpus / 2
    known = facts["link_gb_s"].get(profile.slug)
    return known["value"] * 1e9 / 2 if known else None


def _network(slug: str, facts: dict[str, Any]) -> Network | None:
    rated = facts["network_gbit_s"].get(slug)
    if rated is None:
        return None
    reached = facts["network"]
    return Network(rated["value"] * 1e9 / 8 * reached["reach_frac"]["value"], reached["latency_s"]["value"])


def _linked(profile: "Profile") -> int | None:
    linked = profile.figure("gpus_per_rack") or profile.figure("gpus_per_server")
    return None if linked is None else int(linked.value)


@cache
def _facts() -> dict[str, Any]:
    return read_toml(DATA / "devices.toml")
