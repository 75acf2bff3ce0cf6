"""The page people look at: one self-contained HTML file from results and sites."""

from bench.report.gather import Gathered, collect, gather
from bench.report.page import check_target, write_page

PAGE = "report.html"
"""Name of the page that the main job writes beside its results."""

__all__ = ["PAGE", "Gathered", "check_target", "collect", "gather", "write_page"]
