import itertools
import pathlib

import pytest

from etude.pipelines.readers.musicxml import reader as reader
from etude.pipelines.readers.musicxml.order import EndlessError, Signs, _last_endings, playing_order
from etude.pipelines.reasons import REMEDIES

ATTRIBUTES = (
    "<attributes><divisions>4</divisions><key><fifths>{fifths}</fifths><mode>{mode}</mode></key>"
    "<time><beats>4</beats><beat-type>4</beat-type></time>{more}</attributes>"
)


def attributes(fifths=0, mode="major", more=""):
    return ATTRIBUTES.format(fifths=fifths, mode=mode, more=more)


def note(step, duration=16, octave=4, alter=0, voice=1, more="", before=""):
    """A note of so many sixteenths."""
    return (
        f"<note>{before}<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
        f"<duration>{duration}</duration><voice>{voice}</voice>{more}</note>"
    )


def score(*parts, head=""):
    """A score of parts, each a list of the contents of its measures."""
    names = "".join(f'<score-part id="P{i}"><part-name>Part {i}</part-name></score-part>' for i in range(len(parts)))
    body = "".join(
        f'<part id="P{i}">' + "".join(f'<measure number="{n}">{m}</measure>' for n, m in enumerate(part, 1)) + "</part>"
        for i, part in enumerate(parts)
    )
    return f"<score-partwise>{head}<part-list>{names}</part-list>{body}</score-partwise>".encode()


def read(data):
    (reading,) = reader.read(data)
    assert reading.rejected is None, reading.rejected
    return reading.sequence


def rejection(data):
    (reading,) = reader.read(data)
    assert reading.rejected.reason in REMEDIES
    return reading.rejected


def quarters(sequence):
    """(pitch, start, end) at 120 quarter notes a minute."""
    return [(n.pitch, n.start_time * 2, n.end_time * 2) for n in sequence.notes]


def measures(text):
    """Signs of measures: names with `(`, `)2`, `1,2` for endings, and words."""
    found = []
    for word in text.split():
        name, *flags = word.split("/")
        signs = Signs()
        for flag in flags:
            if flag == "(":
                signs.starts_repeat = True
            elif flag.startswith(")"):
                signs.times = int(flag[1:])
            elif flag[0].isdigit():
                signs.endings, signs.starts_ending = frozenset(map(int, flag.split(","))), True
            else:
                setattr(signs, flag, True)
        found.append((name, signs))
    return found


@pytest.mark.parametrize(
    ("written", "played"),
    [
        ("A B", "AB"),
        ("A B/)2", "ABAB"),
        ("A B/( C/)2 D", "ABCBCD"),
        ("A/( B/)3", "ABABAB"),
        ("A B/)2 C D/)2", "ABABCDCD"),
        ("A/( B/1/)2 C/2 D", "ABACD"),
        ("A/( B/1/)2 C/2/)2 D", "ABACD"),
        ("A/( B/1/)2 C D", "ABACD"),
        ("A/( B/1,2/)2 C/3 D", "ABABACD"),
        ("A/( B/1/)2 C/2/)2 D/3 E", "ABACADE"),
        ("A/( B/1 C/1/)2 D/2 E/2 F", "ABCADEF"),
        ("A/( B/1/)2 C/2/)2 D E/)2", "ABACDEDE"),
        ("A/( B/1/)2 C/2 D/( E/1/)2 F/2 G", "ABACDEDFG"),
        ("A/( B/1/)2 C/2 D E/1/)2 F/2", "ABACDEDF"),
        ("A B/fine C D/da_capo E", "ABCDAB"),
        ("A B/segno C/to_coda D/dal_segno E F/coda G", "ABCDBCFG"),
        ("A/( B/)2 C/da_capo", "ABABCABC"),
        ("A/( B/1/)2 C/2/fine D/da_capo", "ABACDAC"),
    ],
)
def test_playing_order(written, played):
    names, signs = zip(*measures(written), strict=True)
    assert "".join(names[index] for index in playing_order(signs)) == played


def test_endless_repeats_are_refused():
    with pytest.raises(EndlessError):
        playing_order([Signs(times=10**9)])


def test_signs_are_read():
    forward = '<barline location="left"><repeat direction="forward"/></barline>'
    first = '<barline location="left"><ending number="1" type="start"/></barline>'
    back = '<barline><ending number="1" type="stop"/><repeat direction="backward"/></barline>'
    second = '<barline location="left"><ending number="2" type="start"/></barline>'
    end = '<barline><ending number="2" type="discontinue"/></barline>'
    da_capo = '<direction><sound dacapo="yes"/></direction>'
    fine = '<sound fine="yes"/>'
    parts = [
        [
            *(attributes() + note("C"), forward + note("D"), first + note("E") + back, second + note("F") + end),
            *(note("G") + fine, note("A") + da_capo),
        ],
        [attributes() + note(step) for step in "CDEFGA"],
    ]
    sequence = read(score(*parts))
    names = "".join("C D EF G A B"[n.pitch - 60] for n in sequence.notes if n.instrument == 0)
    assert names == "CDEDFGACDFG"
    for start, end in itertools.pairwise([n.start_time for n in sequence.notes if n.instrument == 1]):
        assert end - start == 2


def test_equal_to_note_seq_where_that_is_right(import_note_seq):
    """One voice, no ties, grace notes, repeats or changes of tempo."""
    metronome = '<direction><sound tempo="90"/></direction>'
    chord = (
        "<harmony><root><root-step>B</root-step><root-alter>-1</root-alter></root><kind>minor-seventh</kind>"
        "<bass><bass-step>F</bass-step></bass><degree><degree-value>11</degree-value><degree-alter>0</degree-alter>"
        "<degree-type>add</degree-type></degree></harmony>"
    )
    body = [
        attributes(fifths=-3) + metronome + chord + note("C", 3) + note("E", 1, alter=-1) + note("G", 12),
        note("B", 8, alter=-1) + note("D", 8, octave=5, before="<chord/>") + chord + note("F", 8, alter=1),
        "<note><rest/><duration>16</duration><voice>1</voice></note>",
        note("C", 16, octave=5),
    ]
    data = score(body)
    module = import_note_seq("musicxml_parser")

    class Document(module.MusicXMLDocument):
        @staticmethod
        def _get_score(root):
            return root

    theirs = import_note_seq("musicxml_reader").musicxml_to_sequence_proto(Document(reader._parse(data)))
    ours = read(data)
    assert len(ours.notes) == 7
    assert [(n.pitch, n.velocity, n.part, n.voice, n.program) for n in ours.notes] == [
        (n.pitch, n.velocity, n.part, n.voice, n.program) for n in theirs.notes
    ]
    for name in ("start_time", "end_time"):
        assert [getattr(n, name) for n in ours.notes] == pytest.approx([getattr(n, name) for n in theirs.notes])
    assert [t.text for t in ours.text_annotations] == [t.text for t in theirs.text_annotations] == ["Bbm7(add11)/F"] * 2
    assert [t.time for t in ours.text_annotations] == pytest.approx([t.time for t in theirs.text_annotations])
    assert list(ours.time_signatures) == list(theirs.time_signatures)
    assert list(ours.key_signatures) == list(theirs.key_signatures)
    assert list(ours.tempos) == list(theirs.tempos)
    assert ours.ticks_per_quarter == theirs.ticks_per_quarter
    assert ours.total_time == theirs.total_time
    assert list(ours.part_infos) == list(theirs.part_infos)


def test_tied_notes_are_one():
    tie = '<tie type="start"/>'
    both = '<tie type="stop"/><tie type="start"/>'
    sequence = read(score([attributes() + note("C", more=tie), note("C", more=both), note("C", 8) + note("C", 8)]))
    assert quarters(sequence) == [(60, 0, 10), (60, 10, 12)]


def test_a_tie_does_not_go_over_a_repeat():
    repeat = '<barline><repeat direction="backward"/></barline>'
    sequence = read(score([attributes() + note("D"), note("C", more='<tie type="start"/>') + repeat, note("C")]))
    assert quarters(sequence) == [(62, 0, 4), (60, 4, 8), (62, 8, 12), (60, 12, 20)]


def test_grace_cue_and_unpitched_notes():
    grace = "<note><grace/><pitch><step>B</step><octave>5</octave></pitch><voice>1</voice></note>"
    cue = note("A", 8, before="<cue/>")
    unpitched = "<note><unpitched/><duration>4</duration></note>"
    sequence = read(score([attributes() + grace + note("C", 4) + unpitched + cue]))
    assert quarters(sequence) == [(60, 0, 1)]


def test_octaves_of_c_flat_and_b_sharp():
    body = (
        attributes() + note("C", 4, alter=-1) + note("B", 4, alter=1) + note("F", 4, alter=2) + note("E", 4, alter=-2)
    )
    assert [n.pitch for n in read(score([body])).notes] == [59, 72, 67, 62]


def test_voices_are_instruments():
    """The second voice ends early; the next measure starts at the bar line all the same."""
    back = "<backup><duration>16</duration></backup>"
    first = attributes() + note("G", 16) + back + note("C", 8, voice=2)
    sequence = read(
        score([first, note("A", 16) + back + note("D", 16, voice=2)], [attributes() + note("C"), note("E")])
    )
    assert [(n.instrument, *values) for n, values in zip(sequence.notes, quarters(sequence), strict=True)] == [
        (0, 67, 0, 4),
        (1, 60, 0, 2),
        (0, 69, 4, 8),
        (1, 62, 4, 8),
        (2, 60, 0, 4),
        (2, 64, 4, 8),
    ]
    assert [info.name for info in sequence.instrument_infos] == ["Part 0", "Part 0, voice 2", "Part 1"]


def test_one_overfull_measure_moves_no_other_part():
    """The part plays all its notes, one over the bar line; music21 has the other part where it stands, too."""
    parts = [[attributes() + note("C", 16) + note("D", 4), note("E")], [attributes() + note("F"), note("G")]]
    sequence = read(score(*parts))
    assert quarters(sequence) == [(60, 0, 4), (62, 4, 5), (64, 4, 8), (65, 0, 4), (67, 4, 8)]
    music21 = pytest.importorskip("music21")
    parsed = music21.converter.parseData(score(*parts).decode(), format="musicxml")
    expected = [(n.pitch.midi, n.offset, n.offset + n.quarterLength) for n in parsed.parts[1].flatten().notes]
    assert expected == [values for n, values in zip(sequence.notes, quarters(sequence), strict=True) if n.part == 1]


@pytest.mark.parametrize(
    ("lengths", "start"),
    [
        ((4, 4), 4),  # a pickup, which stands at the end of its bar
        ((4, 16), 4),  # that rests in the other part
        ((20, 20), 5),  # a measure that is longer for all
        ((20, 18), 5),
        ((20, 0), 5),  # a part that is silent
        ((18, 12), 4),  # what goes beyond the metre shows that the other part is not cut short
    ],
)
def test_where_the_next_measure_starts(lengths, start):
    sequence = read(score(*([attributes() + note("C", length) * (length > 0), note("E")] for length in lengths)))
    assert {values[1] for values in quarters(sequence) if values[0] == 64} == {start}


def test_bars_are_kept_where_a_repeat_begins_with_a_pickup():
    """The last measure is what the pickup leaves; metre, key and tempo stand at the start all the same."""
    end = '<barline location="right"><repeat direction="backward"/></barline>'
    measures = [attributes() + '<sound tempo="120"/>' + note("C", 4), note("D"), note("E", 12) + end]
    sequence = read(score(measures))
    assert [start for _, start, _ in quarters(sequence)] == [3, 4, 8, 11, 12, 16]
    for changes in (sequence.time_signatures, sequence.key_signatures, sequence.tempos):
        assert [change.time for change in changes] == [0]
    (written,) = reader.read(score(measures), pickups="as-written")
    assert [start for _, start, _ in quarters(written.sequence)] == [0, 1, 5, 8, 9, 13]
    assert written.bars == ""
    (kept,) = reader.read(score(measures))
    assert kept.bars == "pickup"


def test_metres_of_parts_may_differ():
    twelve_eight = attributes().replace("<beats>4</beats><beat-type>4<", "<beats>12</beats><beat-type>8<")
    sequence = read(score([attributes() + note("C"), note("C")], [twelve_eight + note("D", 24), note("D", 24)]))
    assert quarters(sequence) == [(60, 0, 4), (60, 6, 10), (62, 0, 6), (62, 6, 12)]


def test_transposing_instrument():
    transpose = "<transpose><chromatic>-2</chromatic></transpose>"
    chord = "<harmony><root><root-step>D</root-step></root><kind>minor</kind></harmony>"
    sequence = read(score([attributes(fifths=2, more=transpose) + chord + note("D")]))
    assert sequence.notes[0].pitch == 60
    assert sequence.key_signatures[0].key == 0
    assert sequence.text_annotations[0].text == "Cm"


@pytest.mark.parametrize(
    ("fifths", "mode", "key", "number"), [(0, "minor", 9, 1), (1, "dorian", 9, 4), (-1, "mixolydian", 0, 3)]
)
def test_modes(fifths, mode, key, number):
    signature = read(score([attributes(fifths, mode) + note("C")])).key_signatures[0]
    assert (signature.key, signature.mode) == (key, number)


def test_tempo_changes_hold_for_all_parts_and_repeats_go_back():
    metronome = "<metronome><beat-unit>half</beat-unit><per-minute>c. 30</per-minute></metronome>"
    slow = f"<direction><direction-type>{metronome}</direction-type></direction>"
    repeat = '<barline><repeat direction="backward"/></barline>'
    parts = [[attributes() + note("C"), slow + note("D") + repeat], [attributes() + note("E"), note("F")]]
    sequence = read(score(*parts))
    assert [(t.time, t.qpm) for t in sequence.tempos] == [(0, 120), (2, 60), (6, 120), (8, 60)]
    starts = [[n.start_time for n in sequence.notes if n.instrument == part] for part in (0, 1)]
    assert starts == [[0, 2, 6, 8]] * 2


def test_metres():
    time = "<time><beats>{}</beats><beat-type>8</beat-type></time>"
    mixed = "<attributes>" + time.format("3+2") + "</attributes>"
    sequence = read(score([attributes() + note("C", 4), mixed + note("D", 10)]))
    assert [(t.numerator, t.denominator, t.time) for t in sequence.time_signatures] == [(4, 4, 0), (5, 8, 0.5)]


def test_timewise_score():
    data = (
        '<score-timewise><part-list/><measure><part id="A">' + attributes() + note("C") + "</part></measure>"
        '<measure><part id="A">' + note("D") + '</part><part id="B">' + attributes() + note("E") + "</part></measure>"
        "</score-timewise>"
    )
    assert quarters(read(data.encode())) == [(60, 0, 4), (62, 4, 8), (64, 4, 8)]


def test_title_and_composer():
    head = (
        "<work><work-title> The\n Tune </work-title></work>"
        '<identification><creator type="composer">Anon</creator></identification>'
    )
    metadata = read(score([attributes() + note("C")], head=head)).sequence_metadata
    assert (metadata.title, list(metadata.composers)) == ("The Tune", ["Anon"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (note("H"), "part P0, measure 1: a <step> is 'H'"),
        (note("C", octave=11), "outside MIDI's range"),
        (note("C", "x"), "'x'"),
        (note("C", -4), "below 0"),
        (note("C", "1e9"), "no number that a score has"),
        ("<attributes><divisions>0</divisions></attributes>" + note("C"), "<divisions> is 0"),
        ("<note><pitch><step>C</step><octave>4</octave></pitch></note>", "has no <duration>"),
        ("<attributes><time><beats>4</beats><beat-type>0</beat-type></time></attributes>", "<time>"),
    ],
)
def test_bad_scores_say_where(body, message):
    rejected = rejection(score([body]))
    assert rejected.reason == "unreadable"
    assert message in rejected.detail


def test_entities_do_not_explode():
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    data = f'<!DOCTYPE score-partwise [<!ENTITY e0 "ha">{levels}]><score-partwise>&e11;</score-partwise>'
    assert rejection(data.encode()).reason == "unreadable"


@pytest.mark.parametrize(
    "declaration", ['<!ENTITY e "<note/>">', "<!ENTITY % e ''>", '<!ATTLIST note default CDATA "long">']
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_a_score_declares_itself_could_be_any_size(declaration, encoding):
    data = f"<!DOCTYPE score-partwise [{declaration}]><score-partwise/>".encode(encoding)
    assert "declares" in rejection(data).detail


REPEAT = '<barline><repeat direction="backward" times="{}"/></barline>'
CHORD = "<harmony><root><root-step>C</root-step></root><kind>major</kind></harmony>"
SLOW = '<sound tempo="{}"/>'


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([[attributes() + note("C") + CHORD * 20 + REPEAT.format(20_000)]], "notes, chords and tempos"),
        ([[attributes() + note("C", 1) + SLOW.format(9) * 20 + REPEAT.format(20_000)]], "notes, chords and tempos"),
        ([[attributes() + note("C", 1) * 20 + REPEAT.format(20_000)]], "notes, chords and tempos"),
        ([[note("C"), "<forward><duration>1</duration></forward>" + REPEAT.format(20_000)]] * 60, "in 60 parts"),
        ([[attributes() + note("C") + REPEAT.format(45_000)]], "25 hours"),
        ([[attributes() + note("C", "9" * 30)]], "hours"),
        ([[attributes() + SLOW.format("0.00001") + note("C")]], "hours"),
    ],
)
def test_what_repeats_and_parts_multiply_is_counted_before_it_is_played(parts, message):
    rejected = rejection(score(*parts))
    assert rejected.reason == "too-large"
    assert message in rejected.detail


def test_repeats_that_pass_over_more_than_they_play():
    passed_over = [Signs(endings=frozenset([2000])) for _ in range(1000)]
    with pytest.raises(EndlessError, match="passed over"):
        playing_order([Signs(starts_repeat=True), *passed_over, Signs(times=2, endings=frozenset(range(1, 2000)))])


def test_an_ending_that_is_not_closed():
    """It goes on to the end, in time that is proportional to the number of measures."""
    assert len(playing_order([Signs(endings=frozenset([1, 2])) for _ in range(40_000)])) == 40_000


def test_last_endings_are_those_of_neighbours():
    """Against the definition, for all small cases: the first ending of a new group starts it."""
    kinds = [
        Signs(endings=frozenset(numbers), starts_ending=starts)
        for numbers in ([], [1], [2], [1, 3])
        for starts in (0, 1)
    ]
    for written in itertools.product(kinds, repeat=4):
        groups = [0]
        for before, measure in itertools.pairwise(written):
            is_new = not measure.endings or not before.endings or (measure.starts_ending and 1 in measure.endings)
            groups.append(groups[-1] + is_new)
        expected = [
            max(
                (number for other, of in zip(written, groups, strict=True) if of == group for number in other.endings),
                default=0,
            )
            for group in groups
        ]
        assert _last_endings(written) == expected


def test_divisions_without_a_common_grid():
    primes = [number for number in range(900_000, 901_000) if all(number % divisor for divisor in range(2, 1000))]
    divisions = "<attributes><divisions>{}</divisions></attributes>"
    body = "".join(divisions.format(prime) + note("C", 1) for prime in primes)
    assert "no common grid" in rejection(score([body])).detail


def test_names_and_chords_of_any_length():
    data = score(
        [attributes() + CHORD.replace("<kind>", "<kind text='" + "b" * 9999 + "'>odd") + note("C", voice="v" * 9999)]
    )
    sequence = read(data.replace(b"Part 0", b"P" * 9999))
    assert not sequence.text_annotations
    assert len(sequence.instrument_infos[0].name) == 200


def test_too_many_tags(monkeypatch):
    monkeypatch.setattr(reader, "MAX_ITEMS", 10)
    assert "elements" in rejection(score([attributes() + note("C")])).detail


def test_music21_hears_the_same():
    """Bach chorales: four voices, repeats played out."""
    music21 = pytest.importorskip("music21")
    folder = pathlib.Path(music21.__file__).parent / "corpus" / "bach"
    paths = sorted(folder.glob("bwv2*.mxl"))[:40:10]
    assert paths
    for path in paths:
        parsed = music21.converter.parseData(reader._unpack(path.read_bytes()).decode(), format="musicxml")
        expected = sorted(
            (n.pitch.midi, float(n.offset), float(n.offset + n.quarterLength))
            for part in parsed.parts
            for n in (part.expandRepeats() if part.recurse().getElementsByClass("RepeatMark") else part)
            .stripTies()
            .flatten()
            .notes
        )
        (reading,) = reader.read(path.read_bytes(), pickups="as-written")
        sequence = reading.sequence
        tempo = sequence.tempos[0].qpm / 60
        assert len(sequence.tempos) == 1
        assert [
            pytest.approx((n.pitch, n.start_time * tempo, n.end_time * tempo))
            for n in sorted(sequence.notes, key=lambda n: (n.pitch, n.start_time, n.end_time))
        ] == expected, path.name
