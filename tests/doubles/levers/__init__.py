"""Devices that levers set, and processes that set them and are killed."""
