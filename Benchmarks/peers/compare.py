"""Compares `smdim` with eager PyTorch on the same weights, the same cores and in the same run.

    compare.py --smdim PATH [--rounds 9] [--only step,matmul] [--small MODEL_DIR] -o DIR

First the logits of both sides are checked against PyTorch in float64; nothing is timed if they differ. Then each
comparison takes turns, one round of each side after the other, and the medians are set beside each other, the best
times in brackets. Writes DIR/peers.md and DIR/peers.json.
"""

import os

# PyTorch's idle OpenMP threads spin for 200 ms and would slow whatever runs next. Read as torch is loaded.
os.environ.setdefault("KMP_BLOCKTIME", "0")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import json
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

import smdim_peer as peer
from ours import Ours, commit, processor

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
SUBJECTS = ["step", "matmul", "attention", "piece", "training", "lengths"]
# N and K of the linear layers of `paper`, with the narrow ones of the Mamba layer last.
PRODUCTS = [(2048, 512), (512, 2048), (1536, 512), (512, 512), (512, 1024), (64, 1024), (1024, 32)]


def in_turns(rounds, sides):
    """Seconds of every side in every round after one that is not counted."""
    seconds = [[] for _ in sides]
    for turn in range(rounds + 1):
        for column, side in zip(seconds, sides):
            value = side()
            if turn > 0:
                column.append(value)
    return seconds


def timed(body, runs=1):
    """A side of `in_turns` that runs here."""
    def round():
        start = time.perf_counter()
        for _ in range(runs):
            body()
        return (time.perf_counter() - start) / runs

    return round


class Comparison:
    def __init__(self, arguments, folder):
        self.ours = Ours(arguments.smdim, arguments.device)
        self.rounds, self.folder, self.small = arguments.rounds, Path(folder), arguments.small
        self.paper = self.folder / "paper"
        peer.write_preset("paper", self.paper)
        if not self.small:
            self.small = self.folder / "small"
            peer.write_preset("small", self.small)
        self.rows = []

    def add(self, subject, case, ours, theirs, flops=None):
        """One row from the seconds of both sides."""
        median_ours, median_theirs = statistics.median(ours), statistics.median(theirs)
        row = dict(
            subject=subject, case=case, ours=median_ours, pytorch=median_theirs, ours_best=min(ours),
            pytorch_best=min(theirs), ratio=median_theirs / median_ours,
        )
        if flops:
            row |= dict(ours_gflops=flops / median_ours * 1e-9, pytorch_gflops=flops / median_theirs * 1e-9)
        self.rows.append(row)
        print(f"{subject:10} {case:32} {median_ours:9.5f} {median_theirs:9.5f}  {row['ratio']:.2f} x", flush=True)

    def against(self, subject, case, arguments, theirs, runs=1, flops=None, rounds=None):
        """Takes turns between `smdim rounds` and a function of PyTorch."""
        ours = self.ours.rounds(*arguments, "--runs", runs)
        try:
            self.add(subject, case, *in_turns(rounds or self.rounds, [ours, timed(theirs, runs)]), flops=flops)
        finally:
            ours.close()

    # The comparisons

    @torch.inference_mode()
    def gate(self):
        """The largest error of each side's logits beside PyTorch in float64, relative to the largest logit."""
        errors = {}
        tokens = tokens_of(282, 512)
        save_file({"tokens": tokens.int()}, self.folder / "tokens.safetensors")
        exact = peer.load(self.paper, torch.float64)(tokens)
        scale = exact.abs().max()
        for name, dtype in TYPES.items():
            target = self.folder / f"{name}.safetensors"
            self.ours.logits(self.paper, name, self.folder / "tokens.safetensors", target)
            ours = ((load_file(target)["logits"].double() - exact).abs().max() / scale).item()
            theirs = ((peer.load(self.paper, dtype)(tokens).double() - exact).abs().max() / scale).item()
            errors[name] = dict(ours=ours, pytorch=theirs)
            print(f"error of the logits, {name}: {ours:.1e}, PyTorch {theirs:.1e}", flush=True)
        if not (errors["f32"]["ours"] <= 1e-4 and errors["bf16"]["ours"] <= 2 * errors["bf16"]["pytorch"]):
            raise SystemExit("the logits differ from PyTorch's; nothing was timed")
        return errors

    @torch.inference_mode()
    def step(self):
        for name, dtype in TYPES.items():
            model, tokens = peer.load(self.paper, dtype), tokens_of(282, 2048)
            arguments = ["step", "--model", self.paper, "--precision", name]
            self.against("step", f"paper, 2048 tokens, {name}", arguments, lambda: model(tokens))

    @torch.inference_mode()
    def matmul(self):
        for name, dtype in TYPES.items():
            for rows in (512, 2048):
                for n, k in PRODUCTS:
                    x, w = torch.randn(rows, k).to(dtype), torch.randn(n, k).to(dtype)
                    flops = 2 * rows * n * k
                    self.against(
                        "matmul", f"{rows} x {n} x {k}, {name}",
                        ["linear", "--sizes", rows, n, k, "--precision", name], lambda: F.linear(x, w),
                        runs=max(1, round(2e9 / flops)), flops=flops,
                    )

    @torch.inference_mode()
    def attention(self):
        for name, dtype in TYPES.items():
            for length in (128, 512, 2048, 4096):
                q, k, v = (torch.randn(1, 8, length, 64).to(dtype) for _ in range(3))
                flops = 4 * length * length * 512
                self.against(
                    "attention", f"S = {length}, 8 heads of 64, {name}",
                    ["attention", "--sizes", length, 8, 64, "--precision", name],
                    lambda: F.scaled_dot_product_attention(q, k, v), runs=max(1, round(2e9 / flops)), flops=flops,
                )

    def piece(self):
        model = peer.load(self.small)
        arguments = ["piece", "--model", self.small, "--steps", 64]
        theirs = lambda: peer.sample(model, 2048, 64, seed=0)
        self.against("piece", "small, 2048 tokens, 64 steps", arguments, theirs, rounds=min(self.rounds, 3))

    def training(self):
        model = peer.load(self.small).train()
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.99), weight_decay=0.01)
        batch, length = 4, 512
        clean = tokens_of(model.vocabulary, length, batch) % model.vocabulary
        masked = torch.rand(batch, length) < 0.5
        arguments = ["training", "--model", self.small, "--length", length, "--batch", batch]
        theirs = lambda: peer.training_step(model, optimiser, clean, masked)
        self.against("training", f"small, {batch} x {length} tokens", arguments, theirs)

    def lengths(self):
        """Ours alone: time and memory by length, for the default trunk and for the transformer beside it."""
        table = []
        for mixer in ("mamba", "attention"):
            for length in (512, 1024, 2048, 4096, 8192, 16384):
                report = self.ours.bench(
                    "--preset", "paper", "--mixer", mixer, "--length", length, "--repetitions", 3, "--skip-start"
                )
                quadratic = sum(k["seconds"] for k in report["kernels"] if k["name"] == "attention")
                table.append(
                    dict(
                        mixer=mixer, length=length, seconds=report["step_seconds"]["median"],
                        quadratic_seconds=quadratic, peak_bytes=report["peak_bytes"], flops=report["flops"],
                    )
                )
                print(f"lengths    {mixer:10} {length:6} {table[-1]['seconds']:.4f} s", flush=True)
        return table


def tokens_of(vocabulary, length, batch=1):
    """Every second token masked."""
    tokens = torch.arange(batch * length).view(batch, length) * 7919 % vocabulary
    tokens[:, ::2] = vocabulary
    return tokens


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def milliseconds(seconds, best):
    return f"{seconds * 1e3:.2f} ({best * 1e3:.2f})"


def markdown(report):
    parts = [
        "# Beside PyTorch\n",
        f"{report['date']}, commit {report['commit']}, {report['processor']}; smdim {report['smdim']}: "
        f"{report['device']}, {report['driver']}, kernels: {report['kernels']}; "
        f"PyTorch {report['torch']}, {report['threads']} threads, eager.\n",
        "Both sides in turns in one run; medians in milliseconds, the best in brackets. The ratio is PyTorch's median "
        "over ours: above 1 we are faster.\n",
    ]
    errors = [[n, f"{e['ours']:.1e}", f"{e['pytorch']:.1e}"] for n, e in report["errors"].items()]
    parts.append(table(["largest error of the logits", "smdim", "PyTorch"], errors) + "\n")
    for subject in dict.fromkeys(row["subject"] for row in report["rows"]):
        header, rows = [subject, "smdim, ms", "PyTorch, ms", "ratio"], []
        for row in (row for row in report["rows"] if row["subject"] == subject):
            cells = [row["case"], milliseconds(row["ours"], row["ours_best"])]
            cells += [milliseconds(row["pytorch"], row["pytorch_best"]), f"{row['ratio']:.2f}"]
            if "ours_gflops" in row:
                cells += [f"{row['ours_gflops']:.0f}", f"{row['pytorch_gflops']:.0f}"]
            rows.append(cells)
        parts.append(table(header + ["smdim, GFLOP/s", "PyTorch, GFLOP/s"][: len(rows[0]) - len(header)], rows) + "\n")
    if report["lengths"]:
        header = ["first layer of a block", "tokens", "GFLOP", "ms", "of it attention", "peak, MiB"]
        rows = [
            [r["mixer"], r["length"], f"{r['flops'] * 1e-9:.1f}", f"{r['seconds'] * 1e3:.1f}",
             f"{r['quadratic_seconds'] * 1e3:.1f}", r["peak_bytes"] >> 20]
            for r in report["lengths"]
        ]
        parts.append(table(header, rows) + "\n")
    for subject, reason in report["missing"].items():
        parts.append(f"{subject}: not measured, {reason}\n")
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smdim", type=Path, required=True)
    parser.add_argument("--device")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", default=",".join(SUBJECTS))
    parser.add_argument("--small", type=Path, help="a model folder for piece and training; else the preset `small`")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(arguments, folder)
        errors = comparison.gate()
        identity = comparison.ours.bench("--preset", "tiny", "--length", 64, "--repetitions", 1, "--skip-start")
        lengths, missing = [], {}
        for subject in arguments.only.split(","):
            try:
                found = getattr(comparison, subject)()
                lengths = found if subject == "lengths" else lengths
            except RuntimeError as error:
                missing[subject] = str(error)
                print(f"{subject}: not measured, {error}", flush=True)

    report = dict(
        date=date.today().isoformat(), commit=commit(Path(__file__).parent), processor=processor(),
        smdim=identity["version"], device=identity["device"], driver=identity["driver"],
        kernels=identity["kernel_path"], torch=torch.__version__, threads=arguments.threads, errors=errors, rows=comparison.rows, lengths=lengths,
        missing=missing,
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "peers.json").write_text(json.dumps(report, indent=2) + "\n")
    (arguments.output / "peers.md").write_text(markdown(report))
    print(f"{arguments.output / 'peers.md'}")


main()
