"""The headline numbers that MLflow shows as metrics of the sweep."""

from __future__ import annotations

import pytest

from orchestrator.report.answer import answers


def test_answers_are_the_headline_rows(make_results, make_context):
    results = make_results(methods=("wt",), tasks=("nominal", "fog-3"), seeds=2)
    context = make_context(methods=("wt",), tasks=("nominal", "fog-3"))
    summary = results.summary
    rows = summary[(summary["delta"] == context.delta) & (summary["rule"] == context.rule)]
    wanted = {
        f"potential/resnet8-digits/wt/{row.distribution} {row.statistic}": row.potential
        for row in rows.itertuples()
    }
    wanted["excess_slope/resnet8-digits/wt"] = results.slopes["slope"].item()
    assert len(wanted) == 5
    assert answers(results, context) == pytest.approx(wanted)
