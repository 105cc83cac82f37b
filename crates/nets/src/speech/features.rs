//! Spectrograms of utterances, made when they are asked for and kept on disk.
//!
//! In: utterances, that is, a text with a clip on disk or with a spectrogram at hand. Out: their
//! spectrograms. 13,100 clips are 3.8 GB of numbers, so those of clips on disk are never all in memory:
//! they are computed one by one and kept in a folder under a name made of the clip's content. What is
//! kept is checked, and made anew if it is damaged. Left out: batches.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use flate2::Crc;

use super::audio::{self, ClipError};
use super::mel::{self, BANDS, FrontEnd, Spectrogram};

/// A text and how it sounds.
#[derive(Clone, Debug)]
pub struct Utterance {
    /// What is told of it in messages, such as a row of a file.
    pub name: String,
    /// The words.
    pub text: String,
    /// The sound.
    pub sound: Sound,
}

/// How an utterance sounds.
#[derive(Clone, Debug)]
pub enum Sound {
    /// A WAV file.
    Clip(PathBuf),
    /// What the front end made of it.
    Heard(Spectrogram),
}

/// Why an utterance cannot be used: which one, and what is wrong with its clip.
#[derive(Debug)]
pub struct UtteranceError {
    name: String,
    cause: ClipError,
}

impl fmt::Display for UtteranceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.cause)
    }
}

impl std::error::Error for UtteranceError {}

/// The front end with what it made before.
pub struct Features {
    front: FrontEnd,
    folder: Option<PathBuf>,
}

impl Features {
    /// Keeps spectrograms in this folder, which is made when needed; without one keeps none.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { front: FrontEnd::default(), folder }
    }

    /// Returns the spectrogram of an utterance.
    ///
    /// # Errors
    /// Names the utterance and the file if the clip cannot be read, as [`audio::read`], or is too short.
    pub fn of(&mut self, utterance: &Utterance) -> Result<Spectrogram, UtteranceError> {
        match &utterance.sound {
            Sound::Heard(spectrogram) => Ok(spectrogram.clone()),
            Sound::Clip(file) => self
                .of_clip(file)
                .map_err(|cause| UtteranceError { name: utterance.name.clone(), cause }),
        }
    }

    /// Returns the spectrogram of a clip.
    ///
    /// # Errors
    /// As [`audio::read`], or if the clip is too short.
    pub fn of_clip(&mut self, file: &Path) -> Result<Spectrogram, ClipError> {
        let wrong = |problem: String| ClipError::new(file, problem);
        let bytes = fs::read(file).map_err(|error| wrong(error.to_string()))?;
        let kept = self.folder.as_ref().map(|folder| folder.join(name(&bytes)));
        if let Some(found) = kept.as_deref().and_then(load) {
            return Ok(found);
        }
        let samples = audio::decode(&bytes).map_err(wrong)?;
        let made = self.front.spectrogram(&samples).map_err(wrong)?;
        // A full disk costs time, not results.
        kept.and_then(|kept| store(&kept, &made).ok());
        Ok(made)
    }
}

/// A name for the spectrogram of a clip with this content.
fn name(clip: &[u8]) -> String {
    // Two sums over different parts: a clip that changes keeps both by chance once in 2⁶⁴ times.
    let (even, odd) = clip.split_at(clip.len() / 2);
    format!("{:08x}{:08x}-{}-{}.mel", sum(even), sum(odd), clip.len(), mel::VERSION)
}

fn sum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

/// Checksum, then the numbers band by band.
fn store(file: &Path, spectrogram: &Spectrogram) -> io::Result<()> {
    let numbers: Vec<u8> =
        spectrogram.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut bytes = sum(&numbers).to_le_bytes().to_vec();
    bytes.extend(numbers);
    fs::create_dir_all(file.parent().expect("the file lies in a folder"))?;
    let beside = file.with_extension(format!("{}.part", std::process::id()));
    fs::write(&beside, bytes)?;
    fs::rename(beside, file)
}

fn load(file: &Path) -> Option<Spectrogram> {
    let bytes = fs::read(file).ok()?;
    let (checksum, numbers) = bytes.split_first_chunk::<4>()?;
    if sum(numbers) != u32::from_le_bytes(*checksum) || numbers.len() % (4 * BANDS) != 0 {
        return None;
    }
    let chunks = numbers.chunks_exact(4);
    let values = chunks.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    Some(Spectrogram { frames: numbers.len() / 4 / BANDS, values })
}
