"""Music as MIDI, ABC, score, piano roll and sound: the one place that renders, for files, reports and TensorBoard."""
