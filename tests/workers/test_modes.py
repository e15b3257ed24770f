import pytest
from torch import nn

from workers.modes import evaluating


def network() -> nn.Sequential:
    made = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm2d(3))).train()
    made[1].eval()
    return made


def modes(of: nn.Module) -> list[bool]:
    return [module.training for module in of.modules()]


def test_every_module_evaluates_and_goes_back_to_its_own_mode() -> None:
    made = network()
    with evaluating(made):
        assert modes(made) == [False] * 4
    assert modes(made) == [True, True, False, False]


def test_a_failure_inside_changes_nothing() -> None:
    made = network()
    with pytest.raises(KeyError), evaluating(made):
        raise KeyError
    assert modes(made) == [True, True, False, False]
