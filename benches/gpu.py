"""Compares the learning speed of the report's networks with PyTorch, on the same GPU, in the same run.

    python benches/gpu.py --ours BUNDLE/run [--cuda DIR]     both, with ratios
    python benches/gpu.py                                    PyTorch alone
    python benches/gpu.py --device cpu --small               a check of this script, without a GPU

BUNDLE is what `veracity bundle --selftest --device cuda` made; its `run --throughput` prints our table.
Both learn from noise in steps that copy their inputs to the device and read nothing back, first freely,
then with the time of a step divided: ours by synchronising after each part, PyTorch's by its profiler into
copies, launches (time of the host in calls of the driver) and arithmetic (time of kernels on the device).
PyTorch runs eagerly, as the published experiments do; nothing is compiled or captured in graphs.
"""

import argparse
import re
import subprocess
import sys
import time

try:
    import torch
    from torch.profiler import ProfilerActivity, profile
except ImportError:
    sys.exit("PyTorch is not installed; `run --throughput` of the self-test's bundle tells our speed alone")

import cnn
import recogniser

WARMING = 3
PATIENCE = 3.0
LAUNCHES = ("cudaLaunchKernel", "cudaLaunchKernelExC", "cuLaunchKernel", "cuLaunchKernelEx")
COPIES = ("Memcpy", "Memset")


class Images:
    def __init__(self, make, batch, device):
        self.model = make(torch).to(device)
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=0.01)
        self.inputs = torch.rand(batch, 1, 28, 28), torch.randint(0, 4, (batch,))
        self.device = device

    def step(self):
        images, labels = (x.to(self.device) for x in self.inputs)
        self.optimiser.zero_grad()
        torch.nn.functional.nll_loss(self.model(images), labels).backward()
        self.optimiser.step()


class Speech:
    def __init__(self, kind, sizes, clips, device):
        self.model = recogniser.Recogniser(kind, sizes).to(device)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-3, weight_decay=0.01)
        self.inputs = (torch.rand(clips, sizes["frames"], sizes["mels"]) * 2 - 1,
                       torch.randint(0, sizes["vocabulary"], (clips, sizes["tokens"] + 1)))
        self.device = device

    def step(self):
        features, tokens = (x.to(self.device) for x in self.inputs)
        self.optimiser.zero_grad()
        recogniser.loss_of(self.model, features, tokens).backward()
        self.optimiser.step()


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def measure(learner, units, device):
    for _ in range(WARMING):
        learner.step()
    wait(device)
    steps, start = 0, time.perf_counter()
    while steps < 3 or (steps < 300 and time.perf_counter() - start < PATIENCE):
        learner.step()
        steps += 1
    wait(device)
    seconds = (time.perf_counter() - start) / steps
    return units / seconds, 1e3 * seconds, parts(learner, device)


def parts(learner, device, steps=10):
    """Returns the milliseconds of a step by parts: copies, launches, arithmetic."""
    on_gpu = device == "cuda"
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if on_gpu else [])
    with profile(activities=activities) as found:
        for _ in range(steps):
            learner.step()
        wait(device)
    copies = launches = arithmetic = 0.0
    for event in found.events():
        kernel = event.device_type == torch.autograd.DeviceType.CUDA
        if kernel and event.name.startswith(COPIES):
            copies += event.time_range.elapsed_us()
        elif kernel:
            arithmetic += event.time_range.elapsed_us()
        elif event.name in LAUNCHES:
            launches += event.time_range.elapsed_us()
        elif not on_gpu:
            arithmetic += event.self_cpu_time_total
    return tuple(x / steps / 1e3 for x in (copies, launches, arithmetic))


def theirs(device, small):
    sizes = recogniser.FULL
    if small:
        sizes = {**sizes, "frames": 60, "tokens": 12, "width": 16, "hidden": 32}
    for batch in (8, 256):
        yield f"pooled CNN, batch {batch}", batch, Images(cnn.network, batch, device)
        yield f"strided CNN, batch {batch}", batch, Images(cnn.strided, batch, device)
    for kind in ("recurrent", "attention"):
        yield f"{kind} speech, 4 clips", 4, Speech(kind, sizes, 4, device)


def ours(run, cuda):
    """Returns our rates by network, as the bundle prints them, and its exit status."""
    command = [run, "--throughput"] + (["--cuda", cuda] if cuda else [])
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(output.stdout, flush=True)
    rows = {}
    for line in output.stdout.splitlines():
        if row := re.match(r"(.+ speech, .+?|.+ CNN, batch \d+) +([\d.]+) (?:images|clips)", line):
            rows[row[1].strip()] = float(row[2])
    return rows, output.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", metavar="RUN", help="runner of a self-test's bundle")
    parser.add_argument("--cuda", metavar="DIR", help="folder with CUDA's libraries, for our runner")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--small", action="store_true", help="small speech networks")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch sees no GPU; `--device cpu --small` checks that this script works")
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else "CPU"
    own, status = ours(arguments.ours, arguments.cuda) if arguments.ours else ({}, 0)
    print(f"PyTorch {torch.__version__} on {name}")
    print(f"{'network':<32} {'per s':>10} {'step ms':>10} {'copies':>10} {'launches':>10} "
          f"{'arithmetic':>10} {'ours':>10} {'ratio':>7}")
    torch.manual_seed(1)
    for network, units, learner in theirs(arguments.device, arguments.small):
        rate, step, times = measure(learner, units, arguments.device)
        shown = " ".join(f"{x:>10.3f}" for x in times)
        line = f"{network:<32} {rate:>10.1f} {step:>10.3f} {shown}"
        if network in own:
            line += f" {own[network]:>10.1f} {own[network] / rate:>7.2f}"
        print(line, flush=True)
    if status != 0:
        sys.exit(f"{arguments.ours} ended with {status}")


if __name__ == "__main__":
    main()
