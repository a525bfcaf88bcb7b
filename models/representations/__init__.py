"""Representations: how a piece becomes sequences of tokens, and back; sequences in batches."""
