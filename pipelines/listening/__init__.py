"""Blind listening tests: one page to listen with, and the statistics of the answers."""
