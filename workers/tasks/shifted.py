"""Test on other images: the natural distribution shift from one data set to another.

Lost in Pruning (MLSys 2021) tests networks trained on CIFAR-10 on CIFAR-10.1, and networks trained
on ImageNet on ObjectNet, in this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workers.images.other_test_set import OtherTestSet
from workers.nearest import nearest


@dataclass(frozen=True, kw_only=True)
class Shifted(OtherTestSet):
    """The test images of another data set of the same shape, whose classes the network knows.

    ``data`` names it as a sweep names data: ``cifar10_1``, or ``{imagefolder: {…}}``. Classes are
    matched by name, whatever their numbers, and by number where its names are just numbers.
    ``classes`` says instead which class of the network each of its classes is, as in
    ``{tabby cat: cat, tiger cat: cat}``; images of classes that it leaves out are not tested on.
    Two tasks on the same kind of files need a ``name`` each, which their labels end in.
    """

    classes: dict[str, str] | None = None

    def __post_init__(self) -> None:
        """Check the data set and the map.

        Raises:
            ValueError: ``data`` does not name a data set, or the map is empty.

        """
        super().__post_init__()
        if self.classes == {}:
            raise ValueError("classes: expected at least one class")

    def own_labels(self, theirs: Sequence[str], own: Sequence[str]) -> Sequence[int | None]:
        """Match through ``classes``, or else by name, or by number where theirs have no names.

        Raises:
            ValueError: a class is not among those that it should be among, or the network's names
                are not known although ``classes`` says them.

        """
        if self.classes is not None:
            return _mapped(self.classes, theirs, own)
        if not own:
            return range(len(theirs))
        if _numbers(theirs):
            return _counted(len(theirs), len(own))
        label = {name: number for number, name in enumerate(own)}
        for name in theirs:
            if name not in label:
                raise ValueError(
                    f"the network has no class '{name}' (the option 'classes' can say which class "
                    f"is which), {nearest(name, own)}"
                )
        return [label[name] for name in theirs]


def _counted(theirs: int, own: int) -> Sequence[int]:
    if theirs > own:
        raise ValueError(
            f"it has {theirs} classes without names, expected at most the network's {own}; say "
            "which class is which with the option 'classes'"
        )
    return range(theirs)


def _mapped(
    classes: dict[str, str], theirs: Sequence[str], own: Sequence[str]
) -> Sequence[int | None]:
    if not own:
        raise ValueError("classes: the names of the network's classes are not known")
    for name, meant in classes.items():
        if name not in theirs:
            raise ValueError(f"classes: the data have no class '{name}', {nearest(name, theirs)}")
        if meant not in own:
            raise ValueError(f"classes: the network has no class '{meant}', {nearest(meant, own)}")
    label = {name: number for number, name in enumerate(own)}
    return [label[classes[name]] if name in classes else None for name in theirs]


def _numbers(names: Sequence[str]) -> bool:
    return list(names) == [str(number) for number in range(len(names))]
