"""Slow answers in plain Python, written from the catalogue in docs/rules and from nothing else."""
