"""The recurrent networks, in NumPy and in TensorFlow, over one set of named weights."""
