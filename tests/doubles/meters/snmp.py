"""An SNMP agent with pysnmp's own command responder, versions 2c and 3, for any table."""

import asyncio
import threading

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto.api import v2c
from pysnmp.smi.error import GenError

from doubles.meters.device import choices_of

USER, PASSWORD, COMMUNITY = "reader", "correct horse", "racks"


class SnmpPeer:
    """One PDU."""

    def __init__(self, device, table):
        self.device, self.points = device, list(table.points.values())
        self.choices, self.digits = choices_of(table), 3
        self.asked, self.given_up = 0, threading.Event()
        self._ready, self._loop = threading.Event(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    def close(self):
        if not self._thread.is_alive():
            return
        self.given_up.set()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def values(self):
        """Return every object of the agent by its numbers."""
        found = {}
        for point in self.points:
            digits = 0 if point.quantity == "energy" else self.digits
            scale = 10.0**digits if point.digits_at and digits in range(10) else 1.0
            raw = round(self.device.share(point, self.points) / point.factor * scale)
            if self.device.mode == "sentinel" and point.quantity in {"power", "energy"}:
                raw = 2**31 - 1
            found[_numbers(point.at["oid"], self.choices)] = v2c.Gauge32(min(max(raw, 0), 2**32 - 1))
            if point.digits_at:
                found[_numbers(point.digits_at["oid"], self.choices)] = (
                    v2c.OctetString(digits) if isinstance(digits, str) else v2c.Integer32(digits)
                )
        return found

    def _serve(self):
        asyncio.set_event_loop(self._loop)
        agent = engine.SnmpEngine()
        transport = udp.UdpTransport(loop=self._loop).open_server_mode(("127.0.0.1", 0))
        config.add_transport(agent, udp.DOMAIN_NAME, transport)
        config.add_v1_system(agent, "area", COMMUNITY)
        config.add_v1_system(agent, "public-area", "public")
        config.add_v3_user(agent, USER, config.USM_AUTH_HMAC192_SHA256, PASSWORD, config.USM_PRIV_CFB128_AES, PASSWORD)
        for model, name, level in (
            (2, "area", "noAuthNoPriv"),
            (2, "public-area", "noAuthNoPriv"),
            (3, USER, "authPriv"),
        ):
            config.add_vacm_user(agent, model, name, level, (1, 3, 6))
        place = context.SnmpContext(agent)
        place.unregister_context_name(v2c.OctetString(""))
        place.register_context_name(v2c.OctetString(""), _Objects(self))
        cmdrsp.GetCommandResponder(agent, place)

        async def start():
            await transport._lport
            self.port = transport.transport.get_extra_info("sockname")[1]
            self._ready.set()

        self._loop.create_task(start())
        self._loop.run_forever()
        agent.close_dispatcher()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class _Objects:
    """The agent's objects, filled at each request."""

    def __init__(self, peer):
        self.peer = peer

    def read_variables(self, *bindings, **_):
        peer = self.peer
        peer.asked += 1
        if peer.device.mode == "refusing":
            raise GenError
        if peer.device.mode == "silent":
            peer.given_up.wait()
        values = peer.values()
        return [(name, values.get(tuple(name), v2c.NoSuchInstance())) for name, _value in bindings]


def _numbers(text, choices):
    return tuple(int(number) for number in text.format(**choices).split(".") if number)
