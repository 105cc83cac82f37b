//! Everything that is tested of sequences, with the shapes of its inputs: the one list of the self-test and
//! of the tests on the CPU.

use dfdx::dtypes::Dtype;
use dfdx::prelude::{ReshapeTo, Tape};

use crate::attention::Matrix;
use crate::image::{Sliding, Source};
use crate::sequence::{Gates, LstmState, SequenceDevice, SequenceOps, Sequences, Visible};

/// An operation on sequences, with what decides about its form.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "they are called as the operations are")]
pub enum Operation {
    Affine,
    Linear,
    Convolution(Sliding),
    Gelu,
    LayerNorm,
    Attention(usize),
    CausalAttention,
    PaddedAttention,
    Lstm,
    Add,
    AddRows,
    Embedding,
    CrossEntropy,
}

const SAME: Sliding = Sliding { size: 3, stride: 1, padding: 1 };
const HALF: Sliding = Sliding { size: 3, stride: 2, padding: 1 };
/// Steps over vectors between kernels.
const WIDE: Sliding = Sliding { size: 2, stride: 3, padding: 0 };

impl Operation {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Affine,
        Self::Linear,
        Self::Convolution(SAME),
        Self::Convolution(HALF),
        Self::Convolution(WIDE),
        Self::Gelu,
        Self::LayerNorm,
        Self::Attention(1),
        Self::Attention(3),
        Self::CausalAttention,
        Self::PaddedAttention,
        Self::Lstm,
        Self::Add,
        Self::AddRows,
        Self::Embedding,
        Self::CrossEntropy,
    ];

    /// Its name in the table of a self-test.
    pub fn name(self) -> String {
        match self {
            Self::Affine => "affine map of sequences".into(),
            Self::Linear => "linear map of sequences".into(),
            Self::Convolution(by) => format!("convolution of sequences, stride {}", by.stride),
            Self::Gelu => "GELU".into(),
            Self::LayerNorm => "normalisation".into(),
            Self::Attention(1) => "attention with 1 head".into(),
            Self::Attention(heads) => format!("attention with {heads} heads"),
            Self::CausalAttention => "attention, causal".into(),
            Self::PaddedAttention => "attention, causal and padded".into(),
            Self::Lstm => "long short-term memory".into(),
            Self::Add => "sum of sequences".into(),
            Self::AddRows => "sum with rows".into(),
            Self::Embedding => "embedding".into(),
            Self::CrossEntropy => "cross-entropy, smoothed".into(),
        }
    }

    /// Shapes of the sequences and of the matrices that are its inputs.
    pub fn shapes(self) -> (Vec<[usize; 3]>, Vec<[usize; 2]>) {
        match self {
            Self::Affine => (vec![[2, 5, 6]], vec![[6, 4], [1, 4]]),
            Self::Linear => (vec![[2, 5, 6]], vec![[6, 4]]),
            Self::Convolution(by) => (vec![[2, 7, 3]], vec![[by.size * 3, 4], [1, 4]]),
            Self::Gelu => (vec![[2, 5, 6]], vec![]),
            Self::LayerNorm => (vec![[2, 5, 6]], vec![[1, 6], [1, 6]]),
            Self::Attention(_) => (vec![[2, 4, 6], [2, 5, 6], [2, 5, 6]], vec![]),
            Self::CausalAttention | Self::PaddedAttention => (vec![[2, 5, 6]; 3], vec![]),
            Self::Lstm => (vec![[2, 4, 3]], vec![[3, 20], [5, 20], [1, 20], [1, 20]]),
            Self::Add => (vec![[2, 5, 6]; 2], vec![]),
            Self::AddRows => (vec![[2, 3, 6]], vec![[7, 6]]),
            Self::Embedding => (vec![], vec![[7, 6]]),
            Self::CrossEntropy => (vec![[2, 3, 5]], vec![]),
        }
    }

    /// The result for these inputs, the sequences of which are traced.
    pub fn apply<E: Dtype, D: SequenceDevice<E>, O: SequenceOps<E, D>, T: Tape<E, D>>(
        self,
        inputs: &Inputs<E, D>,
    ) -> Sequences<E, D, T> {
        let x = |at: usize| -> Sequences<E, D, T> { inputs.sequences[at].retaped() };
        let matrix = |at: usize| &inputs.matrices[at];
        match self {
            Self::Affine => O::affine(x(0), matrix(0), Some(matrix(1))),
            Self::Linear => O::affine(x(0), matrix(0), None),
            Self::Convolution(by) => O::convolve(x(0), matrix(0), matrix(1), by, Source::Features),
            Self::Gelu => O::gelu(x(0)),
            Self::LayerNorm => O::layer_norm(x(0), matrix(0), matrix(1)),
            Self::Attention(heads) => O::attend(x(0), x(1), x(2), heads, &Visible::all()),
            Self::CausalAttention => O::attend(x(0), x(1), x(2), 2, &Visible::causal()),
            Self::PaddedAttention => {
                O::attend(x(0), x(1), x(2), 2, &Visible::causal().within(&[2, 5]))
            }
            Self::Lstm => {
                let gates = Gates {
                    input: matrix(0).clone(),
                    state: matrix(1).clone(),
                    input_bias: matrix(2).clone(),
                    state_bias: matrix(3).clone(),
                };
                O::lstm(x(0), &gates, &LstmState::start(x(0).device(), 2, 5)).0
            }
            Self::Add => O::add(x(0), &inputs.sequences[1]),
            Self::AddRows => O::add_rows(x(0), matrix(0), 2),
            Self::Embedding => O::embed(matrix(0), &[3, 0, 3, 6, 1, 3], 3),
            Self::CrossEntropy => {
                O::cross_entropy(x(0), &[4, 0, 2, 2, 1, 3], 0.1).reshape_like(&(1, 1, 1))
            }
        }
    }
}

/// The inputs of an operation on a device.
#[derive(Clone, Debug)]
pub struct Inputs<E: Dtype, D: SequenceDevice<E>> {
    /// Sequences of vectors.
    pub sequences: Vec<Sequences<E, D>>,
    /// Weights and the like.
    pub matrices: Vec<Matrix<E, D>>,
}
