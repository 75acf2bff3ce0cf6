"""Dated data bundled with perwatt; README.md beside it says what each file is."""
