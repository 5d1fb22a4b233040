"""Whole papers in one command: the steps of audionas in the paper's order, and its tables beside its figures."""
