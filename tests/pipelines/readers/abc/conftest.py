from tests.abc_tunes import melody, pitches, play, read, reject

__all__ = ["melody", "pitches", "play", "read", "reject"]
