"""The metrics page of an exporter: DCGM, IPMI, SNMP, Redfish, node and Kepler exporters all write the same text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.meters.points.entry import entry
from bench.meters.points.transport import Raw, Transport, TransportKind, check_keys
from bench.meters.transports.web import SETTINGS, TIMEOUT_S, open_device, parse_address
from bench.network.errors import ReadFailedError
from bench.network.exposition import Sample, samples
from bench.network.url import Url
from hardware_profiles.errors import InputError, shown

if TYPE_CHECKING:
    from bench.network.http import Device

MOST_BYTES = 8 << 20  # of a page; exporters of large hosts write some megabytes


@dataclass(frozen=True, slots=True)
class Series:
    """One time series: the only one of its name whose labels agree."""

    metric: str
    labels: tuple[tuple[str, str], ...]  # an empty value is not compared

    def __str__(self) -> str:
        """Return it as a selector."""
        inside = ",".join(f'{key}="{value}"' for key, value in self.labels if value)
        return f"{self.metric}{{{inside}}}" if inside else self.metric

    def fits(self, sample: Sample) -> bool:
        """Return whether a sample is of this series."""
        return sample.name == self.metric and all(
            sample.labels.get(key, "") == value for key, value in self.labels if value
        )


class Exporter(Transport):
    """One exporter."""

    def __init__(self, url: Url, settings: Mapping[str, str], place: str) -> None:
        self.name = f"{url.host}:{url.port}"
        self._url, self._settings, self._place = url, settings, place
        self._device: Device | None = None

    def place_of(self, at: Mapping[str, Any]) -> Series:
        """Return the series of `{ metric = "DCGM_FI_DEV_POWER_USAGE", labels = { gpu = "0" } }`."""
        check_keys(at, {"metric": str}, {"labels": dict})
        labels = at.get("labels", {})
        if not all(isinstance(value, str) for value in labels.values()):
            raise ValueError(f"expected labels as text, got {labels}")
        return Series(at["metric"], tuple(sorted(labels.items())))

    def open(self) -> None:
        """Look at the address; each reading is a connection of its own."""
        self._device = open_device(self._url, self._settings, self._place, MOST_BYTES)

    def read(self, places: Sequence[Series]) -> list[Raw]:
        """Return the values of one page.

        A page that lacks every series is an error; one that lacks some measures less. Several that fit are never
        added: the rows of a partitioned GPU each repeat the whole GPU's power.
        """
        assert self._device is not None  # set by open
        answer = self._device.request(self._url.path or "/metrics", TIMEOUT_S)
        page = list(samples(answer.body.decode("utf-8", "replace")))
        values: list[Raw] = [self._one(place, page) for place in places]
        if all(value is None for value in values):
            raise self._missing(places[0], page)
        return values

    def _missing(self, place: Series, page: Sequence[Sample]) -> ReadFailedError:
        others = [dict(sample.labels) for sample in page if sample.name == place.metric]
        hint = f", got {_labels(others)}" if others else f"; the page has {len(page)} other samples"
        return ReadFailedError(f"{self.name}: expected the series {place}{hint}")

    def _one(self, place: Series, page: Sequence[Sample]) -> float | None:
        fitting = [sample for sample in page if place.fits(sample)]
        if not fitting:
            return None
        if len(fitting) > 1:
            differing = _labels([dict(sample.labels) for sample in fitting])
            raise InputError(
                f"{self._place}: expected one series {place}, got {len(fitting)} ({differing}); name one by its labels"
            )
        return fitting[0].value


def _labels(rows: Sequence[Mapping[str, str]]) -> str:
    """Return the labels by which some rows differ, of the first few."""
    keys = sorted({key for row in rows for key in row})
    differing = [key for key in keys if len({row.get(key) for row in rows}) > 1] or keys
    return shown("; ".join(", ".join(f"{key}={row.get(key, '')}" for key in differing) for row in rows[:4]))


def _make(target: str, settings: Mapping[str, str], _table_settings: Mapping[str, Any], place: str) -> Exporter:
    return Exporter(parse_address(target, place, "prometheus:10.0.0.5:9400"), settings, place)


ENTRY = entry(TransportKind("prometheus", "an exporter's page of metrics", "10.0.0.5:9400", SETTINGS, 1.0, _make))
