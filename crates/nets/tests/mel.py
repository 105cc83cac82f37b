"""Writes tests/data/mel.json: log-mel spectrograms by librosa, in double precision.

    python crates/nets/tests/mel.py [LJSpeech-1.1]

Needs librosa. The tone is the one that tests/audio.rs makes; of a real clip, if the corpus is given,
only numbers about its spectrogram are kept.
"""

import json
import sys
import wave
from pathlib import Path

import librosa
import numpy as np

HERE = Path(__file__).parent
CLIP = "LJ001-0002"


def log_mel(samples):
    spectrum = librosa.stft(
        samples.astype(np.float64), n_fft=400, hop_length=160, window="hann", center=True,
        pad_mode="reflect", dtype=np.complex128,
    )
    filters = librosa.filters.mel(
        sr=16000, n_fft=400, n_mels=80, htk=False, norm="slaney", dtype=np.float64
    )
    logs = np.log10(np.maximum(filters @ np.abs(spectrum) ** 2, 1e-10))
    return (np.maximum(logs, logs.max() - 8) + 4) / 4


def tone():
    """A rising tone with a pause, in 16 bits; sine by its own series, the same in any language."""
    state, samples = 1, []
    for at in range(4000):
        phase = (at * (40 + at // 16)) % 22050 / 22050
        triangle = 4 * abs(phase - 0.5) - 1
        state = (state * 1103515245 + 12345) % 2**31
        noise = state / 2**30 - 1
        loud = 0 if 1500 <= at < 2300 else 9000
        samples.append(int(loud * triangle + 100 * noise))
    return np.array(samples, dtype=np.int16)


def statistics(spectrogram):
    return {
        "frames": spectrogram.shape[1],
        "mean": float(spectrogram.mean()),
        "largest": float(spectrogram.max()),
        "bands": [float(x) for x in spectrogram.mean(axis=1)],
        "frame": [float(x) for x in spectrogram[:, spectrogram.shape[1] // 2]],
    }


found = log_mel(tone() / 32768)
written = {"tone": {"frames": found.shape[1], "values": [round(float(x), 7) for x in found.ravel()]}}
if len(sys.argv) > 1:
    with wave.open(f"{sys.argv[1]}/wavs/{CLIP}.wav") as file:
        clip = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    written["clip"] = {"name": CLIP, **statistics(log_mel(clip / 32768))}
(HERE / "data" / "mel.json").write_text(json.dumps(written) + "\n")
print(found.shape, "librosa", librosa.__version__)
