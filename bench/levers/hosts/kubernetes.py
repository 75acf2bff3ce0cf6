"""The lever of a Deployment or StatefulSet of Kubernetes: scaled to no replica, and back to the number as found.

A change names the version of the object that was read, so a person's change between look and command wins. An object
that an autoscaler scales is refused, because the two would fight. The official client (extra `kubernetes`) speaks to
the cluster that the kubeconfig names; its calls are bounded in time and not in bytes.

References
----------
Kubernetes API reference: apps/v1 Deployment, StatefulSet and Scale; autoscaling/v2 HorizontalPodAutoscaler.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.credentials import scrub_text
from bench.levers.judging import judge
from bench.levers.protocol import Answer, Evidence, Observation, Reply, Setting
from bench.levers.registry import LeverKind
from hardware_profiles.errors import InputError, shown
from sites.control.model import OFF, ON, Level, UnitState

CALL_S = 10.0  # [s] for one request
_KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet"}
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_ADDRESS = "NAMESPACE/deployment/NAME or NAMESPACE/statefulset/NAME"


class Scaled(NamedTuple):
    """What the cluster says of the object."""

    uid: str
    version: str  # of the object, which a change names
    wanted: int  # replicas by its specification
    present: int
    ready: int
    autoscaler: str  # name of the one that scales it; empty if there is none


class Place(NamedTuple):
    """The object in its cluster."""

    namespace: str
    kind: str
    name: str


class Workload:
    """A Deployment or StatefulSet.

    Parameters
    ----------
    place
        The object.
    api
        The official client's connection to the cluster.
    """

    writes_flash = False
    levels = (Level(OFF), Level(ON))

    def __init__(self, place: Place, api: Any) -> None:
        from kubernetes import client

        self._place, self._api = place, api
        self._apps, self._scalers = client.AppsV1Api(api), client.AutoscalingV2Api(api)
        self._replicas: int | None = None  # as found
        self._autoscaler = ""  # at the latest look
        self._turn = threading.Lock()  # a call that was given up may still run

    async def observe(self, now_s: float) -> Observation:
        """Ask the cluster for the object; between two numbers of replicas it is changing."""
        try:
            seen = await self._read()
        except _CallError as error:
            return Observation(now_s, UnitState.UNKNOWN, reasons=(error.code,))
        reasons = ("autoscaled",) if seen.autoscaler else ()
        if seen.wanted == 0:
            state = UnitState.CHANGING if seen.present else UnitState.OFF
        else:
            state = UnitState.RUNNING if seen.ready == seen.present == seen.wanted else UnitState.CHANGING
        return Observation(now_s, state, level=ON if seen.wanted else OFF, identity=seen.uid, reasons=reasons)

    async def as_found(self) -> Setting | None:
        """Return the number of replicas, or None if it could not be read or an autoscaler sets it."""
        try:
            seen = await self._read()
        except _CallError:
            return None
        if seen.autoscaler:
            return None
        if seen.wanted:
            self._replicas = seen.wanted
        return {"replicas": seen.wanted}

    def recall(self, setting: Setting) -> None:
        """Take the number of replicas from a stored setting, after a restart at which the object may be scaled to 0."""
        if _is_count(setting.get("replicas")) and setting["replicas"]:
            self._replicas = setting["replicas"]

    def can(self, level: str) -> str | None:
        """Return why a level cannot be set."""
        if level not in {OFF, ON}:
            return "unknown_level: expected off or on"
        return f"autoscaled: {self._autoscaler} scales it" if self._autoscaler else None

    async def to(self, level: str, deadline_s: float) -> Answer:
        """Scale to no replica, or to the number as found."""
        if why := self.can(level):
            return Answer(Reply.REFUSED, why)
        if level == ON and self._replicas is None:
            return Answer(Reply.REFUSED, "config_incomplete: the number of replicas as found is not known")
        return await self._scale(0 if level == OFF else self._replicas or 0, deadline_s)

    def confirm(self, level: str, seen: Observation, now_s: float) -> Evidence:
        """Judge whether an observation shows the level."""
        return judge(level, seen, now_s)

    async def restore(self, setting: Setting, deadline_s: float) -> Answer:
        """Scale to the stored number of replicas."""
        if not _is_count(setting.get("replicas")):
            return Answer(Reply.REFUSED, "config_incomplete: the stored setting has no number of replicas")
        return await self._scale(setting["replicas"], deadline_s)

    async def close(self) -> None:
        """Close the connections to the cluster."""
        await asyncio.to_thread(self._api.close)

    async def _scale(self, replicas: int, deadline_s: float) -> Answer:
        try:
            seen = await self._read()
        except _CallError as error:
            return Answer(Reply.REFUSED, str(error))
        if seen.autoscaler:
            return Answer(Reply.REFUSED, f"autoscaled: {seen.autoscaler} scales it")
        if seen.wanted == replicas:
            return Answer(Reply.ACCEPTED, "nothing to send: the number of replicas is so")
        body = {"metadata": {"resourceVersion": seen.version}, "spec": {"replicas": replicas}}
        patch = getattr(self._apps, f"patch_namespaced_{_function(self._place.kind)}_scale")
        try:
            await self._call(patch, self._place.name, self._place.namespace, body, time_s=min(deadline_s, CALL_S))
        except _CallError as error:
            reply = Reply.SILENT if error.code == "no_answer" else Reply.REFUSED
            return Answer(reply, str(error))
        return Answer(Reply.ACCEPTED, f"{replicas} replicas")

    async def _read(self) -> Scaled:
        """Return the object and its autoscaler.

        Raises
        ------
        _CallError
            The cluster does not answer, or not completely.
        """
        namespace, kind, name = self._place
        read = getattr(self._apps, f"read_namespaced_{_function(kind)}")
        found = await self._call(read, name, namespace)
        scalers = await self._call(self._scalers.list_namespaced_horizontal_pod_autoscaler, namespace)
        mine = [
            scaler.metadata.name
            for scaler in scalers.items
            if (scaler.spec.scale_target_ref.kind, scaler.spec.scale_target_ref.name) == (_KINDS[kind], name)
        ]
        self._autoscaler = mine[0] if mine else ""
        wanted, status = found.spec.replicas, found.status
        if not _is_count(wanted) or not found.metadata.uid or not found.metadata.resource_version:
            raise _CallError("malformed", "the answer has no number of replicas, uid or version")
        present, ready = status.replicas or 0, status.ready_replicas or 0
        return Scaled(found.metadata.uid, found.metadata.resource_version, wanted, present, ready, self._autoscaler)

    async def _call(self, function: Callable[..., Any], *arguments: Any, time_s: float = CALL_S) -> Any:
        """Return the answer to one request of the client, which waits in a thread of its own."""
        from kubernetes.client.exceptions import ApiException

        def call() -> Any:
            with self._turn:
                return function(*arguments, _request_timeout=(time_s, time_s))

        try:
            async with asyncio.timeout(time_s):
                return await asyncio.to_thread(call)
        except TimeoutError:
            raise _CallError("no_answer", f"no answer within {time_s:g} s") from None
        except ApiException as error:
            why = f"HTTP status {error.status}: {' '.join(str(error.reason).split())[:100]}"
            raise _CallError(_CODES.get(error.status, "refused" if error.status else "no_answer"), why) from None
        except Exception as error:  # noqa: BLE001 (urllib3's own errors, and answers that the client cannot read)
            raise _CallError("no_answer", f"{type(error).__name__}: {' '.join(str(error).split())[:160]}") from None


_CODES = {401: "login_refused", 403: "no_permission", 409: "changed_meanwhile"}


class _CallError(Exception):
    """A request that failed."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(scrub_text(f"{code}: {why}"))
        self.code = code


def _function(kind: str) -> str:
    return "stateful_set" if kind == "statefulset" else kind


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def make(address: str, options: Mapping[str, str]) -> Workload:
    """Return the lever of a Deployment or StatefulSet.

    Raises
    ------
    InputError
        The address is none, the client is not installed, or there is no usable kubeconfig.
    """
    parts = address.split("/")
    if len(parts) != 3 or parts[1] not in _KINDS or not _NAME.fullmatch(parts[0]) or not _NAME.fullmatch(parts[2]):
        raise InputError.at("address", expected=_ADDRESS, got=address)
    try:
        from kubernetes import config
    except ImportError:
        raise InputError("kubernetes: expected the official client: pip install 'perwatt[kubernetes]'") from None
    stated = options.get("kubeconfig")
    path = None if stated is None else str(Path(stated).expanduser())
    try:
        api = config.new_client_from_config(config_file=path, context=options.get("context"))
    except Exception as error:  # noqa: BLE001 (ConfigException, and what YAML and files raise)
        why = scrub_text(" ".join(str(error).split()))[:200]
        raise InputError.at("key", "kubeconfig", expected="a kubeconfig with this context", got=shown(why)) from None
    api.configuration.retries = 0
    return Workload(Place(*parts), api)


ENTRY = LeverKind(
    "kubernetes", "Deployment or StatefulSet of Kubernetes: scale to 0 and back", _ADDRESS, make,
    ("kubeconfig", "context"),
)  # fmt: skip
