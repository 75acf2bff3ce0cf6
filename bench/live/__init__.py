"""The live page of a controlled site: read-only, for this machine alone."""

from bench.live.server import serve_page

__all__ = ["serve_page"]
