"""SMDIM in plain PyTorch: what a user would run instead, and the other side of every comparison in this folder.

The selective scan is written for speed as far as eager PyTorch allows: decays and inputs of 16 positions at a time, the
fastest of 4 to 512 on a CPU, then one multiply-add per position. Attention is `scaled_dot_product_attention`.
`compiled` makes `torch.compile`'s version of a model.

B samples, L tokens, S = L / stride positions, V ids, D features, I inner channels, N states, R rank of the steps.
"""

import json
import math
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

PRESETS = {
    "paper": dict(embed_dim=128, d_model=512, n_blocks=11, n_heads=8, d_ff=2048),
    "small": dict(embed_dim=64, d_model=256, n_blocks=6, n_heads=4, d_ff=1024),
    "tiny": dict(embed_dim=32, d_model=64, n_blocks=2, n_heads=2, d_ff=256),
}

SPAN = 16


def preset(name, vocabulary=282):
    """The `config.json` of a preset."""
    sizes = PRESETS[name]
    common = dict(stride=4, d_state=16, d_conv=4, expand=2, rope_theta=10000.0, norm_eps=1e-5)
    rank = math.ceil(sizes["d_model"] / 16)
    return dict(model_type="smdim", vocab_size=vocabulary, mask_token_id=vocabulary, dt_rank=rank, **sizes, **common)


def scan_span(state, u, delta, A, B, C):
    """`scan` without D over a few positions, from a state [B, I, N]; returns y and the state after them."""
    decays = torch.exp(delta[..., None] * A).unbind(1)
    inputs = ((delta * u)[..., None] * B[:, :, None]).unbind(1)
    states = []
    for decay, added in zip(decays, inputs):
        state = torch.addcmul(added, decay, state)
        states.append(state)
    return (torch.stack(states, 1) @ C[..., None]).squeeze(-1), state


def scan(u, delta, A, B, C, D, scan_span=scan_span):
    """h_t = exp(delta_t A) h_{t-1} + delta_t u_t B_t; y_t = C_t . h_t + D u_t, h = 0 before the first position.

    u, delta [B, S, I], A [I, N], B, C [B, S, N] -> y [B, S, I]."""
    state = u.new_zeros(u.shape[0], u.shape[2], A.shape[1])
    pieces = []
    for start in range(0, u.shape[1], SPAN):
        part = slice(start, start + SPAN)
        piece, state = scan_span(state, u[:, part], delta[:, part], A, B[:, part], C[:, part])
        pieces.append(piece)
    return torch.cat(pieces, 1) + D * u


class Mamba(nn.Module):
    def __init__(self, c):
        super().__init__()
        inner = c.expand * c.d_model
        self.sizes = [c.dt_rank, c.d_state, c.d_state]
        self.scan = scan
        self.in_proj = nn.Linear(c.d_model, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, c.d_conv, groups=inner, padding=c.d_conv - 1)
        self.x_proj = nn.Linear(inner, sum(self.sizes), bias=False)
        self.dt_proj = nn.Linear(c.dt_rank, inner)
        self.A_log = nn.Parameter(torch.log(torch.arange(1.0, c.d_state + 1)).repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, c.d_model, bias=False)

    def forward(self, x):
        u, gate = self.in_proj(x).chunk(2, -1)
        u = F.silu(self.conv1d(u.mT)[..., : x.shape[1]].mT)
        steps, B, C = self.x_proj(u).split(self.sizes, -1)
        y = self.scan(u, F.softplus(self.dt_proj(steps)), -torch.exp(self.A_log), B, C, self.D)
        return self.out_proj(y * F.silu(gate))


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.fc1 = nn.Linear(c.d_model, c.d_ff)
        self.fc2 = nn.Linear(c.d_ff, c.d_model)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.theta = c.n_heads, c.rope_theta
        self.qkv = nn.Linear(c.d_model, 3 * c.d_model)
        self.out = nn.Linear(c.d_model, c.d_model)
        self.turns = {}

    def turn(self, x):
        """Rotary positions, half-split pairs (i, i + d/2); the table is made once per length, type and device."""
        length, width = x.shape[-2:]
        key = length, x.dtype, x.device
        if key not in self.turns:
            rates = self.theta ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
            angles = torch.arange(length, dtype=torch.float64)[:, None] * rates
            self.turns[key] = angles.cos().to(x), angles.sin().to(x)
        cosines, sines = self.turns[key]
        a, b = x.chunk(2, -1)
        return torch.cat([a * cosines - b * sines, b * cosines + a * sines], -1)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(self.turn(q), self.turn(k), v)
        return self.out(y.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(c.d_model, c.norm_eps) for _ in range(3))
        self.mamba, self.ffn, self.attn = Mamba(c), FeedForward(c), Attention(c)

    def forward(self, x):
        x = x + self.mamba(self.norm1(x))
        x = x + self.ffn(self.norm2(x))
        return x + self.attn(self.norm3(x))


class Denoiser(nn.Module):
    """tokens [B, L], L a multiple of the stride -> logits [B, L, V]."""

    def __init__(self, configuration):
        super().__init__()
        c = SimpleNamespace(**configuration)
        self.mask, self.vocabulary = c.vocab_size, c.vocab_size
        self.embed = nn.Embedding(c.vocab_size + 1, c.embed_dim)
        self.down = nn.Conv1d(c.embed_dim, c.d_model, c.stride, c.stride)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.n_blocks))
        self.norm = nn.LayerNorm(c.d_model, c.norm_eps)
        self.up = nn.ConvTranspose1d(c.d_model, c.embed_dim, c.stride, c.stride)
        self.head = nn.Linear(c.embed_dim, c.vocab_size, bias=False)

    def forward(self, tokens):
        x = F.relu(self.down(self.embed(tokens).mT)).mT
        for block in self.blocks:
            x = block(x)
        return self.head(F.relu(self.up(self.norm(x).mT)).mT)


def load(folder, dtype=torch.float32, device="cpu"):
    """The denoiser of a model folder, in one type throughout, on a device of PyTorch."""
    folder = Path(folder)
    model = Denoiser(json.loads((folder / "config.json").read_text()))
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.to(device, dtype).eval()


def compiled(model):
    """The same model by `torch.compile`, its scan by spans that all layers share: as a part of the model the S positions of
    every layer would be unrolled."""
    # Behind so many versions of a function nothing is compiled; a comparison has more shapes and types than the usual 8.
    torch._dynamo.config.cache_size_limit = 64
    span = torch.compile(scan_span)
    for block in model.blocks:
        block.mamba.scan = torch.compiler.disable(partial(scan, scan_span=span), recursive=False)
    return torch.compile(model)


def write_preset(name, folder, seed=0):
    """A model folder of a preset with seeded weights that keep every activation near 1."""
    configuration = preset(name)
    torch.manual_seed(seed)
    model = Denoiser(configuration)
    with torch.no_grad():
        for key, p in model.named_parameters():
            if key.endswith("dt_proj.bias"):
                steps = torch.exp(torch.rand_like(p) * math.log(100) + math.log(1e-3))
                p.copy_(steps + torch.log(-torch.expm1(-steps)))
            elif p.dim() > 1 and not key.endswith("A_log"):
                inputs = p.shape[0] if key == "up.weight" else p[0].numel()
                p.normal_(std=1 if key == "embed.weight" else inputs**-0.5)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), folder / "model.safetensors", metadata={"format": "pt", "training": "none"})
    (folder / "config.json").write_text(json.dumps(configuration, indent=2) + "\n")


@torch.inference_mode()
def sample(model, length, steps, seed):
    """One piece from nothing, absorbing-state diffusion backwards: each position's time of reveal is drawn up front,
    steps that reveal nothing are not run, and the tokens of a step are drawn from the model's softmax.

    Returns the tokens and the number of network calls."""
    device = model.head.weight.device
    generator = torch.Generator(device).manual_seed(seed)
    reveal = ((1 - torch.rand(length, generator=generator, dtype=torch.float64, device=device)) * steps).long()
    tokens = torch.full((1, length), model.mask, device=device)
    calls = reveal.unique()
    for step in calls:
        probabilities = torch.softmax(model(tokens)[0].float(), -1)
        drawn = torch.multinomial(probabilities, 1, generator=generator)[:, 0]
        tokens[0] = torch.where(reveal == step, drawn, tokens[0])
    return tokens, len(calls)


def training_step(model, optimiser, clean, masked, dtype=torch.float32):
    """One step: the masked positions' cross-entropy, gradients, their norm clipped to 1, AdamW. Returns the loss.

    Weights are float32; another `dtype` is that of autocast."""
    optimiser.zero_grad(set_to_none=True)
    with torch.autocast(clean.device.type, dtype, enabled=dtype != torch.float32):
        logits = model(torch.where(masked, model.mask, clean))
    loss = F.cross_entropy(logits[masked].float(), clean[masked])
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    return loss.item()
