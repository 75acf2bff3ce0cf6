"""Targets from MQTT brokers. perwatt subscribes and never publishes."""

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any

from bench.control.inputs.looker import Looker
from bench.control.inputs.maestro import MOST_BYTES, Signal, read_message
from bench.control.inputs.source import Known
from bench.control.inputs.tables import TargetTable
from bench.network.errors import ReadFailedError
from bench.network.login import read_login
from bench.network.reach import check_private, remote_of
from bench.network.tls import SETTINGS as TRUST
from bench.network.tls import read_trust
from hardware_profiles.errors import InputError
from sites.control.model import LoadTarget

PORT, TLS_PORT = 1883, 8883
_RETRY_S = (1, 30)  # [s] shortest and longest wait before a broker is tried again
Take = Callable[[bytes, bool], None]


class MqttTarget:
    """One or two brokers that carry the same target."""

    def __init__(
        self, table: TargetTable, place: str, clock: Callable[[], float], before: tuple[LoadTarget, ...]
    ) -> None:
        self._clock, self._silence_s, self._started_s = clock, table.silence_s, clock()
        name = f"mqtt:{','.join(table.places)}"
        held = tuple(target for target in before if target.source == name)
        self._signal = Signal(table.full_mw or 0.0, table.silence_s, name, held)
        self._name, self._lock = name, Lock()
        self._brokers = tuple(_Broker(at, table, place, self._take) for at in table.places)
        self._looker = Looker(f"target {name}", self._connect, table.poll_s)

    def known(self, now_s: float) -> Known:
        """Return the target that holds; brokers are connected to in the background."""
        self._looker.tick(now_s)
        heard_s = self._started_s if self._signal.received_s is None else self._signal.received_s
        is_lost = now_s - heard_s > self._silence_s
        faults = [broker.fault for broker in self._brokers if broker.fault]
        if is_lost:
            faults.append(f"target {self._name}: no message that counts in {self._silence_s:g} s")
        if self._looker.fault:
            faults.append(self._looker.fault)
        return Known(targets=self._signal.targets, faults=tuple(faults), lost=is_lost)

    def wait(self, timeout_s: float) -> bool:
        """Wait until no connection is under way."""
        return self._looker.wait(timeout_s)

    def close(self) -> None:
        """Leave the brokers."""
        self._looker.close()
        for broker in self._brokers:
            broker.close()

    def _connect(self, _now_s: float) -> None:
        for broker in self._brokers:
            broker.start()

    def _take(self, payload: bytes, is_kept: bool) -> None:
        """Take a message; one that the broker kept counts only if it was published a moment ago."""
        now_s = self._clock()
        message = read_message(payload, now_s)
        if is_kept and now_s - message.stated_s > self._silence_s:
            return
        with self._lock:
            self._signal.take(message)


class _Broker:
    """One broker, which paho connects to again by itself whenever the connection is lost."""

    def __init__(self, at: str, table: TargetTable, place: str, take: Take) -> None:
        settings, self._take = table.settings, take
        is_tls = any(key in settings for key in TRUST) or at.endswith(f":{TLS_PORT}")
        self._remote = remote_of(at, f"{place}: key source", TLS_PORT if is_tls else PORT)
        self._login = read_login(place, settings, user="")
        self._trust = read_trust(place, settings) if is_tls else None
        self._topic, self._timeout_s = table.topic, table.timeout_s
        self._name = f"target mqtt:{self._remote.host}:{self._remote.port}"
        self._client: Any = None
        self.fault = f"{self._name}: not connected yet"
        with suppress(ReadFailedError):  # the name may be known later
            check_private(self._remote, settings, place, table.timeout_s)

    def start(self) -> None:
        """Begin to connect, unless that was done."""
        if self._client is not None:
            return
        try:
            from paho.mqtt import client as mqtt
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            self.fault = f"{self._name}: needs paho-mqtt: pip install 'perwatt[meters]'"
            return
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if self._login is not None:
            client.username_pw_set(self._login.user or None, self._login.password)
        if self._trust is not None:
            client.tls_set_context(self._trust)
            client.tls_insecure_set(not self._trust.check_hostname)  # a pinned certificate names no host
        client.on_connect, client.on_message, client.on_disconnect = self._joined, self._arrived, self._left
        doubt = "" if self._trust is None else ", or its certificate is not trusted"
        client.on_connect_fail = lambda *_: self._fail(f"the broker does not answer{doubt}")
        client.connect_timeout = self._timeout_s
        client.reconnect_delay_set(*_RETRY_S)
        client.connect_async(self._remote.host, self._remote.port)
        client.loop_start()
        self._client = client

    def close(self) -> None:
        """Leave the broker."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()

    def _fail(self, why: str) -> None:
        self.fault = f"{self._name}: {why}"

    def _joined(self, client: Any, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        if reason.is_failure:
            self._fail(f"{reason} (the login is not tried again)")
            client.disconnect()
            return
        self.fault = ""
        client.subscribe(self._topic, 1)

    def _left(self, _client: object, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        if not self.fault:
            self._fail(f"the connection was lost: {reason}")

    def _arrived(self, _client: object, _data: object, message: Any) -> None:
        try:
            self._take(bytes(message.payload[: MOST_BYTES + 1]), message.retain)
            self.fault = ""
        except InputError as error:
            self._fail(f"{self._topic}: {error.faults[0]}")
