"""What is written in a tune: its fields and its music, before it is played."""
