"""The MIDI reader against note-seq's, which reads through mido and pretty_midi."""

import io
import pathlib
import random
import struct
import time
import tracemalloc
import warnings

import mido.midifiles.midifiles
import pytest

from etude.pipelines.readers.midi import block as message_block
from etude.pipelines.readers.midi import reader as reader
from etude.pipelines.readers.midi.file import parse_midi
from etude.pipelines.reasons import REMEDIES


@pytest.fixture(scope="module")
def note_seq_reads(import_note_seq):
    """note-seq's reader: bytes to a NoteSequence, or None where it gives up."""
    midi_io = import_note_seq("midi_io")
    build = mido.midifiles.midifiles.build_meta_message

    def with_delta(kind, data, delta=0):
        # mido drops the delta time of a meta event that it does not know.
        message = build(kind, data, delta)
        message.time = delta
        return message

    def read(data):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                return midi_io.midi_to_note_sequence(data)
        except midi_io.MIDIConversionError:
            return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mido.midifiles.midifiles, "build_meta_message", with_delta)
        yield read


def read(data):
    (reading,) = reader.read(data)
    assert (reading.sequence is None) != (reading.rejected is None)
    return reading.sequence


def rejection(data):
    (reading,) = reader.read(data)
    assert reading.rejected.reason in REMEDIES
    return reading.rejected


def variable(value):
    digits = [value & 127]
    while value := value >> 7:
        digits.append(value & 127 | 128)
    return bytes(reversed(digits))


def meta(kind, content=b""):
    return bytes([0xFF, kind]) + variable(len(content)) + content


def tempo(microseconds):
    return meta(0x51, microseconds.to_bytes(3, "big"))


def track(*events):
    """A track of bytes or (delta, bytes)."""
    parts = [event if isinstance(event, tuple) else (0, event) for event in events]
    content = b"".join(variable(delta) + data for delta, data in parts)
    return b"MTrk" + struct.pack(">L", len(content)) + content


def file(*tracks, division=480, format=1):
    return b"MThd" + struct.pack(">LhhH", 6, format, len(tracks), division % (1 << 16)) + b"".join(tracks)


def on(pitch, velocity=80, channel=0):
    return bytes([0x90 | channel, pitch, velocity])


def off(pitch, channel=0):
    return bytes([0x80 | channel, pitch, 64])


def program(number, channel=0):
    return bytes([0xC0 | channel, number])


def control(number, value, channel=0):
    return bytes([0xB0 | channel, number, value])


def bend(low, high, channel=0):
    return bytes([0xE0 | channel, low, high])


NOTE = (on(60), (480, off(60)))
HARD_CASES = {
    "notes": file(track(*NOTE, *NOTE)),
    "running status": file(track(on(60), (9, b"\x3c\x00"), (0, b"\x3e\x50"), (9, b"\x3e\x00"))),
    "running status after a meta event": file(track(on(60), (9, meta(1, b"x")), (9, b"\x3c\x00"))),
    "running program changes": file(track(program(1), (0, b"\x05"), *NOTE)),
    "running control changes": file(track(control(7, 1), (5, b"\x08\x02"), *NOTE)),
    "a byte is dropped after a system exclusive message": file(track(b"\xf0\x02\x01\xf7", (0, b"\x11\x01\x02"), *NOTE)),
    "escaped bytes": file(track(b"\xf7\x02\x01\x02", *NOTE)),
    "system messages": file(track(b"\xf1\x12", b"\xf2\x01\x02", b"\xf3\x01", b"\xf6", b"\xfe", *NOTE)),
    "overlap": file(track(on(60, 1), (10, on(60, 2)), (10, off(60)), (10, off(60)))),
    "overlap in two channels": file(track(on(60), (1, on(60, channel=1)), (1, off(60)), (1, off(60, channel=1)))),
    "overlap and a new note at the end": file(track(on(60, 1), (9, on(60, 2)), off(60), (9, off(60)))),
    "overlap, three, two begin at the end": file(
        track(on(60, 1), (9, on(60, 2)), on(60, 3), off(60), (9, off(60)), (9, on(60)), (9, off(60)))
    ),
    "zero length": file(track(on(60), off(60), (9, off(60)), *NOTE)),
    "zero length, twice": file(track(on(60, 1), on(60, 2), off(60), (9, off(60)), *NOTE)),
    "ends before it begins": file(track((9, off(60)), *NOTE)),
    "never ends": file(track(on(61), *NOTE)),
    "velocity 0 in another track": file(track(on(60)), track((9, on(60, 0))), track(*NOTE)),
    "no tempo": file(track(*NOTE), track(*NOTE)),
    "tempo changes": file(track(tempo(400_000), (100, tempo(300_001)), (33, tempo(300_001)), (55, tempo(1)), *NOTE)),
    "tempi at one tick": file(track(tempo(4), tempo(300_000), (100, tempo(5)), tempo(200_000), *NOTE), track(*NOTE)),
    "a tempo of 17 beats a second": file(track((7, tempo((1 << 24) - 1)), *NOTE)),
    "tempo in another track": file(track(*NOTE), track(tempo(5), meta(0x58, b"\3\2\x18\x08"), meta(0x59, b"\1\0"))),
    "metres": file(track(meta(0x58, b"\3\2\x18\x08"), (9, meta(0x58, b"\x0b\x07\x18\x08")), *NOTE)),
    "keys": file(track(*(meta(0x59, bytes([k % 256, m])) for k in range(-7, 8) for m in (0, 1)), *NOTE)),
    "drums": file(track(on(36, channel=9), (9, off(36, channel=9)))),
    "two channels": file(track(on(60, channel=3), (9, on(62)), (9, off(62)), (9, off(60, channel=3)))),
    "programs": file(track(program(4), *NOTE, program(7), *NOTE, program(4), *NOTE)),
    "the program changes while a note sounds": file(track(program(4), on(60), program(7), (9, off(60)), *NOTE)),
    "control changes before and after": file(track(control(7, 1), *NOTE, control(7, 2), program(3), control(7, 3))),
    "shared control changes": file(
        track(control(7, 1), *NOTE, program(3), control(7, 2), *NOTE, program(5), control(7, 3), *NOTE, control(7, 4))
    ),
    "changes without notes": file(track(control(7, 1), bend(0, 64)), track(*NOTE)),
    "pitch bends": file(track(bend(0, 0), bend(127, 127), bend(0, 64), (9, bend(5, 6)), *NOTE, bend(1, 1))),
    "pressure": file(track(b"\xa0\x3c\x40", b"\xd0\x11", (9, b"\x12"), *NOTE)),
    "names": file(track(meta(3, b"One"), *NOTE, meta(3, b"Two"), program(2), *NOTE), track(meta(3, b"caf\xe9"), *NOTE)),
    "end of track in the middle": file(track(*NOTE, meta(0x2F), *NOTE, meta(0x2F))),
    "unknown meta event": file(track((9, meta(0x60, b"abc")), *NOTE)),
    "format 0": file(track(tempo(400_000), *NOTE), format=0),
    "format 2": file(track(tempo(400_000), *NOTE), track(tempo(300_000), *NOTE), format=2),
    "header of more bytes": b"MThd\0\0\0\x08\0\1\0\1\1\xe0\0\0" + track(*NOTE),
    "bytes after the last track": file(track(*NOTE)) + b"garbage",
    "padded delta": file(b"MTrk\0\0\0\x0b\x80\x80\x00\x90\x3c\x50\x80\x09\x80\x3c\x00"),
    "many instruments": file(*(track(on(c), (9, off(c)), program(c), on(c), (9, off(c))) for c in range(90))),
    "one tick a quarter": file(track(tempo(333_333), *NOTE), division=1),
    "32767 ticks a quarter": file(track(tempo(333_333), *NOTE), division=32767),
    "no notes": file(track(meta(0x2F))),
}


@pytest.fixture(params=["blocks", "events"])
def way(request, monkeypatch):
    """Reads as much as can be at once, however short, or all of it event by event."""
    monkeypatch.setattr(message_block, "MIN_BYTES", 1 if request.param == "blocks" else 1 << 30)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", HARD_CASES)
def test_hard_case(name, note_seq_reads):
    expected = note_seq_reads(HARD_CASES[name])
    assert expected is not None
    assert read(HARD_CASES[name]) == expected


REFUSED = {
    "no header": b"MThx" + file(track(*NOTE))[4:],
    "a short header": b"MThd\0\0\0\x04\0\1\0\1",
    "cut short": file(track(*NOTE))[:-3],
    "a track is missing": file(track(*NOTE), track(*NOTE))[: -len(track(*NOTE))],
    "another chunk": file(b"XFIH\0\0\0\0"),
    "running status without status": file(track(b"\x3c\x40")),
    "undefined status": file(track(b"\xf4", *NOTE)),
    "running status of a message without values": file(track(b"\xf6", (0, b"\x12"), *NOTE)),
    "value above 127": file(track(b"\x90\x3c\x80")),
    "first value above 127": file(track(b"\x90\x80\x3c")),
    "program above 127": file(track(b"\xc0\x80")),
    "event over the end of its track": file(b"MTrk\0\0\0\x02\0\x90", track(*NOTE)),
    "text over the end of its track": file(b"MTrk\0\0\0\x04\0\xff\x01\x10", track(*NOTE)),
    "tempo 0": file(track(tempo(0), *NOTE)),
    "short tempo": file(track(meta(0x51, b"\1\1"), *NOTE)),
    "metre 0/4": file(track(meta(0x58, b"\0\2\x18\x08"), *NOTE)),
    "metre 4/2**31": file(track(meta(0x58, b"\4\x1f\x18\x08"), *NOTE)),
    "no ticks": file(track(*NOTE), division=0),
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_by_note_seq(name, note_seq_reads):
    assert note_seq_reads(REFUSED[name]) is None
    assert rejection(REFUSED[name]).reason == "unreadable"


@pytest.mark.parametrize(
    "event",
    [
        meta(0x59, b"\x0c\0"),  # a key of twelve sharps
        meta(0x59, b""),
        meta(0x54, b"\xff"),
        meta(0x20, b""),
        b"\xf0\x03\xff\xff\xf7",
    ],
)
def test_what_has_no_part_in_the_result_does_not_cost_the_file(event, note_seq_reads):
    data = file(track(event, *NOTE))
    assert note_seq_reads(data) is None
    assert read(data) == note_seq_reads(file(track(*NOTE)))


def random_event(chooser):
    """A delta time and an event; few pitches and channels, so that much meets."""
    delta = chooser.choice([0, 0, 0, 1, 2, 5, 100, 127, 128, 480, 20_000])
    channel = chooser.choice([0, 0, 1, 9])
    pitch = chooser.randrange(60, 64)
    number = chooser.randrange(128)
    data = chooser.choices(
        [
            on(pitch, chooser.randrange(1, 128), channel),
            on(pitch, 0, channel),
            off(pitch, channel),
            bytes([pitch, chooser.choice([0, 80])]),  # running status, if there is one
            program(chooser.randrange(3), channel),
            control(number, 5, channel),
            bend(number, chooser.randrange(128), channel),
            bytes([chooser.choice([0xA0, 0xD0]) | channel, number, number]),
            tempo(chooser.choice([1, 300_000, 300_001, 500_000, 1_000_003])),
            meta(0x58, bytes([chooser.randrange(1, 256), chooser.randrange(8), 24, 8])),
            meta(0x59, bytes([chooser.randrange(-7, 8) % 256, chooser.randrange(2)])),
            meta(chooser.choice([1, 3, 5, 0x2F, 0x60]), b"text"),
            b"\xf0\x03\x01\x02\xf7",
        ],
        [9, 4, 6, 0.7, 2, 2, 1, 1, 1, 0.5, 0.5, 2, 0.3],
    )[0]
    return delta, data


def random_file(seed):
    chooser = random.Random(seed)
    tracks = [
        track(*(random_event(chooser) for _ in range(chooser.randrange(1, 80)))) for _ in range(chooser.randrange(1, 5))
    ]
    return file(
        *tracks, division=chooser.choice([1, 24, 96, 120, 220, 480, 960, 1000, 32767]), format=chooser.randrange(3)
    )


@pytest.mark.usefixtures("way")
def test_random_files_equal_note_seq(note_seq_reads):
    num_notes = num_read = 0
    for seed in range(400):
        data = random_file(seed)
        expected = note_seq_reads(data)
        sequence = read(data)
        assert (sequence is None) <= (expected is None), seed
        if expected is not None:
            assert sequence == expected, seed
            num_notes += len(expected.notes)
            num_read += 1
    assert num_read > 150
    assert num_notes > 2000


def channel_message(chooser):
    """A delta time and an event, such as blocks are made of; notes overlap, end twice or have no length."""
    pitch, channel = chooser.randrange(60, 70), chooser.choice([0, 0, 0, 9])
    delta = chooser.choice([0, 0, 1, 5, 100, 128, 480, 20_000, 3_000_000, *range(2, 300, 20)])
    data = chooser.choices(
        [
            on(pitch, chooser.randrange(1, 128), channel),
            off(pitch, channel),
            on(pitch, 0, channel),
            bytes([pitch, chooser.choice([0, 70])]),
            control(7, chooser.randrange(128), channel),
            bend(chooser.randrange(128), 64, channel),
            bytes([0xA0 | channel, pitch, 5]),
        ],
        [5, 4, 3, 9, 1, 0.5, 0.3],
    )[0]
    return delta, data


def test_blocks_equal_events(monkeypatch):
    num_blocks = num_refused = num_files = 0
    pair = message_block.pair

    def counting(*arguments):
        nonlocal num_blocks, num_refused
        pairs = pair(*arguments)
        num_blocks += pairs is not None
        num_refused += pairs is None
        return pairs

    monkeypatch.setattr(message_block, "pair", counting)
    for seed in range(300):
        chooser = random.Random(seed)
        odd = chooser.choice([0, 0.02, 0.2])
        events = [
            random_event(chooser) if chooser.random() < odd else channel_message(chooser)
            for _ in range(chooser.choice([5, 50, 400]))
        ]
        data = bytearray(file(track(on(60), *events), track(program(3), on(60), *reversed(events))))
        for _ in range(chooser.choice([0, 1, 3])):
            data[chooser.randrange(22, len(data))] = chooser.randrange(256)
        found = []
        for min_bytes in (1 << 30, 1, 50):
            monkeypatch.setattr(message_block, "MIN_BYTES", min_bytes)
            (reading,) = reader.read(bytes(data))
            found.append((reading.sequence, reading.rejected))
        assert found[0] == found[1] == found[2], seed
        num_files += found[0][0] is not None
    assert num_files > 100
    assert num_blocks > 500
    assert num_refused > 10


def test_long_track_equals_events(monkeypatch):
    """Longer than one block may be, with notes that sound from one to the next."""
    chooser = random.Random(0)
    events = [
        (n % 3 * 90, on(chooser.randrange(30, 80), chooser.choice([0, 70])))
        for n in range(3 * message_block.MAX_BYTES // 4)
    ]
    data = file(track(on(20), *events, off(20)))
    expected = read(data)
    assert len(expected.notes) > message_block.MAX_BYTES // 12
    monkeypatch.setattr(message_block, "MIN_BYTES", 1 << 30)
    assert read(data) == expected


def test_damaged_files_equal_note_seq_where_it_reads_them(note_seq_reads):
    chooser = random.Random(1)
    num_read = num_rejected = 0
    for seed in range(300):
        data = bytearray(random_file(chooser.randrange(1000)))
        for _ in range(chooser.randrange(1, 4)):
            data[chooser.randrange(len(data))] = chooser.randrange(256)
        data = bytes(data)
        sequence = read(data)
        if sequence is None:
            num_rejected += 1
            # What is too long would take note-seq gigabytes.
            assert rejection(data).reason == "absurd-time" or note_seq_reads(data) is None, seed
        elif parse_midi(data).division > 0 and parse_midi(data).last_tick < 10_000_000:
            expected = note_seq_reads(data)
            if expected is not None:
                assert sequence == expected, seed
                num_read += 1
    assert num_read > 40
    assert num_rejected > 50


def test_real_files_equal_note_seq(note_seq_reads):
    package = pytest.importorskip("importlib.util").find_spec("music21")
    if package is None:
        pytest.skip("music21 is not installed")
    paths = sorted(pathlib.Path(package.submodule_search_locations[0]).rglob("*.mid"))
    compared = 0
    for path in paths:
        data = path.read_bytes()
        if len(data) < 20_000 and (expected := note_seq_reads(data)) is not None:
            assert read(data) == expected, path
            compared += len(expected.notes) > 0
    assert compared > 10


@pytest.mark.parametrize(
    ("frames", "ticks", "second"), [(24, 10, 2.0), (25, 40, 0.48), (30, 80, 0.2), (29, 4, 480 / 4 / (30000 / 1001))]
)
def test_time_in_seconds(frames, ticks, second):
    data = file(track(tempo(250_000), (480, on(60)), (480, off(60))), division=(-frames << 8) + ticks)
    sequence = read(data)
    assert sequence.notes[0].start_time == pytest.approx(second)
    assert sequence.total_time == pytest.approx(2 * second)
    assert [tempo.qpm for tempo in sequence.tempos] == [240]
    assert sequence.ticks_per_quarter == 0


def test_tracks_without_events_do_not_count(note_seq_reads):
    data = file(track(), track(tempo(250_000), *NOTE))
    assert note_seq_reads(data) is None
    assert read(data) == note_seq_reads(file(track(tempo(250_000), *NOTE)))


def test_absurd_times_are_refused_and_take_no_memory():
    """note-seq would allocate 8 bytes a tick."""
    long = variable((1 << 28) - 1)
    tracemalloc.start()
    rejected = rejection(file(track(on(60), (1 << 40, off(60)))))
    rejected_too = rejection(file(b"MTrk\0\0\0\x0b" + b"\x00\x90\x3c\x40" + long + b"\x80\x3c\x00", division=1))
    # An empty block at the end hurts nobody.
    assert read(file(track(*NOTE, ((1 << 28) - 1, meta(0x2F))))).total_time == 0.5
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rejected.reason == rejected_too.reason == "absurd-time"
    assert peak < 1_000_000


def test_bounds(monkeypatch):
    monkeypatch.setattr(reader, "MAX_EVENTS", 1)
    assert rejection(file(track(*NOTE, *NOTE))).reason == "too-large"
    monkeypatch.setattr(reader, "MAX_BYTES", 20)
    assert rejection(file(track(*NOTE))).reason == "too-large"


def test_control_changes_that_multiply_are_refused():
    """Every program of a channel that plays a note shares what came before."""
    changes = [control(7, 1)] * 30_000
    builders = [event for number in range(128) for event in (program(number), *NOTE)]
    tracemalloc.start()
    assert rejection(file(track(*changes, *builders))).reason == "unreadable"
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "repeated",
    [
        *(b"\x00", b"\x80", b"\x90", b"\xff", b"\xf0"),
        b"\x00\xc0\x01",  # nothing that is read at once
        b"\x00\x90\x3c\x50" * 200 + b"\x00\x80\x3c\x50" * 200 + b"\x00\xc0\x01",  # notes without length
        b"\x00\xb0\x07\x50" * 200 + b"\x00\xff\x01\x00",
    ],
)
def test_time_is_bounded(repeated):
    content = b"\0\x90\x3c\x50" + repeated * (300_000 // len(repeated))
    started = time.process_time()
    rejection_or_sequence = reader.read(file(b"MTrk" + struct.pack(">L", len(content)) + content))[0]
    assert rejection_or_sequence.sequence is not None or rejection_or_sequence.rejected.reason == "unreadable"
    assert time.process_time() - started < 3


def test_no_global_state_is_changed():
    """note-seq raises pretty_midi's limit on ticks when it is imported; this reader imports neither."""
    import subprocess
    import sys

    import etude

    script = (
        "import sys; sys.path.append(sys.argv[1]); from etude.pipelines.readers.midi import reader; reader.read(b''); "
        "print(*(name for name in ('mido', 'pretty_midi', 'note_seq', 'librosa') if name in sys.modules))"
    )
    root = str(pathlib.Path(etude.__file__).parents[1])
    result = subprocess.run([sys.executable, "-P", "-c", script, root], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_mido_writes_what_is_read(midi):
    """The file that other tests use."""
    parsed = mido.MidiFile(file=io.BytesIO(midi([60, 62, 64], ticks=240)))
    assert [m.note for m in parsed.tracks[0] if m.type == "note_on"] == [
        note.pitch for note in read(midi([60, 62, 64])).notes
    ]


def test_names_and_changes_are_bounded():
    """A file of a hundred kilobytes would make a gigabyte of names, and one of a few minutes of tempos."""
    programs = [event for program in range(128) for event in ((0, bytes([0xC0, program])), *NOTE)]
    assert rejection(file(track((0, meta(0x03, b"n" * 10_000)), *programs))).reason == "too-large"
    tempos = [(1, meta(0x51, struct.pack(">L", 500_000 + number)[1:])) for number in range(100_001)]
    assert rejection(file(track(*tempos, *NOTE))).reason == "too-large"
