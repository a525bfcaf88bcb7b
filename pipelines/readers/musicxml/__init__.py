"""MusicXML scores to NoteSequences."""
