//! Clips of sound.
//!
//! In: a WAV file as LJ Speech has them, 22,050 samples per second, one channel, 16 bits. Out: samples
//! from -1 to 1. Any other format is refused by name: to resample silently would give other
//! spectrograms than those that the networks are trained for.

use std::fmt;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader};

/// Samples per second.
pub const RATE: u32 = 22_050;

/// Why a clip cannot be used.
#[derive(Debug)]
pub struct ClipError {
    file: PathBuf,
    problem: String,
}

impl ClipError {
    pub(super) fn new(file: &Path, problem: impl Into<String>) -> Self {
        Self { file: file.into(), problem: problem.into() }
    }
}

impl fmt::Display for ClipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.problem)
    }
}

impl std::error::Error for ClipError {}

/// Reads the samples of a clip.
///
/// # Errors
/// Names the file if it is missing, damaged, cut off, empty, or of another format.
pub fn read(file: &Path) -> Result<Vec<f32>, ClipError> {
    let bytes = std::fs::read(file).map_err(|error| ClipError::new(file, error.to_string()))?;
    decode(&bytes).map_err(|problem| ClipError::new(file, problem))
}

/// Makes samples of the bytes of a WAV file; otherwise says what is wrong with them.
pub fn decode(bytes: &[u8]) -> Result<Vec<f32>, String> {
    let broken = |error: hound::Error| format!("this is no whole WAV file: {error}");
    let mut reader = WavReader::new(bytes).map_err(broken)?;
    let spec = reader.spec();
    if spec.channels != 1 {
        return Err(format!("the clip has {} channels, not 1", spec.channels));
    }
    if spec.sample_format != SampleFormat::Int || spec.bits_per_sample != 16 {
        let kind = match spec.sample_format {
            SampleFormat::Int => "bits",
            SampleFormat::Float => "bits (floating point)",
        };
        let bits = spec.bits_per_sample;
        return Err(format!("the samples have {bits} {kind}, not 16 (integers)"));
    }
    if spec.sample_rate != RATE {
        let rate = spec.sample_rate;
        return Err(format!("the clip has {rate} samples per second, not {RATE}; resample it"));
    }
    let declared = reader.duration() as usize;
    let samples: Result<Vec<f32>, _> =
        reader.samples::<i16>().map(|sample| sample.map(|s| f32::from(s) / 32_768.0)).collect();
    let samples = samples.map_err(broken)?;
    if samples.len() != declared {
        return Err(format!("the file has {} of its {declared} samples", samples.len()));
    }
    if samples.is_empty() {
        return Err("the clip has no sample".into());
    }
    Ok(samples)
}
