"""Compares spectrograms with librosa and distances with rapidfuzz, on one thread, in the same run.

    python benches/audio.py [CLIP.wav]

librosa, rapidfuzz and NumPy must be installed; nothing of the project needs them. Without a clip, six
seconds of noise are used. Runs alternate, so that a change of the machine's mood meets both.
"""

import os
import statistics
import subprocess
import sys
import time
import wave
from pathlib import Path

for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[variable] = "1"

import librosa
import numpy as np
from rapidfuzz.distance import OSA, DamerauLevenshtein

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
rng = np.random.default_rng(1)


def samples():
    if len(sys.argv) < 2:
        return rng.normal(0, 0.1, 6 * 22050).astype(np.float32)
    with wave.open(sys.argv[1]) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    return (frames / 32768).astype(np.float32)


FILTERS = librosa.filters.mel(sr=16000, n_fft=400, n_mels=80, htk=False, norm="slaney")


def log_mel(clip):
    spectrum = librosa.stft(
        clip, n_fft=400, hop_length=160, window="hann", center=True, pad_mode="reflect"
    )
    logs = np.log10(np.maximum(FILTERS @ (np.abs(spectrum) ** 2), 1e-10))
    return (np.maximum(logs, logs.max() - 8) + 4) / 4


def per_piece(pieces, work):
    """Microseconds a piece: the median of repetitions during a second."""
    times, started = [], time.perf_counter()
    while time.perf_counter() - started < 1 or len(times) < 5:
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e6 / pieces)
    return statistics.median(times)


def ours(binary, what, data):
    out = subprocess.run([binary, "--bench", what], input=data, stdout=subprocess.PIPE, check=True)
    return float(out.stdout)


def bench():
    command = ["cargo", "bench", "-p", "veracity-nets", "--bench", "audio", "--no-run"]
    told = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=True).stderr
    return ROOT / told.strip().splitlines()[-1].rsplit("(", 1)[1].rstrip(")")


binary = bench()
clip = samples()
lists = rng.integers(4, 35, (400, 97), dtype=np.uint8)
# Half of the lists resemble the one before, as transcripts do.
for at in range(1, len(lists), 2):
    lists[at] = lists[at - 1]
    lists[at][rng.integers(0, 97, 20)] = rng.integers(4, 35, 20)
plain = lists.tolist()


def over(distance):
    return lambda: [distance(a, b) for a, b in zip(plain, plain[1:])]


rows = {name: [] for name in ["log-mel", "librosa", "restricted", "OSA", "DamerauLevenshtein"]}
for _ in range(ROUNDS):
    rows["log-mel"].append(ours(binary, "mel", clip.tobytes()))
    rows["librosa"].append(per_piece(1, lambda: log_mel(clip)))
    rows["restricted"].append(ours(binary, "distance", lists.tobytes()))
    rows["OSA"].append(per_piece(len(plain) - 1, over(OSA.distance)))
    rows["DamerauLevenshtein"].append(per_piece(len(plain) - 1, over(DamerauLevenshtein.distance)))
median = {name: statistics.median(times) for name, times in rows.items()}
mel, librosa_mel = median["log-mel"] / 1e3, median["librosa"] / 1e3
print(f"log-mel of {len(clip) / 22050:.1f} s: {mel:.2f} ms, librosa {librosa_mel:.2f} ms,",
      f"{librosa_mel / mel:.1f} times as fast")
for name in ["OSA", "DamerauLevenshtein"]:
    print(f"distance of 97 tokens: {median['restricted']:.2f} µs, rapidfuzz {name}",
          f"{median[name]:.2f} µs, {median[name] / median['restricted']:.1f} times as fast")
