"""What the families of the cgminer interface have in common: counters and pools.

References
----------
cgminer, API-README: counters run since the start of the program or the last `zero`.
"""

from collections.abc import Sequence

from bench.miners import values
from bench.miners.parsing.nested import scaled
from bench.miners.record import Counters, Pool
from bench.miners.reply import Replies, Section, rows

# keys of cgminer, and of the web pages of Antminers
_ACCEPTED, _REJECTED, _STALE = ("Accepted", "accepted"), ("Rejected", "rejected"), ("Stale", "stale")
_DIFFICULTIES = ("Stratum Difficulty", "Work Difficulty", "Last Share Difficulty", "Diff", "lsdiff", "diff")


def read_counters(summary: Section, pool_rows: Sequence[Section] = ()) -> Counters:
    """Return the counters of a summary; difficulties that it lacks are summed over the pools.

    Parameters
    ----------
    summary
        The reply to `summary`.
    pool_rows
        The rows of the reply to `pools`.
    """

    def difficulty(key: str, of_pool: str) -> float | None:
        stated = summary.number(key)
        parts = [part for row in pool_rows if (part := row.number(key, of_pool)) is not None]
        return stated if stated is not None else sum(parts) if parts else None

    def shares(keys: tuple[str, str]) -> int | None:
        stated = summary.whole(*keys)
        parts = [part for row in pool_rows if (part := row.whole(*keys)) is not None]
        return stated if stated is not None else sum(parts) if parts else None

    total_mh = summary.number("Total MH")
    return Counters(
        elapsed_s=summary.number("Elapsed", "elapsed"),
        accepted=shares(_ACCEPTED),
        rejected=shares(_REJECTED),
        stale=shares(_STALE),
        accepted_difficulty=difficulty("Difficulty Accepted", "diffa"),
        rejected_difficulty=difficulty("Difficulty Rejected", "diffr"),
        stale_difficulty=difficulty("Difficulty Stale", "diffs"),
        hardware_errors=summary.whole("Hardware Errors"),
        hashes=scaled(total_mh, 1e6),
    )


def read_pools(replies: Replies, name: str = "pools") -> tuple[Pool, ...]:
    """Return the pools of a reply, without users and passwords."""
    return tuple(
        Pool(
            url=values.pool_address(row.get("URL") or row.get("url")),
            status=row.text("Status", "status"),
            active=row.truth("Stratum Active"),
            priority=row.whole("Priority", "priority"),
            difficulty=next((d for key in _DIFFICULTIES if (d := values.difficulty(row.get(key)))), None),
            accepted=row.whole(*_ACCEPTED),
            rejected=row.whole(*_REJECTED),
            stale=row.whole(*_STALE),
        )
        for row in rows(replies, name, "POOLS")
        if row.text("URL", "url")
    )
