"""Generated melodies compared with real ones, by what music is made of."""
