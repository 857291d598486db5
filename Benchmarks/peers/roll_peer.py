"""The piano-roll denoiser in plain PyTorch, with its reverse chain: the peer of `smdim harmonise`.

    roll_peer.py golden DIR                              a small model with inputs and its logits in float64
    roll_peer.py time --smdim PATH --model DIR           a roll of 32 bars, taking turns with smdim

B samples, S steps, C cells of a step, F steps of a latent position, D features.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from types import SimpleNamespace

import torch
from ours import Ours
from safetensors.torch import load_file, save_file
from smdim_peer import Block
from torch import nn
from turns import in_turns


class RollDenoiser(nn.Module):
    """cells, known [B, S, C], times [B, S / F] -> logits [B, S, C]."""

    def __init__(self, configuration):
        super().__init__()
        c = self.sizes = SimpleNamespace(**configuration)
        inner = c.fold * 2 * c.n_pitches
        self.time = nn.Embedding(c.n_times + 1, c.d_model)
        self.known = nn.Linear(inner, c.d_model, bias=False)
        self.cells = nn.Linear(inner, c.d_model)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.n_blocks))
        self.norm = nn.LayerNorm(c.d_model, c.norm_eps)
        self.head = nn.Linear(c.d_model, inner)

    def forward(self, cells, known, times):
        fold = lambda x: x.reshape(x.shape[0], x.shape[1] // self.sizes.fold, -1)
        x = self.cells(fold(cells)) + self.known(fold(known)) + self.time(times)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)).view_as(cells)


def load(folder, dtype=torch.float32):
    model = RollDenoiser(json.loads((Path(folder) / "config.json").read_text()))
    model.load_state_dict({k: v.to(dtype) for k, v in load_file(Path(folder) / "model.safetensors").items()})
    return model.to(dtype).eval()


def posterior(survival, earlier, prior):
    """P(x_s = 1 | x_t, x_0) by (x_t, x_0), [4] per plane; survival and earlier are S_t and S_s."""
    rate = 1 - survival / earlier
    rows = []
    for r in prior:
        for current in (0.0, 1.0):
            for clean in (0.0, 1.0):
                mean = earlier * clean + (1 - earlier) * r
                on = 1 - rate + rate * r if current else rate * (1 - r)
                off = rate * r if current else 1 - rate * r
                rows.append(on * mean / (on * mean + off * (1 - mean)))
    return torch.tensor(rows).view(len(prior), 4)


@torch.inference_mode()
def sample(model, steps, length, seed=0):
    """A roll from nothing: estimate the clean cells, step back by the exact posterior."""
    c = model.sizes
    generator = torch.Generator().manual_seed(seed)
    prior = (c.prior_sounding, c.prior_onset)
    plane = torch.arange(2 * c.n_pitches) // c.n_pitches
    shape = (1, length, 2 * c.n_pitches)
    draw = lambda p: (torch.rand(shape, generator=generator) < p).float()
    cells, known = draw(torch.tensor(prior)[plane]), torch.zeros(shape)
    for step in range(steps):
        now, then = 1 - step / steps, 1 - (step + 1) / steps
        times = torch.full((1, length // c.fold), round(now * c.n_times))
        estimate = draw(torch.sigmoid(model(cells, known, times)))
        cells = draw(posterior(1 - now, 1 - then, prior)[plane, (2 * cells + estimate).long()])
    return cells


def write_golden(folder):
    """Two samples of ten steps, fold 2, four keys; known cells and two times among the inputs."""
    sizes = dict(
        model_type="smdim-roll", n_pitches=4, fold=2, n_times=10, prior_sounding=0.25, prior_onset=0.125,
        window_steps=16, tempo=120.0, d_model=16, n_blocks=2, d_state=4, d_conv=3, expand=2, n_heads=2, d_ff=24,
        rope_theta=10000.0, norm_eps=1e-5, dt_rank=1, mixer="mamba",
    )
    torch.manual_seed(7)
    model = RollDenoiser(sizes).float()
    cells, known = (torch.rand(2, 10, 8) < 0.4).float(), (torch.rand(2, 10, 8) < 0.3).float()
    times = torch.tensor([[3] * 5, [10] * 5])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(sizes, indent=2, sort_keys=True) + "\n")
    save_file(model.state_dict(), folder / "model.safetensors", metadata={"format": "pt", "training": "none"})
    with torch.inference_mode():
        logits = model.double()(cells.double(), known.double(), times)
    expected = dict(cells=cells, known=known, times=times.int(), logits=logits.float())
    save_file(expected, folder / "expected.safetensors")


def compare(arguments):
    """Medians of both sides in turns."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    model = load(arguments.model)
    ours = Ours(arguments.smdim).rounds("roll", "--roll", arguments.model, "--steps", arguments.steps)
    sides = in_turns(arguments.rounds, [ours, lambda: timed(lambda: sample(model, arguments.steps, 512))])
    ours.close()
    mine, theirs = map(statistics.median, sides)
    print(f"32 bars, {arguments.steps} steps: smdim {mine:.3f} s, PyTorch {theirs:.3f} s, ratio {theirs / mine:.2f}")


def timed(body):
    start = time.perf_counter()
    body()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    golden = commands.add_parser("golden")
    golden.add_argument("folder", type=Path)
    golden.set_defaults(run=lambda a: write_golden(a.folder))
    timing = commands.add_parser("time")
    timing.add_argument("--smdim", type=Path, required=True)
    timing.add_argument("--model", type=Path, required=True)
    timing.add_argument("--steps", type=int, default=32)
    timing.add_argument("--rounds", type=int, default=9)
    timing.set_defaults(run=compare)
    arguments = parser.parse_args()
    arguments.run(arguments)


main()
