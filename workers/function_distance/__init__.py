"""How far apart the functions are that two networks compute, as Lost in Pruning asks."""
