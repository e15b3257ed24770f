"""Metrics of networks from stored predictions: pure functions of arrays over the test examples."""
