"""Jobs over a real socket: difficulty, renewal, retirement, and what belongs to another connection."""

from bench.stratum.jobs import ROLLED_BITS
from bench.stratum.verify import ShareClass


def counts(server):
    return {share_class: n for share_class, n in server.shares.counts(0.0, 1e12).items() if n}


def test_a_new_difficulty_comes_with_a_job_and_old_jobs_keep_theirs(serve, client):
    server, address = serve()
    miner = client(address)
    old_job, old_difficulty = miner.log_in(), server.difficulty
    server.set_difficulty(old_difficulty * 4)
    new_job = miner.next_push("mining.notify")
    assert miner.pushes[-2]["params"] == [old_difficulty * 4]
    assert new_job[8] is False
    for job, difficulty in ((old_job, old_difficulty), (new_job, old_difficulty * 4)):
        assert miner.call("mining.submit", miner.share(job, difficulty))["result"] is True
    assert [event.difficulty for event in server.shares.since(0)[0]] == [old_difficulty, old_difficulty * 4]


def test_jobs_follow_each_other_and_a_clean_one_retires_the_others(serve, client):
    server, address = serve(notify_s=0.05, clean_s=0.2)
    miner = client(address)
    first = miner.log_in()
    share = miner.share(first)
    job = miner.next_push("mining.notify")
    assert (job[1], job[8]) == (first[1], False)
    assert job[4] != first[4]
    while not job[8]:
        job = miner.next_push("mining.notify")
    assert job[1] != first[1]
    assert miner.call("mining.submit", share)["error"][0] == 21
    assert counts(server) == {ShareClass.STALE: 1}


def test_the_last_ten_jobs_take_shares_and_much_older_ones_are_stale(serve, client):
    server, address = serve(notify_s=600.0)
    miner = client(address)
    jobs = [miner.log_in()]
    for _ in range(16):
        server.set_difficulty(server.difficulty)
        jobs.append(miner.next_push("mining.notify"))
    assert miner.call("mining.submit", miner.share(jobs[0]))["error"][0] == 21
    assert miner.call("mining.submit", miner.share(jobs[-11]))["result"] is True
    assert counts(server) == {ShareClass.STALE: 1, ShareClass.VALID: 1}


def test_a_job_of_another_connection_is_unknown(serve, client):
    server, address = serve()
    first, second = client(address), client(address)
    share = first.share(first.log_in())
    second.log_in()
    assert second.call("mining.submit", share)["error"][0] == 21
    assert counts(server) == {ShareClass.UNKNOWN_JOB: 1}
    assert first.extranonce1 != second.extranonce1


def test_a_mask_that_is_negotiated_late_comes_with_a_job(serve, client):
    _, address = serve()
    miner = client(address)
    miner.log_in(mask=None)
    miner.call("mining.configure", [["version-rolling"], {"version-rolling.mask": "ffffffff"}])
    job = miner.next_push("mining.notify")
    assert miner.pushes[-2] == {"id": None, "method": "mining.set_version_mask", "params": [f"{ROLLED_BITS:08x}"]}
    assert miner.call("mining.submit", miner.share(job))["result"] is True
