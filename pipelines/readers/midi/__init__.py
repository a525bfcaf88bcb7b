"""Standard MIDI files to NoteSequences."""
