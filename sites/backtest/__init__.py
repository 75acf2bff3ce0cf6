"""The mining model against miners' monthly reports."""
