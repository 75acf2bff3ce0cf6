"""A family takes no other family's reply for its own, and says what it saw instead."""

import pytest
from doubles.miners import antminer, avalon, descendants, rest, whatsminer
from doubles.miners.axeos import FakeAxeOS, info, nerd_info
from doubles.miners.server import FakeMiner
from doubles.miners.unit import Unit

from bench.miners.families import antminer as stock_antminer
from bench.miners.families import (
    auradine,
    axeos,
    braiins,
    epic,
    load,
    luxos,
    names,
    proto,
    sealminer,
    vnish,
    whatsminer_v3,
)
from bench.miners.families import avalon as stock_avalon
from bench.miners.families import whatsminer as stock_whatsminer
from bench.miners.link import CGMINER, WEB, Address
from bench.miners.reader import Miner, MinerError

UNIT = Unit()
ANTMINER = {
    "STATUS": [{"STATUS": "S", "Description": "cgminer 1.0.0"}],
    "VERSION": [{"BMMiner": "1.0.0", "API": "3.1", "Miner": "49.0.1.3", "Type": "Antminer S19 Pro"}],
    "id": 1,
}
AVALON = {"STATUS": [{"STATUS": "S"}], "VERSION": [{"CGMiner": "4.11.1", "PROD": "AvalonMiner 1246"}], "id": 1}
WHATSMINER = {"STATUS": "S", "When": 1, "Code": 131, "Msg": {"api_ver": "2.0.3", "fw_ver": "20230101.22.REL"}}
DOCUMENTS = {
    "axeos": [info(UNIT, version) for version in ("v2.4.1", "v2.15.0")] + [nerd_info(UNIT)],
    "luxos": [descendants.luxos(UNIT)["version"]],
    "braiins": [
        descendants.braiins(UNIT)["version"],
        descendants.braiins(UNIT, key="BOSminer")["version"],
        descendants.braiins(UNIT, key="BOSminer+")["version"],
    ],
    "sealminer": [descendants.sealminer(UNIT)["version"]],
    "auradine": [descendants.auradine(UNIT)["version"], descendants.auradine(UNIT, key="FluxOS")["version"]],
    "epic": [rest.epic(UNIT)["summary"]],
    "vnish": [rest.vnish(UNIT)["info"]],
    "proto": [rest.proto(UNIT)["system"]],
    "antminer": [ANTMINER, *(make()["version"] for make in (antminer.s19_pro, antminer.s9, antminer.s21))],
    "avalon": [AVALON, *(make()["version"] for make in (avalon.a1246, avalon.a1566, avalon.q_idle, avalon.nano3))],
    "whatsminer": [WHATSMINER, *(make()["get_version"] for make in (whatsminer.v1, whatsminer.v2))],
    "whatsminer-v3": [whatsminer.v3()["get.device.info"]],
    "none of them": [{}, [], None, "<html></html>", 7, {"VERSION": []}, {"VERSION": [7]}],
}
MODULES = {"axeos": axeos, "luxos": luxos, "braiins": braiins, "sealminer": sealminer, "auradine": auradine,
           "epic": epic, "vnish": vnish, "proto": proto, "antminer": stock_antminer, "avalon": stock_avalon,
           "whatsminer": stock_whatsminer, "whatsminer-v3": whatsminer_v3}  # fmt: skip


@pytest.mark.parametrize("family", MODULES)
def test_a_family_recognises_its_own_replies_and_no_other(family):
    taken = [name for name, documents in DOCUMENTS.items() for one in documents if MODULES[family].recognise(one)]
    assert taken == [family] * len(DOCUMENTS[family])


@pytest.mark.parametrize("family", ["luxos", "braiins", "sealminer", "auradine"])
def test_a_stock_antminer_is_refused_with_the_program_that_was_seen(family):
    fake = FakeMiner({"version": ANTMINER})
    try:
        miner = Miner(Address("127.0.0.1"), load(family), ports={CGMINER: fake.port}, sleep=lambda _: None)
        with pytest.raises(
            MinerError, match=r"version: expected a version of .*, got 'cgminer 1\.0\.0' with the keys B"
        ):
            miner.poll()
        assert len(fake.requests) == 1, "nothing else is asked of a machine of another family"
    finally:
        fake.close()


@pytest.mark.parametrize("family", ["vnish", "proto"])
def test_a_web_family_is_refused_by_another_with_the_cause(family):
    fake = FakeAxeOS(Unit(1e12, 17.0))
    try:
        miner = Miner(Address("127.0.0.1"), load(family), ports={WEB: fake.port}, sleep=lambda _: None)
        with pytest.raises(MinerError, match="HTTP status 404") as caught:
            miner.poll()
        assert "\n" not in str(caught.value)
    finally:
        fake.close()


def test_every_family_here_is_in_the_table():
    assert set(MODULES) <= set(names())
