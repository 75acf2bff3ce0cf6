"""Meters that publish their readings to an MQTT broker: Tasmota, Shelly, zigbee2mqtt and others.

perwatt subscribes and never publishes. Only messages that come after the subscription count: a retained one may be days
old.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Condition, Event
from typing import Any

from bench.meters.errors import MeterError
from bench.meters.points.entry import entry
from bench.meters.points.transport import Raw, Transport, TransportKind, check_keys, split_keys, value_at
from bench.meters.transports.web import SETTINGS
from bench.network.errors import ReadFailedError
from bench.network.http import LoginRefusedError
from bench.network.login import read_login
from bench.network.reach import check_private, remote_of
from bench.network.tcp import HostPort
from bench.network.tls import SETTINGS as TRUST
from bench.network.tls import read_trust
from hardware_profiles.errors import shown

PORT, TLS_PORT = 1883, 8883
CONNECT_S = 5.0  # [s] for connection and subscription
FIRST_S = 70.0  # [s] for the first message: many devices publish once a minute
STALE_S = 15.0  # [s] age above which the last message is no reading: three of the slowest periods that give energy
MOST_BYTES = 65536  # of one message


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the messages of one topic."""

    topic: str
    keys: tuple[str | int, ...]  # within JSON; empty for a message that is a number


@dataclass(frozen=True, slots=True)
class _Message:
    at_s: float  # [s, monotonic]
    payload: bytes


class Mqtt(Transport):
    """One broker, and the topics of one meter."""

    def __init__(self, remote: HostPort, settings: Mapping[str, str], place: str) -> None:
        self.name = f"{remote.host}:{remote.port}"
        self._remote, self._settings, self._place = remote, settings, place
        self._login = read_login(place, settings, user="")
        is_tls = remote.port == TLS_PORT or any(key in settings for key in TRUST)
        self._trust = read_trust(place, settings) if is_tls else None
        self._topics: set[str] = set()
        self._last: dict[str, _Message] = {}
        self._arrived = Condition()
        self._fault = ""
        self._subscribed = Event()
        self._client: Any = None

    def place_of(self, at: Mapping[str, Any]) -> Field:
        """Return the field of `{ topic = "tele/plug/SENSOR", key = "ENERGY/Power" }`."""
        check_keys(at, {"topic": str}, {"key": str})
        if not at["topic"] or any(mark in at["topic"] for mark in "+#"):
            raise ValueError(f"expected the topic of one meter without wildcards, got {at['topic']!r}")
        self._topics.add(at["topic"])
        return Field(at["topic"], split_keys(at.get("key", "")))

    def open(self) -> None:
        """Connect and subscribe."""
        try:
            from paho.mqtt import client as mqtt
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise MeterError(f"{self._place}: needs paho-mqtt: pip install 'perwatt[meters]'") from None
        check_private(self._remote, self._settings, self._place, CONNECT_S)
        try:
            self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
            if self._login is not None:
                self._client.username_pw_set(self._login.user or None, self._login.password)
            if self._trust is not None:
                self._client.tls_set_context(self._trust)
                self._client.tls_insecure_set(not self._trust.check_hostname)  # a pinned certificate names no host
            self._client.on_connect, self._client.on_message = self._on_connect, self._on_message
            self._client.on_subscribe = lambda *_: self._subscribed.set()
            self._client.connect_timeout = CONNECT_S
            self._client.connect(self._remote.host, self._remote.port)
        except (OSError, ValueError) as error:
            raise ReadFailedError(f"{self.name}: {str(error) or 'no connection in time'}") from None
        self._client.loop_start()
        if not self._subscribed.wait(CONNECT_S) or self._fault:
            self.close()
            raise self._refusal()

    def read(self, places: Sequence[Field]) -> list[Raw]:
        """Return the fields of the last messages; the first time, wait for one of each topic."""
        if self._fault:
            raise self._refusal()
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._topics <= self._last.keys(), FIRST_S):
                missing = ", ".join(sorted(self._topics - self._last.keys()))
                raise ReadFailedError(f"{self.name}: no message of {shown(missing)} in {FIRST_S:g} s")
            messages = dict(self._last)
        for topic in dict.fromkeys(place.topic for place in places):
            age_s = time.monotonic() - messages[topic].at_s
            if age_s > STALE_S:
                raise ReadFailedError(f"{self.name}: {topic}: the last message is {age_s:.0f} s old")
        documents = {topic: _document(topic, message.payload) for topic, message in messages.items()}
        return [_field(place, documents[place.topic]) for place in places]

    def close(self) -> None:
        """Leave the broker."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()

    def _refusal(self) -> ReadFailedError:
        fault = self._fault or "the broker does not answer"
        is_login = any(word in fault.lower() for word in ("authori", "bad user", "banned"))
        return (LoginRefusedError if is_login else ReadFailedError)(f"{self.name}: {fault}")

    def _on_connect(self, client: Any, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        if reason.is_failure:
            self._fault = str(reason)
            client.disconnect()  # else it would send the login again and again
            self._subscribed.set()
            return
        client.subscribe([(topic, 0) for topic in sorted(self._topics)])

    def _on_message(self, _client: object, _data: object, message: Any) -> None:
        if message.retain or len(message.payload) > MOST_BYTES:
            return
        with self._arrived:
            self._last[message.topic] = _Message(time.monotonic(), bytes(message.payload))
            self._arrived.notify_all()


def _document(topic: str, payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        start = shown(payload[:40].decode("utf-8", "replace"))
        raise ReadFailedError(f"{topic}: expected JSON or a number, got {start}") from None


def _field(place: Field, document: Any) -> Raw:
    """Return one field of a message, or None if it lacks the field, as older firmware does."""
    return value_at(document, place.keys)


def _make(target: str, settings: Mapping[str, str], _table_settings: Mapping[str, Any], place: str) -> Mqtt:
    port = TLS_PORT if any(key in settings for key in TRUST) else PORT
    return Mqtt(remote_of(target, place, port), settings, place)


ENTRY = entry(TransportKind("mqtt", "a meter that publishes to an MQTT broker", "10.0.0.2", SETTINGS, 0.2, _make))
