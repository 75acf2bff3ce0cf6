"""Power domains: a tree of what shares a meter, an outlet or a phase. Two measurements never overlap in one."""

from collections.abc import Iterable, Mapping

from hardware_profiles.errors import InputError


def chain(domain: str, within: Mapping[str, str]) -> tuple[str, ...]:
    """Return a domain and all above it, the innermost first.

    Parameters
    ----------
    domain
        Its name.
    within
        The domain that each one is within, by name, where there is one.
    """
    above = [domain]
    while (outer := within.get(above[-1])) is not None and outer not in above:
        above.append(outer)
    return tuple(above)


def check_tree(within: Mapping[str, str], place: str) -> None:
    """Refuse a cycle of domains.

    Raises
    ------
    InputError
        A domain is within itself; the message has the path.
    """
    sound: set[str] = set()
    for start in within:
        path: list[str] = []
        domain: str | None = start
        while domain is not None and domain not in sound:
            if domain in path:
                cycle = [*path[path.index(domain) :], domain]
                raise InputError(f"{place}: key domain: expected a tree, got a cycle: {' within '.join(cycle)}")
            path.append(domain)
            domain = within.get(domain)
        sound.update(path)


def overlap(first: Iterable[str], second: Iterable[str]) -> frozenset[str]:
    """Return the domains that two measurements share: if there is one, they must not run at once."""
    return frozenset(first) & frozenset(second)
