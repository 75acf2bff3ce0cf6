"""The reasons why a unit is not as intended or not commanded, in one table; those of the intent are with it."""

from bench.levers.reasons import WORDS as OF_LEVERS
from sites.control.reasons import REASONS as OF_INTENT

# fmt: off
OF_CONTROL: dict[str, str] = {
    # of a unit
    "not_owned": "the arm file does not list it",
    "not_known": "no look has shown yet what it was found in",
    "off_as_found": "it was off when it was found, and stays off",
    "by_hand": "a person changed it, so it is left alone; `--resume` takes it back",
    "identity_changed": "another device answers at its address",
    "no_effect": "commands have no effect on it, so it is left alone; `--resume` takes it back",
    "drifted": "one look shows another level than the confirmed one; a second one decides",
    "lost_telemetry": "it has not been seen for longer than lost_telemetry_s",
    "unknown": "no fresh look shows its state",
    "fault": "the device reports that it cannot work",
    "lever_failed": "its lever could not look at it",
    "as_found_unread": "what it was found with could not be read completely, so nothing is written to it",
    "journal_refuses": "what it was found with could not be stored, so nothing is written to it",
    "setting_differs": "its setting differs from what was found",
    "not_yet": "it is not yet as it was found",
    "commanded": "a command is under way, and no look has confirmed it yet",
    "waits": "the gate lets it wait for its turn",
    # of the gate
    "halted": "control is halted",
    "min_on": "it has not been on for min_on_s",
    "min_off": "it has not been off for min_off_s",
    "hour_full": "it has had commands_per_hour",
    "wave_full": "this wave has its units already",
    "ramp_full": "this minute has its ramp already",
    "feeder_full": "the feeder has no room for what may be drawn",
    "feeder_lost": "the meter of the feeder is silent: nothing is raised",
    "above_feeder": "the meter of the feeder shows more than its limit",
    "maximum_moved": "the arm file allows no more to be away from what was found",
    # of a halt
    "not_at_feeder": "the feeder does not show what devices say they have done",
}
# fmt: on


def words(code: str) -> str:
    """Return a reason in words; an unknown code stands for itself."""
    return OF_CONTROL.get(code) or OF_INTENT.get(code) or OF_LEVERS.get(code) or code
