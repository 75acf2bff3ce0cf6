"""What a user chooses of a file that holds several series, and what the file offers: never the first one silently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError, near_names, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_KNOWN = 10_000  # combinations that are remembered for the messages
_LISTED = 10
_OR = " or "  # between the names that one series has in parts of a file


class _Wanted:
    """A value that the user chooses, or the several names that it has in parts of a file: "Without Sequence or 1"."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._unseen = {name.strip(): True for name in text.split(_OR)} | {text: True}

    @property
    def unseen(self) -> list[str]:
        """The names that no row has had yet; empty if one has had the whole text as its name."""
        if not self._unseen[self.text]:
            return []
        return [name for name, is_unseen in self._unseen.items() if is_unseen and name != self.text]

    def fits(self, value: str) -> bool:
        """Return whether a row has one of the names."""
        if value not in self._unseen:
            return False
        self._unseen[value] = False
        return True


class Selection:
    """The chosen point, area, sequence or kind of price, against every combination that a file has.

    Parameters
    ----------
    names
        What a file of the layout may hold several of, in the order of `takes`.
    chosen
        The values that the user states.
    place
        File, for errors.

    Raises
    ------
    InputError
        The user chooses what the layout does not have.
    """

    def __init__(self, names: tuple[str, ...], chosen: Mapping[str, str], place: str) -> None:
        for name in chosen:
            if name not in names:
                expected = f"a choice of {', '.join(names)}" if names else "no choice, because it holds one series"
                raise InputError.at(place, expected=expected, got=name, near=near_names(name, names))
        self._names, self._place = names, place
        self._chosen = dict(chosen)
        self._wanted = tuple(_Wanted(chosen[name]) if name in chosen else None for name in names)
        self._known: dict[tuple[str, ...], bool] = {}
        self._taken: dict[tuple[str, ...], None] = {}
        self._unit = ""

    def takes(self, *values: str) -> bool:
        """Return whether a row or an interval is wanted, by its values in the order of the layout's choices."""
        known = self._known.get(values)
        return self._judge(values) if known is None else known

    def _judge(self, values: tuple[str, ...]) -> bool:
        plain = tuple(value.strip() for value in values)
        pairs = list(zip(self._wanted, plain, strict=True))
        wanted = all(want is None or want.fits(value) for want, value in pairs)
        if len(self._known) < MOST_KNOWN:
            self._known[values] = wanted
        if wanted and len(self._taken) < MOST_KNOWN:
            self._taken[tuple(value if want is None else want.text for want, value in pairs)] = None
        return wanted

    def states_unit(self, unit: str) -> None:
        """Note the unit that the file states; where several series fit the choice, each may have its own.

        Raises
        ------
        InputError
            It stated another one of the same series before.
        """
        if self._unit and unit != self._unit and not self.is_ambiguous:
            raise InputError(f"{self._place}: expected one unit, got {shown(self._unit)} and {shown(unit)}")
        self._unit = unit

    @property
    def unit(self) -> str:
        """The unit that the file states; empty if it does not."""
        return self._unit

    @property
    def is_ambiguous(self) -> bool:
        """Whether several combinations fit the choice so far."""
        return len(self._taken) > 1

    def settled(self) -> dict[str, str]:
        """Return the one combination that was read, by name.

        Raises
        ------
        InputError
            The choice fits nothing in the file, or several combinations.
        """
        if len(self._taken) == 1:
            self._check_names()
            return dict(zip(self._names, *self._taken, strict=True))
        if self._taken:
            raise self._several()
        if self._known:
            raise self._nothing()
        raise InputError(f"{self._place}: expected rows under the heading, got no row")

    def _check_names(self) -> None:
        for at, want in enumerate(self._wanted):
            if want is not None and want.unseen:
                raise self._absent(at, want.unseen[0])

    def _offered(self, at: int) -> list[str]:
        return list(dict.fromkeys(values[at].strip() for values in self._known))

    def _absent(self, at: int, got: str) -> InputError:
        name, offered = self._names[at], self._offered(at)
        expected = f"{'an' if name[0] in 'aeiou' else 'a'} {name} that the file has"
        return InputError.at(
            self._place, expected=expected, got=got, near=near_names(got, offered) or offered[:_LISTED]
        )

    def _several(self) -> InputError:
        columns = list(zip(*self._taken, strict=True))
        open_at = [at for at, values in enumerate(columns) if len(set(values)) > 1]
        names = [self._names[at] for at in self._telling(open_at)]
        combinations = list(dict.fromkeys(" with ".join(taken[at] for at in open_at) for taken in self._taken))
        more = len(combinations) - _LISTED
        listed = ", ".join(combinations[:_LISTED]) + (f" and {more} more" if more > 0 else "")
        how = " ".join(f"{name}=NAME" for name in names)
        return InputError(
            f"{self._place}: expected one {' and '.join(names)}, got {len(combinations)}: {listed} (choose with {how})"
        )

    def _telling(self, open_at: list[int]) -> list[int]:
        """Return the first choices that suffice to tell the combinations apart."""
        for count in range(1, len(open_at)):
            if len({tuple(taken[at] for at in open_at[:count]) for taken in self._taken}) == len(self._taken):
                return open_at[:count]
        return open_at

    def _nothing(self) -> InputError:
        for at, want in enumerate(self._wanted):
            if want is not None and not any(map(want.fits, self._offered(at))):
                return self._absent(at, want.text)
        stated = " with ".join(f"{name}={value}" for name, value in self._chosen.items())
        return InputError(f"{self._place}: expected rows of {stated}, got no row of all of them together")
