"""Lanes: measurements of different lanes share nothing, and the names of lanes are those of their domains."""

import random
from itertools import combinations
from pathlib import Path

from doubles.lab.folder_hosts import job

from bench.lab.inventory.read import parse_lab
from bench.lab.slurm.lanes import lane_names, lanes

NESTED = """\
[lab]
name = "nested"
[[domain]]
name = "rack-[1-2]"
within = "phase"
[[domain]]
name = "phase"
[[domain]]
name = "other"
[[host]]
name = "a[1-2]"
domain = "rack-[1-2]"
[[host]]
name = "b"
domain = "other"
[[host]]
name = "c"
[[miner]]
name = "m"
address = "192.0.2.7"
from = "c"
"""
METER = """\
[[meter]]
name = "pdu"
spec = "shelly:192.0.2.9"
read_by = "c"
covers = ["a1", "b"]
"""


def lab_of(text):
    return parse_lab(text.encode(), Path("lab.toml"))


def jobs_of(lab):
    found = [job(name, domains=lab.domains_of_host(name)) for name in lab.hosts]
    return found + [
        job(miner.measured_from, "asic", domains=lab.domains_of_miner(name)) for name, miner in lab.miners.items()
    ]


def hosts(lab):
    by_lane = lanes(jobs_of(lab), lane_names(lab))
    return {lane: [one.host for one in jobs] for lane, jobs in by_lane.items()}


def test_nested_domains_are_one_lane_and_a_host_without_a_domain_is_its_own():
    assert hosts(lab_of(NESTED)) == {"phase": ["a1", "a2"], "other": ["b"], "host:c": ["c", "c"]}


def test_a_meter_that_covers_two_domains_joins_their_lanes():
    assert hosts(lab_of(NESTED + METER)) == {"other": ["a1", "a2", "b"], "host:c": ["c", "c"]}


def test_jobs_of_two_lanes_of_any_lab_share_no_domain():
    for seed in range(200):
        draw = random.Random(seed)
        domains = [f"d{number}" for number in range(draw.randint(1, 6))]
        text = '[lab]\nname = "random"\n'
        for number, name in enumerate(domains):
            within = f'within = "{draw.choice(domains[:number])}"\n' if number and draw.random() < 0.5 else ""
            text += f'[[domain]]\nname = "{name}"\n{within}'
        names = [f"h{number}" for number in range(draw.randint(1, 8))]
        for name in names:
            text += f'[[host]]\nname = "{name}"\n' + draw.choice(["", f'domain = "{draw.choice(domains)}"\n'])
        for number in range(draw.randint(0, 2)):
            covers = ", ".join(f'"{name}"' for name in draw.sample(names, min(2, len(names))))
            text += f'[[meter]]\nname = "m{number}"\nspec = "shelly:192.0.2.{number}"\nread_by = "h0"\n'
            text += f"covers = [{covers}]\n"
        lab = lab_of(text)
        by_lane = lanes(jobs_of(lab), lane_names(lab))
        assert sum(map(len, by_lane.values())) == len(names)
        for first, second in combinations(by_lane.values(), 2):
            assert not {domain for one in first for domain in one.domains} & {d for one in second for d in one.domains}
