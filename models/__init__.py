"""Models of music: encodings, networks, training, checkpoints, search and likelihood. No Beam."""
