"""Tables in LaTeX, for the booktabs package."""

from __future__ import annotations

import re

from orchestrator.report.cells import Cell, Table
from orchestrator.report.numbers import MISSING

ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "[": "{[}",  # a row that starts with a bracket would be taken for an option of the line before
    "δ": r"$\delta$",
    "“": "``",
    "”": "''",
    MISSING: "--",
}


def escape(text: str) -> str:
    """Make any text harmless in LaTeX, on one line."""
    return "".join(ESCAPES.get(letter, letter) for letter in re.sub(r"\s+", " ", text))


def latex(table: Table) -> str:
    """Set a table with ``\\toprule``, ``\\midrule`` and ``\\bottomrule``, caption above."""
    columns = "".join(_alignment(table, place) for place in range(len(table.header)))
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}",
        "  \\centering",
        f"  \\caption{{{escape(table.caption)}.}}",
        f"  \\label{{tab:{table.name}}}",
        f"  \\begin{{tabular}}{{{columns}}}",
        "    \\toprule",
        f"    {' & '.join(map(escape, table.header))} \\\\",
        "    \\midrule",
        *(f"    {' & '.join(map(_cell, row))} \\\\" for row in table.rows),
        "    \\bottomrule",
        "  \\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _alignment(table: Table, place: int) -> str:
    return "l" if all(isinstance(row[place], str) for row in table.rows) else "r"


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escape(cell)
    number = cell.text.replace("-", "$-$").replace(MISSING, "--")
    spread = cell.interval.replace("-", "$-$")
    number = f"\\textbf{{{number}}}" if cell.strong else number
    return f"{number} {{\\scriptsize {spread}}}" if spread else number
