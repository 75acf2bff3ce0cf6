"""Instruments that answer lines over TCP: one for SCPI, one for PTDaemon's dialogue."""

import contextlib
import socket
import threading
from datetime import UTC, datetime


class LinePeer:
    """Answers each line; `heard` keeps all of them."""

    def __init__(self, device, table):
        self.device, self.points, self.heard = device, list(table.points.values()), []
        self._given_up = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    def close(self):
        if self._given_up.is_set():
            return
        self._given_up.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):  # the meter has closed it
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection:
            try:
                for line in connection.makefile("r", encoding="ascii", newline="\n"):
                    self.heard.append(line.strip())
                    if self.device.mode == "silent":
                        self._given_up.wait()
                        return
                    if self.device.mode == "refusing":
                        return
                    answer = self.reply(line.strip())
                    if answer is not None:
                        connection.sendall(answer.encode("ascii") + b"\r\n")
            except OSError:
                return

    def number(self, point):
        if self.device.mode == "sentinel" and point.quantity in {"power", "energy"}:
            return 9.91e37
        return self.device.share(point, self.points) / point.factor


class ScpiPeer(LinePeer):
    """An analyzer whose numeric items are those of a table."""

    def reply(self, line):
        if line == "*IDN?":
            return "YOKOGAWA,WT310E,C3VE00001E,F1.04"
        for point in self.points:
            if line == point.at.get("check"):
                return line.rstrip("?") + " " + point.at["expects"]
        asked = [point for point in self.points if point.at["query"] == line]
        if not asked:
            return None
        values = ["NAN"] * (1 + max(point.at.get("item", 0) for point in asked))
        for point in asked:
            values[point.at.get("item", 0)] = f"{self.number(point):.6E}"
        return ",".join(values)


class PtDaemonPeer(LinePeer):
    """PTDaemon's dialogue with one analyzer of one channel; every sample comes with its own time."""

    refuses = ()  # commands at which it breaks the connection off
    notices = ("08:00:01 NOTICE: a line in between",)  # before each sample

    def __init__(self, device, table):
        self.ranges, self.running, self.mark = {"V": "300.0", "A": "Auto"}, False, "notset"
        super().__init__(device, table)

    def restart(self):
        """End every connection and forget the measurement, as a daemon that is started anew."""
        self.running = False
        self.break_off()

    def break_off(self):
        """End every connection; the measurement goes on."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # the meter has closed it
                connection.shutdown(socket.SHUT_RDWR)

    def reply(self, line):  # noqa: C901, PLR0911 (one answer for each command)
        command, *words = line.split(",")
        if command in self.refuses:
            self.break_off()
            return None
        if command == "Hello":
            return "Hello, PTDaemon here!"
        if command == "Identify":
            return "WT333E,V1.11.2,1.10.0-4f5a1a8d"
        if command == "RR":
            amps = ("1", "-1.0") if self.ranges["A"] == "Auto" else ("0", self.ranges["A"])
            volts = ("1", "-1.0") if self.ranges["V"] == "Auto" else ("0", self.ranges["V"])
            return ",".join(["Ranges", *amps, *volts])
        if command == "SR":
            self.ranges[words[0]] = words[1]
            return f"Range {words[0]} changed"
        if command == "Go" and self.running:
            return "Error: a measurement is in progress"
        if command == "Go":
            self.running, self.mark = True, words[2]
            return "Starting untimed measurement, maximum 500000 samples at 1000ms with 0 rampup samples"
        if command == "Stop":
            self.running = False
            return "Stopping untimed measurement"
        if command == "RL":
            if not self.running:
                return "Last 0 samples"
            return "\r\n".join(["Last 1 samples", *self.notices, self._sample()])
        return f"Unknown command: {line}"

    def _sample(self):
        figures = self.device.figures()
        watts = 9.91e37 if self.device.mode == "sentinel" else figures["power"]
        time = datetime.fromtimestamp(figures["time"], UTC).strftime("%m-%d-%Y %H:%M:%S.%f")[:-3]
        parts = f"Time,{time},Watts,{watts:.6f},Volts,-1.000000,Amps,-1.000000,PF,-1.000000,Mark,{self.mark}"
        volts, amps, factor = figures["volts"], figures["amps"], figures["power_factor"]
        return f"{parts},Ch1,Watts,{watts:.6f},Volts,{volts:.6f},Amps,{amps:.6f},PF,{factor:.6f}"
