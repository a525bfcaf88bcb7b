"""The written tune as it is played: order of bars, times, notes."""
