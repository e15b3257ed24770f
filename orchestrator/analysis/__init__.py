"""Statistics of a sweep: pure functions from the table of cells to the tables of the report."""

from orchestrator.analysis.analyse import AnalysisOptions, Results, analyse

__all__ = ["AnalysisOptions", "Results", "analyse"]
