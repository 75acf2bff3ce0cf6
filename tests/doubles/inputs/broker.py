"""An MQTT broker (amqtt) on loopback that one client publishes to, with a login or TLS if the test wants them."""

import asyncio
import json
import threading

from amqtt.broker import Broker as AmqttBroker
from argon2 import PasswordHasher
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

USER, PASSWORD = "controller", "correct horse"


class Broker:
    """Runs in a thread of its own until it is closed."""

    def __init__(self, *, login=None, certificate=None, port=0):
        self._loop, self._ready = asyncio.new_event_loop(), threading.Event()
        listener = {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 10}
        if certificate is not None:
            listener |= {"ssl": True, "certfile": str(certificate[0]), "keyfile": str(certificate[1])}
        plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": login is None}}
        if login is not None:
            login.write_text(f"{USER}:{PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)}\n")
            plugins = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(login)}}
        self._config = {"listeners": {"default": listener}, "plugins": plugins}
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(30.0)
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

    def publish(self, content, topic="maestro/target", *, retain=False):
        payload = content if isinstance(content, bytes) else json.dumps(content)
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(30.0)

    def close(self):
        if not self._thread.is_alive():
            return
        self._client.disconnect()
        self._client.loop_stop()
        asyncio.run_coroutine_threadsafe(self._broker.shutdown(), self._loop).result(30.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30.0)

    def _serve(self):
        asyncio.set_event_loop(self._loop)
        self._broker = AmqttBroker(self._config, loop=self._loop)
        self._loop.run_until_complete(self._broker.start())
        (server,) = self._broker._servers.values()
        self.port = server.instance.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
