"""Counts the errors that MidiTok finds in token sequences, one line for each group of files.

    SMDIM_SOAK_FOLDER=DIR SMDIM_SOAK_PIECES=1000 swift test -c release --filter GrammarPieces
    python check_grammar.py DIR

DIR holds files NAME-NUMBER.json, {"ids": [Int]}; files of one NAME are one group. PAD at the end is left out: MidiTok counts
one PAD behind another as an error. Needs miditok >= 3.0.6. Exit 1 if a group whose name begins with grammar has an error.
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

from miditok import REMI

from check_tokens import built_in_tokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokenizer", type=Path, help="a MidiTok tokenizer.json; without, the built-in one")
    arguments = parser.parse_args()

    tokenizer = REMI(params=arguments.tokenizer) if arguments.tokenizer else built_in_tokenizer()
    pad = tokenizer.pad_token_id
    groups = defaultdict(list)
    for path in sorted(arguments.folder.glob("*-*.json")):
        ids = json.loads(path.read_text())["ids"]
        while ids and ids[-1] == pad:
            ids.pop()
        errors = round(tokenizer.tokens_errors([ids])[0] * len(ids))
        groups[path.stem.rsplit("-", 1)[0]].append((errors, len(ids)))
    failed = not groups
    for name, pieces in groups.items():
        errors = sum(count for count, _ in pieces)
        tokens = sum(count for _, count in pieces)
        print(f"{name}: {len(pieces)} pieces, {errors} errors in {tokens} tokens ({errors / tokens:.4f} per token)")
        failed = failed or (name.startswith("grammar") and errors > 0)
    sys.exit(1 if failed else 0)


main()
