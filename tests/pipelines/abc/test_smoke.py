from pipelines.abc import Tune, read_tunebook


def test_reads_a_tune() -> None:
    (tune,) = read_tunebook(b"X:1\nT:Scale\nM:4/4\nL:1/4\nK:D\nDEFG|A4|]\n")
    assert isinstance(tune, Tune)
    assert [note.pitch for note in tune.note_sequence().notes] == [62, 64, 66, 67, 69]
