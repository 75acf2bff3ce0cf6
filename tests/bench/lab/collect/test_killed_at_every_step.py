"""A collecting that ends at any step, between any two files or names, is finished by the next one."""

from itertools import count
from pathlib import Path

from doubles.lab.folder_hosts import FolderReach, book_of, finish, job, machine

from bench.lab.collect import store
from bench.lab.collect.hosts import collect_host
from bench.results.folder import read_whole
from bench.results.labs.coverage import coverage
from bench.results.labs.ledger import Ledger
from bench.results.layout import result_names


class Killed(BaseException):
    """The process ends here."""


def test_a_collecting_that_is_killed_at_every_step_is_finished_by_the_next(tmp_path, monkeypatch):
    one = job("a")
    reach = FolderReach("a", tmp_path / "host", machine("a"))
    finish(reach.folder, one, results=2)
    for steps in count():
        book = book_of(tmp_path / str(steps), [one])
        left = [steps]

        def counted(real, left=left):
            def step(*arguments, **options):
                if left[0] == 0:
                    raise Killed
                left[0] -= 1
                return real(*arguments, **options)

            return step

        with monkeypatch.context() as patch:
            patch.setattr(store, "flush", counted(store.flush))
            patch.setattr(Path, "rename", counted(Path.rename))
            patch.setattr(Path, "rmdir", counted(Path.rmdir))
            patch.setattr(Ledger, "append", counted(Ledger.append))
            try:
                collect_host(book, reach)
            except Killed:
                whole = False
            else:
                whole = True
        for name in result_names(book.store):
            read_whole(book.store / name)
        done = collect_host(book, reach)
        assert (done.refused, done.error) == ({}, None), steps
        assert coverage(book).is_whole
        assert len(result_names(book.store)) == 2
        assert len(list(book.jobs_folder.iterdir())) == 1
        if whole:
            break
    assert steps > 15
