"""Recurrent layers over whole sequences in compiled code: forward, and backward for training. No TensorFlow."""
