"""Ways to continue a melody: sampling with Magenta's stochastic beam, deterministic beam search, greedy."""
