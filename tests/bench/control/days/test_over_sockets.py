"""A whole controller on a twin over real sockets: shadow sends nothing that changes, and the same run armed does."""

import json

import pytest
from doubles.twin import controller
from doubles.twin.running import running_twin

from bench.twin.files import write_files
from bench.twin.servers.antminer import PASSWORD

KINDS = ("luxos-s19", "antminer-s21", "braiins-s19", "avalon-a15", "axeos-gamma")


def controlled(folder, mode, capsys, monkeypatch):
    """Return what each cycle printed, and what the units of every protocol received."""
    monkeypatch.setenv("PERWATT_TWIN_PASSWORD", PASSWORD)
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    with running_twin(units=10, kinds=KINDS) as twin:
        write_files(folder, twin.twin, twin.served)
        controller.main(folder, f"http://{twin.served.pages}", 5, armed=mode == "armed")
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return lines, twin.page("/bytes"), [unit.level_w(twin.twin.clock()) for unit in twin.twin.units]


@pytest.mark.parametrize("mode", ["shadow", "armed"])
def test_bytes_that_change_a_device_come_only_from_an_armed_controller(tmp_path, capsys, monkeypatch, mode):
    lines, received, levels = controlled(tmp_path, mode, capsys, monkeypatch)
    assert [line["mode"] for line in lines] == [mode] * 5
    assert sum(line["commands"] for line in lines) > 0, "nothing was decided, so nothing is proven"
    assert received["read_bytes"] > 0
    if mode == "shadow":
        assert (received["changes"], received["change_bytes"], received["units_changed"]) == (0, 0, 0)
        assert 0.0 not in levels
    else:
        assert received["change_bytes"] > 0
        assert 0.0 in levels
