//! What a network learns from: clips with their tokens.
//!
//! In: features and tokens. Out: batches, checked. Left out: where clips come from.

use std::fmt;

use super::Sizes;

/// An utterance.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// Frames × mel bands, frame by frame.
    pub features: Vec<f32>,
    /// What is said, from the start token on, padded.
    pub tokens: Vec<usize>,
}

/// Clips of equal length.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    clips: usize,
    frames: usize,
    features: Vec<f32>,
    inputs: Vec<usize>,
    labels: Vec<usize>,
}

/// Why clips cannot be used.
#[derive(Debug)]
pub enum ClipError {
    /// A batch has no clips.
    NoClips,
    /// A clip has too few or too many numbers, or is longer than the network allows.
    Features {
        /// Its place in the batch.
        clip: usize,
        /// How many numbers it has.
        found: usize,
        /// What it should have.
        expected: String,
    },
    /// A feature is infinite or no number.
    NotFinite {
        /// The clip's place in the batch.
        clip: usize,
        /// The frame.
        frame: usize,
    },
    /// A clip has too few or too many tokens.
    Length {
        /// Its place in the batch.
        clip: usize,
        /// How many tokens it has.
        found: usize,
        /// What it should have.
        expected: String,
    },
    /// A token is not in the vocabulary.
    Token {
        /// The clip's place in the batch.
        clip: usize,
        /// The token.
        token: usize,
        /// How many tokens there are.
        vocabulary: usize,
    },
    /// They could not be loaded.
    Source(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for ClipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClips => write!(f, "a batch without clips"),
            Self::Features { clip, found, expected } => {
                write!(f, "clip {clip} of the batch has {found} features, not {expected}")
            }
            Self::NotFinite { clip, frame } => {
                write!(
                    f,
                    "clip {clip} of the batch has a feature in frame {frame} that is not finite"
                )
            }
            Self::Length { clip, found, expected } => {
                write!(f, "clip {clip} of the batch has {found} tokens, not {expected}")
            }
            Self::Token { clip, token, vocabulary } => {
                write!(
                    f,
                    "clip {clip} of the batch has token {token} of a vocabulary of {vocabulary}"
                )
            }
            Self::Source(error) => write!(f, "clips cannot be loaded: {error}"),
        }
    }
}

impl std::error::Error for ClipError {}

impl Batch {
    /// Joins clips of one length, of which each token but the last is an input and each but the
    /// first a label.
    ///
    /// # Errors
    /// If there are none, or they do not fit to each other or to the sizes.
    pub fn new(clips: &[Clip], sizes: &Sizes) -> Result<Self, ClipError> {
        let first = clips.first().ok_or(ClipError::NoClips)?;
        let (numbers, length) = (first.features.len(), first.tokens.len());
        let frames = numbers / sizes.mels;
        for (clip, Clip { features, tokens }) in clips.iter().enumerate() {
            let found = features.len();
            let error = |expected| ClipError::Features { clip, found, expected };
            if found != numbers {
                return Err(error(format!("{numbers} as clip 0")));
            }
            if found == 0 || !found.is_multiple_of(sizes.mels) || frames > sizes.frames {
                return Err(error(format!(
                    "{} in each of up to {} frames",
                    sizes.mels, sizes.frames
                )));
            }
            if let Some(at) = features.iter().position(|feature| !feature.is_finite()) {
                return Err(ClipError::NotFinite { clip, frame: at / sizes.mels });
            }
            let found = tokens.len();
            let error = |expected| ClipError::Length { clip, found, expected };
            if found != length {
                return Err(error(format!("{length} as clip 0")));
            }
            if !(2..=sizes.tokens + 1).contains(&found) {
                return Err(error(format!("2 to {}", sizes.tokens + 1)));
            }
            if let Some(&token) = tokens.iter().find(|token| **token >= sizes.vocabulary) {
                return Err(ClipError::Token { clip, token, vocabulary: sizes.vocabulary });
            }
        }
        Ok(Self {
            clips: clips.len(),
            frames,
            features: clips.iter().flat_map(|clip| clip.features.iter().copied()).collect(),
            inputs: clips.iter().flat_map(|clip| &clip.tokens[..length - 1]).copied().collect(),
            labels: clips.iter().flat_map(|clip| &clip.tokens[1..]).copied().collect(),
        })
    }

    /// Returns the number of clips.
    pub fn clips(&self) -> usize {
        self.clips
    }

    /// Returns the number of frames of each clip.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Returns the features: clips × frames × mel bands.
    pub fn features(&self) -> &[f32] {
        &self.features
    }

    /// Returns the tokens to read: clips × length.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// Returns the tokens to write: clips × length.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }
}

/// A set of clips, in memory or elsewhere.
pub trait Clips {
    /// Returns how many there are.
    fn count(&self) -> usize;

    /// Loads a clip; the one after the last does not exist.
    ///
    /// # Errors
    /// If it cannot be loaded.
    fn clip(&self, at: usize) -> Result<Clip, ClipError>;

    /// Joins clips.
    ///
    /// # Errors
    /// If one cannot be loaded, or they do not fit together.
    fn batch(&self, clips: &[usize], sizes: &Sizes) -> Result<Batch, ClipError> {
        let clips: Vec<Clip> =
            clips.iter().map(|&clip| self.clip(clip)).collect::<Result<_, _>>()?;
        Batch::new(&clips, sizes)
    }
}

impl Clips for [Clip] {
    fn count(&self) -> usize {
        self.len()
    }

    fn clip(&self, at: usize) -> Result<Clip, ClipError> {
        Ok(self[at].clone())
    }
}

impl Clips for Vec<Clip> {
    fn count(&self) -> usize {
        self.len()
    }

    fn clip(&self, at: usize) -> Result<Clip, ClipError> {
        self.as_slice().clip(at)
    }
}
