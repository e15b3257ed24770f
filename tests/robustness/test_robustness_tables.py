"""The tables on robustness, of networks whose errors are known one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from orchestrator.analysis.intervals import spread, wilson_interval
from orchestrator.analysis.resampling import resampled_errors
from orchestrator.robustness import tables as robustness_tables
from orchestrator.robustness.columns import COLUMNS, SCORES
from orchestrator.robustness.means import NAMES
from orchestrator.robustness.tables import robustness
from workers.contracts import evaluation_key
from workers.evaluation.pixel_counts import PixelCounts, to_parquet


def one(frame: pd.DataFrame, **where: object) -> pd.Series:
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1, frame
    return frame.iloc[0]


def errs(chain, level, task):
    """Parents err on examples 0 and 1; level 1 on 1 and 2; level 2 on class 0 and on 2."""
    if task.startswith(("outliers", "training_images")):
        return ()
    return {0: (0, 1), 1: (1, 2), 2: (0, 2, 5, 10, 15)}[level]


def test_an_output_that_is_no_number_has_no_score_and_leaves_the_others(formula):
    sweep = formula()
    sweep.unknown = {("fog-3", "p_true"), ("fog-3", "confidence"), ("nominal", "energy")}
    sweep.commit(errs)
    found = robustness(sweep.plan, sweep.store)
    fog, clean = (found.metrics[found.metrics["task"] == task] for task in ("fog-3", "nominal"))
    assert fog[["nll", "ece"]].isna().all(axis=None)
    assert fog[["error", "brier"]].notna().all(axis=None)
    assert clean[["nll", "ece"]].notna().all(axis=None)
    assert set(found.outliers["score"]) == {"max softmax"}


def test_an_empty_store_has_all_columns(formula):
    sweep = formula()
    found = robustness(sweep.plan, sweep.store)
    for name, columns in COLUMNS.items():
        frame = getattr(found, name)
        assert frame.empty
        assert list(frame.columns) == list(columns)
        expected = pd.DataFrame(columns=list(columns)).astype(columns).dtypes
        assert frame.dtypes.equals(expected), name


def test_types_do_not_depend_on_what_is_there(formula):
    sweep = formula(measures=[])
    empty = robustness(sweep.plan, sweep.store)
    sweep.commit(errs)
    found = robustness(sweep.plan, sweep.store)
    for name in COLUMNS.keys() - {"class_iou", "readings"}:
        assert len(getattr(found, name)), name
        assert getattr(found, name).dtypes.equals(getattr(empty, name).dtypes), name


def test_metrics_of_one_network(formula):
    sweep = formula(seeds=[0])
    sweep.commit(errs)
    metrics = robustness(sweep.plan, sweep.store).metrics
    assert len(metrics) == 3 * 6
    row = one(metrics, level=1, task="nominal")
    assert row["ratio"] == 0.3
    assert row["examples"] == 20
    assert row["error"] == 0.1
    assert row["worst_recall"] == 0.75
    assert row["ece"] == pytest.approx(0.15, abs=1e-6)
    assert row["nll"] == pytest.approx(-(18 * np.log(0.75) + 2 * np.log(0.25)) / 20, abs=1e-6)
    assert row["brier"] == 0.5
    assert row["agreement"] == pytest.approx(0.9)  # all but 0 and 2
    assert row["churn"] == pytest.approx(0.1)
    assert row["newly_wrong"] == 0.05
    assert row["newly_right"] == 0.05
    assert row["mcnemar_p"] == 1.0
    # Recalls (1, 0.75, 0.75, 1, 1) on classes of four.
    assert row["recall_range"] == 0.25
    assert row["recall_deviation"] == pytest.approx(np.sqrt(0.06 * 0.25))
    assert row["wrong_if_parent_right"] == pytest.approx(1 / 18)
    assert row["error_overlap"] == pytest.approx(1 / 3)


def test_parents_are_not_compared_with_themselves(formula):
    sweep = formula(seeds=[0])
    sweep.commit(errs)
    metrics = robustness(sweep.plan, sweep.store).metrics
    dense = metrics[metrics["method"] == "dense"]
    assert (dense["level"] == 0).all()
    assert dense["agreement"].isna().all()
    assert dense[["wrong_if_parent_right", "mcnemar_p"]].isna().all(axis=None)


def test_outliers_have_no_error_but_agree_with_the_parent(formula):
    sweep = formula(seeds=[0])
    sweep.commit(errs)
    row = one(robustness(sweep.plan, sweep.store).metrics, level=1, task="outliers-digits")
    assert row["distribution"] == "other"
    assert np.isnan(row["error"])
    assert np.isnan(row["nll"])
    assert row["agreement"] == 1.0
    assert np.isnan(row["wrong_if_parent_right"])


def more_with_the_seed(chain, level, task):
    return range(chain.seed + 1)


def test_what_is_no_mean_over_examples_has_students_interval_over_seeds(formula):
    sweep = formula(seeds=[0, 1, 2])

    def class_0(chain, level, task):
        return range(0, 5 * chain.seed + 5, 5)

    sweep.commit(class_0)
    found = robustness(sweep.plan, sweep.store)
    row = one(found.metric_means, level=1, task="nominal", metric="recall_range")
    assert (row["mean"], row["seeds"]) == (0.5, 3)
    # t(0.975; 2) = 4.3027; ranges 0.25, 0.5, 0.75 have the standard error 0.25/√3
    assert row["low"] == 0.0  # a share is not negative
    assert row["high"] == 1.0
    row = one(found.metric_means, level=1, task="nominal", metric="recall_deviation")
    deviations = np.array([0.1, 0.2, 0.3])  # 0.4 of the range
    reach = 4.302653 * deviations.std(ddof=1) / 3**0.5
    assert (row["mean"], row["high"]) == pytest.approx((0.2, 0.2 + reach), abs=1e-6)


def test_means_over_examples_have_intervals_that_know_seeds_and_images(formula):
    sweep = formula(seeds=[0, 1, 2])
    sweep.commit(more_with_the_seed)
    means = robustness(sweep.plan, sweep.store).metric_means
    row = one(means, level=1, task="nominal", metric="error")
    assert (row["mean"], row["seeds"]) == (pytest.approx(0.1), 3)
    wrong = np.arange(20) < np.arange(1, 4)[:, None]
    known = spread(wrong.mean(axis=1), resampled_errors(wrong, 20_000, seed=0) / 20)
    low, high = wilson_interval(known, 0.95, 20)
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.005)
    row = one(means, level=1, task="nominal", metric="brier")
    assert (row["mean"], row["low"], row["high"]) == (0.5, 0.5, 0.5)  # the same for every image


def test_one_seed_has_the_interval_of_its_images_and_nothing_for_what_is_no_mean(formula):
    sweep = formula(seeds=[0])
    sweep.commit(errs)
    found = robustness(sweep.plan, sweep.store)
    row = one(found.metric_means, level=1, task="nominal", metric="error")
    oracle = binomtest(2, 20).proportion_ci(0.95, method="wilson")
    assert (row["mean"], row["seeds"]) == (0.1, 1)
    assert (row["low"], row["high"]) == pytest.approx((oracle.low, oracle.high), abs=0.01)
    row = one(found.metric_means, level=1, task="nominal", metric="wrong_if_parent_right")
    assert row["low"] < row["mean"] < row["high"]
    means = found.metric_means[found.metric_means["metric"].isin(["ece", "worst_recall"])]
    assert means[["low", "high"]].isna().all(axis=None)
    assert means["mean"].notna().all()


def test_tasks_of_a_distribution_are_averaged_before_seeds(formula):
    sweep = formula(seeds=[0, 1])

    def foggy(chain, level, task):
        return range({"fog-1": 2, "fog-3": 4}.get(task, 0) + chain.seed)

    sweep.commit(foggy)
    found = robustness(sweep.plan, sweep.store)
    shifted = found.distribution_means.query("level == 1 and distribution == 'test'")
    row = one(shifted, metric="error")
    assert (row["mean"], row["seeds"]) == (pytest.approx((2 + 4 + 0 + 3 * 0.5) / 3 / 20), 2)
    assert row["low"] < row["mean"] < row["high"]
    # One task: what the task itself has.
    clean = found.distribution_means.query("level == 1 and distribution == 'train'")
    alone = found.metric_means.query("level == 1 and task == 'nominal'")
    columns = ["metric", "mean", "low", "high", "seeds"]
    by_metric = (frame[columns].set_index("metric").sort_index() for frame in (clean, alone))
    pd.testing.assert_frame_equal(*by_metric)
    assert set(found.distribution_means["distribution"]) == {"train", "test"}


def test_each_metric_of_a_population_and_task_has_one_mean(formula):
    sweep = formula(seeds=[0, 1])
    sweep.commit(errs)
    found = robustness(sweep.plan, sweep.store)
    for table, names in NAMES.items():
        means = getattr(found, table)
        keys = ["network", "method", "schedule", "level", *names, "metric"]
        assert len(means)
        assert not means.duplicated(keys).any(), table
    values = found.metrics.groupby(["method", "level", "task"])[list(SCORES)].mean()
    means = found.metric_means.pivot(
        index=["method", "level", "task"], columns="metric", values="mean"
    )
    values = values.dropna(how="all")  # parents have no metric on outliers
    pd.testing.assert_frame_equal(means[list(SCORES)], values, check_names=False)


def test_recall_distortion_is_one_for_a_network_that_errs_like_its_parent(formula):
    sweep = formula(seeds=[0, 1])

    def alike(chain, level, task):
        return (0, 1) if level < 2 else (0, 1, 5, 6)

    sweep.commit(alike)
    found = robustness(sweep.plan, sweep.store)
    # balances before: recalls (.75, .75, 1, 1, 1), accuracy .9; after: (.5, .5, 1, 1, 1) and .8
    before = np.array([0.75, 0.75, 1, 1, 1]) / 0.9 - 1
    after = np.array([0.5, 0.5, 1, 1, 1]) / 0.8 - 1
    doubled = (before @ after) / (before @ before)
    alphas = found.recall_distortion.groupby("level")["alpha"].unique()
    assert alphas[1] == pytest.approx([1.0])
    assert alphas[2] == pytest.approx([doubled])
    assert found.recall_distortion["balanced"].all()
    level = one(found.alphas, level=2)
    assert (level["alpha"], level["pooled"]) == pytest.approx((doubled, doubled))
    assert level["r2"] == pytest.approx(1.0)
    assert level["accuracy"] == pytest.approx(0.8)
    assert (level["label"], level["seeds"]) == (">", 2)
    assert one(found.alphas, level=1)["label"] == "?"


def test_exemplars_need_two_seeds_and_count_changed_modes(formula):
    sweep = formula(seeds=[0, 1, 2])

    def moved(chain, level, task):
        # Two of three pruned networks err on 3, one on 4: the mode changes for 3 alone.
        return (3,) if level and chain.seed < 2 else (4,) if level else ()

    sweep.commit(moved)
    row = one(robustness(sweep.plan, sweep.store).exemplars, level=1)
    assert (row["count"], row["fraction"], row["seeds"], row["few"]) == (1, 0.05, 3, True)
    assert (row["accuracy_on"], row["accuracy_off"]) == (1.0, 1.0)

    alone = formula(seeds=[0], name="alone", store="alone")
    alone.commit(moved)
    assert robustness(alone.plan, alone.store).exemplars.empty


def test_classes_are_tested_at_each_level(formula):
    sweep = formula(seeds=[0, 1])

    def spoiled(chain, level, task):
        return {0: (1,), 1: (1,), 2: (0, 5, 10, 15 + chain.seed)}[level]

    sweep.commit(spoiled)
    classes = robustness(sweep.plan, sweep.store).classes
    assert len(classes) == 2 * 5
    same = classes[classes["level"] == 1]
    assert (same["shift"] == 0).all()
    row = classes[(classes["level"] == 2) & (classes["class"] == 0)].iloc[0]
    assert (row["dense_recall"], row["pruned_recall"]) == (1.0, 0.125)
    assert row["shift"] == pytest.approx((0.125 - 0.8) - (1 - 0.95))


def test_corruption_error_is_relative_to_the_parent(formula):
    sweep = formula(seeds=[0])

    def fog(chain, level, task):
        count = {"nominal": 1, "fog-1": 2, "fog-3": 4, "contrast-3": 2}.get(task, 0)
        return range(count * (2 if level == 2 and task == "fog-3" else 1))

    sweep.commit(fog)
    found = robustness(sweep.plan, sweep.store).corruption_error
    second = found[found["level"] == 2].set_index("corruption")["corruption_error"]
    assert second.to_dict() == pytest.approx({"fog": 10 / 6, "contrast": 1.0, "mCE": 8 / 6})
    first = found[found["level"] == 1].set_index("corruption")["corruption_error"]
    assert first.to_dict() == pytest.approx({"fog": 1.0, "contrast": 1.0, "mCE": 1.0})
    plain = found[found["level"] == 2].set_index("corruption")["error"]
    assert plain.to_dict() == pytest.approx({"fog": 0.25, "contrast": 0.1, "mCE": 0.2})


def test_outliers_are_told_by_both_scores(formula):
    sweep = formula(seeds=[0])
    sweep.commit()
    found = robustness(sweep.plan, sweep.store).outliers
    assert set(found["score"]) == {"max softmax", "energy"}
    assert len(found) == 3 * 2
    assert (found["auroc"] == 1.0).all()
    assert (found["fpr95"] == 0.0).all()


def test_complete_separation_from_outliers_is_not_certain(formula):
    sweep = formula(seeds=[0, 1])
    sweep.commit()
    means = robustness(sweep.plan, sweep.store).outlier_means
    row = one(means, level=1, score="energy", metric="auroc")
    oracle = binomtest(20, 20).proportion_ci(0.95, method="wilson")
    assert (row["mean"], row["high"], row["seeds"]) == (1.0, 1.0, 2)
    assert row["low"] == pytest.approx(oracle.low)
    assert np.isnan(one(means, level=1, score="energy", metric="fpr95")["low"])


def test_a_network_that_errs_on_all_but_members_gives_them_away(formula):
    sweep = formula(seeds=[0, 1])

    def overfits(chain, level, task):
        return range(20) if level == 2 and task == "nominal" else ()

    sweep.commit(overfits)
    found = robustness(sweep.plan, sweep.store).membership
    accuracy = found.groupby(["level", "attack"])["balanced_accuracy"].mean()
    assert set(found["attack"]) == {"correctness", "confidence", "entropy", "modified entropy"}
    for attack in ("correctness", "confidence", "modified entropy"):
        assert accuracy[2, attack] == 1.0, attack
        assert accuracy[1, attack] == 0.5, attack
    assert accuracy[2, "entropy"] == 0.5
    means = robustness(sweep.plan, sweep.store).membership_means
    row = one(means, level=2, attack="confidence", metric="balanced_accuracy")
    assert (row["mean"], row["high"], row["seeds"]) == (1.0, 1.0, 2)
    oracle = binomtest(10, 10).proportion_ci(0.95, method="wilson")
    assert row["low"] == pytest.approx(oracle.low)  # half of the images is judged

    alone = formula(seeds=[0], name="alone", store="alone")
    alone.commit(overfits)
    assert set(robustness(alone.plan, alone.store).membership["attack"]) == {"correctness"}


def test_with_one_training_image_of_a_class_no_threshold_can_be_judged(formula):
    sweep = formula(seeds=[0, 1])
    sweep.shown["training_images-20"] = 5
    sweep.commit()
    found = robustness(sweep.plan, sweep.store)
    assert set(found.membership["attack"]) == {"correctness"}
    assert set(found.membership_means["attack"]) == {"correctness"}


def test_a_seed_more_leaves_what_the_attacks_found(formula):
    """Thresholds of seed 2 are of no use on the others, and nobody takes them."""

    def alike_but_the_last(chain, level, task):
        if chain.seed == 2:
            return range(20) if task.startswith("training_images") else ()
        return range(chain.seed * 4 + 2) if task == "nominal" else ()

    both = formula(seeds=[0, 1], name="both", store="both")
    both.commit(alike_but_the_last)
    more = formula(seeds=[0, 1, 2], name="more", store="more")
    more.commit(alike_but_the_last)
    before, after = (robustness(one.plan, one.store).membership for one in (both, more))
    pd.testing.assert_frame_equal(
        after[after["seed"] < 2].reset_index(drop=True), before.reset_index(drop=True)
    )
    last = after[(after["seed"] == 2) & (after["attack"] == "confidence")]
    assert (last["balanced_accuracy"] < 0.5).all()


def test_iou_of_a_class_is_over_the_whole_test_set(formula):
    """Two images, three classes, of which the labels show two."""
    sweep = formula(seeds=[0], tasks={"train": ["nominal"]})
    (task,) = sweep.plan.task_keys
    counts = PixelCounts(
        task=task,
        true_positive=np.array([[4, 1, 0], [2, 0, 0]], np.int32),
        predicted=np.array([[5, 1, 2], [2, 0, 1]], np.int32),
        labelled=np.array([[4, 4, 0], [3, 0, 0]], np.int32),
    )
    sweep.commit()
    for chain in sweep.plan.chains:
        for key in chain.networks:
            evaluation = evaluation_key(key, [task])
            sweep.store.discard(evaluation)
            files = {"predictions.parquet": to_parquet([counts])}
            sweep.store.put(evaluation, {"network": key, "tasks": [task]}, files)
    found = robustness(sweep.plan, sweep.store)
    rows = found.class_iou[found.class_iou["level"] == 2].set_index("class")
    assert rows["iou"].to_dict() == pytest.approx({0: 6 / 8, 1: 1 / 4})
    assert rows["labelled"].to_dict() == {0: 7, 1: 4}
    for name in COLUMNS.keys() - {"class_iou"}:
        assert getattr(found, name).empty, name


def test_without_its_parent_a_network_is_measured_but_not_compared(formula):
    sweep = formula(seeds=[0])
    sweep.commit(errs, chains=sweep.plan.chains[1:])
    found = robustness(sweep.plan, sweep.store)
    assert len(found.metrics) == 2 * 6
    assert found.metrics["agreement"].isna().all()
    assert found.recall_distortion.empty
    assert found.corruption_error.empty
    assert len(found.outliers) == 2 * 2


def test_one_network_is_in_memory_at_a_time(formula, monkeypatch):
    """Each evaluation is read once, and what was read is dropped before the next."""
    import weakref

    sweep = formula(seeds=[0, 1])
    sweep.commit(errs)
    alive: list[weakref.ref] = []
    read = robustness_tables.outputs

    class Kept(dict):
        pass

    def counted(store, member, tasks):
        assert not [one for one in alive if one() is not None]
        found = Kept(read(store, member, tasks))
        alive.append(weakref.ref(found))
        return found

    monkeypatch.setattr(robustness_tables, "outputs", counted)
    robustness(sweep.plan, sweep.store)
    assert len(alive) == 2 * 3
