//! Networks that write down speech: an encoder of spectrograms with one of two decoders.
//!
//! In: features of utterances and tokens. Out: logits, transcripts, attention weights and
//! parameter counts. Left out: sound and text, which are made into features and tokens elsewhere.
//!
//! The sequence of modules: [`Sizes`], [`Recogniser`] with [`Recogniser::logits`] and
//! [`Recogniser::transcribe`], [`Clips`] to learn from, and [`train`].

mod clips;
mod decoder;
mod greedy;
mod sizes;
mod training;

use dfdx::dtypes::Dtype;
use dfdx::prelude::{HasShape, NoneTape, Storage, Tape};

pub use clips::{Batch, Clip, ClipError, Clips};
pub use decoder::{Decoder, RecurrentDecoder, SelfAttentionDecoder};
pub use greedy::Greedy;
pub use sizes::{DecoderKind, Sizes, WrongSizes};
pub use training::{Epoch, Progress, Recipe, TrainingError, mean_loss, train};

use crate::attention::Matrix;
use crate::image::{Sliding, Source};
use crate::parameters::{Start, collection};
use crate::sequence::layers::{Attending, Convolution, FeedForward, LayerNorm};
use crate::sequence::{SequenceDevice, SequenceOps, Sequences, Visible, sinusoids};

/// Longest wavelength of the encoder's positions, in radians per position to the power of −1.
const LONGEST: f64 = 3_000.0;

/// An attention to the same sequence, then a feed-forward network.
#[derive(Clone, Debug)]
pub struct EncoderBlock<E: Dtype, D: Storage<E>> {
    /// Comes first.
    pub attention: Attending<E, D>,
    /// Comes second.
    pub feed_forward: FeedForward<E, D>,
}

/// Makes a sequence of vectors, half as long, of a spectrogram.
#[derive(Clone, Debug)]
pub struct Encoder<E: Dtype, D: Storage<E>> {
    /// From mel bands to the width.
    pub first: Convolution<E, D>,
    /// Halves the length.
    pub second: Convolution<E, D>,
    /// Added to what the convolutions give: sines and cosines, which are not trained.
    pub positions: Matrix<E, D>,
    /// One after the other.
    pub blocks: Vec<EncoderBlock<E, D>>,
    /// Comes last.
    pub norm: LayerNorm<E, D>,
}

/// An encoder with a decoder.
#[derive(Clone, Debug)]
pub struct Recogniser<E: Dtype, D: Storage<E>> {
    /// What it was made from.
    pub sizes: Sizes,
    /// Reads.
    pub encoder: Encoder<E, D>,
    /// Writes.
    pub decoder: Decoder<E, D>,
}

collection!(EncoderBlock { attention, feed_forward });
collection!(Encoder { first, second, blocks, norm });
collection!(Recogniser { encoder, decoder });

impl<E: Dtype, D: SequenceDevice<E>> EncoderBlock<E, D> {
    fn new(sizes: &Sizes, start: &mut Start<D>) -> Self {
        let attention = Attending::new(sizes.width, sizes.heads, start);
        Self { attention, feed_forward: FeedForward::new(sizes.width, sizes.hidden, start) }
    }
}

impl<E: Dtype, D: SequenceDevice<E>> Encoder<E, D> {
    fn new(sizes: &Sizes, device: &D, start: &mut Start<D>) -> Self {
        let same = Sliding { size: Sizes::KERNEL, stride: 1, padding: 1 };
        let half = Sliding { stride: 2, ..same };
        Self {
            first: Convolution::new(sizes.mels, sizes.width, same, start),
            second: Convolution::new(sizes.width, sizes.width, half, start),
            positions: sinusoids(device, sizes.frames.div_ceil(2), sizes.width, LONGEST),
            blocks: (0..sizes.blocks).map(|_| EncoderBlock::new(sizes, start)).collect(),
            norm: LayerNorm::new(sizes.width, start),
        }
    }

    /// Encodes spectrograms: clips × frames × mel bands become clips × ⌈frames/2⌉ × width.
    ///
    /// # Panics
    /// If there are more frames than the sizes allow.
    pub fn forward<T: Tape<E, D>>(&self, features: Sequences<E, D, T>) -> Sequences<E, D, T> {
        let x = D::Ops::gelu(self.first.forward(features, Source::Data));
        let x = D::Ops::gelu(self.second.forward(x, Source::Features));
        let x = D::Ops::add_rows(x, &self.positions, 0);
        let x = self.blocks.iter().fold(x, |x, block| {
            block.feed_forward.forward(block.attention.to_itself(x, &Visible::all()))
        });
        self.norm.forward(x)
    }
}

impl<E: Dtype, D: SequenceDevice<E>> Recogniser<E, D> {
    /// Starts a network; the same seed gives the same parameters on every device.
    ///
    /// # Errors
    /// If the sizes do not fit together.
    pub fn new(sizes: Sizes, kind: DecoderKind, seed: u64, device: &D) -> Result<Self, WrongSizes> {
        sizes.check()?;
        let start = &mut Start::new(seed, device);
        let encoder = Encoder::new(&sizes, device, start);
        Ok(Self { encoder, decoder: Decoder::new(kind, &sizes, start), sizes })
    }

    /// Returns the logits of the token after each token, given all before it: clips × length ×
    /// vocabulary.
    ///
    /// `features` are clips × frames × mel bands, `tokens` has `length` of each clip.
    pub fn logits<T: Tape<E, D>>(
        &self,
        features: Sequences<E, D, T>,
        tokens: &[usize],
    ) -> Sequences<E, D, T> {
        let length = tokens.len() / features.shape().0;
        self.decoder.logits(self.encoder.forward(features), tokens, length)
    }

    /// Returns how much each token looks at each encoded frame: clips × heads × tokens × frames,
    /// row after row; the frames are those of the encoder, two frames of the spectrogram each.
    pub fn cross_attention(&self, features: Sequences<E, D, NoneTape>, tokens: &[usize]) -> Vec<E> {
        let length = tokens.len() / features.shape().0;
        self.decoder.cross_attention(self.encoder.forward(features), tokens, length)
    }
}
