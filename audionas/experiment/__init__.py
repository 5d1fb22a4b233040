"""One function for each step: prepare, search, export, retrain, report."""
