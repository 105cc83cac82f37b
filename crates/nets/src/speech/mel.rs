//! Logarithmic mel spectrograms.
//!
//! In: samples at 22,050 per second. Out: 80 bands over time, one frame every 160 samples, a number
//! about -1 to 2 in each. The power of a Fourier transform of 400 samples under a periodic Hann window,
//! the clip reflected at both ends so that frames are centred, goes through the mel filters of
//! Slaney's Auditory Toolbox (Technical Report 1998-010; each filter of unit area), then
//! log₁₀, nothing more than 8 below the largest, and (x + 4) / 4, as Whisper does it (Radford et al.,
//! 2023). The filters are built as if the clip had 16,000 samples per second, which the homework did:
//! a band sits at 22,050 / 16,000 of its nominal frequency.
//!
//! Left out: Whisper's dropping of the last frame.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Samples of a Fourier transform and of its window.
pub const WINDOW: usize = 400;

/// Samples from frame to frame.
pub const HOP: usize = 160;

/// Bands of a spectrogram.
pub const BANDS: usize = 80;

/// Frames to which the homework pads or cuts.
pub const FRAMES: usize = 2_754;

/// Samples per second for which the filters are built.
pub const NOMINAL_RATE: f64 = 16_000.0;

/// Changes whenever spectrograms do.
pub const VERSION: u32 = 1;

/// Frequencies of a transform.
const BINS: usize = WINDOW / 2 + 1;

/// A clip as bands over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrogram {
    /// Number of frames.
    pub frames: usize,
    /// `BANDS` × `frames` numbers, band by band, the lowest first.
    pub values: Vec<f32>,
}

impl Spectrogram {
    /// Pads or cuts to so many frames. What is added is 0, in the units of the scaled values:
    /// Whisper's function pads whatever it is given with zeros, and the homework gave it the finished
    /// spectrogram.
    pub fn fitted(&self, frames: usize) -> Self {
        let kept = self.frames.min(frames);
        let mut values = vec![0.0; BANDS * frames];
        for band in 0..BANDS {
            values[band * frames..][..kept].copy_from_slice(&self.band(band)[..kept]);
        }
        Self { frames, values }
    }

    /// Replaces every few frames by their mean; what is left over at the end falls away.
    ///
    /// # Panics
    /// If they are none.
    pub fn joined(&self, together: usize) -> Self {
        assert!(together > 0, "frames to be joined");
        let mean = |frames: &[f32]| frames.iter().sum::<f32>() / together as f32;
        let bands = (0..BANDS).flat_map(|band| self.band(band).chunks_exact(together));
        Self { frames: self.frames / together, values: bands.map(mean).collect() }
    }

    /// Returns frame after frame, with `frames` × [`BANDS`] numbers, padded or cut as by
    /// [`Spectrogram::fitted`].
    pub fn frame_by_frame(&self, frames: usize) -> Vec<f32> {
        let mut values = vec![0.0; frames * BANDS];
        for band in 0..BANDS {
            for (frame, &value) in self.band(band).iter().take(frames).enumerate() {
                values[frame * BANDS + band] = value;
            }
        }
        values
    }

    /// Returns a band over time.
    pub fn band(&self, band: usize) -> &[f32] {
        &self.values[band * self.frames..][..self.frames]
    }
}

/// The weights of a filter on neighbouring frequencies.
struct Filter {
    first: usize,
    weights: Vec<f32>,
}

/// Makes spectrograms; planned once, for use on one thread.
pub struct FrontEnd {
    transform: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    filters: Vec<Filter>,
    frame: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Default for FrontEnd {
    fn default() -> Self {
        let transform = RealFftPlanner::new().plan_fft_forward(WINDOW);
        Self {
            window: hann(),
            filters: filters(),
            frame: transform.make_input_vec(),
            spectrum: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            power: vec![0.0; BINS],
            transform,
        }
    }
}

impl FrontEnd {
    /// Returns the spectrogram of a clip, 1 + samples / 160 frames.
    ///
    /// # Errors
    /// If the clip has fewer than 201 samples, which cannot be reflected, or one that is no number.
    pub fn spectrogram(&mut self, samples: &[f32]) -> Result<Spectrogram, String> {
        if samples.len() <= WINDOW / 2 {
            let least = WINDOW / 2 + 1;
            return Err(format!("the clip has {} samples, too few (of {least})", samples.len()));
        }
        if let Some(at) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(format!("sample {at} is no finite number"));
        }
        let centred = reflected(samples);
        let frames = 1 + samples.len() / HOP;
        let mut values = vec![0.0; BANDS * frames];
        for frame in 0..frames {
            self.power_at(&centred[frame * HOP..][..WINDOW]);
            for (band, filter) in self.filters.iter().enumerate() {
                let power = &self.power[filter.first..][..filter.weights.len()];
                let sum: f32 = power.iter().zip(&filter.weights).map(|(p, w)| p * w).sum();
                values[band * frames + frame] = sum;
            }
        }
        scale(&mut values);
        Ok(Spectrogram { frames, values })
    }

    fn power_at(&mut self, samples: &[f32]) {
        for ((to, sample), weight) in self.frame.iter_mut().zip(samples).zip(&self.window) {
            *to = sample * weight;
        }
        self.transform
            .process_with_scratch(&mut self.frame, &mut self.spectrum, &mut self.scratch)
            .expect("buffers have the lengths that were planned");
        for (power, number) in self.power.iter_mut().zip(&self.spectrum) {
            *power = number.norm_sqr();
        }
    }
}

/// The clip with half a window more on each side, mirrored at its first and last sample.
fn reflected(samples: &[f32]) -> Vec<f32> {
    let half = WINDOW / 2;
    let last = samples.len() - 1;
    let before = samples[1..=half].iter().rev();
    let after = samples[last - half..last].iter().rev();
    before.chain(samples).chain(after).copied().collect()
}

/// Logarithms, from 8 below the largest, shifted and divided.
fn scale(values: &mut [f32]) {
    for value in values.iter_mut() {
        *value = value.max(1e-10).log10();
    }
    let floor = values.iter().copied().fold(f32::MIN, f32::max) - 8.0;
    for value in values {
        *value = (value.max(floor) + 4.0) / 4.0;
    }
}

/// A Hann window of which the next sample would be the first again.
fn hann() -> Vec<f32> {
    let angle = |at: usize| std::f64::consts::TAU * at as f64 / WINDOW as f64;
    (0..WINDOW).map(|at| (0.5 - 0.5 * angle(at).cos()) as f32).collect()
}

/// From mel to Hz: linear below 1,000 Hz, 15 mel, and from there a factor of 6.4 in 27 steps.
pub fn mel_to_hz(mel: f64) -> f64 {
    if mel < 15.0 {
        mel * 200.0 / 3.0
    } else {
        1_000.0 * ((mel - 15.0) * 6.4_f64.ln() / 27.0).exp()
    }
}

/// The inverse of [`mel_to_hz`].
pub fn hz_to_mel(hz: f64) -> f64 {
    if hz < 1_000.0 { hz * 3.0 / 200.0 } else { 15.0 + (hz / 1_000.0).ln() * 27.0 / 6.4_f64.ln() }
}

/// Triangles over frequencies equally far apart in mel, each of unit area.
fn filters() -> Vec<Filter> {
    let top = hz_to_mel(NOMINAL_RATE / 2.0);
    let corner = |at: usize| mel_to_hz(top * at as f64 / (BANDS + 1) as f64);
    let frequency = |bin: usize| bin as f64 * NOMINAL_RATE / WINDOW as f64;
    let filter = |band: usize| {
        let [low, centre, high] = [0, 1, 2].map(|side| corner(band + side));
        let weight = |bin: usize| {
            let rising = (frequency(bin) - low) / (centre - low);
            let falling = (high - frequency(bin)) / (high - centre);
            rising.min(falling).max(0.0) * 2.0 / (high - low)
        };
        let first = (0..BINS).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
        let weights = (first..BINS).map(weight).take_while(|&weight| weight > 0.0);
        Filter { first, weights: weights.map(|weight| weight as f32).collect() }
    };
    (0..BANDS).map(filter).collect()
}
