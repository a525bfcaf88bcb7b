"""How melodies become the inputs and labels of a network."""
