"""Why a task claims its domains in the book: what Slurm itself keeps apart, and what it does not."""

import pytest
from doubles.slurm.cluster import Cluster, missing

REASON = missing()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(REASON), reason=REASON or "a Slurm can run here")]
# A task that notes its start, and its end once the test lets it end; one that is cancelled ends no sooner.
TASK = """\
#!/bin/sh
trap : TERM
echo "start ${SLURM_ARRAY_TASK_ID-$SLURM_JOB_ID}" >>notes
until [ -e go ]; do sleep 0.1; done
echo "end ${SLURM_ARRAY_TASK_ID-$SLURM_JOB_ID}" >>notes
"""


@pytest.fixture(scope="module")
def cluster():
    with Cluster() as running:
        yield running


@pytest.fixture
def array(cluster, tmp_path):
    """Return a function that submits two tasks with some options, and one that returns what they have noted."""
    (tmp_path / "task.sh").write_text(TASK)

    def submit(*options, script="task.sh"):
        return cluster.run("sbatch", "--parsable", "--exclusive", *options, script, cwd=tmp_path)

    def notes():
        path = tmp_path / "notes"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    yield submit, notes
    (tmp_path / "go").touch()
    cluster.until(lambda: not cluster.queue(), "every task ends")


def started(notes):
    return {task for word, task in notes() if word == "start"}


def test_singleton_does_not_keep_the_tasks_of_one_array_apart(cluster, array):
    submit, notes = array
    submit("--array=0-1", "--dependency=singleton", "--job-name=one")
    cluster.until(lambda: started(notes) == {"0", "1"}, "both run at once")
    assert not [word for word, _ in notes() if word == "end"]


@pytest.mark.parametrize("options", [("--array=0-1%1",), ("--dependency=singleton", "--job-name=two")])
def test_a_limit_of_one_and_singleton_start_the_next_while_a_cancelled_one_still_runs(cluster, array, options):
    submit, notes = array
    jobs = [submit(*options) for _ in range(1 if "--array=0-1%1" in options else 2)]
    cluster.until(notes, "the first runs")
    assert len(notes()) == 1
    cluster.run("scancel", next(job for job, state in cluster.queue().items() if state == "RUNNING"))
    cluster.until(lambda: len(notes()) == 2, "the next runs")
    assert [word for word, _ in notes()] == ["start", "start"], jobs


def test_a_licence_is_free_only_when_a_cancelled_task_has_ended(cluster, array, tmp_path):
    submit, notes = array
    submit("--array=0-1", "--licenses=domain:1")
    cluster.until(notes, "the first runs")
    cluster.run("scancel", next(job for job, state in cluster.queue().items() if state == "RUNNING"))
    (tmp_path / "other.sh").write_text("#!/bin/sh\necho start other >>notes\n")
    submit(script="other.sh")
    cluster.until(lambda: "other" in started(notes), "Slurm has looked for what may start")
    assert len(started(notes)) == 2
    (tmp_path / "go").touch()
    cluster.until(lambda: len(started(notes)) == 3, "the second runs")
    assert [word for word, task in notes() if task != "other"][:3] == ["start", "end", "start"]
