"""Token yield: rates that are stated with their five tags, or taken from a published figure, or refused."""

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
    from hardware_profiles.words import Basis, Boundary, Confidence

FIGURES_FILE = "inference_figures.csv"
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """One published serving rate.

    tokens_per_s: [token/s] of the whole system of `gpus` GPUs. system_power_w: [W] measured at the node's plug while
    the rate was taken, or None where the source gives none.
    """

    name: str
    model: str
    weight_precision: str
    gpu: str
    gpus: int
    tokens_per_s: float
    system_power_w: float | None
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
    """Rate of one GPU from a published figure, with power at the node's boundary.

    name: of a bundled figure. provisioned_w_per_gpu: [W] the node's provisioned power over its GPUs; used, and named
    so, where the figure was published without a measured power; ignored where it has one.

    Raises InputError for an unknown name, and where there is neither a measured nor a provisioned power.
    """
    figures = published_figures()
    if name not in figures:
        raise InputError.at("inference figure", expected="a bundled one", got=name, near=near_names(name, figures))
    figure = figures[name]
    measured = figure.system_power_w is not None
    power_w = figure.system_power_w / figure.gpus if figure.system_power_w is not None else provisioned_w_per_gpu
    if power_w is None:
        raise InputError(
            f"inference figure {name}: power: expected provisioned watts per GPU beside a figure published without "
            "a measured power, got nothing; tokens per MWh need both"
        )
    return stated_rate(
        name=f"{figure.model} {figure.weight_precision} on {figure.gpu}",
        tokens_per_s=figure.tokens_per_s / figure.gpus,
        power_w=power_w,
        tags=TokenTags(
            "node", "measured" if measured else "provisioned", figure.token_basis, figure.lengths, figure.latency_limit
        ),
        basis="rated",  # a publication's, not measured here
        power_basis="rated",
        confidence="one_source",
        source=f"{figure.source}, {figure.date}; {figure.note}",
    )


def stated_rate(  # noqa: PLR0913 (a rate and everything that must be said of it)
    *,
    name: str,
    tokens_per_s: float,
    power_w: float,
    tags: TokenTags | None,
    basis: Basis,
    power_basis: Basis,
    confidence: Confidence,
    source: str,
) -> DeviceRate:
    """Rate that somebody states, per device; the tags' boundary is the power's.

    tokens_per_s: [token/s]. power_w: [W] at the boundary of the tags. Raises InputError without the five tags.
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
        tags=tags,
    )


def tokens_per_mwh(rate: DeviceRate) -> float:
    """Tokens from one MWh at the boundary that the rate's tags name.

    Raises InputError for a rate that is not of tokens, lacks its tags or has no power.
    """
    if rate.unit != "token" or rate.tags is None:
        raise InputError(f"tokens per MWh: {rate.name}: expected a token rate with its five tags, got {rate.unit}")
    if rate.power_w is None:
        raise InputError(f"tokens per MWh: {rate.name}: expected a power at {rate.boundary}, got none")
    return rate.rate_per_s * SECONDS_PER_HOUR * 1e6 / rate.power_w


def usd_per_mtok_sold(input_usd_per_mtok: float, output_usd_per_mtok: float, lengths: str) -> float:
    """Worth of one million output tokens together with the input tokens they came with [USD/Mtok output].

    lengths: "input:output" in tokens. Raises InputError where lengths are the name of a data set: state the price of
    a counted token yourself then.
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
