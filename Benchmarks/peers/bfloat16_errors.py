"""Prints, for each golden model, the error of PyTorch's bfloat16 logits relative to the largest logit: what the bounds
of BFloat16Tests.swift are made of.

    bfloat16_errors.py Tests/Golden
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

import smdim_peer as peer

with torch.inference_mode():
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        expected = load_file(folder / "expected.safetensors")
        logits = peer.load(folder, torch.bfloat16)(expected["tokens.noisy"].long()).double()
        exact = expected["logits"].double()
        print(f"{folder.name}: {((logits - exact).abs().max() / exact.abs().max()).item():.4f}")
