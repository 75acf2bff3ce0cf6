"""The reasons why a measurement of a lab run was not made, or was not collected, in one table with their cures."""

# ruff: noqa: E501 (a table: one row a line)

from typing import NamedTuple


class LabReason(NamedTuple):
    """One reason code."""

    sentence: str
    cure: str


# fmt: off
REASONS: dict[str, LabReason] = {
    # reaching a host
    "unreachable": LabReason("the host does not answer", "check its address, its network and that sshd runs there"),
    "no_login": LabReason("the host refuses the login", "install your public key there and load the private key into an ssh agent; passwords are never asked for"),
    "host_key_unknown": LabReason("the ssh key of the host is not in known_hosts", "compare its fingerprint on the host itself, then log in once by hand"),
    "no_answer": LabReason("the host did not answer", "see whether `perwatt lab host` starts on it, and look at its load"),
    "wrong_answer": LabReason("the host answered with something that perwatt does not write", "check `python` and the perwatt version of this host in lab.toml"),
    "no_perwatt": LabReason("perwatt does not run on the host", "install it there, and set `python` of the host to that Python"),
    # who answers
    "host_changed": LabReason("the host has another machine id or ssh key than at its first check", "if you reinstalled it: `perwatt lab check --accept HOST`"),
    "same_machine": LabReason("two names lead to one machine", "give each host of lab.toml its own address"),
    "answers_for": LabReason("another host of this lab answers under this name", "correct the address in lab.toml, or the name service"),
    "version_differs": LabReason("the host has another perwatt than the other hosts of the run", "install the same version and commit everywhere"),
    # before a start
    "clock_off": LabReason("the clock of the host differs by more than the limit", "let NTP or chrony set the clock of the host"),
    "not_quiet": LabReason("other programs load the host", "stop them, or measure later"),
    "disk_full": LabReason("the disk has too little room for a result", "free some room, then `perwatt lab resume`"),
    "not_writable": LabReason("the folder for jobs on the host cannot be written to", "set `folder` of the host to one that its user owns"),
    "busy": LabReason("another job runs on the host", "wait for it, or see what holds it with `perwatt lab status`"),
    "no_lease": LabReason("the host has no folder in which its lease can be locked", "set PERWATT_LOCKS there to a folder of the user"),
    "job_exists": LabReason("the host has a job of this id already", "`perwatt lab collect` brings its result"),
    "device_missing": LabReason("the device of the job is not in the host", "check the GPU with `perwatt doctor` on the host"),
    "meter_missing": LabReason("a meter of the job does not answer", "check it with `perwatt meter check` on the host"),
    "miner_missing": LabReason("the miner does not answer the host that measures it", "check it with `perwatt miner` on that host"),
    "late": LabReason("the host heard of the job too late to start it", "look at the load of the host and the network; then `perwatt lab resume`"),
    "never_started": LabReason("the host never heard of the job", "`perwatt lab resume` begins it again"),
    "no_worker": LabReason("the host has no Dask worker", "install perwatt[lab] there; with --scheduler, start `dask worker --name HOST` on it"),
    # the job itself
    "killed": LabReason("the job was killed", "look for a shortage of memory on the host; `perwatt lab resume` makes a second attempt"),
    "reboot": LabReason("the host was restarted while the job ran", "`perwatt lab resume` makes a second attempt"),
    "deadline": LabReason("the job took longer than its deadline and was ended", "read log.txt of the job; set a longer deadline"),
    "cancelled": LabReason("the job was cancelled", "`perwatt lab resume` makes a second attempt"),
    "measurement_failed": LabReason("perwatt run ended without a valid result", "read log.txt of the job"),
    "lost": LabReason("the host disappeared while the job ran", "if it comes back, `perwatt lab collect` brings what it finished"),
    # shared meters
    "meter_host_lost": LabReason("the log of a meter that another host read is not whole", "if that host comes back, `perwatt lab collect` brings the log and joins it"),
    # collecting
    "not_collected": LabReason("the job has ended and its result is still on the host", "`perwatt lab collect`"),
    "bundle_refused": LabReason("the files that the host sent are not those of a job", "copy the job folder from the host by hand and look at it"),
    "files_differ": LabReason("the files do not have the digests that they were written with", "check the disk of the host; copy its job folder by hand"),
    "other_bytes": LabReason("a result of this id with other content is stored here already", "nothing was overwritten; compare the two folders"),
    "not_stored": LabReason("the result could not be written here", "free some room on this machine, then `perwatt lab collect`"),
}
# fmt: on


def sentence(code: str, detail: str = "") -> str:
    """Return a reason in words, with its detail after a colon; an unknown code stands for itself."""
    words = REASONS[code].sentence if code in REASONS else code
    return f"{words}: {detail}" if detail else words
