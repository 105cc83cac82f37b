//! The two decoders.
//!
//! In: encoded frames and tokens. Out: logits of the next tokens. Left out: choosing one.

use dfdx::dtypes::Dtype;
use dfdx::prelude::{Axis, Device, HasShape, NoneTape, Storage, Tape, TryConcatAlong};

use super::{DecoderKind, EncoderBlock, Sizes};
use crate::attention::Matrix;
use crate::parameters::{Parameters, Start, collection};
use crate::sequence::layers::{Affine, Attending, Bias, Embedding, KeysAndValues, LayerNorm, Lstm};
use crate::sequence::{
    LstmState, SequenceDevice, SequenceOps, Sequences, Visible, attention_weights,
};

/// How the positions of the attention decoder start: near zero, so that the tokens count first.
const POSITION_DEVIATION: f64 = 0.02;

/// Attends to the encoded frames, and maps to logits.
#[derive(Clone, Debug)]
pub struct Writer<E: Dtype, D: Storage<E>> {
    /// Attends to the frames.
    pub block: EncoderBlock<E, D>,
    /// Comes after it.
    pub norm: LayerNorm<E, D>,
    /// Leads to logits.
    pub output: Affine<E, D>,
}

/// Knows the tokens so far by a long short-term memory.
#[derive(Clone, Debug)]
pub struct RecurrentDecoder<E: Dtype, D: Storage<E>> {
    /// Vectors of tokens.
    pub embedding: Embedding<E, D>,
    /// Comes before the memory.
    pub norm: LayerNorm<E, D>,
    /// The memory.
    pub lstm: Lstm<E, D>,
    /// What both decoders share.
    pub writer: Writer<E, D>,
}

/// Knows the tokens so far by attending to them.
#[derive(Clone, Debug)]
pub struct SelfAttentionDecoder<E: Dtype, D: Storage<E>> {
    /// Vectors of tokens.
    pub embedding: Embedding<E, D>,
    /// Vectors of places.
    pub positions: Embedding<E, D>,
    /// Attends to the tokens so far.
    pub attention: Attending<E, D>,
    /// What both decoders share.
    pub writer: Writer<E, D>,
}

/// One of the two.
#[expect(clippy::large_enum_variant, reason = "there is one of them, and it is not moved about")]
#[derive(Clone, Debug)]
pub enum Decoder<E: Dtype, D: Storage<E>> {
    /// With a long short-term memory.
    Recurrent(RecurrentDecoder<E, D>),
    /// With attention alone.
    Attention(SelfAttentionDecoder<E, D>),
}

collection!(Writer { block, norm, output });
collection!(RecurrentDecoder { embedding, norm, lstm, writer });
collection!(SelfAttentionDecoder { embedding, positions, attention, writer });

impl<E: Dtype, D: Device<E>> Parameters<E, D> for Decoder<E, D> {
    fn named(&self, name: &str) -> Vec<(String, &Matrix<E, D>)> {
        match self {
            Self::Recurrent(decoder) => decoder.named(name),
            Self::Attention(decoder) => decoder.named(name),
        }
    }

    fn named_mut(&mut self, name: &str) -> Vec<(String, &mut Matrix<E, D>)> {
        match self {
            Self::Recurrent(decoder) => decoder.named_mut(name),
            Self::Attention(decoder) => decoder.named_mut(name),
        }
    }
}

/// What a decoder remembers of the tokens that it has read.
#[derive(Clone, Debug)]
pub(crate) enum Memory<E: Dtype, D: Storage<E>> {
    Recurrent(Option<LstmState<E, D>>),
    Attention(Option<KeysAndValues<E, D, NoneTape>>),
}

impl<E: Dtype, D: SequenceDevice<E>> Writer<E, D> {
    fn new(sizes: &Sizes, start: &mut Start<D>) -> Self {
        Self {
            block: EncoderBlock::new(sizes, start),
            norm: LayerNorm::new(sizes.width, start),
            output: Affine::new(sizes.width, sizes.vocabulary, Bias::Learned, start),
        }
    }

    fn frames<T: Tape<E, D>>(&self, encoded: Sequences<E, D, T>) -> KeysAndValues<E, D, T> {
        self.block.attention.attention.source(encoded)
    }

    fn forward<T: Tape<E, D>>(
        &self,
        x: Sequences<E, D, T>,
        frames: KeysAndValues<E, D, T>,
    ) -> Sequences<E, D, T> {
        let x = self.block.attention.to(x, frames, &Visible::all());
        self.output.forward(self.norm.forward(self.block.feed_forward.forward(x)))
    }
}

impl<E: Dtype, D: SequenceDevice<E>> RecurrentDecoder<E, D> {
    fn read<T: Tape<E, D>>(
        &self,
        tokens: &[usize],
        length: usize,
        state: Option<&LstmState<E, D>>,
    ) -> (Sequences<E, D, T>, LstmState<E, D>) {
        let x = self.norm.forward(self.embedding.forward(tokens, length));
        self.lstm.forward(x, state)
    }
}

impl<E: Dtype, D: SequenceDevice<E>> SelfAttentionDecoder<E, D> {
    fn embed<T: Tape<E, D>>(
        &self,
        tokens: &[usize],
        length: usize,
        first: usize,
    ) -> Sequences<E, D, T> {
        D::Ops::add_rows(self.embedding.forward(tokens, length), &self.positions.table, first)
    }
}

impl<E: Dtype, D: SequenceDevice<E>> Decoder<E, D> {
    pub(super) fn new(kind: DecoderKind, sizes: &Sizes, start: &mut Start<D>) -> Self {
        let embedding = Embedding::new(sizes.vocabulary, sizes.width, 1.0, start);
        match kind {
            DecoderKind::Recurrent => Self::Recurrent(RecurrentDecoder {
                embedding,
                norm: LayerNorm::new(sizes.width, start),
                lstm: Lstm::new(sizes.width, sizes.width, start),
                writer: Writer::new(sizes, start),
            }),
            DecoderKind::Attention => Self::Attention(SelfAttentionDecoder {
                embedding,
                positions: Embedding::new(sizes.tokens, sizes.width, POSITION_DEVIATION, start),
                attention: Attending::new(sizes.width, sizes.heads, start),
                writer: Writer::new(sizes, start),
            }),
        }
    }

    fn writer(&self) -> &Writer<E, D> {
        match self {
            Self::Recurrent(decoder) => &decoder.writer,
            Self::Attention(decoder) => &decoder.writer,
        }
    }

    /// What the decoder knows at each token before it looks at the frames.
    fn known<T: Tape<E, D>>(&self, tokens: &[usize], length: usize) -> Sequences<E, D, T> {
        match self {
            Self::Recurrent(decoder) => decoder.read(tokens, length, None).0,
            Self::Attention(decoder) => {
                let x = decoder.embed(tokens, length, 0);
                decoder.attention.to_itself(x, &Visible::causal())
            }
        }
    }

    /// Returns logits for all tokens of known sequences.
    pub(super) fn logits<T: Tape<E, D>>(
        &self,
        encoded: Sequences<E, D, T>,
        tokens: &[usize],
        length: usize,
    ) -> Sequences<E, D, T> {
        let writer = self.writer();
        writer.forward(self.known(tokens, length), writer.frames(encoded))
    }

    pub(super) fn cross_attention(
        &self,
        encoded: Sequences<E, D, NoneTape>,
        tokens: &[usize],
        length: usize,
    ) -> Vec<E> {
        let attending = &self.writer().block.attention;
        let keys = attending.attention.key.forward(encoded);
        let x = attending.norm.forward(self.known(tokens, length));
        let queries = attending.attention.query.forward(x);
        attention_weights(&queries, &keys, attending.attention.heads, &Visible::all()).as_vec()
    }

    /// Returns what is needed of the frames, whatever the tokens are.
    pub(crate) fn frames(
        &self,
        encoded: Sequences<E, D, NoneTape>,
    ) -> KeysAndValues<E, D, NoneTape> {
        self.writer().frames(encoded)
    }

    /// Returns the memory before the first token.
    pub(crate) fn start(&self) -> Memory<E, D> {
        match self {
            Self::Recurrent(_) => Memory::Recurrent(None),
            Self::Attention(_) => Memory::Attention(None),
        }
    }

    /// Reads one token of each sequence and returns the logits of the next.
    pub(crate) fn step(
        &self,
        frames: &KeysAndValues<E, D, NoneTape>,
        tokens: &[usize],
        memory: &mut Memory<E, D>,
    ) -> Sequences<E, D, NoneTape> {
        let x = match (self, memory) {
            (Self::Recurrent(decoder), Memory::Recurrent(state)) => {
                let (x, after) = decoder.read(tokens, 1, state.as_ref());
                *state = Some(after);
                x
            }
            (Self::Attention(decoder), Memory::Attention(seen)) => {
                let first = seen.as_ref().map_or(0, |seen| seen.keys.shape().1);
                let x: Sequences<E, D> = decoder.embed(tokens, 1, first);
                let normal = decoder.attention.norm.forward(x.clone());
                let new = decoder.attention.attention.source(normal);
                let all = match seen.take() {
                    None => new,
                    Some(seen) => KeysAndValues {
                        keys: (seen.keys, new.keys).concat_along(Axis::<1>),
                        values: (seen.values, new.values).concat_along(Axis::<1>),
                    },
                };
                *seen = Some(all.clone());
                decoder.attention.to(x, all, &Visible::all())
            }
            _ => unreachable!("a decoder starts with its own kind of memory"),
        };
        self.writer().forward(x, frames.clone())
    }
}
