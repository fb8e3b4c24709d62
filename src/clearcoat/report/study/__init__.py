"""The report of a study: the paper's tables and figures, and the verdict."""

from clearcoat.report.study.content import StudyReport
from clearcoat.report.study.facts import StudyFacts, read_study
from clearcoat.report.study.grid import GridAnalysis, analyse_grid
from clearcoat.report.study.report import write_study_report
from clearcoat.report.study.starts import TransferAnalysis, analyse_transfer

__all__ = [
    "GridAnalysis",
    "StudyFacts",
    "StudyReport",
    "TransferAnalysis",
    "analyse_grid",
    "analyse_transfer",
    "read_study",
    "write_study_report",
]
