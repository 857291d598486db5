"""Writes the fixtures of MusicTests: MIDI files of public-domain music entered by hand, and what MidiTok makes of them.

    python make_fixtures.py path/to/music_eval.py        (run in this folder; needs mido, miditok >= 3.0.6, symusic, numpy)

music_eval.py is the evaluation that SetStatistics follows; its figures for a set of made-up pieces go to statistics.json.
Everything is deterministic: a second run changes no byte.
"""

import json
import random
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from miditok import REMI, TokenizerConfig
from miditok.classes import TokSequence
from mido import Message, MetaMessage, MidiFile, MidiTrack, UnknownMetaMessage, bpm2tempo
from symusic import Score, TimeSignature, Track

warnings.simplefilter("error")


# Music: a note is (onset in beats, length in beats, pitch).


def melody(text, start=0.0, octave=0):
    """Notes from words such as `E4` (a beat), `E4:2` (two beats) or `-:1` (a rest)."""
    classes = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    notes = []
    for word in text.split():
        name, _, length = word.partition(":")
        length = float(length or 1)
        if name != "-":
            pitch = classes[name[0]] + name.count("#") + 12 * (int(name[-1]) + 1 + octave)
            notes.append((start, length, pitch))
        start += length
    return notes


ODE_TO_JOY = (
    "E4 E4 F4 G4 G4 F4 E4 D4 C4 C4 D4 E4 E4:1.5 D4:0.5 D4:2 "
    "E4 E4 F4 G4 G4 F4 E4 D4 C4 C4 D4 E4 D4:1.5 C4:0.5 C4:2"
)
ODE_BASS = "C3:4 G2:4 A2:4 G2:4 C3:4 G2:4 A2:2 F2:2 G2:2 C3:2"
FRERE_JACQUES = (
    "G4 A4 B4 G4 G4 A4 B4 G4 B4 C5 D5:2 B4 C5 D5:2 "
    "D5:0.5 E5:0.5 D5:0.5 C5:0.5 B4 G4 D5:0.5 E5:0.5 D5:0.5 C5:0.5 B4 G4 G4 D4 G4:2 G4 D4 G4:2"
)
PRELUDE_CHORDS = ["C4 E4 G4 C5 E5", "C4 D4 A4 D5 F5", "B3 D4 G4 D5 F5", "C4 E4 G4 C5 E5", "C4 E4 A4 E5 A5"]


def prelude():
    """The first bars of Bach's Prelude in C, BWV 846: two held notes and sixteenths over them."""
    notes = []
    for bar, chord in enumerate(PRELUDE_CHORDS):
        pitches = [pitch for _, _, pitch in melody(chord)]
        for half in (0, 2):
            start = 4.0 * bar + half
            notes.append((start, 2.0, pitches[0]))
            notes.append((start + 0.25, 1.75, pitches[1]))
            notes += [(start + 0.5 + 0.25 * i, 0.25, pitches[p]) for i, p in enumerate([2, 3, 4, 2, 3, 4])]
    return notes


def performed(notes, division, seed, swing, phase=0):
    """Notes in ticks: (onset, length, pitch, velocity), each a little off the grid."""
    generator = random.Random(seed)
    result = []
    for onset, length, pitch in notes:
        start = round(onset * division) + phase + generator.randint(-swing, swing)
        end = round((onset + length) * division) + phase + generator.randint(-swing, 0) - 1
        result.append((max(0, start), end - max(0, start), pitch, generator.randint(45, 110)))
    return result


def track(notes, channel=0, extra=(), running_zero=True):
    """A track of notes and extra messages (tick, message); releases by a strike of velocity 0 or by note_off."""
    events = [(tick, 1, message) for tick, message in extra]
    for onset, length, pitch, velocity in notes:
        events.append((onset, 2, Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        release = (
            Message("note_on", channel=channel, note=pitch, velocity=0)
            if running_zero
            else Message("note_off", channel=channel, note=pitch, velocity=30)
        )
        events.append((onset + length, 0, release))
    events.sort(key=lambda event: event[:2])
    result = MidiTrack()
    now = 0
    for tick, _, message in events:
        result.append(message.copy(time=tick - now))
        now = tick
    result.append(MetaMessage("end_of_track", time=960))
    return result


def write_pieces():
    """ode.mid: format 1, two parts, on the grid. prelude.mid: format 0, off the grid. round.mid: everything else."""
    ode = MidiFile(type=1, ticks_per_beat=480)
    ode.tracks.append(track([], extra=[(0, MetaMessage("set_tempo", tempo=bpm2tempo(112)))]))
    ode.tracks.append(track(performed(melody(ODE_TO_JOY), 480, 1, 0)))
    ode.tracks.append(track(performed(melody(ODE_BASS), 480, 2, 0), channel=1, running_zero=False))
    ode.save("ode.mid")

    bach = MidiFile(type=0, ticks_per_beat=384)
    bach.tracks.append(track(performed(prelude(), 384, 3, 30), extra=[(0, MetaMessage("track_name", name="BWV 846"))]))
    bach.save("prelude.mid")

    # A canon in G in two voices of one channel, a third of a sixteenth late, over drums: unisons overlap.
    first = performed(melody(FRERE_JACQUES), 480, 4, 10, phase=40)
    second = performed(melody(FRERE_JACQUES, start=8.0), 480, 5, 10, phase=40)
    drums = [(tick, 60, 36 if tick % 960 == 40 else 38, 100) for tick in range(40, 40 * 480, 480)]
    extra = [(tick, Message("control_change", control=64, value=127 * (tick // 240 % 2))) for tick in range(0, 9600, 240)]
    extra += [(5, UnknownMetaMessage(0x60, data=[1, 2, 3])), (77, Message("sysex", data=[0x7D, 1, 2]))]
    extra += [(2000, Message("pitchwheel", pitch=-1234)), (2001, Message("aftertouch", value=9))]
    extra += [(3, Message("program_change", program=11)), (4000, Message("polytouch", note=60, value=3))]
    tempos = [(1920 * bar, MetaMessage("set_tempo", tempo=500_000 + 10_000 * bar)) for bar in range(8)]
    tempos.append((0, MetaMessage("time_signature", numerator=1, denominator=4)))
    canon = MidiFile(type=1, ticks_per_beat=480)
    canon.tracks.append(track([], extra=tempos))
    canon.tracks.append(track(first + second, extra=extra))
    canon.tracks.append(track(drums, channel=9))
    canon.save("round.mid")
    return ["ode", "prelude", "round"]


# MidiTok


def tokenizers():
    """Tokenizers that between them turn on every key that is understood."""
    off = {"use_time_signatures": False, "use_pitchdrum_tokens": False}
    special = {"special_tokens": ["PAD", "BOS", "EOS", "MASK"]}
    return {
        "standard": REMI(TokenizerConfig(beat_res={(0, 12): 4}, **special, **off)),
        "small": REMI(TokenizerConfig(beat_res={(0, 12): 4}, num_velocities=8, **special, **off)),
        "fine": REMI(TokenizerConfig(beat_res={(0, 2): 12, (2, 8): 6}, num_velocities=100, **off)),
        "plain": REMI(
            TokenizerConfig(
                pitch_range=(48, 74),
                beat_res={(0, 3): 2},
                use_velocities=False,
                remove_duplicated_notes=True,
                special_tokens=["PAD", "SEP"],
                **off,
            )
        ),
    }


def ids(tokenizer, path):
    """The ids of all non-drum tracks as one, sorted on the file's ticks, in 4/4."""
    score = Score(path)
    notes = [note for part in score.tracks if not part.is_drum for note in part.notes]
    notes.sort(key=lambda note: (note.time, note.duration, note.pitch, note.velocity))
    merged = Track(name="merged", program=0, is_drum=False)
    merged.notes.extend(notes)
    score.tracks = [merged]
    score.time_signatures = [TimeSignature(0, 4, 4)]
    return tokenizer(score)[0].ids


def disordered(tokenizer, seed):
    """Ids in an order that no piece has, with MidiTok's notes (step, duration, pitch, velocity) and count of errors."""
    generator = random.Random(seed)
    first = len(tokenizer.special_tokens)
    kinds = ["Pitch", "Velocity", "Duration"] if tokenizer.config.use_velocities else ["Pitch", "Duration"]
    sequence = []
    while len(sequence) < 120:
        draw = generator.random()
        if draw < 0.25:
            sequence.append(generator.randrange(first, len(tokenizer)))
        elif draw < 0.35:
            sequence.append(tokenizer["Bar_None"])
        elif draw < 0.6:
            sequence.append(generator.choice(tokenizer.token_ids_of_type("Position")))
        else:
            sequence += [generator.choice(tokenizer.token_ids_of_type(kind)) for kind in kinds]
    score = tokenizer.decode([TokSequence(ids=list(sequence))])
    notes = [[n.time, n.duration, n.pitch, n.velocity] for part in score.tracks for n in part.notes]
    errors = round(tokenizer.tokens_errors(TokSequence(ids=list(sequence))) * len(sequence))
    return {"ids": sequence, "notes": notes, "errors": errors}


def write_tokens(pieces):
    result = {}
    for name, tokenizer in tokenizers().items():
        tokenizer.save(f"tokenizer_{name}.json")
        result[name] = {
            "vocabulary": list(tokenizer.vocab),
            "pieces": {piece: ids(tokenizer, f"{piece}.mid") for piece in pieces},
            "disordered": [disordered(tokenizer, seed) for seed in range(6)],
        }
    Path("miditok.json").write_text(json.dumps(result) + "\n")


# Statistics


def made_up_piece(index):
    """Notes (tick, duration, pitch, velocity) at 480 ticks a beat, as StatisticsTests makes them."""
    state = 12345 + index
    onset = 7 * index
    notes = []
    for number in range(40 + 5 * (index % 40)):
        draws = []
        for _ in range(4):
            state = (state * 1103515245 + 12345) % 2**31
            draws.append(state >> 16)
        onset += 120 * (draws[0] % (3 + index % 3))
        pitch = 36 + 6 * (number % 8) + (draws[1] % 6) + index % 5
        notes.append((onset, 60 * (1 + draws[2] % 8), pitch, 40 + draws[3] % 60))
        onset += 120
    return notes


def write_statistics(evaluation):
    count = 110
    with tempfile.TemporaryDirectory() as folder:
        real, made = Path(folder, "real"), Path(folder, "made")
        real.mkdir()
        made.mkdir()
        for index in range(2 * count):
            piece = MidiFile(type=1, ticks_per_beat=480)
            piece.tracks.append(track(made_up_piece(index)))
            piece.save((real if index < count else made) / f"{index:03}.mid")
        listing = Path(folder, "list.txt")
        listing.write_text("\n".join(f"{index:03}.mid" for index in range(count)))
        run = subprocess.run([sys.executable, evaluation, made, real, listing, "12"], capture_output=True, check=True)
        Path("statistics.json").write_text(json.dumps(json.loads(run.stdout), indent=1) + "\n")


write_tokens(write_pieces())
write_statistics(sys.argv[1])
