"""AutoAttack: its four attacks together, and what they cost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from workers.attacks.balls import size
from workers.attacks.fab import boundary_attack
from workers.attacks.logits import rivals
from workers.attacks.square import square_attack
from workers.contracts import GRADIENT_PASSES, PermanentError
from workers.tasks.apgd import AutoProjectedGradient
from workers.tasks.autoattack import AutoAttackEnsemble
from workers.tasks.pgd import ProjectedGradient

SHAPE, CLASSES = (1, 6, 5), 6
NORMS = ["linf", "l2"]
RADII = {"linf": 0.03, "l2": 0.15}
SMALL = {"steps": 10, "targets": 3, "queries": 40}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


WEIGHTS = torch.randn(30, CLASSES, generator=seeded(2))
IMAGES = 0.3 + 0.4 * torch.rand(40, *SHAPE, generator=seeded(1))


def linear(pixels: Tensor) -> Tensor:
    return pixels.flatten(1) @ WEIGHTS


@pytest.fixture(scope="module")
def bent() -> Callable[[Tensor], Tensor]:
    """A network with two hidden layers and random weights."""
    torch.manual_seed(4)
    layers = [nn.Linear(30, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, CLASSES)]
    network = nn.Sequential(nn.Flatten(), *layers).requires_grad_(False)
    for layer in (layers[0], layers[2], layers[4]):
        layer.weight.mul_(3)
    return network


def wrong(predict: Callable[[Tensor], Tensor], points: Tensor, labels: Tensor) -> Tensor:
    return predict(points).argmax(1) != labels


@pytest.mark.parametrize(("norm", "dual"), [("linf", 1), ("l2", 2)])
def test_of_a_linear_network_those_fall_that_can(norm, dual: int) -> None:
    """The smallest change is the margin over the dual norm of what the weights differ by."""
    logits = linear(IMAGES)
    labels = logits.argmax(1)
    apart = WEIGHTS[:, labels].T[:, :, None] - WEIGHTS
    ways = (logits.gather(1, labels[:, None]) - logits) / torch.linalg.vector_norm(
        apart, ord=dual, dim=1
    ).clamp_min(1e-9)
    nearest = ways.scatter(1, labels[:, None], torch.inf).amin(1)
    epsilon = float(nearest.median()) * 1.005
    clear = (nearest / epsilon - 1).abs() > 1e-3
    attack = AutoAttackEnsemble(norm=norm, epsilon=epsilon, steps=30, targets=5, queries=20)
    fell = wrong(linear, attack.attack(linear, IMAGES, labels, seeded()), labels)
    assert torch.equal(fell[clear], (nearest < epsilon)[clear])
    assert clear.sum() > 30


@pytest.mark.parametrize("norm", NORMS)
def test_it_is_at_least_as_bad_as_any_attack_alone(bent, norm) -> None:
    epsilon, labels = RADII[norm], bent(IMAGES).argmax(1)
    attack = AutoAttackEnsemble(norm=norm, epsilon=epsilon, steps=30, targets=5, queries=200)
    worst = wrong(bent, attack.attack(bent, IMAGES, labels, seeded()), labels)
    assert 0 < worst.sum() < len(worst)
    for target in rivals(bent(IMAGES), labels, 5).unbind(1):
        _, distance = boundary_attack(bent, IMAGES, labels, target, norm=norm, steps=30)
        assert not ((distance <= epsilon) & ~worst).any()
    everyone = torch.ones_like(labels, dtype=torch.bool)
    ball = {"norm": norm, "epsilon": epsilon}
    _, by_squares = square_attack(
        bent, IMAGES, labels, left=everyone, queries=200, generator=seeded(), **ball
    )
    assert by_squares.sum() <= worst.sum()
    for other in (ProjectedGradient(steps=30, **ball), AutoProjectedGradient(steps=30, **ball)):
        fell = wrong(bent, other.attack(bent, IMAGES, labels, seeded()), labels)
        assert fell.sum() <= worst.sum()


@pytest.mark.parametrize("norm", NORMS)
@settings(max_examples=10, deadline=None)
@given(epsilon=st.floats(0, 2), seed=st.integers(0, 99))
def test_points_are_in_the_ball_and_in_the_cube(bent, norm, epsilon: float, seed: int) -> None:
    clean = torch.rand(6, *SHAPE, generator=seeded(seed))
    labels = bent(clean).argmax(1)
    attack = AutoAttackEnsemble(norm=norm, epsilon=epsilon, **SMALL)
    points = attack.attack(bent, clean, labels, seeded(seed))
    assert size(points - clean, norm).max() <= epsilon + 1e-6
    assert 0 <= points.min() <= points.max() <= 1


def test_an_image_depends_on_its_place_and_on_no_other_image(bent) -> None:
    attack = AutoAttackEnsemble(norm="linf", epsilon=0.02, **SMALL)
    labels = bent(IMAGES).argmax(1)
    draws, others = seeded(), IMAGES.clone()
    first = attack.attack(bent, IMAGES, labels, draws)
    others[1:] = 0.5
    second = attack.attack(bent, others, torch.where(torch.arange(40) < 1, labels, 0), seeded())
    torch.testing.assert_close(first[0], second[0])
    one_number = seeded()
    torch.randint(2**62, (), generator=one_number)
    assert torch.equal(draws.get_state(), one_number.get_state())


@pytest.mark.parametrize("norm", NORMS)
def test_how_images_lie_in_memory_makes_no_difference(norm) -> None:
    clean = torch.rand(8, 3, 5, 2, generator=seeded())
    labels, attack = linear(clean).argmax(1), AutoAttackEnsemble(norm=norm, epsilon=0.03, **SMALL)
    as_decoded = clean.contiguous(memory_format=torch.channels_last)
    expected = attack.attack(linear, clean, labels, seeded())
    torch.testing.assert_close(attack.attack(linear, as_decoded, labels, seeded()), expected)


def test_images_that_the_network_errs_on_anyway_stay_as_they_are(bent) -> None:
    labels = (bent(IMAGES).argmax(1) + 1) % CLASSES
    attack = AutoAttackEnsemble(epsilon=0.1, **SMALL)
    assert torch.equal(attack.attack(bent, IMAGES, labels, seeded()), IMAGES)


def constant(pixels: Tensor, classes: int = CLASSES) -> Tensor:
    """The first class leads by 2, everywhere."""
    return 0 * pixels.flatten(1)[:, :1] + 2 * torch.eye(classes)[0]


def test_the_price_is_what_a_network_that_withstands_is_asked() -> None:
    asked, gradients = 0, 0

    def counting(pixels: Tensor) -> Tensor:
        nonlocal asked, gradients
        asked += len(pixels)
        gradients += len(pixels) * pixels.requires_grad
        return constant(pixels)

    attack = AutoAttackEnsemble(**SMALL)
    images = IMAGES[:4]
    attack.attack(counting, images, torch.zeros(4, dtype=torch.long), seeded())
    assert gradients == 4 * attack.gradients
    # One image more is asked about for the number of classes.
    forward = (asked - 1 - gradients) / 4
    # The prediction of what the attack made is the caller's.
    assert attack.passes == 1 + GRADIENT_PASSES * attack.gradients + forward


def test_the_standard_version_costs_some_ten_thousand_passes() -> None:
    standard = AutoAttackEnsemble()
    assert standard.gradients == 101 + 9 * 101 + 9 * 100
    assert standard.passes == 1 + 1910 * GRADIENT_PASSES + 1 + 9 * 105 + 5000


@pytest.mark.parametrize("option", ["steps", "targets", "queries"])
def test_impossible_options_are_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} is 0, expected at least 1"):
        AutoAttackEnsemble(**{option: 0})
    with pytest.raises(ValueError, match="epsilon is -1"):
        AutoAttackEnsemble(epsilon=-1.0)


def test_it_needs_four_classes_and_one_for_each_image() -> None:
    attack, labels = AutoAttackEnsemble(), torch.zeros(40, dtype=torch.long)
    message = "autoattack needs images of one class each, of at least four"
    with pytest.raises(PermanentError, match=message):
        attack.attack(lambda x: constant(x, 3), IMAGES, labels, seeded())
    with pytest.raises(PermanentError, match=message):
        attack.attack(constant, IMAGES, labels[:, None, None].expand(40, 6, 5), seeded())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("norm", NORMS)
def test_cuda_finds_about_the_same(bent, norm) -> None:
    attack = AutoAttackEnsemble(norm=norm, epsilon=RADII[norm], **SMALL)
    labels = bent(IMAGES).argmax(1)
    fell = wrong(bent, attack.attack(bent, IMAGES, labels, seeded()), labels)
    bent.cuda()
    images, there = IMAGES.cuda(), labels.cuda()
    also = wrong(bent, attack.attack(bent, images, there, seeded()), there)
    bent.cpu()
    assert (fell != also.cpu()).sum() <= 2
