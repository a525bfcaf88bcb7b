"""Figures of models on datasets, and the likelihood of given music."""
