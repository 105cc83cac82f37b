//! How large a network is, and how many parameters that makes.
//!
//! In: sizes. Out: counts by formula. Left out: the parameters themselves.

use std::fmt;

/// The sizes of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sizes {
    /// Mel bands of a frame.
    pub mels: usize,
    /// Most frames of a clip.
    pub frames: usize,
    /// Most tokens that a decoder reads, the start included.
    pub tokens: usize,
    /// Different tokens.
    pub vocabulary: usize,
    /// Components of the vectors inside.
    pub width: usize,
    /// Heads of each attention.
    pub heads: usize,
    /// Hidden components of the feed-forward networks.
    pub hidden: usize,
    /// Blocks of the encoder.
    pub blocks: usize,
}

/// Which decoder a network has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecoderKind {
    /// A long short-term memory.
    Recurrent,
    /// A masked attention to the tokens so far.
    Attention,
}

/// Why sizes do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongSizes {
    /// One of them is zero.
    Zero,
    /// The width is no multiple of twice the heads, or below 4.
    Width {
        /// The width.
        width: usize,
        /// How many heads should share it.
        heads: usize,
    },
}

impl fmt::Display for WrongSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => write!(f, "a size of the network is zero"),
            Self::Width { width, heads } => write!(
                f,
                "the width {width} must be even, at least 4 and a multiple of the {heads} heads"
            ),
        }
    }
}

impl std::error::Error for WrongSizes {}

impl Sizes {
    /// Frames under the kernels of both convolutions.
    pub const KERNEL: usize = 3;

    /// The published experiment on LJ Speech.
    pub const PUBLISHED: Self = Self {
        mels: 80,
        frames: 2_754,
        tokens: 98,
        vocabulary: 35,
        width: 200,
        heads: 2,
        hidden: 400,
        blocks: 2,
    };

    /// Checks that a network of these sizes can be made.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self) -> Result<(), WrongSizes> {
        let Self { mels, frames, tokens, vocabulary, width, heads, hidden, blocks: _ } = *self;
        if [mels, frames, tokens, vocabulary, width, heads, hidden].contains(&0) {
            return Err(WrongSizes::Zero);
        }
        if width < 4 || !width.is_multiple_of(2) || !width.is_multiple_of(heads) {
            return Err(WrongSizes::Width { width, heads });
        }
        Ok(())
    }

    /// Returns the parameters of a convolution from `inputs` components: (3·inputs + 1)·width.
    pub const fn convolution_parameters(&self, inputs: usize) -> usize {
        (Self::KERNEL * inputs + 1) * self.width
    }

    /// Returns those of a normalisation: 2·width.
    pub const fn norm_parameters(&self) -> usize {
        2 * self.width
    }

    /// Returns those of an attention: four maps, one without bias, so 4·width² + 3·width.
    pub const fn attention_parameters(&self) -> usize {
        4 * self.width * self.width + 3 * self.width
    }

    /// Returns those of a feed-forward network: 2·width·hidden + hidden + width.
    pub const fn feed_forward_parameters(&self) -> usize {
        2 * self.width * self.hidden + self.hidden + self.width
    }

    /// Returns those of a block: an attention, a feed-forward network and a normalisation for
    /// each.
    pub const fn block_parameters(&self) -> usize {
        self.attention_parameters() + self.feed_forward_parameters() + 2 * self.norm_parameters()
    }

    /// Returns those of a long short-term memory: four gates over inputs and state, with two
    /// biases each, so 8·width² + 8·width.
    pub const fn lstm_parameters(&self) -> usize {
        8 * self.width * self.width + 8 * self.width
    }

    /// Returns those of a table of vectors for tokens.
    pub const fn embedding_parameters(&self) -> usize {
        self.vocabulary * self.width
    }

    /// Returns those of a table of vectors for the places of tokens.
    pub const fn position_parameters(&self) -> usize {
        self.tokens * self.width
    }

    /// Returns those of the map to logits: (width + 1)·vocabulary.
    pub const fn output_parameters(&self) -> usize {
        (self.width + 1) * self.vocabulary
    }

    /// Returns those of the encoder: two convolutions, its blocks and a normalisation.
    pub const fn encoder_parameters(&self) -> usize {
        self.convolution_parameters(self.mels)
            + self.convolution_parameters(self.width)
            + self.blocks * self.block_parameters()
            + self.norm_parameters()
    }

    /// Returns those of a decoder.
    ///
    /// Both have a table, a block that attends to the encoder, a normalisation and a map to
    /// logits. Between table and block, the recurrent one has a normalisation and a memory, the
    /// other one positions, a normalisation and an attention.
    pub const fn decoder_parameters(&self, kind: DecoderKind) -> usize {
        let own = match kind {
            DecoderKind::Recurrent => self.norm_parameters() + self.lstm_parameters(),
            DecoderKind::Attention => {
                self.position_parameters() + self.norm_parameters() + self.attention_parameters()
            }
        };
        self.embedding_parameters()
            + own
            + self.block_parameters()
            + self.norm_parameters()
            + self.output_parameters()
    }

    /// Returns those of the whole network.
    pub const fn parameters(&self, kind: DecoderKind) -> usize {
        self.encoder_parameters() + self.decoder_parameters(kind)
    }
}
