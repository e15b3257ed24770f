"""Simulations with known truth: do intervals and tests keep their promises?

Bounds allow four standard errors of the simulation, so that a promise that is kept fails the test
once in 30,000 changes of the seed; docs/metrics.md has the rates of longer runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, norm

from orchestrator.analysis.estimates import Estimate
from orchestrator.metrics.agreement import mcnemar_p
from orchestrator.metrics.class_tests import class_level_tests
from orchestrator.metrics.distortion import recall_balance, slope_through_origin
from orchestrator.metrics.distortion_tests import alpha_intervals, ratio_tests
from orchestrator.metrics.intervals import MeanOverSeeds, student_intervals, wilson_intervals
from orchestrator.metrics.membership import threshold_attack
from orchestrator.metrics.outliers import auroc
from orchestrator.metrics.scores import Average, Score, mean_score, ratio_score

Rng = np.random.Generator
Array = NDArray[np.float64]
CLASSES, PER_CLASS = 10, 100
PARENT, LOSS = norm.isf(0.1), 0.8
RECALL = np.linspace(0.75, 0.98, CLASSES)
"""Of the dense networks; pruning multiplies the distances from their mean by the true ratio."""


def allowance(rate: float, runs: int) -> float:
    return float(4 * np.sqrt(rate * (1 - rate) / runs))


def coverage(interval: Callable[[Rng], Estimate], truth: float, runs: int) -> float:
    rng = np.random.default_rng(runs)
    found = [interval(rng) for _ in range(runs)]
    return float(np.mean([one.low <= truth <= one.high for one in found]))


def over_seeds(scores: Iterable[Score]) -> list[MeanOverSeeds]:
    mean = MeanOverSeeds()
    for score in scores:
        mean.add(score)
    return [mean]


def one_network(
    truth: float, inside: int, outside: int, step: float = 0.0
) -> Callable[[Rng], Estimate]:
    """Normal scores whose AUROC is ``truth``; to steps of ``step``, so that they tie."""
    distance = norm.ppf(truth) * np.sqrt(2)

    def interval(rng: Rng) -> Estimate:
        near, far = rng.normal(distance, 1, inside), rng.normal(0, 1, outside)
        if step:
            near, far = np.floor(near / step), np.floor(far / step)
        return wilson_intervals(over_seeds([auroc(near, far)]), 0.95)[0]

    return interval


def several_networks(
    truth: float, seeds: int, images: int, differ: float
) -> Callable[[Rng], Estimate]:
    """The same, of networks that share images and differ in how far they tell them apart."""
    distance = norm.ppf(truth) * np.sqrt(2 + differ**2)

    def interval(rng: Rng) -> Estimate:
        shared, own = np.sqrt(0.6), np.sqrt(0.4)
        near, far = (
            shared * rng.normal(size=images) + own * rng.normal(size=(seeds, images))
            for _ in range(2)
        )
        near = near + rng.normal(distance, differ, (seeds, 1))
        return wilson_intervals(over_seeds(map(auroc, near, far)), 0.95)[0]

    return interval


def skewed_scores(seeds: int, examples: int, differ: float) -> Callable[[Rng], Estimate]:
    """Scores of mean 1, most near 0 and few large, as log-likelihoods are."""

    def interval(rng: Rng) -> Estimate:
        difficulty = rng.gamma(0.2, 1 / 0.2, examples)
        level = np.maximum(rng.normal(1, differ, (seeds, 1)), 0)
        scores = difficulty * level * rng.gamma(2, 1 / 2, (seeds, examples))
        return student_intervals(over_seeds(map(mean_score, scores)), 0.95)[0]

    return interval


def rare_events(rate: float, seeds: int, examples: int, differ: float) -> Callable[[Rng], Estimate]:
    """Something that holds for few examples, mostly for the same, as churn does."""
    threshold = norm.ppf(rate) * np.sqrt(1 + differ**2)

    def interval(rng: Rng) -> Estimate:
        latent = np.sqrt(0.6) * rng.normal(size=examples)
        latent = latent + np.sqrt(0.4) * rng.normal(size=(seeds, examples))
        holds = latent + rng.normal(0, differ, (seeds, 1)) < threshold
        return wilson_intervals(over_seeds(map(mean_score, holds)), 0.95)[0]

    return interval


def lost_share(seeds: int, examples: int, differ: float) -> Callable[[Rng], Estimate]:
    """P(pruned wrong | parent right) of parents that err on one example in ten.

    Both networks see the difficulty of the example and add noise of their own; the pruned one needs
    0.8 more.
    """

    def interval(rng: Rng) -> Estimate:
        difficulty = np.sqrt(0.6) * rng.normal(size=examples)
        noise = np.sqrt(0.4) * rng.normal(size=(2, seeds, examples))
        level = rng.normal(0, differ, (seeds, 1))
        parent = difficulty + noise[0] > PARENT
        lost = ~parent & (difficulty + noise[1] + level > PARENT - LOSS)
        return wilson_intervals(over_seeds(map(ratio_score, lost, ~parent)), 0.95)[0]

    return interval


def lost_share_truth(differ: float) -> float:
    """The same by integration over the difficulty; the noise of both is then independent."""
    difficulty = np.linspace(-8, 8, 4001)
    right = norm.cdf((PARENT - np.sqrt(0.6) * difficulty) / np.sqrt(0.4))
    spread = np.sqrt(0.4 + differ**2)
    wrong = norm.sf((PARENT - LOSS - np.sqrt(0.6) * difficulty) / spread)
    weight = norm.pdf(difficulty)
    return float((weight * right * wrong).sum() / (weight * right).sum())


def mean_over_tasks(seeds: int, examples: int, differ: float) -> Callable[[Rng], Estimate]:
    """Error over three conditions of the same images and one of a fifth as many others."""

    def interval(rng: Rng) -> Estimate:
        difficulty = np.sqrt(0.6) * rng.normal(size=examples)
        others = np.sqrt(0.6) * rng.normal(size=examples // 5)
        scores = []
        for level in rng.normal(0, differ, seeds):
            average = Average()
            for shown in (difficulty, difficulty, difficulty, others):
                latent = shown + np.sqrt(0.4) * rng.normal(size=len(shown)) + level
                average.add(mean_score(latent > PARENT))
            scores.append(average.score())
        return wilson_intervals(over_seeds(filter(None, scores)), 0.95)[0]

    return interval


def attacks(rng: Rng, seeds: int, images: int) -> list[Score]:
    """Attacks of seeds on each other, of so many members and as many others that they share."""
    label, member = np.tile(np.arange(images) % CLASSES, 2), np.arange(2 * images) < images
    own = np.sqrt(0.6) * rng.normal(size=2 * images)
    own = own + np.sqrt(0.4) * rng.normal(size=(seeds, 2 * images))
    scores = own + member * rng.normal(0.6, 0.1, (seeds, 1))
    shadows = scores[[1, *range(seeds - 1)]]
    return [
        threshold_attack(shadow, victim, label, member, CLASSES).balanced_accuracy
        for shadow, victim in zip(shadows, scores, strict=True)
    ]


def tasks_truth(differ: float) -> float:
    return float(norm.sf(PARENT / np.sqrt(1 + differ**2)))


def alphas(rng: Rng, models: int, ratios: tuple[float, ...]) -> Array:
    """α of models with random recalls on a test set of 1,000, shape (ratios, models)."""
    own = np.clip(RECALL + rng.normal(0, 0.02, (models, CLASSES)), 0.01, 0.99)
    dense = rng.binomial(PER_CLASS, own) / PER_CLASS
    before = recall_balance(dense, dense.mean(axis=1))
    pruned_recall = 0.8 + np.multiply.outer(ratios, own - own.mean(axis=1, keepdims=True))
    after = rng.binomial(PER_CLASS, np.clip(pruned_recall, 0.01, 0.99)) / PER_CLASS
    return slope_through_origin(before, recall_balance(after, after.mean(axis=-1)))


@cache
def expected_alpha(ratios: tuple[float, ...]) -> Array:
    return alphas(np.random.default_rng(0), 20_000, ratios).mean(axis=1)


def family_coverage(models: int, runs: int) -> float:
    """How often all five intervals of E[α] hold their truth."""
    ratios, rng = (0.8, 0.9, 1.0, 1.2, 1.6), np.random.default_rng(models)
    truth = expected_alpha(ratios)
    found = [alpha_intervals(alphas(rng, models, ratios)) for _ in range(runs)]
    return float(np.mean([((one.low <= truth) & (truth <= one.high)).all() for one in found]))


def false_growth(models: int, runs: int) -> float:
    """How often any of four tests says that α grows where it does not."""
    rng = np.random.default_rng(models)
    found = [ratio_tests(alphas(rng, models, (1.1,) * 5)).adjusted_p for _ in range(runs)]
    return float(np.mean([(p < 0.05).any() for p in found]))


def false_classes(networks: int, runs: int, pruned_differ: float) -> float:
    """How often any class is called harmed or spared where all lose 15 points alike."""
    rng = np.random.default_rng(networks)
    alarms = [
        (class_level_tests(*populations(rng, networks, pruned_differ)).adjusted_p < 0.05).any()
        for _ in range(runs)
    ]
    return float(np.mean(alarms))


def populations(rng: Rng, networks: int, pruned_differ: float) -> Iterator[Array]:
    for loss, differ in ((0.0, 0.01), (0.15, pruned_differ)):
        noise = rng.normal(0, differ, (networks, CLASSES)) + rng.normal(0, 0.005, (networks, 1))
        recall = rng.binomial(PER_CLASS, np.clip(RECALL - loss + noise, 0, 1)) / PER_CLASS
        yield recall
        yield recall.mean(axis=1)


SINGLE = [(0.6, 100, 100, 0.0), (0.9, 200, 200, 0.0), (0.9, 200, 200, 1.0), (0.98, 100, 300, 0.0)]
SEEDS = list(product([3, 5, 10], [200, 1000], [0.02, 0.2]))


def test_promises_fast() -> None:
    least = 0.95 - allowance(0.95, 200)
    assert coverage(one_network(0.9, 200, 200), 0.9, 200) >= least
    assert coverage(several_networks(0.9, 5, 200, 0.1), 0.9, 200) >= least
    assert coverage(rare_events(0.03, 5, 1000, 0.1), 0.03, 200) >= least
    assert coverage(skewed_scores(5, 1000, 0.1), 1, 200) >= least
    assert coverage(lost_share(5, 1000, 0.1), lost_share_truth(0.1), 200) >= least
    assert coverage(mean_over_tasks(5, 1000, 0.1), tasks_truth(0.1), 200) >= least


def test_promises_about_alpha_fast() -> None:
    assert family_coverage(5, 200) >= 0.95 - allowance(0.95, 200)
    assert false_growth(5, 200) <= 0.05 + allowance(0.05, 200)


def test_promises_about_classes_fast() -> None:
    assert false_classes(5, 200, 0.03) <= 0.05 + allowance(0.05, 200)


@pytest.mark.slow
@pytest.mark.parametrize("case", SINGLE, ids=str)
def test_auroc_of_one_network(case: tuple[float, int, int, float]) -> None:
    runs, tied = 2000, case[-1] > 0
    truth = tied_auroc(case[0], case[-1]) if tied else case[0]
    assert coverage(one_network(*case), truth, runs) >= 0.95 - allowance(0.95, runs)


@pytest.mark.slow
@pytest.mark.parametrize("case", [(0.995, 50, 50), (0.9, 20, 1000)], ids=str)
def test_auroc_falls_short_with_few_images(case: tuple[float, int, int]) -> None:
    assert 0.88 < coverage(one_network(*case), case[0], 2000) < 0.95


@pytest.mark.slow
@pytest.mark.parametrize("case", SEEDS, ids=str)
def test_several_seeds(case: tuple[int, int, float]) -> None:
    """Scores that are mostly 0 and sometimes large are not normal in the mean of 200 examples."""
    least = 0.95 - allowance(0.95, 500)
    assert coverage(several_networks(0.9, *case), 0.9, 500) >= least
    assert coverage(rare_events(0.03, *case), 0.03, 500) >= least
    assert coverage(skewed_scores(*case), 1, 500) >= least - (0.02 if case[1] == 200 else 0)
    assert coverage(lost_share(*case), lost_share_truth(case[2]), 500) >= least
    assert coverage(mean_over_tasks(*case), tasks_truth(case[2]), 500) >= least


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_thresholds_that_were_chosen_on_images_do_no_harm(seeds: int) -> None:
    """Their noise is in no covariance: balanced accuracy hardly changes near the best threshold."""
    rng = np.random.default_rng(seeds)
    runs = [attacks(rng, seeds, 1000) for _ in range(300)]
    truth = np.mean([[score.value for score in scores] for scores in runs])
    found = [wilson_intervals(over_seeds(scores), 0.95)[0] for scores in runs]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert covered >= 0.95 - allowance(0.95, 300)


@pytest.mark.slow
@pytest.mark.parametrize("models", [3, 5, 10, 30])
def test_five_intervals_of_alpha_hold_at_once(models: int) -> None:
    assert family_coverage(models, 2000) >= 0.95 - allowance(0.95, 2000)


@pytest.mark.slow
@pytest.mark.parametrize("models", [3, 5, 10, 30])
def test_alpha_is_not_said_to_grow_where_it_does_not(models: int) -> None:
    assert false_growth(models, 2000) <= 0.05 + allowance(0.05, 2000)


@pytest.mark.slow
@pytest.mark.parametrize("networks", [2, 3, 5, 10, 30])
@pytest.mark.parametrize("pruned_differ", [0.01, 0.03])
def test_no_class_is_accused_where_all_lose_alike(networks: int, pruned_differ: float) -> None:
    rate = false_classes(networks, 2000, pruned_differ)
    assert rate <= 0.05 + allowance(0.05, 2000)


@pytest.mark.slow
def test_networks_that_take_after_their_parents_raise_fewer_alarms() -> None:
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(1000):
        own = RECALL + rng.normal(0, 0.03, (5, CLASSES))
        dense, pruned = (
            rng.binomial(PER_CLASS, np.clip(own - loss, 0, 1)) / PER_CLASS for loss in (0, 0.15)
        )
        tests = class_level_tests(dense, dense.mean(axis=1), pruned, pruned.mean(axis=1))
        alarms += (tests.adjusted_p < 0.05).any()
    assert 0 < alarms < 20


@pytest.mark.slow
def test_a_class_that_loses_twice_as_much_is_found() -> None:
    """Ten networks, a class that loses 30 points where the others lose 15."""
    rng, found = np.random.default_rng(0), 0
    for _ in range(300):
        dense, accuracy, pruned, _ = populations(rng, 10, 0.01)
        pruned[:, 3] -= 0.15
        tests = class_level_tests(dense, accuracy, pruned, pruned.mean(axis=1))
        found += tests.adjusted_p[3] < 0.05
    assert found >= 270


def test_mcnemar_errs_no_more_than_it_says() -> None:
    """Exactly, summed over all outcomes of 1 to 60 examples that one of two networks gets right."""
    for discordant in range(1, 61):
        first = np.arange(discordant + 1)
        likely = binom.pmf(first, discordant, 0.5)
        assert likely[mcnemar_p(first, discordant - first) < 0.05].sum() < 0.05


def tied_auroc(truth: float, step: float) -> float:
    """AUROC of normal scores that are rounded down to steps, from the probability of each step."""
    edges = np.arange(-10, 14, step)
    near, far = (np.diff(norm.cdf(edges, mean)) for mean in (norm.ppf(truth) * np.sqrt(2), 0))
    return float(near @ (np.cumsum(far) - far / 2))
