"""Bits per token of interpolated n-gram models: python ngram.py CORPUS.safetensors [LENGTH]

The corpus is the token file that `smdim train` writes. Models of order 1 to 5 are fitted on its train songs with absolute
discounting interpolated down to the uniform distribution (discounts chosen per order on the last twentieth of the train
songs), and measured on the valid windows that `smdim train` measures its bound on: every song's consecutive windows of
LENGTH tokens (2048), each window starting without history. Prints one line per order.
"""
import math
import sys
from collections import defaultdict

from safetensors.numpy import load_file


def songs(tensors, part):
    ends = tensors[f"{part}.ends"].tolist()
    tokens = tensors[f"{part}.tokens"].tolist()
    return [tokens[a:b] for a, b in zip([0] + ends, ends)]


def count(train, order):
    """For each context length the counts of next tokens: {context: {token: count}}."""
    tables = [defaultdict(lambda: defaultdict(int)) for _ in range(order)]
    for song in train:
        for i, token in enumerate(song):
            for k in range(min(order, i + 1)):
                tables[k][tuple(song[i - k:i])][token] += 1
    totals = [{context: sum(nexts.values()) for context, nexts in table.items()} for table in tables]
    return tables, totals


def bits(windows, tables, totals, order, discounts, vocabulary):
    nats, n = 0.0, 0
    for window in windows:
        for i, token in enumerate(window):
            p = 1 / vocabulary
            for k in range(min(order, i + 1)):
                context = tuple(window[i - k:i])
                nexts = tables[k].get(context)
                if nexts is None:
                    break
                total, d = totals[k][context], discounts[k]
                p = max(nexts.get(token, 0) - d, 0) / total + d * len(nexts) / total * p
            nats -= math.log(p)
            n += 1
    return nats / n / math.log(2)


def main():
    tensors = load_file(sys.argv[1])
    length = int(sys.argv[2]) if len(sys.argv) > 2 else 2048
    train, valid = songs(tensors, "train"), songs(tensors, "valid")
    vocabulary = 1 + max(max(song) for song in train)
    held = max(1, len(train) // 20)
    tables, totals = count(train[:-held], 5)
    tuning = [song[:length] for song in train[-held:]]
    discounts = []
    for order in range(1, 6):
        best = min((bits(tuning, tables, totals, order, discounts + [d], vocabulary), d) for d in (0.3, 0.5, 0.7, 0.85, 0.95))
        discounts.append(best[1])
    tables, totals = count(train, 5)
    windows = [song[a:a + length] for song in valid for a in range(0, max(1, len(song) - length + 1), length)]
    for order in range(1, 6):
        print(f"order {order}: {bits(windows, tables, totals, order, discounts, vocabulary):.4f} bits per token")


main()
