"""What a command line names as music: files, folders, archives, corpora, other file systems."""
