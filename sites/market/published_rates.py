"""Token rates of published figures and of site files, each with its five tags."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError, near_names
from sites.market.device_rate import DeviceRate, TokenTags

if TYPE_CHECKING:
    from hardware_profiles.provenance import Basis, Boundary, Confidence

FIGURES_FILE = "inference_figures.csv"
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """A published serving rate of a system of GPUs."""

    name: str
    model: str
    weight_precision: str
    gpu: str
    gpus: int  # in the system
    tokens_per_s: float  # [token/s] of the whole system
    system_power_w: float | None  # [W] measured at the node's plug during the run; None if not published
    token_basis: str
    lengths: str
    latency_limit: str
    source: str
    date: str
    note: str


@cache
def published_figures() -> dict[str, PublishedFigure]:
    """Return the published serving rates bundled with perwatt, by name."""
    text = resources.files("sites.data").joinpath(FIGURES_FILE).read_text(encoding="utf-8")
    return {
        row["id"]: PublishedFigure(
            name=row["id"],
            model=row["model"],
            weight_precision=row["weight_precision"],
            gpu=row["gpu"],
            gpus=int(row["gpus"]),
            tokens_per_s=float(row["tokens_per_s"]),
            system_power_w=float(row["system_power_w"]) if row["system_power_w"] else None,
            token_basis=row["token_basis"],
            lengths=row["lengths"],
            latency_limit=row["latency_limit"],
            source=row["source"],
            date=row["date"],
            note=row["note"],
        )
        for row in csv.DictReader(text.splitlines())
    }


def published_rate(name: str, *, provisioned_w_per_gpu: float | None = None) -> DeviceRate:
    """Return the rate of one GPU from a published figure, with power at the node.

    Parameters
    ----------
    name
        Name of a bundled figure.
    provisioned_w_per_gpu
        Provisioned power of the node over its GPUs [W], used only if the figure has no measured power.

    Raises
    ------
    InputError
        The name is unknown, or there is neither a measured nor a provisioned power.
    """
    figures = published_figures()
    if name not in figures:
        raise InputError.at(
            "inference figure", expected="the name of a bundled figure", got=name, near=near_names(name, figures)
        )
    figure = figures[name]
    measured = figure.system_power_w is not None
    power_w = figure.system_power_w / figure.gpus if figure.system_power_w is not None else provisioned_w_per_gpu
    if power_w is None:
        raise InputError(
            f"inference figure {name}: power: expected provisioned watts per GPU, because the figure was published "
            "without a measured power, got nothing"
        )
    return stated_rate(
        name=f"{figure.model} {figure.weight_precision} on {figure.gpu}",
        tokens_per_s=figure.tokens_per_s / figure.gpus,
        power_w=power_w,
        tags=TokenTags(
            "node", "measured" if measured else "provisioned", figure.token_basis, figure.lengths, figure.latency_limit
        ),
        basis="rated",  # published, not measured here
        power_basis="rated",
        confidence="one_source",
        source=f"{figure.source}, {figure.date}; {figure.note}",
    )


def stated_rate(  # noqa: PLR0913 (a rate and all that describes it)
    *,
    name: str,
    tokens_per_s: float,
    power_w: float,
    tags: TokenTags | None,
    basis: Basis,
    power_basis: Basis,
    confidence: Confidence,
    source: str,
    tpot_s: float | None = None,
) -> DeviceRate:
    """Return the rate of one device from stated figures.

    Parameters
    ----------
    name
        Name of the rate.
    tokens_per_s
        Rate [token/s].
    power_w
        Power [W] at the boundary of the tags.
    tags
        The five tags of the rate.
    basis, power_basis
        Basis of the rate and of the power.
    confidence
        Confidence in the figures.
    source
        Source of the figures, with date.
    tpot_s
        Mean time per output token of one user [s], or None if it is unknown.

    Raises
    ------
    InputError
        The tags are missing, or a figure is not finite and positive.
    """
    boundary: Boundary = tags.boundary if tags is not None else "node"
    return DeviceRate(
        name=name,
        unit="token",
        rate_per_s=tokens_per_s,
        rate_interval_per_s=None,
        power_w=power_w,
        power_interval_w=None,
        boundary=boundary,
        basis=basis,
        power_basis=power_basis,
        confidence=confidence,
        source=source,
        tpot_s=tpot_s,
        tags=tags,
    )


def tokens_per_mwh(rate: DeviceRate) -> float:
    """Return the tokens per MWh at the boundary of a rate.

    Raises
    ------
    InputError
        The rate does not count tokens, or has no tags or no power.
    """
    if rate.unit != "token" or rate.tags is None:
        raise InputError(f"tokens per MWh: {rate.name}: expected a token rate with its five tags, got {rate.unit}")
    if rate.power_w is None:
        raise InputError(f"tokens per MWh: {rate.name}: expected a power at {rate.boundary}, got none")
    return rate.rate_per_s * SECONDS_PER_HOUR * 1e6 / rate.power_w


def usd_per_mtok_sold(input_usd_per_mtok: float, output_usd_per_mtok: float, lengths: str) -> float:
    """Return the price of a million output tokens including their input tokens [USD/Mtok output].

    Parameters
    ----------
    input_usd_per_mtok, output_usd_per_mtok
        List prices [USD/Mtok].
    lengths
        Lengths "input:output" in tokens.

    Raises
    ------
    InputError
        `lengths` is the name of a data set, from which the share of input tokens does not follow.
    """
    try:
        input_len, output_len = (float(part) for part in lengths.split(":"))
    except ValueError:
        raise InputError(
            f"token price: lengths: expected input:output in tokens to price input tokens, got {lengths!r}"
        ) from None
    if not (math.isfinite(input_len) and input_len >= 0 and math.isfinite(output_len) and output_len > 0):
        raise InputError(f"token price: lengths: expected numbers of tokens, got {lengths!r}")
    return output_usd_per_mtok + input_usd_per_mtok * input_len / output_len
