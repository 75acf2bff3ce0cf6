"""The table of levers: every fault of a name, an address or an option is one line that names its place."""

import pytest

from bench.levers import registry
from bench.levers.journal import Device
from hardware_profiles.errors import InputError


@pytest.mark.parametrize("name", registry.names())
def test_every_lever_says_what_it_sets(name):
    kind = registry.entry(name)
    assert (kind.name, bool(kind.line), bool(kind.address)) == (name, True, True)


@pytest.mark.parametrize(
    ("name", "address", "options", "says"),
    [
        ("hok", "true", {}, r"--lever: expected one of .*, got 'hok' \(did you mean hook\?\)"),
        ("hook", " ", {}, "--lever hook: expected a command with its arguments, got nothing"),
        ("hook", "true", {"level": "off"}, r"--lever hook: key level: .*\(did you mean levels\?\)"),
        ("hook", "true", {"password": "x"}, "--lever hook: key password: expected password_file"),
        ("hook", "no-such-command-here", {}, "--lever hook: address: expected a command that can be run"),
    ],
)
def test_a_fault_is_one_line(name, address, options, says):
    with pytest.raises(InputError, match="^" + says) as raised:
        registry.open_lever(name, address, options)
    assert len(raised.value.faults) == 1


def test_a_spec_is_name_address_and_options():
    spec = registry.parse_lever("luxos:10.0.4.1,user=root,password_file=~/.luxos")
    assert spec == ("luxos", "10.0.4.1", {"user": "root", "password_file": "~/.luxos"})
    with pytest.raises(InputError, match=r"^--lever: expected a lever such as"):
        registry.parse_lever(":x")


def test_the_lever_of_a_journal_is_opened_with_its_options():
    lever = registry.open_device(Device("hook", "true", {"levels": "off:3 on:40"}))
    assert [(level.name, level.power_w) for level in lever.levels] == [("off", 3.0), ("on", 40.0)]
