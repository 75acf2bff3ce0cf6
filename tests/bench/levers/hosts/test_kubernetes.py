"""A Deployment and a StatefulSet are scaled through the real client, and come back to the number that was found."""

import pytest

from bench.levers.protocol import Evidence, Reply
from bench.levers.registry import open_lever
from hardware_profiles.errors import InputError
from sites.control.model import UnitState

pytest.importorskip("kubernetes", reason="the official client is missing: pip install 'perwatt[kubernetes]'")

from doubles.levers.kubernetes_api import FakeCluster


@pytest.fixture
def cluster():
    fake = FakeCluster()
    yield fake
    fake.close()


@pytest.fixture
def workload(cluster, held, tmp_path):
    def open_(kind="deployment"):
        return held(open_lever("kubernetes", f"ai/{kind}/llm", {"kubeconfig": cluster.kubeconfig(tmp_path)}))

    return open_


@pytest.mark.parametrize("kind", ["deployment", "statefulset"])
def test_it_is_scaled_to_nothing_and_back_to_the_number_that_was_found(cluster, workload, kind):
    lever = workload(kind)
    setting = lever.as_found()
    assert (setting, lever.look().identity) == ({"replicas": 3}, f"uid-{kind}s")
    assert lever.to("off").reply is Reply.ACCEPTED
    assert (cluster.replicas, lever.shows("off")) == (0, Evidence.CONFIRMED)
    assert workload(kind).restore(setting).reply is Reply.ACCEPTED
    assert (cluster.replicas, lever.shows("on"), lever.as_found()) == (3, Evidence.CONFIRMED, setting)


def test_while_pods_start_or_end_it_is_between_the_two(cluster, workload):
    lever, cluster.settled = workload(), False
    lever.to("off")
    assert (lever.look().state, lever.shows("off")) == (UnitState.CHANGING, Evidence.UNKNOWN)
    cluster.ready = 0
    assert lever.shows("off") is Evidence.CONFIRMED


def test_after_a_restart_the_number_comes_from_the_stored_setting_and_is_never_guessed(cluster, workload):
    cluster.person_scales(0)
    lever = workload()
    assert lever.as_found() == {"replicas": 0}
    assert lever.to("on").says.startswith("config_incomplete")
    lever.lever.recall({"replicas": 5})
    assert lever.to("on").reply is Reply.ACCEPTED
    assert cluster.replicas == 5


def test_what_an_autoscaler_scales_is_refused_and_another_objects_autoscaler_does_not_matter(cluster, workload):
    cluster.scalers = [("other", "StatefulSet")]
    lever = workload()
    assert lever.as_found() == {"replicas": 3}
    cluster.scalers.append(("keda-llm", "Deployment"))
    assert lever.as_found() is None
    assert lever.to("off").says == lever.lever.can("off") == "autoscaled: keda-llm scales it"
    assert lever.restore({"replicas": 1}).reply is Reply.REFUSED
    assert cluster.patches == []


def test_a_persons_change_between_look_and_command_wins(cluster, workload):
    cluster.before_patch = lambda: cluster.person_scales(7)
    answer = workload().to("off")
    assert (answer.reply, answer.says) == (Reply.REFUSED, "changed_meanwhile: HTTP status 409: Conflict")
    assert cluster.replicas == 7


def test_a_number_that_is_so_is_not_sent_again(cluster, workload):
    assert workload().restore({"replicas": 3}).reply is Reply.ACCEPTED
    assert cluster.patches == []


@pytest.mark.parametrize(("status", "code"), [(401, "login_refused"), (403, "no_permission"), (500, "refused")])
def test_a_refusal_is_a_look_without_evidence_and_nothing_is_written(cluster, workload, status, code):
    lever, cluster.fault = workload(), status
    seen = lever.look()
    assert (seen.state, seen.level, seen.reasons) == (UnitState.UNKNOWN, None, (code,))
    assert lever.as_found() is None
    assert lever.to("off").reply is Reply.REFUSED
    assert cluster.patches == []


@pytest.mark.parametrize("setting", [{}, {"replicas": -1}, {"replicas": True}, {"replicas": "3"}])
def test_a_stored_setting_without_a_number_is_refused(cluster, workload, setting):
    assert workload().restore(setting).says.startswith("config_incomplete")
    assert cluster.patches == []


def test_a_cluster_that_is_gone_is_unknown(cluster, workload):
    lever = workload()
    cluster.close()
    try:
        assert lever.look().reasons == ("no_answer",)
        assert lever.to("off").reply is Reply.REFUSED
    finally:
        cluster.close = lambda: None


@pytest.mark.parametrize("address", ["llm", "ai/llm", "ai/pod/llm", "ai/deployment/", "AI/deployment/llm", "a/b/c/d"])
def test_an_address_that_is_none_is_one_line(address):
    with pytest.raises(InputError, match="expected NAMESPACE/deployment/NAME"):
        open_lever("kubernetes", address)


def test_a_kubeconfig_that_is_missing_is_one_line(tmp_path):
    with pytest.raises(InputError, match="kubeconfig") as raised:
        open_lever("kubernetes", "ai/deployment/llm", {"kubeconfig": str(tmp_path / "no")})
    assert len(raised.value.faults) == 1
