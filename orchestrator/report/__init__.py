"""The report of a sweep: figures, tables and one self-contained HTML page.

``write_report`` writes the folder, ``summary`` tells the short version on a terminal.
"""

from orchestrator.report.context import Counts, RatioMiss, ReportContext
from orchestrator.report.terminal import summary
from orchestrator.report.write import write_report

__all__ = ["Counts", "RatioMiss", "ReportContext", "summary", "write_report"]
