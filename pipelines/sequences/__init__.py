"""Pieces to melodies: quantisation, extraction, content, split."""
