"""A bundle that perwatt does not write is refused: no file outside its folder, no link, no flood, no other job."""

import io
import tarfile
import tracemalloc
from collections import Counter
from random import Random

import pytest
from doubles.lab.folder_hosts import FolderReach, book_of, finish, job, machine

from bench.lab.collect.hosts import collect_host
from bench.lab.collect.tar import BundleError, BundleReader
from bench.results.layout import result_names

ID = "0123456789abcdef"


def tar(*members, form=tarfile.USTAR_FORMAT):
    """Return a tar of (name, content) or TarInfo objects."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w|", format=form) as file:
        for member in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member[0])
            content = b"" if isinstance(member, tarfile.TarInfo) else member[1]
            info.size = len(content) or info.size
            file.addfile(info, io.BytesIO(content or bytes(info.size)))
    return stream.getvalue()


def special(kind, target="/etc/passwd"):
    info = tarfile.TarInfo(f"{ID}/job.json")
    info.type, info.linkname = kind, target
    return info


def read(data, folder):
    reader = BundleReader(io.BytesIO(data))
    for number, member in enumerate(reader.members()):
        reader.copy(member, folder / str(number))


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd", "/etc/passwd", f"{ID}/../x", f"{ID}/results/../../x", f"{ID}/results/..",
        f"{ID}/results/a/../b", f"{ID}/results/a/b/c", f"{ID}/results/.hidden/x", f"{ID}/results/a/.x",
        f"{ID}/results//x", f"{ID}/other.txt", f"{ID}/results/a\nb/x", f"{ID}/results/-/x", "0123/job.json", f"{ID}/",
        f"{ID}/job.json/", f"{ID}/results/a/\x1b[2J", f"{ID.upper()}/job.json", f"{ID}/results/{'a' * 100}/{'b' * 99}",
        f"./{ID}/job.json", f"{ID}\\job.json", f"{ID}/results/ä/x",
    ],
)  # fmt: skip
def test_a_name_that_no_job_has_is_refused(tmp_path, name):
    with pytest.raises(BundleError, match=r"is no file of a job|is no tar"):
        read(tar((name, b"x")), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_a_link_a_device_or_a_folder_is_refused(tmp_path, kind):
    with pytest.raises(BundleError, match="is a link or another special file"):
        read(tar(special(kind)), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "gnu"])
def test_a_long_header_of_another_form_is_not_read_into_memory(tmp_path, form):
    data = tar((f"{ID}/results/{'a' * 300_000}/x", b""), form=form)
    with pytest.raises(BundleError):
        read(data, tmp_path)


def test_a_file_that_is_announced_too_large_is_refused_before_a_byte_is_written(tmp_path):
    info = tarfile.TarInfo(f"{ID}/job.json")
    info.size = 5 * 2**20
    with pytest.raises(BundleError, match="has 5242880 bytes, at most 4194304 are taken"):
        read(info.tobuf(tarfile.USTAR_FORMAT), tmp_path)
    info = tarfile.TarInfo(f"{ID}/results/a/samples.parquet")
    info.size = 2**31
    with pytest.raises(BundleError, match="at most"):
        read(info.tobuf(tarfile.USTAR_FORMAT), tmp_path)
    info.size = -1
    with pytest.raises(BundleError):
        read(info.tobuf(tarfile.GNU_FORMAT), tmp_path)


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 512, b"\xff" * 4096, b"GIF89a" * 200], ids=range(5))
def test_what_is_no_tar_is_refused(tmp_path, data):
    with pytest.raises(BundleError, match=r"it is no tar|it is cut off"):
        read(data, tmp_path)


def test_a_large_file_passes_with_flat_memory(tmp_path):
    data = tar((f"{ID}/results/a/samples.parquet", bytes(24 * 2**20)))
    tracemalloc.start()
    try:
        read(data, tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()
    assert (tmp_path / "0").stat().st_size == 24 * 2**20


def changed(data, change):
    """Return a bundle after a change of its list of (name, content)."""
    with tarfile.open(fileobj=io.BytesIO(data)) as file:
        members = [(info.name, file.extractfile(info).read()) for info in file]
    return tar(*change(members))


def only_the_second_is_stored(tmp_path, change, code="bundle_refused"):
    jobs = [job("a", number=number) for number in range(3)]
    reach = FolderReach("a", tmp_path / "a", machine("a"))
    for number, one in enumerate(jobs):
        finish(reach.folder, one, number=number)
    book = book_of(tmp_path / "results", jobs)
    reach.change = lambda data: changed(data, lambda members: change(jobs[0].id, members))
    done = collect_host(book, reach)
    assert sorted(done.stored) == sorted(one.id for one in jobs[1:])
    assert done.refused[jobs[0].id][0] == code
    assert len(result_names(book.store)) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"a", "results"}
    return done.refused[jobs[0].id][1]


def test_a_changed_byte_is_refused_and_the_jobs_after_it_are_collected(tmp_path):
    def flip(id_, members):
        return [(name, data[:-2] + b"X\n" if name == f"{id_}/log.txt" else data) for name, data in members]

    assert "log.txt has sha256" in only_the_second_is_stored(tmp_path, flip, "files_differ")


def test_a_missing_file_is_refused(tmp_path):
    def drop(id_, members):
        return [(name, data) for name, data in members if name != f"{id_}/log.txt"]

    assert only_the_second_is_stored(tmp_path, drop, "files_differ") == "log.txt is missing"


def test_a_file_too_many_is_refused(tmp_path):
    def add(id_, members):
        at = next(i for i, (name, _) in enumerate(members) if name.startswith(id_))
        folder = next(name.rpartition("/")[0] for name, _ in members if name.startswith(f"{id_}/results"))
        return [*members[: at + 1], (f"{folder}/extra.bin", b"x"), *members[at + 1 :]]

    assert "extra.bin is not in MANIFEST" in only_the_second_is_stored(tmp_path, add, "files_differ")


def test_a_file_that_comes_twice_is_refused(tmp_path):
    def twice(id_, members):
        return [pair for name, data in members for pair in [(name, data)] * (2 if name == f"{id_}/log.txt" else 1)]

    assert only_the_second_is_stored(tmp_path, twice) == "log.txt comes twice"


def test_a_path_out_of_the_folder_is_refused_and_writes_nothing(tmp_path):
    def out(id_, members):
        at = next(i for i, (name, _) in enumerate(members) if name.startswith(id_))
        return [*members[: at + 1], ("../../escaped", b"x"), *members[at + 1 :]]

    jobs = [job("a")]
    reach = FolderReach("a", tmp_path / "a", machine("a"))
    finish(reach.folder, jobs[0])
    book = book_of(tmp_path / "results", jobs)
    reach.change = lambda data: changed(data, lambda members: out(jobs[0].id, members))
    done = collect_host(book, reach)
    assert done.refused == {jobs[0].id: ("bundle_refused", "'../../escaped' is no file of a job")}
    assert not list(tmp_path.rglob("escaped"))


def test_a_job_that_was_not_asked_for_is_refused(tmp_path):
    one = job("a")
    reach = FolderReach("a", tmp_path / "a", machine("a"))
    finish(reach.folder, one)
    book = book_of(tmp_path / "results", [one])
    reach.change = lambda data: changed(data, lambda members: [(f"{ID}{name[16:]}", data) for name, data in members])
    done = collect_host(book, reach)
    assert done.refused == {one.id: ("bundle_refused", f"job {ID} was not asked for")}


def test_a_job_under_the_name_of_another_is_refused(tmp_path):
    """The files of one job, with a sound manifest, sent as those of another one of the same host."""
    one, other = job("a"), job("a", number=1)
    reach = FolderReach("a", tmp_path / "a", machine("a"))
    finish(reach.folder, one)
    finish(reach.folder, other, number=1)
    book = book_of(tmp_path / "results", [one])
    reach.change = lambda _: as_other(reach, one, other)
    done = collect_host(book, reach)
    assert done.refused[one.id] == ("bundle_refused", f"job.json is of job '{other.id}' on 'a'")
    assert result_names(book.store) == []


def as_other(reach, one, other):
    from bench.lab.host.bundle import write_bundle

    stream = io.BytesIO()
    write_bundle(reach.folder, [other.id], stream)
    return changed(stream.getvalue(), lambda members: [(one.id + name[16:], data) for name, data in members])


def test_random_changes_of_a_bundle_store_only_what_was_sent(tmp_path):
    """Bytes are changed, cut out, doubled or moved at random: a job is stored as it was, or it is refused."""
    random = Random(25)
    jobs = [job("a", number=number) for number in range(2)]
    source = tmp_path / "a"
    for number, one in enumerate(jobs):
        finish(source, one, number=number)
    sent = {path.name: (path / "result.json").read_bytes() for path in source.glob("jobs/*/results/*")}
    outcomes = Counter()
    for number in range(40):
        reach = FolderReach("a", source, machine("a"))
        reach.change = lambda data: damaged(data, random)
        book = book_of(tmp_path / f"results{number}", jobs)
        done = collect_host(book, reach)
        outcomes[len(done.stored)] += 1
        assert len(done.stored) + len(done.refused) == 2 or done.error is not None
        for name in result_names(book.store):
            assert (book.store / name / "result.json").read_bytes() == sent[name]
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith("results")} == {"a"}
    assert len(outcomes) == 3, outcomes


def damaged(data, random):
    at, length = random.randrange(len(data)), random.choice([1, 16, 512, 5000])
    part = data[at : at + length]
    kind = random.randrange(4)
    if kind == 0:
        return data[:at] + random.randbytes(len(part)) + data[at + length :]
    if kind == 1:
        return data[:at] + data[at + length :]
    if kind == 2:
        return data[:at] + part + data[at:]
    return data[:at] + data[at + length :] + part
