"""The HTML report of runs and data sets."""

from clearcoat.report.cells import Cell, Comparison, compare, group
from clearcoat.report.content import DataFacts, Report
from clearcoat.report.facts import RunFacts, read_run
from clearcoat.report.find import Inputs, find_inputs
from clearcoat.report.report import write_report
from clearcoat.report.verdict import Verdict, judge

__all__ = [
    "Cell",
    "Comparison",
    "DataFacts",
    "Inputs",
    "Report",
    "RunFacts",
    "Verdict",
    "compare",
    "find_inputs",
    "group",
    "judge",
    "read_run",
    "write_report",
]
