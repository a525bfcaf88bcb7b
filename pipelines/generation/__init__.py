"""Primers from files, and generated melodies in files."""
