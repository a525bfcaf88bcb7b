"""The data side: source files to NoteSequences to melodies to datasets, and the evaluation and comparison jobs."""
