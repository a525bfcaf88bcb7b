"""Melodies as MIDI, ABC, score, piano roll and sound."""
