"""What music is to the models: sequences of tokens."""
