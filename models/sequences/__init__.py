"""Sequences of tokens: one, many in a batch, and what ranges of them are comparable."""
