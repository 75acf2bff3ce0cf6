"""The report page: one self-contained HTML file made from results and sites."""

from bench.report.gather import Gathered, collect, gather
from bench.report.page import check_target, write_page

PAGE = "report.html"
"""File name of the page that the main job writes into its results folder."""

__all__ = ["PAGE", "Gathered", "check_target", "collect", "gather", "write_page"]
