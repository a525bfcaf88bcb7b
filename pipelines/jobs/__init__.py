"""Slices of work over many processes, by Beam."""
