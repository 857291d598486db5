"""Prints, for each golden model, the errors of PyTorch's bfloat16: what the bounds of BFloat16Tests.swift are made of.

    bfloat16_errors.py Tests/Golden

The error of a bfloat16 model's logits relative to the largest logit; and of the gradients under autocast, of each weight
relative to its largest element, the largest of all weights and their mean.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

import smdim_peer as peer


def error(found, exact):
    return ((found.double() - exact.double()).abs().max() / exact.double().abs().max()).item()


def gradient_errors(folder, expected):
    model = peer.load(folder, torch.float32).train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(expected["tokens.noisy"].long())
    counted = expected["mask"].bool()
    torch.nn.functional.cross_entropy(logits.float()[counted], expected["tokens.clean"].long()[counted]).backward()
    return [error(weight.grad, expected[f"grad.{name}"]) for name, weight in model.named_parameters()]


for folder in sorted(Path(sys.argv[1]).iterdir()):
    expected = load_file(folder / "expected.safetensors")
    if "tokens.noisy" not in expected:
        continue
    with torch.inference_mode():
        logits = peer.load(folder, torch.bfloat16)(expected["tokens.noisy"].long())
    errors = gradient_errors(folder, expected)
    print(f"{folder.name}: logits {error(logits, expected['logits']):.4f}, "
          f"gradients {max(errors):.4f}, mean {sum(errors) / len(errors):.4f}")
