"""Whole studies: from sources to a report, over configurations and seeds."""
