"""Looking inside a network: what its units do while it reads, and what of the music they follow."""
