"""Measurements: speed, agreement, and behaviour under kills."""
