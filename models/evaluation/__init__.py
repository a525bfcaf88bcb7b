"""Likelihood, and figures over sets of melodies."""
