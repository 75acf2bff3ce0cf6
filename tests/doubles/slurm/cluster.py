"""A real Slurm: munged, slurmctld and a slurmd for each node, all on the loopback and below one temporary folder."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue")
WAIT_S = 60.0  # [s] for a daemon, or for what Slurm is to do
END_S = 5.0  # [s] for a daemon to end
DOWN_AFTER_S = 3  # [s] after which a node that does not answer is down
_SYSTEM = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"  # Debian keeps daemons off a user's PATH
# Root runs everything: no user of Debian's packages is needed. There are no cgroups, and no accounting: both would need
# more of the machine than a test may change.
_CONF = """\
ClusterName=perwatt
SlurmctldHost={machine}(127.0.0.1)
SlurmctldPort={port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
ReturnToService=2
SlurmdTimeout={down_after_s}
MessageTimeout=2
KillWait={kill_wait_s}
SlurmdParameters=config_overrides
Licenses=domain:1
{nodes}
PartitionName=lab Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """Return why no cluster can run here, or an empty text."""
    absent = [program for program in PROGRAMS if shutil.which(program, path=_SYSTEM) is None]
    if absent:
        return f"{', '.join(absent)}: not installed: apt-get install slurmctld slurmd slurm-client munge"
    return "" if os.geteuid() == 0 else "slurmd starts jobs as root only"


class Cluster:
    """A running cluster; it is stopped, with all that its jobs left behind, by `close`.

    Parameters
    ----------
    nodes
        Names of its nodes. All are this machine.
    kill_wait_s
        How long a cancelled job may take to end before it is killed [s].
    cpus
        Processors of a node, as Slurm counts them.
    """

    def __init__(self, nodes=("n1", "n2", "n3"), *, kill_wait_s=30, cpus=1):
        self.nodes = tuple(nodes)
        self.folder = Path(tempfile.mkdtemp(prefix="perwatt-slurm-", dir="/tmp"))  # a socket has 107 characters
        self.folder.chmod(0o755)
        self.variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SBATCH_"))},
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": _SYSTEM,
        }
        self._daemons = {}
        port, *ports = _free_ports(1 + len(self.nodes))
        machine = socket.gethostname().partition(".")[0]
        lines = [
            f"NodeName={node} NodeHostname={machine} NodeAddr=127.0.0.1 Port={number} CPUs={cpus} State=UNKNOWN"
            for node, number in zip(self.nodes, ports, strict=True)
        ]
        (self.folder / "slurm.conf").write_text(
            _CONF.format(
                folder=self.folder, machine=machine, port=port, nodes="\n".join(lines),
                kill_wait_s=kill_wait_s, down_after_s=DOWN_AFTER_S,
            )
        )  # fmt: skip
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self):
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        for name in ("state", *(f"spool-{node}" for node in self.nodes)):
            (self.folder / name).mkdir()
        files = [
            f"--{what}={self.folder}/munge.{what.partition('-')[0]}" for what in ("pid-file", "seed-file", "socket")
        ]
        log, threads = f"--log-file={self.folder}/munge.log", "--num-threads=2"
        self._start("munged", "--foreground", "--force", f"--key-file={key}", *files, log, threads)
        self.until((self.folder / "munge.socket").exists, "munged listens")
        self._start("slurmctld", "-D")
        for node in self.nodes:
            self.restart(node)
        self.until(lambda: self.states() == dict.fromkeys(self.nodes, "idle"), "every node is idle")

    def run(self, *command, status=0, **more):
        """Run a command of Slurm and return its standard output, without the last line break."""
        done = subprocess.run(
            command, env=self.variables, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=WAIT_S,
            check=False, **more,
        )  # fmt: skip
        assert done.returncode == status, f"{command}: {done.returncode}: {done.stdout}{done.stderr}"
        return (done.stdout if status == 0 else done.stderr).rstrip("\n")

    def states(self):
        """Return the state of each node, as sinfo names it; a node that does not answer bears an asterisk."""
        done = subprocess.run(
            ["sinfo", "-h", "-N", "-o", "%N %T"], env=self.variables, capture_output=True, text=True, check=False
        )
        return dict(line.split() for line in done.stdout.splitlines())

    def queue(self):
        """Return the state of each task that is pending, running or completing, by its job id."""
        return dict(line.split("|") for line in self.run("squeue", "-h", "-r", "-o", "%i|%T").splitlines())

    def show(self, job):
        """Return what slurmctld knows of a job, or of a task of an array."""
        return dict(re.findall(r"(\S+?)=(\S*)", self.run("scontrol", "show", "job", str(job))))

    def until(self, condition, what, limit_s=WAIT_S):
        """Wait for a condition, and return its value."""
        end_s = time.monotonic() + limit_s
        while not (value := condition()):
            assert time.monotonic() < end_s, f"in vain, after {limit_s} s: {what}\n{self._logs()}"
            time.sleep(0.05)
        return value

    def cut_off(self, node):
        """End the daemon of a node at once: Slurm no longer reaches it, and what runs there goes on."""
        daemon = self._daemons.pop(node)
        daemon.kill()
        daemon.wait()

    def restart(self, node):
        """Start the daemon of a node, as after a boot or when the network is back."""
        self._start("slurmd", "-D", "-N", node, name=node)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stop all daemons, end what is left of their jobs, and remove the folder."""
        for daemon in reversed(self._daemons.values()):
            daemon.terminate()
        for daemon in self._daemons.values():
            try:
                daemon.wait(END_S)
            except subprocess.TimeoutExpired:  # a slurmd with a running job may wait for its controller, which is gone
                daemon.kill()
                daemon.wait()
        for process in self._left_behind():
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, program, *arguments, name=None):
        path = shutil.which(program, path=_SYSTEM)
        self._daemons[name or program] = subprocess.Popen(
            [path, *arguments], env=self.variables, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def _left_behind(self):
        """Processes with this cluster's own configuration among their variables, or with its log: nobody else's."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.pid != os.getpid() and (
                    process.environ().get("SLURM_CONF") == self.variables["SLURM_CONF"]
                    or any(Path(file.path).parent == self.folder for file in process.open_files())
                ):
                    yield process

    def _logs(self):
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.name}: {line}" for log in logs for line in log.read_text().splitlines()[-5:])


def _free_ports(count):
    """Return ports that the kernel has free: Slurm takes no port 0."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [taken.getsockname()[1] for taken in sockets]
