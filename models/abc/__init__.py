"""ABC notation: what is written, what is played, one canonical form of it, folk-rnn's tokens, and what makes a text valid."""
