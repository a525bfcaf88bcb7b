"""What is kept in files: records, checkpoints, run directories, figures, and their protocol buffers."""
