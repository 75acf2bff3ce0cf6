"""A broker (amqtt) and a meter that publishes to it, for any table."""

import asyncio
import json
import threading

from amqtt.broker import Broker
from argon2 import PasswordHasher
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from doubles.meters.device import choices_of
from doubles.meters.web import put

USER, PASSWORD = "reader", "correct horse"


class MqttPeer:
    """Sends one message of each topic at each call of `publish`, and waits until the meter has it."""

    def __init__(self, device, table, *, login=None, certificate=None):
        self.device, self.points = device, list(table.points.values())
        self.listening, self.arrived = False, threading.Semaphore(0)
        self.left = []  # of each client that is gone: whether it said goodbye
        self.choices = choices_of(table)
        self._loop, self._ready = asyncio.new_event_loop(), threading.Event()
        listener = {"type": "tcp", "bind": "127.0.0.1:0", "max_connections": 10}
        if certificate is not None:
            listener |= {"ssl": True, "certfile": str(certificate[0]), "keyfile": str(certificate[1])}
        plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": login is None}}
        if login is not None:
            login.write_text(f"{USER}:{PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)}\n")
            plugins = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(login)}}
        self._config = {"listeners": {"default": listener}, "plugins": plugins}
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if login is not None:
            self._client.username_pw_set(USER, PASSWORD)
        if certificate is not None:
            self._client.tls_set(str(certificate[0]))
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    def publish(self, *, retain=False):
        """Send one message of each topic; the broker keeps a retained one for those who come later."""
        if self.device.mode in {"silent", "refusing"}:
            return
        for topic in dict.fromkeys(point.at["topic"] for point in self.points):
            document = {}
            for point in self.points:
                if point.at["topic"] != topic:
                    continue
                value = None if self.device.mode == "sentinel" else self.device.share(point, self.points) / point.factor
                if point.at.get("key"):
                    put(document, point.at["key"].split("/"), value)
                else:
                    document = value
            sent = self._client.publish(topic.format(**self.choices), json.dumps(document), qos=1, retain=retain)
            if retain:
                sent.wait_for_publish(60.0)
                continue
            assert self.arrived.acquire(timeout=60.0), "the meter got no message"

    def close(self):
        if not self._thread.is_alive():
            return
        self.listening = False
        self._client.disconnect()
        self._client.loop_stop()
        asyncio.run_coroutine_threadsafe(self._broker.shutdown(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self):
        asyncio.set_event_loop(self._loop)
        self._broker = Broker(self._config, loop=self._loop)
        handle = self._broker._handle_disconnect

        async def handle_disconnect(session, handler, waiter):
            self.left.append(waiter.result() is not None)
            await handle(session, handler, waiter)

        self._broker._handle_disconnect = handle_disconnect
        self._loop.run_until_complete(self._broker.start())
        (server,) = self._broker._servers.values()
        self.port = server.instance.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
