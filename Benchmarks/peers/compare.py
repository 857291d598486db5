"""Compares `smdim` with PyTorch, eager and compiled, on the same weights, the same device and in the same run.

    compare.py --smdim PATH [--torch cpu|gpu] [--rounds 9] [--only step,matmul] [--small MODEL_DIR] -o DIR

First the logits of both sides are checked against PyTorch in float64; nothing is timed if they differ. Then each
comparison takes turns, one side after the other, each with a round that is not counted and one that is; where the slower
side takes two seconds or more a round, every round counts. The medians are set beside each other, the best times in
brackets. Writes DIR/peers.md and DIR/peers.json.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

import smdim_peer as peer
from ours import Ours, commit, processor
from turns import in_turns


@dataclass(frozen=True)
class Kind:
    """How both sides compute: PyTorch's type and whether its float32 products may round to TF32, and our precision."""

    name: str
    dtype: torch.dtype
    precision: str = "f32"
    is_tf32: bool = False

    def enter(self):
        torch.set_float32_matmul_precision("high" if self.is_tf32 else "highest")
        torch.backends.cudnn.allow_tf32 = self.is_tf32


KINDS = {
    "cpu": [Kind("f32", torch.float32), Kind("bf16", torch.bfloat16, "bf16")],
    "gpu": [
        Kind("f32", torch.float32), Kind("tf32", torch.float32, is_tf32=True), Kind("bf16", torch.bfloat16, "bf16"),
    ],
}
SUBJECTS = ["step", "ideal", "matmul", "attention", "piece", "training", "lengths"]
# N and K of the linear layers of `paper`, with the narrow ones of the Mamba layer last.
PRODUCTS = [(2048, 512), (512, 2048), (1536, 512), (512, 512), (512, 1024), (64, 1024), (1024, 32)]
# What a step of `paper` over 2048 tokens computes by the design's count, and the product whose rate it is held against.
STEP_FLOPS, STEP_PRODUCT = 61.1e9, (2048, 512, 2048)


def torch_device(kind):
    """PyTorch's device of that kind."""
    if kind == "cpu":
        return torch.device("cpu")
    for name in ("cuda", "xpu"):
        if getattr(torch, name).is_available():
            return torch.device(name)
    raise SystemExit(f"--torch {kind}: expected a GPU that PyTorch {torch.__version__} can use, found none")


class Comparison:
    def __init__(self, arguments, folder):
        self.ours = Ours(arguments.smdim, arguments.device, arguments.threads)
        self.device, self.kinds = torch_device(arguments.torch), KINDS[arguments.torch]
        self.arguments, self.rounds, self.folder = arguments, arguments.rounds, Path(folder)
        self.rows, self.missing, self.distances = [], {}, []

    def device_name(self):
        if self.device.type == "cpu":
            return f"{self.arguments.threads} threads"
        return getattr(torch, self.device.type).get_device_name()

    def model(self, preset):
        """A folder with a model of that preset."""
        if preset == "small" and self.arguments.small:
            return self.arguments.small
        folder = self.folder / preset
        if not folder.exists():
            peer.write_preset(preset, folder)
        return folder

    def timed(self, body, runs):
        """A side of `in_turns` that runs here."""
        def synchronise():
            if self.device.type != "cpu":
                getattr(torch, self.device.type).synchronize()

        def round():
            synchronise()
            start = time.perf_counter()
            for _ in range(runs):
                body()
            synchronise()
            return (time.perf_counter() - start) / runs

        return round

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
        """Takes turns between `smdim rounds` and a function of PyTorch; a case that fails takes no other with it."""
        try:
            ours = self.ours.rounds(*arguments, "--runs", runs)
            try:
                sides = in_turns(rounds or self.rounds, [ours, self.timed(theirs, runs)])
            finally:
                ours.close()
            self.add(subject, case, *sides, flops=flops)
        except RuntimeError as error:
            self.miss(f"{subject}: {case}", error)

    def models(self, folder, kind, dtype):
        """PyTorch's model as it comes and by `torch.compile`, with the names of both."""
        yield kind.name, peer.load(folder, dtype, self.device)
        yield f"{kind.name}, compiled", peer.compiled(peer.load(folder, dtype, self.device))

    def miss(self, what, error):
        self.missing[what] = str(error).splitlines()[0]
        print(f"{what}: not measured, {self.missing[what]}", flush=True)

    def distance(self):
        """Nanoseconds that a cache line takes from one core to another; a hypervisor may move a virtual machine's apart."""
        turn = self.ours.rounds("distance", "--runs", 1_000_000)
        try:
            return turn() / 2 * 1e9
        finally:
            turn.close()

    def compare(self, subject):
        """All rows of a subject, and how far apart the cores were before and behind them."""
        counts = self.device.type == "cpu" and self.arguments.threads > 1
        before = self.distance() if counts else None
        try:
            return getattr(self, subject)()
        finally:
            if counts:
                self.distances.append(dict(subject=subject, before=before, after=self.distance()))

    # The comparisons

    @torch.inference_mode()
    def gate(self):
        """The largest error of each side's logits beside PyTorch in float64, relative to the largest logit."""
        errors, paper = {}, self.model("paper")
        tokens = tokens_of(282, 512)
        save_file({"tokens": tokens.int()}, self.folder / "tokens.safetensors")
        exact = peer.load(paper, torch.float64)(tokens)
        scale = exact.abs().max()

        def error_of(logits):
            return ((logits.cpu().double() - exact).abs().max() / scale).item()

        for index, kind in enumerate(self.kinds):
            kind.enter()
            theirs = error_of(peer.load(paper, kind.dtype, self.device)(tokens.to(self.device)))
            target = self.folder / f"{kind.name}.safetensors"
            try:
                self.ours.logits(paper, kind.precision, self.folder / "tokens.safetensors", target)
                ours = error_of(load_file(target)["logits"])
            except RuntimeError as error:
                if kind.precision == "f32":
                    raise
                # PyTorch's side is still worth its time, beside our float32.
                self.miss(f"smdim in {kind.precision}", error)
                self.kinds[index] = replace(kind, name=f"{kind.name} (smdim f32)", precision="f32")
                ours = errors["f32"]["ours"]
            kind = self.kinds[index]
            errors[kind.name] = dict(ours=ours, pytorch=theirs)
            print(f"error of the logits, {kind.name}: {ours:.1e}, PyTorch {theirs:.1e}", flush=True)
            if not ours <= (1e-4 if kind.precision == "f32" else 2 * theirs):
                raise SystemExit("the logits differ from PyTorch's; nothing was timed")
        return errors

    @torch.inference_mode()
    def step(self):
        paper = self.model("paper")
        for kind in self.kinds:
            kind.enter()
            for name, model in self.models(paper, kind, kind.dtype):
                for length in self.arguments.lengths:
                    for batch in self.arguments.batches:
                        tokens = tokens_of(282, length, batch).to(self.device)
                        arguments = ["step", "--model", paper, "--precision", kind.precision]
                        arguments += ["--length", length, "--batch", batch]
                        case = f"paper, {batch} x {length} tokens, {name}"
                        self.against("step", case, arguments, lambda: model(tokens))

    @torch.inference_mode()
    def ideal(self):
        """Our step beside its arithmetic at the rate of one product, of the side that has the better one in the same turns."""
        kind, (rows, n, k) = self.kinds[0], STEP_PRODUCT
        kind.enter()
        x, w = (torch.randn(size, k).to(self.device, kind.dtype) for size in (rows, n))
        step = self.ours.rounds("step", "--model", self.model("paper"), "--precision", kind.precision)
        linear = self.ours.rounds("linear", "--sizes", *STEP_PRODUCT, "--precision", kind.precision, "--runs", 2)
        try:
            steps, *products = in_turns(self.rounds, [step, linear, self.timed(lambda: F.linear(x, w), 2)])
        finally:
            step.close()
            linear.close()
        arithmetic = STEP_FLOPS / (2 * rows * n * k)
        self.add(
            "ideal", f"paper, 1 x 2048 tokens, {kind.name}", steps,
            [arithmetic * seconds for seconds in min(products, key=statistics.median)])

    @torch.inference_mode()
    def matmul(self):
        for kind in self.kinds:
            kind.enter()
            for rows in (512, 2048):
                for n, k in PRODUCTS:
                    x, w = (torch.randn(size, k).to(self.device, kind.dtype) for size in (rows, n))
                    flops = 2 * rows * n * k
                    self.against(
                        "matmul", f"{rows} x {n} x {k}, {kind.name}",
                        ["linear", "--sizes", rows, n, k, "--precision", kind.precision], lambda: F.linear(x, w),
                        runs=max(1, round(1e10 / flops)), flops=flops,
                    )

    @torch.inference_mode()
    def attention(self):
        for kind in self.kinds:
            kind.enter()
            for length in (128, 512, 2048, 4096):
                q, k, v = (torch.randn(1, 8, length, 64).to(self.device, kind.dtype) for _ in range(3))
                flops = 4 * length * length * 512
                self.against(
                    "attention", f"S = {length}, 8 heads of 64, {kind.name}",
                    ["attention", "--sizes", length, 8, 64, "--precision", kind.precision],
                    lambda: F.scaled_dot_product_attention(q, k, v), runs=max(1, round(1e10 / flops)), flops=flops,
                )

    def piece(self):
        small, kind = self.model("small"), self.kinds[0]
        kind.enter()
        # No sweep on either side: it changes which tokens a step reveals, and no work.
        steps = 128
        arguments = ["piece", "--model", small, "--steps", steps]
        for name, model in self.models(small, kind, kind.dtype):
            theirs = lambda: peer.sample(model, 2048, steps, seed=0)
            case = f"small, 2048 tokens, {steps} steps, {name}"
            self.against("piece", case, arguments, theirs, rounds=min(self.rounds, 3))

    def training(self):
        preset, batch, length = self.arguments.training
        folder, batch, length = self.model(preset), int(batch), int(length)
        for kind in self.kinds:
            kind.enter()
            masked = (torch.rand(batch, length) < 0.5).to(self.device)
            arguments = ["training", "--model", folder, "--length", length, "--batch", batch]
            arguments += ["--precision", kind.precision]
            for name, model in self.models(folder, kind, torch.float32):
                model.train()
                optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.99), weight_decay=0.01)
                clean = (tokens_of(model.vocabulary, length, batch) % model.vocabulary).to(self.device)
                theirs = lambda: peer.training_step(model, optimiser, clean, masked, kind.dtype)
                self.against("training", f"{preset}, {batch} x {length} tokens, {name}", arguments, theirs)

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
                        kernels=report["kernels"],
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


def subjects(text):
    names = text.split(",")
    for name in names:
        if name not in SUBJECTS:
            raise argparse.ArgumentTypeError(f"expected some of {','.join(SUBJECTS)}; found {name}")
    return names


def milliseconds(seconds, best):
    return f"{seconds * 1e3:.2f} ({best * 1e3:.2f})"


def markdown(report):
    parts = [
        "# Beside PyTorch\n",
        f"{report['date']}, commit {report['commit']}, {report['processor']}; smdim {report['smdim']}: "
        f"{report['device']}, {report['driver']}, kernels: {report['kernels']}; "
        f"PyTorch {report['torch']} on {report['torch_device']}, eager "
        "where no row says compiled, which is torch.compile as it comes.\n",
        "Both sides in turns in one run, warmed up in every turn unless the slower takes two seconds or more a round; "
        "medians in milliseconds, the best in brackets. The ratio is PyTorch's median over ours: above 1 we are faster. "
        "bf16 is PyTorch's model cast to bfloat16, in training autocast. On a CPU both sides' threads are as their programs "
        "leave them: smdim lets PoCL keep each on a processor of its own, PyTorch's spin for a while when they are idle.\n",
        "The sides of a product and of attention do not do quite the same. Our weights are packed before the clock starts, "
        "as a model's are, and PyTorch's lie row by row; our bf16 product rounds its input and writes float32; our attention "
        "turns q and k by their positions and reads them from the rows of the projections, PyTorch's gets them ready.\n",
    ]
    errors = [[n, f"{e['ours']:.1e}", f"{e['pytorch']:.1e}"] for n, e in report["errors"].items()]
    parts.append(table(["largest error of the logits", "smdim", "PyTorch"], errors) + "\n")
    for subject in dict.fromkeys(row["subject"] for row in report["rows"]):
        other = "PyTorch, ms"
        if subject == "ideal":
            other = f"{STEP_FLOPS * 1e-9:.1f} GFLOP at the better rate of {' x '.join(map(str, STEP_PRODUCT))}, ms"
        header, rows = [subject, "smdim, ms", other, "ratio"], []
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
        parts.append(kernel_table(next(r for r in report["lengths"] if r["mixer"] == "mamba" and r["length"] == 2048)))
    if report["core_nanoseconds"]:
        parts.append(
            "Nanoseconds that a cache line took from one core to the other. A hypervisor may move the cores of a virtual "
            "machine apart and together again, and what one core reads of another's then takes twice as long.\n")
        rows = [[d["subject"], f"{d['before']:.0f}", f"{d['after']:.0f}"] for d in report["core_nanoseconds"]]
        parts.append(table(["core to core, ns", "before", "after"], rows) + "\n")
    for what, reason in report["missing"].items():
        parts.append(f"{what}: not measured, {reason}\n")
    return "\n".join(parts)


def kernel_table(row):
    """The families of kernels of one step, each launch timed."""
    total = sum(k["seconds"] for k in row["kernels"])
    rows = [
        [k["name"], k["calls"], f"{k['seconds'] * 1e3:.2f}", f"{100 * k['seconds'] / total:.1f}",
         f"{k['gflops']:.0f}"]
        for k in row["kernels"]
    ]
    header = [f"kernels, {row['mixer']}, {row['length']} tokens", "calls", "ms", "%", "GFLOP/s"]
    return table(header, rows) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smdim", type=Path, required=True)
    parser.add_argument("--device", help="smdim's device")
    parser.add_argument("--torch", choices=list(KINDS), default="cpu", help="the kind of PyTorch's device")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", type=subjects, default=SUBJECTS)
    parser.add_argument("--small", type=Path, help="a model folder to take for the preset `small`")
    numbers = lambda text: [int(number) for number in text.split(",")]
    parser.add_argument("--lengths", type=numbers, default=[2048], help="tokens of a step")
    parser.add_argument("--batches", type=numbers, default=[1], help="samples of a step")
    parser.add_argument("--training", nargs=3, default=["small", 4, 512], metavar=("PRESET", "BATCH", "LENGTH"))
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(arguments, folder)
        errors = comparison.gate()
        identity = comparison.ours.bench("--preset", "tiny", "--length", 64, "--repetitions", 1, "--skip-start")
        lengths = []
        for subject in arguments.only:
            try:
                found = comparison.compare(subject)
                lengths = found if subject == "lengths" else lengths
            except RuntimeError as error:
                comparison.miss(subject, error)

    report = dict(
        date=date.today().isoformat(), commit=commit(Path(__file__).parent), processor=processor(),
        smdim=identity["version"], device=identity["device"], driver=identity["driver"],
        kernels=identity["kernel_path"], torch=torch.__version__, threads=arguments.threads,
        torch_device=comparison.device_name(), errors=errors, rows=comparison.rows, lengths=lengths,
        missing=comparison.missing, core_nanoseconds=comparison.distances,
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "peers.json").write_text(json.dumps(report, indent=2) + "\n")
    (arguments.output / "peers.md").write_text(markdown(report))
    print(f"{arguments.output / 'peers.md'}")


main()
