"""What inference and GPUs cost now: prices per token of OpenRouter, rents of GPUs of Vast.ai."""

import json
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any
from urllib.parse import quote

from bench.feeds.answers import FetchError, Request, short_text
from bench.feeds.archive import Fetched
from bench.feeds.sources.source import HOUR_S, Figure, Plan, Settings, Source, items, number
from hardware_profiles.errors import near_names, shown

_MTOK = 1e6  # the source has prices per token
_KINDS = {"prompt": "input", "completion": "output"}


def _models_plan(_settings: Settings) -> Plan:
    yield Request("models", "/models")


def _read_models(fetched: Fetched, settings: Settings) -> list[Figure]:
    models = items(_json(fetched, "models"), fetched.url, "data")
    by_id = {str(model.get("id")): model for model in models}
    model = by_id.get(settings.model)
    if model is None:
        near = near_names(settings.model, by_id) or tuple(sorted(by_id)[:10])
        raise FetchError(
            f"{fetched.url}: expected the model {settings.model}, got {len(by_id)} others: {shown(', '.join(near))}"
        )
    return list(_token_prices(model, settings.model, fetched))


def _token_prices(model: Mapping[str, Any], name: str, fetched: Fetched) -> Iterator[Figure]:
    for kind, word in _KINDS.items():
        usd_per_token = number(model, f"{fetched.url}: {name}", "pricing", kind)
        if usd_per_token < 0.0:
            raise FetchError(
                f"{fetched.url}: {name}: pricing.{kind}: expected a price, got {usd_per_token:g} (it varies)"
            )
        yield Figure(f"{word}_usd_per_mtok", usd_per_token * _MTOK, fetched.time_s, "list price, of the cheapest route")


def _offers_plan(settings: Settings) -> Plan:
    query = {"gpu_name": {"eq": settings.gpu}, "rentable": {"eq": True}, "type": "on-demand", "limit": 1000}
    headers = {"Authorization": f"Bearer {settings.key}"} if settings.key else {}
    yield Request("offers", f"/bundles/?q={quote(json.dumps(query, separators=(',', ':')))}", headers=headers)


def _read_offers(fetched: Fetched, settings: Settings) -> list[Figure]:
    offers = items(_json(fetched, "offers"), fetched.url, "offers")
    rents = []
    for at, offer in enumerate(offers):
        place = f"{fetched.url}: offers[{at}]"
        if offer.get("gpu_name") != settings.gpu:
            continue
        count = number(offer, place, "num_gpus")
        if not count >= 1.0:
            raise FetchError(f"{place}: num_gpus: expected 1 or more, got {count:g}")
        rents.append(number(offer, place, "dph_total") / count)
    if not rents:
        raise FetchError(f"{fetched.url}: expected offers of {settings.gpu}, got {len(offers)} of other GPUs")
    note = f"of {len(rents)} offers on demand, the whole machine's rent over its GPUs"
    return [
        Figure("median_usd_per_gpu_hour", median(rents), fetched.time_s, note),
        Figure("lowest_usd_per_gpu_hour", min(rents), fetched.time_s),
        Figure("offers", float(len(rents)), fetched.time_s),
    ]


def _json(fetched: Fetched, name: str) -> Any:
    body = fetched.answers()[name]
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise FetchError(f"{fetched.url}: expected JSON, got {short_text(body)}") from None


SOURCES = (
    Source(
        name="openrouter",
        title="OpenRouter's prices of inference per token",
        url="https://openrouter.ai/api/v1",
        age_limit_s=48 * HOUR_S,
        plan=_models_plan,
        read=_read_models,
        options=("model",),
        needed=("model",),
    ),
    Source(
        name="vast",
        title="Vast.ai's offers of GPUs",
        url="https://console.vast.ai/api/v0",
        age_limit_s=24 * HOUR_S,
        plan=_offers_plan,
        read=_read_offers,
        options=("gpu", "key"),
        needed=("gpu",),
        key_env="VAST_API_KEY",
    ),
)
