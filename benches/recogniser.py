"""Compares a training step of the speech chapter's full-size networks with PyTorch.

    python benches/recogniser.py                   seconds a step, both decoders, same run
    python benches/recogniser.py --reference FILE  logits, gradients and an AdamW step of small
                                                   networks, for the tests of crates/nets

PyTorch must be installed; nothing of the project needs it. Runs of both programs alternate, so
that a change of the machine's mood meets both; where others use the machine too, only the times that
processors compute tell something, on one thread (`--threads 1`). PyTorch computes attention in two ways: as the
published experiment does, with a product, a softmax and another product, and by its own fused
function.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    sys.exit("PyTorch is not installed: run `cargo bench -p veracity-nets --bench recogniser` alone")

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
FULL = {"mels": 80, "frames": 2754, "tokens": 98, "vocabulary": 35, "width": 200, "heads": 2,
        "hidden": 400, "blocks": 2}
FUSED = False


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, x, source, causal=False):
        def split(y):
            return y.unflatten(2, (self.heads, -1)).transpose(1, 2)

        q, k, v = split(self.query(x)), split(self.key(source)), split(self.value(source))
        if FUSED:
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        else:
            scale = q.shape[-1] ** -0.25
            weights = (q * scale) @ (k * scale).transpose(2, 3)
            if causal:
                hidden = torch.ones(weights.shape[2:], dtype=torch.bool).triu(1)
                weights = weights.masked_fill(hidden, -math.inf)
            mixed = weights.softmax(-1) @ v
        return self.output(mixed.transpose(1, 2).flatten(2))


class Attending(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)

    def forward(self, x, source=None, causal=False):
        normal = self.norm(x)
        return x + self.attention(normal, normal if source is None else source, causal)


class FeedForward(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, hidden)
        self.outer = nn.Linear(hidden, width)

    def forward(self, x):
        return x + self.outer(F.gelu(self.inner(self.norm(x))))


class Block(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.attention = Attending(s["width"], s["heads"])
        self.feed_forward = FeedForward(s["width"], s["hidden"])

    def forward(self, x, source=None):
        return self.feed_forward(self.attention(x, source))


class Encoder(nn.Module):
    def __init__(self, s):
        super().__init__()
        width, half = s["width"], s["width"] // 2
        self.first = nn.Conv1d(s["mels"], width, 3, padding=1)
        self.second = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(Block(s) for _ in range(s["blocks"]))
        self.norm = nn.LayerNorm(width)
        rates = torch.exp(-math.log(3000) * torch.arange(half) / (half - 1))
        angles = torch.arange((s["frames"] + 1) // 2)[:, None] * rates
        self.register_buffer("positions", torch.cat([angles.sin(), angles.cos()], 1))

    def forward(self, features):
        x = F.gelu(self.first(features.transpose(1, 2)))
        x = F.gelu(self.second(x)).transpose(1, 2)
        x = x + self.positions[:x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class Writer(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.block = Block(s)
        self.norm = nn.LayerNorm(s["width"])
        self.output = nn.Linear(s["width"], s["vocabulary"])

    def forward(self, x, encoded):
        return self.output(self.norm(self.block(x, encoded)))


class Recurrent(nn.Module):
    def __init__(self, s):
        super().__init__()
        width = s["width"]
        self.embedding = nn.Embedding(s["vocabulary"], width)
        self.norm = nn.LayerNorm(width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.writer = Writer(s)

    def forward(self, tokens, encoded):
        return self.writer(self.lstm(self.norm(self.embedding(tokens)))[0], encoded)


class SelfAttention(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.embedding = nn.Embedding(s["vocabulary"], s["width"])
        self.positions = nn.Embedding(s["tokens"], s["width"])
        self.attention = Attending(s["width"], s["heads"])
        self.writer = Writer(s)

    def forward(self, tokens, encoded):
        x = self.embedding(tokens) + self.positions.weight[:tokens.shape[1]]
        return self.writer(self.attention(x, causal=True), encoded)


class Recogniser(nn.Module):
    def __init__(self, kind, s):
        super().__init__()
        self.encoder = Encoder(s)
        self.decoder = {"recurrent": Recurrent, "attention": SelfAttention}[kind](s)

    def forward(self, features, tokens):
        return self.decoder(tokens, self.encoder(features))


def loss_of(model, features, tokens):
    logits = model(features, tokens[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), label_smoothing=0.1)


def torch_seconds(kind, fused):
    global FUSED
    FUSED = fused
    torch.manual_seed(1)
    model = Recogniser(kind, FULL)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    features = torch.rand(4, FULL["frames"], FULL["mels"]) * 2 - 1
    tokens = torch.randint(0, FULL["vocabulary"], (4, FULL["tokens"] + 1))
    times, computed = [], []
    for _ in range(4):
        start, before = time.perf_counter(), time.process_time()
        optimiser.zero_grad()
        loss = loss_of(model, features, tokens)
        loss.backward()
        optimiser.step()
        loss.item()
        times.append(time.perf_counter() - start)
        computed.append(time.process_time() - before)
    return statistics.median(times[1:]), statistics.median(computed[1:])


def our_seconds(kind):
    command = ["cargo", "bench", "-q", "-p", "veracity-nets", "--bench", "recogniser", "--", kind]
    threads = {"RAYON_NUM_THREADS": str(torch.get_num_threads())}
    output = subprocess.run(command, cwd=ROOT, env={**os.environ, **threads}, check=True,
                            capture_output=True, text=True)
    words = output.stdout.split(":")[1].split()
    return float(words[0]), float(words[4])


def speed(rounds):
    print(f"{torch.get_num_threads()} threads")
    for kind in ("recurrent", "attention"):
        own, plain, fused = [], [], []
        for _ in range(rounds):
            own.append(our_seconds(kind))
            plain.append(torch_seconds(kind, False))
            fused.append(torch_seconds(kind, True))
        for what, at in (("s a step", 0), ("s of all processors", 1)):
            def median(times):
                return statistics.median(time[at] for time in times)

            def ratio(theirs):
                return statistics.median(b[at] / a[at] for a, b in zip(own, theirs))
            print(f"{kind}: ours {median(own):.3f} {what}; PyTorch {median(plain):.3f}, ratio "
                  f"{ratio(plain):.2f}; with its fused attention {median(fused):.3f}, ratio "
                  f"{ratio(fused):.2f}", flush=True)


def matrices(model, of, digits=6):
    """Our layout: maps are inputs × outputs, kernels (place, input) × outputs, the rest rows."""
    gates = {"weight_ih_l0": "gates.input", "weight_hh_l0": "gates.state",
             "bias_ih_l0": "gates.input_bias", "bias_hh_l0": "gates.state_bias"}
    result = {}
    for name, parameter in model.named_parameters():
        x = of(parameter).detach()
        *path, leaf = name.split(".")
        if x.dim() == 3:
            x, leaf = x.permute(2, 1, 0).flatten(0, 1), "kernels"
        elif path[-1] in ("embedding", "positions"):
            leaf = "table"
        elif path[-1] == "norm":
            leaf = {"weight": "scale", "bias": "shift"}[leaf]
        elif x.dim() == 2:
            x = x.T
        leaf = gates.get(leaf, leaf)
        x = x[None] if x.dim() == 1 else x
        result[".".join([*path, leaf])] = [float(f"{v:.{digits}g}") for v in x.flatten().tolist()]
    return result


def reference(file):
    sizes = {"mels": 5, "frames": 11, "tokens": 6, "vocabulary": 7, "width": 8, "heads": 2,
             "hidden": 10, "blocks": 2}
    cases = []
    for kind in ("recurrent", "attention"):
        torch.manual_seed(3)
        model = Recogniser(kind, sizes)
        for name, parameter in model.named_parameters():
            if "norm" in name:
                nn.init.normal_(parameter, 0.5)
        features = torch.randn(2, sizes["frames"], sizes["mels"])
        tokens = torch.randint(0, sizes["vocabulary"], (2, sizes["tokens"] + 1))
        optimiser = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
        case = {"kind": kind, "sizes": sizes, "features": features.flatten().tolist(),
                "tokens": tokens.flatten().tolist(), "before": matrices(model, lambda p: p, 9)}
        loss = loss_of(model, features, tokens)
        loss.backward()
        case["logits"] = model(features, tokens[:, :-1]).flatten().tolist()
        case["loss"] = loss.item()
        case["gradients"] = matrices(model, lambda p: p.grad)
        optimiser.step()
        case["after"] = matrices(model, lambda p: p)
        cases.append(case)
    Path(file).write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", metavar="FILE")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    if arguments.reference:
        reference(arguments.reference)
    else:
        torch.set_num_threads(arguments.threads)
        speed(arguments.rounds)


if __name__ == "__main__":
    main()
