"""The bundle of finished jobs: one tar of plain files, each listed in the manifest of its job."""

import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from bench.lab.host import layout
from bench.lab.host.sealing import file_names
from hardware_profiles.opening import is_folder


def write_bundle(folder: Path, ids: Iterable[str], stream: BinaryIO) -> None:
    """Write the jobs of these ids that have ended to a stream; others are passed over.

    Parameters
    ----------
    folder
        Where this host keeps jobs.
    ids
        The jobs, in the order in which they are written.
    stream
        Where the tar goes; it is never held in memory.
    """
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        for id_ in ids:
            job_folder = layout.whole(folder, id_)
            if not is_folder(job_folder):
                continue
            for name in (layout.MANIFEST_FILE, *file_names(job_folder)):
                with (job_folder / name).open("rb") as file:
                    member = tarfile.TarInfo(f"{id_}/{name}")
                    member.size = (job_folder / name).stat().st_size
                    tar.addfile(member, file)
