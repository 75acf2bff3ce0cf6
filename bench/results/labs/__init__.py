"""The book of a lab run: what was planned, what happened to it, and how much of the plan was measured."""
