"""The way to each host of a lab, by what its file says."""

from bench.lab.inventory.lab import Host, Lab
from bench.lab.reach.local import LocalReach
from bench.lab.reach.protocol import Reach
from bench.lab.reach.slurm import SlurmReach
from bench.lab.reach.ssh import SshReach


def reach_of(lab: Lab, host: Host) -> Reach:
    """Return the way to a host."""
    if host.reach == "local":
        return LocalReach(host)
    return SlurmReach(host) if host.reach == "slurm" else SshReach(host, lab.ssh_config)
