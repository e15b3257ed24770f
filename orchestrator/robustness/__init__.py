"""How pruned networks differ beyond accuracy: tables made from stored predictions and readings."""
