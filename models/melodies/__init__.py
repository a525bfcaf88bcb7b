"""Melodies: their events, sets of them, keys and scales, their notes."""
