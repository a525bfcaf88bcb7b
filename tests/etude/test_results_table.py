from etude.results_table import _tunes


def test_tunes_are_ranked_among_their_floors():
    def figures(bits):
        interval = {"value": bits, "interval": [bits - 0.1, bits + 0.1]}
        return {"bits_per_note": interval, "nats_per_piece": {"value": 70 * bits}}

    pieces = {
        "figures": {"a": figures(2.5), "b": figures(1.5)},
        "floors": [{"title": "xz", "representation": "melody", "figures": figures(2.0)}],
    }
    _, *lines = _tunes(pieces, {"a": "First", "b": "Second"})
    assert [line.split(" ")[0] for line in lines] == ["Second", "xz", "First"]
    assert "1.4000 to 1.6000" in lines[0]
    assert lines[0].endswith("105.0")
