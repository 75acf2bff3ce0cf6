"""What a GPU rents for as three indices write it; all rents are made up."""

import json

from doubles.feeds import truth

DAY_S = 86_400
WEEK_S = 7 * DAY_S
INDEX_HEADING = (
    "week_start,usd_per_gpu_hour,quotes,providers,vintage,index_base100,hyperscaler_usd_per_gpu_hour,"
    "hyperscaler_providers,specialist_usd_per_gpu_hour,specialist_providers,methodology_version,"
    "p25_usd_per_gpu_hour,p75_usd_per_gpu_hour"
)
PRIVUM_HEADING = "date,provider,gpu_model,gpu_model_key,vram_gb,variant,price_usd_per_hour,offer_count"


def rent(time_s, shift=0):
    """Return a rent [USD/GPU-hour] at a time [s, unix], to the cent."""
    return round(3 + truth.price(time_s) / 1000 + shift / 100, 2)


def index(weeks_s, twice=()):
    """Return gpueconomy's index; the weeks `twice` have a provisional row too, 1 USD too high, behind the final one."""
    rows = [INDEX_HEADING]
    for week_s in weeks_s:
        rows.append(_week(week_s, rent(week_s), "final"))
        if week_s in twice:
            rows.append(_week(week_s, rent(week_s) + 1, "provisional"))
    return "".join(f"{row}\n" for row in rows).encode()


def _week(week_s, value, vintage):
    return f"{_date(week_s)},{value:.2f},20,18,{vintage},100,9.9,4,3.67,14,1.32.13,3.1225,6.0013"


def privum(days_s, offers=(("runpod", "H100 SXM", "secure"),)):
    """Return privum's table of offers (provider, GPU, variant); the rent of the nth offer is n cents higher."""
    rows = [PRIVUM_HEADING]
    for day_s in days_s:
        for i, (provider, gpu, variant) in enumerate(offers):
            rows.append(f"{_date(day_s)},{provider},{gpu},{gpu},80,{variant},{rent(day_s, i):.2f},")
    return "".join(f"{row}\n" for row in rows).encode()


def snapshot(day_s, offers=(("runpod", "h100-sxm", "secure"),), stale=()):
    """Return a day's snapshot of gpurentalprices (provider, GPU, kind); the nth offer is n cents higher."""
    when = f"{_date(day_s)}T08:47:00Z"
    return json.dumps(
        {
            "date": _date(day_s),
            "generated_at": when,
            "offers": [
                {
                    "provider": provider, "gpu": gpu, "vram_gb": 80, "usd_hr": rent(day_s, i), "kind": kind,
                    "source_url": "https://prices.example/", "fetched_at": when,
                }
                for i, (provider, gpu, kind) in enumerate(offers)
            ],
            "providers": {
                provider: {"ok": provider not in stale, "last_verified": when, "stale": provider in stale}
                for provider, _, _ in offers
            },
            "meta": {"provider_count": 1},
        }
    ).encode()  # fmt: skip


def _date(time_s):
    return f"{truth.local('UTC', time_s):%Y-%m-%d}"
