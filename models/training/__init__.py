"""Trains a model: batches, the optimiser's step, the metrics, and the loop over them."""
