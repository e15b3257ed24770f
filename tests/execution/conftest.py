"""Chains without a plan."""

from workers.contracts import Chain, Component, Level, Training


def make_chain(name: str, waits_for: str | None = None, epochs: int = 1, levels: int = 1) -> Chain:
    pruned = waits_for is not None
    return Chain(
        name=name,
        network="net",
        model=Component("model"),
        data=Component("data"),
        fingerprint="",
        seed=0,
        training=Training(epochs=epochs),
        parent=f"{waits_for or name}-key",
        waits_for=(waits_for,) if waits_for else (),
        method=Component("wt") if pruned else None,
        retraining=Training(epochs=epochs) if pruned else None,
        levels=tuple(Level(key=f"{name}-{i}", base="", ratio=0.5) for i in range(levels * pruned)),
    )
