"""Magenta's own models: its bundles (.mag) and the TensorFlow 1 checkpoints in and beside them, read as data.

Weights are read; a graph is never executed, and TensorFlow is not needed.
"""
