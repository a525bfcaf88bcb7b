"""Figures over melodies with their intervals, and tests of differences."""
