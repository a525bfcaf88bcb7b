"""Compares trained models: on held-out melodies, and by the music that they make."""
