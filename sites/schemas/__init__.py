"""JSON Schemas of the TOML files that users write, for editors: site, fleet, scenarios, capital plan and profile.

`python -m sites.schemas.generate` writes them anew from the models that read the files.
"""

from pathlib import Path

from hardware_profiles.errors import InputError, near_names

FOLDER = Path(__file__).parent
KINDS = ("site", "fleet", "scenarios", "capital", "profile")


def schema_path(kind: str) -> Path:
    """Return the schema of a kind of file; raise InputError for an unknown kind."""
    if kind not in KINDS:
        raise InputError.at("schema", expected=f"one of {', '.join(KINDS)}", got=kind, near=near_names(kind, KINDS))
    return FOLDER / f"{kind}.json"
