"""Comparisons of search strategies under one protocol: the same folds, retraining rule and budget for every arm."""
