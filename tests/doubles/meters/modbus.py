"""A Modbus meter: pymodbus's server, whose registers a table describes and a device fills at each request."""

import asyncio
import struct
import threading

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from bench.meters.transports.modbus import Modbus
from bench.network.tcp import HostPort

_LETTERS = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f",
            "float64": "d"}  # fmt: skip


class ModbusPeer:
    """One meter behind one port."""

    def __init__(self, device, table, *, rtu=False):
        self.device, self.points = device, list(table.points.values())
        parser = Modbus(HostPort("127.0.0.1", 1), 1, rtu=False, settings={}, place="test")
        self.places = [parser.place_of(point.at) for point in self.points]
        self.device_id = table.transport_settings.get("device_id", 1)
        self.frame = "rtu" if rtu else "tcp"
        self.requests = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    def close(self):
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result()
            self._thread.join()

    def _serve(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self):
        blocks = {3: [], 4: []}
        for place in self.places:
            blocks[place.function].append(SimData(place.address, count=place.count, datatype=DataType.REGISTERS))
        nothing = [SimData(60000, count=1, datatype=DataType.REGISTERS)]
        bits = [SimData(0, count=1, datatype=DataType.BITS)]
        device = SimDevice(
            self.device_id, simdata=(bits, bits, blocks[3] or nothing, blocks[4] or nothing), action=self._fill
        )
        framer = FramerType.RTU if self.frame == "rtu" else FramerType.SOCKET
        self._server = ModbusTcpServer(device, address=("127.0.0.1", 0), framer=framer)
        await self._server.listen()
        self.port = self._server.transport.sockets[0].getsockname()[1]
        self._ready.set()
        await self._server.serving

    async def _fill(self, function, start, address, count, registers, _values):
        self.requests.append((function, address, count))
        if self.device.mode == "silent":
            await asyncio.Event().wait()  # no answer, until the peer is closed
        if self.device.mode == "refusing":
            return ExcCodes.DEVICE_BUSY
        for point, place in zip(self.points, self.places, strict=True):
            first = place.address - start
            if place.function == function and address <= place.address < address + count:
                registers[first : first + place.count] = self._words(point, place)
        return None

    def _words(self, point, place):
        if self.device.mode == "sentinel" and point.quantity in {"power", "energy"}:
            words = [0x7FC0, 0] if place.type == "float32" else [0x7FFF, *[0xFFFF] * (place.count - 1)]
            return list(reversed(words)) if place.low_word_first else words
        raw = self.device.share(point, self.points) / point.factor
        letter = _LETTERS[place.type]
        packed = struct.pack(f">{letter}", raw if letter in "fd" else round(raw))
        words = list(struct.unpack(f">{place.count}H", packed))
        return list(reversed(words)) if place.low_word_first else words
