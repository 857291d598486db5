"""Compares the token ids of `smdim tokenize` with MidiTok's, file by file.

    python check_tokens.py --data ../shared/data --smdim .build/release/smdim        runs the tool on every file
    python check_tokens.py --data ../shared/data --tokens DIR                        reads DIR/<set>/<name>.json

Needs miditok >= 3.0.6 and symusic. Prints the counts and every file that differs with the first difference; exit 1 if any does.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from miditok import REMI, TokenizerConfig
from symusic import Score, TimeSignature, Track


def built_in_tokenizer():
    """The tokenizer that smdim has built in: 190 tokens."""
    return REMI(
        TokenizerConfig(
            pitch_range=(21, 109),
            beat_res={(0, 12): 4},
            num_velocities=32,
            special_tokens=["PAD", "BOS", "EOS", "MASK"],
            use_time_signatures=False,
            use_pitchdrum_tokens=False,
        )
    )


def reference_ids(tokenizer, path):
    """All non-drum tracks as one, sorted on the file's ticks, in 4/4, through MidiTok."""
    score = Score(path)
    notes = [note for track in score.tracks if not track.is_drum for note in track.notes]
    notes.sort(key=lambda note: (note.time, note.duration, note.pitch, note.velocity))
    merged = Track(name="merged", program=0, is_drum=False)
    merged.notes.extend(notes)
    score.tracks = [merged]
    score.time_signatures = [TimeSignature(0, 4, 4)]
    return tokenizer(score)[0].ids


def tool_ids(arguments, collection, path, folder):
    """The ids that smdim writes, or a line that says why there are none."""
    if arguments.tokens:
        output = arguments.tokens / collection / f"{path.stem}.json"
        if not output.exists():
            return f"{output} is missing"
    else:
        output = Path(folder) / "tokens.json"
        output.unlink(missing_ok=True)
        command = [arguments.smdim, "tokenize", path, "-o", output]
        if arguments.tokenizer:
            command += ["--tokenizer", arguments.tokenizer]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode != 0:
            return f"exit {run.returncode}: {run.stderr.strip()}"
    return json.loads(output.read_text())["ids"]


def difference(expected, actual):
    """Where two lists of ids first differ, in words; None where they are equal."""
    if isinstance(actual, str):
        return actual
    if expected == actual:
        return None
    pairs = enumerate(zip(expected, actual))
    at = next((i for i, (a, b) in pairs if a != b), min(len(expected), len(actual)))
    return f"{len(expected)} ids expected, {len(actual)} came; from {at}: {expected[at : at + 6]} and {actual[at : at + 6]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["pop909", "nottingham"])
    parser.add_argument("--tokenizer", type=Path, help="a MidiTok tokenizer.json; without, the built-in one")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--smdim", type=Path)
    source.add_argument("--tokens", type=Path)
    arguments = parser.parse_args()

    tokenizer = REMI(params=arguments.tokenizer) if arguments.tokenizer else built_in_tokenizer()
    differing = 0
    with tempfile.TemporaryDirectory() as folder:
        for collection in arguments.sets:
            paths = sorted((arguments.data / collection).glob("*.mid"))
            equal = 0
            tokens = 0
            for path in paths:
                expected = reference_ids(tokenizer, path)
                problem = difference(expected, tool_ids(arguments, collection, path, folder))
                tokens += len(expected)
                equal += problem is None
                if problem:
                    print(f"{collection}/{path.name}: {problem}")
            print(f"{collection}: {equal} of {len(paths)} files equal, {tokens} ids")
            differing += len(paths) - equal if paths else 1
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
