"""Compares the training of chapter 2's network with PyTorch, on one thread, in the same run.

    python benches/cnn.py                      speed at batches of 8 and 64
    python benches/cnn.py --scores FILE.npz    losses and accuracies over seeds, by PyTorch alone

PyTorch and NumPy must be installed; nothing of the project needs them. Runs of both programs
alternate, so that a change of the machine's mood meets both; where others use the machine too, only
the times that processors compute tell something.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5


def network(torch):
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(576, 320), nn.ReLU(), nn.Dropout(0.7),
        nn.Linear(320, 120), nn.ReLU(), nn.Linear(120, 4), nn.LogSoftmax(1),
    )


def strided(torch):
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(576, 320), nn.ReLU(), nn.Dropout(0.7),
        nn.Linear(320, 120), nn.ReLU(), nn.Linear(120, 4), nn.LogSoftmax(1),
    )


def step(torch, model, optimiser, images, labels):
    optimiser.zero_grad()
    loss = torch.nn.functional.nll_loss(model(images), labels)
    loss.backward()
    optimiser.step()
    return loss.item()


def torch_speed(torch, batch):
    model = network(torch)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    images, labels = torch.rand(2048, 1, 28, 28), torch.randint(0, 4, (2048,))
    rates, computed = [], []
    for _ in range(4):
        start, before = time.perf_counter(), time.process_time()
        for at in range(0, 2048, batch):
            step(torch, model, optimiser, images[at:at + batch], labels[at:at + batch])
        rates.append(2048 / (time.perf_counter() - start))
        computed.append(2048 / (time.process_time() - before))
    return statistics.median(rates[1:]), statistics.median(computed[1:])


def ours(batch):
    command = ["cargo", "bench", "-q", "-p", "veracity-nets", "--bench", "cnn", "--", "speed", str(batch)]
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    output = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    first = output.stdout.splitlines()[0]
    words = first.split(":")[1].split()
    return (float(words[0]), float(words[2])), output.stdout


def speed(torch):
    torch.set_num_threads(1)
    for batch in (8, 64):
        own, theirs, report = [], [], ""
        for _ in range(ROUNDS):
            rate, report = ours(batch)
            own.append(rate)
            theirs.append(torch_speed(torch, batch))
        for what, at in (("images/s", 0), ("images per second of the processor", 1)):
            ratio = statistics.median(a[at] / b[at] for a, b in zip(own, theirs))
            print(f"batch {batch}: ours {statistics.median(a[at] for a in own):.0f} {what}, "
                  f"PyTorch {statistics.median(b[at] for b in theirs):.0f}, ratio {ratio:.2f}")
        print(report)


def scores(torch, file, seeds, rate):
    import numpy

    data = numpy.load(file)

    def split(name):
        images = torch.tensor(data[f"{name}_images"], dtype=torch.float32)[:, None] / 256
        return images, torch.tensor(data[f"{name}_labels"][:, 0].astype("int64"))

    train, val, test = split("train"), split("val"), split("test")
    tested = torch.cat([(test[1] == c).nonzero()[:n, 0] for c, n in enumerate((182, 55, 42, 250))])

    def accuracy(model, images, labels):
        model.eval()
        with torch.no_grad():
            return (model(images).argmax(1) == labels).float().mean().item()

    for name, make in (("pool", network), ("strided", strided)):
        for seed in range(seeds):
            torch.manual_seed(seed)
            model = make(torch)
            optimiser = torch.optim.SGD(model.parameters(), lr=rate)
            losses = []
            for _ in range(15):
                model.train()
                for batch in torch.randperm(len(train[1])).split(8):
                    losses.append(step(torch, model, optimiser, train[0][batch], train[1][batch]))
            print(f"{name} seed {seed}: loss {statistics.fmean(losses):.4f} "
                  f"val {accuracy(model, *val):.4f} "
                  f"test {accuracy(model, test[0][tested], test[1][tested]):.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scores", metavar="FILE.npz", help="train on this archive instead")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=0.01)
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        sys.exit("PyTorch is not installed: run `cargo bench -p veracity-nets --bench cnn` alone")
    if arguments.scores:
        scores(torch, arguments.scores, arguments.seeds, arguments.rate)
    else:
        speed(torch)


if __name__ == "__main__":
    main()
