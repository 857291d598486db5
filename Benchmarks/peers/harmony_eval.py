"""Judges harmonisations: `smdim harmonise` on the MELODY tracks of songs, against their true accompaniments.

    harmony_eval.py --smdim PATH --model DIR --songs DIR --list valid.txt [--limit 91] [--steps 32] -o OUT_DIR

Of each song's melody the notes must come back unchanged. Over the added notes, the true accompaniment's, and as many notes
of random pitch (uniform in 36...84) at the true onsets:

    in key      share of notes in the scale of the key that fits the melody best
    consonant   share of pairs (added note, melody note that sounds at its onset) whose interval modulo 12 is 0, 3, 4, 5, 7, 8 or 9
    density     notes per bar
"""

import argparse
import random
import statistics
import subprocess
import tempfile
from pathlib import Path

import mido

MAJOR = {0, 2, 4, 5, 7, 9, 11}
CONSONANT = {0, 3, 4, 5, 7, 8, 9}


def notes_of(track):
    """(onset, end, pitch, velocity) in ticks."""
    notes, sounding, tick = [], {}, 0
    for message in track:
        tick += message.time
        if message.type == "note_on" and message.velocity > 0:
            sounding.setdefault(message.note, []).append((tick, message.velocity))
        elif message.type in ("note_off", "note_on") and sounding.get(message.note):
            onset, velocity = sounding[message.note].pop(0)
            notes.append((onset, tick, message.note, velocity))
    return sorted(notes)


def scale_of(notes):
    """The major scale, as pitch classes, that holds most of the notes; minor scales are their relatives."""
    count = lambda tonic: sum((pitch - tonic) % 12 in MAJOR for _, _, pitch, _ in notes)
    tonic = max(range(12), key=count)
    return {(tonic + step) % 12 for step in MAJOR}


def figures(added, melody, bars):
    scale = scale_of(melody)
    pairs = [
        (pitch - other) % 12 in CONSONANT
        for onset, _, pitch, _ in added
        for start, end, other, _ in melody
        if start <= onset < end
    ]
    return dict(
        in_key=sum(pitch % 12 in scale for _, _, pitch, _ in added) / max(len(added), 1),
        consonant=sum(pairs) / max(len(pairs), 1),
        density=len(added) / bars,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smdim", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--songs", type=Path, required=True)
    parser.add_argument("--list", required=True)
    parser.add_argument("--limit", type=int, default=91)
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    rng = random.Random(0)
    rows, changed = {"model": [], "true": [], "random": []}, []
    names = (arguments.songs / arguments.list).read_text().split()[: arguments.limit]
    for index, name in enumerate(names):
        song = mido.MidiFile(arguments.songs / name)
        melody_track = next(t for t in song.tracks if t.name == "MELODY")
        melody = notes_of(melody_track)
        # The accompaniment that the melody spans: what comes before and after it nobody could guess the length of.
        last = melody[-1][0]
        true = [n for t in song.tracks if t.name != "MELODY" for n in notes_of(t) if n[0] <= last]
        bars = max(last / song.ticks_per_beat / 4, 1)
        alone = mido.MidiFile(ticks_per_beat=song.ticks_per_beat)
        alone.tracks += [t for t in song.tracks if not notes_of(t)] + [melody_track]
        out = arguments.output / f"{index:03}.mid"
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "melody.mid"
            alone.save(source)
            command = [arguments.smdim, "harmonise", source, "--model", arguments.model, "--steps", arguments.steps]
            subprocess.run([*map(str, command), "--seed", str(index), "-o", str(out)], check=True, capture_output=True)
        result = mido.MidiFile(out)
        if sorted(n for t in result.tracks if t.name != "HARMONY" for n in notes_of(t)) != melody:
            changed.append(name)
        added = [n for t in result.tracks if t.name == "HARMONY" for n in notes_of(t)]
        noise = [(onset, end, rng.randint(36, 84), velocity) for onset, end, _, velocity in true]
        for kind, notes in (("model", added), ("true", true), ("random", noise)):
            rows[kind].append(figures(notes, melody, bars))
    print(f"{len(names)} songs; melodies changed: {len(changed)} {changed[:3]}")
    print("| | in key | consonant | notes per bar |\n|---|---|---|---|")
    for kind, values in rows.items():
        mean = {key: statistics.mean(value[key] for value in values) for key in values[0]}
        print(f"| {kind} | {mean['in_key']:.3f} | {mean['consonant']:.3f} | {mean['density']:.2f} |")


main()
