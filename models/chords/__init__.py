"""Chords: how they are written, as numbers, over the steps of a piece, and inferred from its notes."""
