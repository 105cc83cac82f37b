//! Layers on sequences, with parameters whose sizes are known at run time.
//!
//! In: sequences. Out: sequences. Left out: how layers make a network. Each starts as PyTorch's
//! layer of the same kind does.

use dfdx::dtypes::Dtype;
use dfdx::prelude::{HasShape, PutTape, SplitTape, Storage, Tape};

use super::{Gates, LstmState, SequenceDevice, SequenceOps, Sequences, Visible};
use crate::attention::Matrix;
use crate::image::{Sliding, Source};
use crate::parameters::{Start, collection};

/// Whether an affine map has a bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// It has one.
    Learned,
    /// It is linear.
    Absent,
}

/// An affine map of every vector.
#[derive(Clone, Debug)]
pub struct Affine<E: Dtype, D: Storage<E>> {
    /// Inputs × outputs.
    pub weight: Matrix<E, D>,
    /// One number for each output.
    pub bias: Option<Matrix<E, D>>,
}

/// A convolution along the sequence.
#[derive(Clone, Debug)]
pub struct Convolution<E: Dtype, D: Storage<E>> {
    /// Vectors under the kernel, one after the other, × outputs.
    pub kernels: Matrix<E, D>,
    /// One number for each output.
    pub bias: Matrix<E, D>,
    /// How the kernels move.
    pub sliding: Sliding,
}

/// A normalisation of every vector.
#[derive(Clone, Debug)]
pub struct LayerNorm<E: Dtype, D: Storage<E>> {
    /// One factor for each component.
    pub scale: Matrix<E, D>,
    /// One number to add for each component.
    pub shift: Matrix<E, D>,
}

/// Vectors for tokens or for positions.
#[derive(Clone, Debug)]
pub struct Embedding<E: Dtype, D: Storage<E>> {
    /// Tokens × components.
    pub table: Matrix<E, D>,
}

/// An attention with several heads; its keys have no bias.
#[derive(Clone, Debug)]
pub struct Attention<E: Dtype, D: Storage<E>> {
    /// Makes queries.
    pub query: Affine<E, D>,
    /// Makes keys.
    pub key: Affine<E, D>,
    /// Makes values.
    pub value: Affine<E, D>,
    /// Joins the heads.
    pub output: Affine<E, D>,
    /// How many heads there are.
    pub heads: usize,
}

/// Adds to every vector what an attention makes of it, normalised before.
#[derive(Clone, Debug)]
pub struct Attending<E: Dtype, D: Storage<E>> {
    /// Comes first.
    pub norm: LayerNorm<E, D>,
    /// Comes second.
    pub attention: Attention<E, D>,
}

/// Adds to every vector what two affine maps with a GELU between them make of it, normalised
/// before.
#[derive(Clone, Debug)]
pub struct FeedForward<E: Dtype, D: Storage<E>> {
    /// Comes first.
    pub norm: LayerNorm<E, D>,
    /// Leads to the hidden components.
    pub inner: Affine<E, D>,
    /// Leads back.
    pub outer: Affine<E, D>,
}

/// A long short-term memory of one layer.
#[derive(Clone, Debug)]
pub struct Lstm<E: Dtype, D: Storage<E>> {
    /// Its parameters.
    pub gates: Gates<E, D>,
}

/// Keys and values of an attention.
#[derive(Clone, Debug)]
pub struct KeysAndValues<E: Dtype, D: Storage<E>, T> {
    /// What queries are compared with.
    pub keys: Sequences<E, D, T>,
    /// What is mixed.
    pub values: Sequences<E, D, T>,
}

collection!(Affine { weight, bias });
collection!(Convolution { kernels, bias });
collection!(LayerNorm { scale, shift });
collection!(Embedding { table });
collection!(Attention { query, key, value, output });
collection!(Attending { norm, attention });
collection!(FeedForward { norm, inner, outer });
collection!(Gates { input, state, input_bias, state_bias });
collection!(Lstm { gates });

impl<E: Dtype, D: SequenceDevice<E>> Affine<E, D> {
    /// Starts a map.
    pub fn new(inputs: usize, outputs: usize, bias: Bias, start: &mut Start<D>) -> Self {
        let weight = start.uniform(inputs, outputs, inputs);
        let bias = (bias == Bias::Learned).then(|| start.uniform(1, outputs, inputs));
        Self { weight, bias }
    }

    /// Maps every vector.
    pub fn forward<T: Tape<E, D>>(&self, x: Sequences<E, D, T>) -> Sequences<E, D, T> {
        D::Ops::affine(x, &self.weight, self.bias.as_ref())
    }
}

impl<E: Dtype, D: SequenceDevice<E>> Convolution<E, D> {
    /// Starts a convolution.
    pub fn new(inputs: usize, outputs: usize, sliding: Sliding, start: &mut Start<D>) -> Self {
        let seen = inputs * sliding.size;
        let kernels = start.uniform(seen, outputs, seen);
        Self { kernels, bias: start.uniform(1, outputs, seen), sliding }
    }

    /// Convolves.
    pub fn forward<T: Tape<E, D>>(
        &self,
        x: Sequences<E, D, T>,
        source: Source,
    ) -> Sequences<E, D, T> {
        D::Ops::convolve(x, &self.kernels, &self.bias, self.sliding, source)
    }
}

impl<E: Dtype, D: SequenceDevice<E>> LayerNorm<E, D> {
    /// Starts with factors 1 and nothing to add.
    pub fn new(width: usize, start: &mut Start<D>) -> Self {
        Self { scale: start.constant(1, width, 1.0), shift: start.constant(1, width, 0.0) }
    }

    /// Normalises.
    pub fn forward<T: Tape<E, D>>(&self, x: Sequences<E, D, T>) -> Sequences<E, D, T> {
        D::Ops::layer_norm(x, &self.scale, &self.shift)
    }
}

impl<E: Dtype, D: SequenceDevice<E>> Embedding<E, D> {
    /// Starts from normally distributed numbers.
    pub fn new(count: usize, width: usize, deviation: f64, start: &mut Start<D>) -> Self {
        Self { table: start.normal(count, width, deviation) }
    }

    /// Looks tokens up.
    pub fn forward<T: Tape<E, D>>(&self, tokens: &[usize], length: usize) -> Sequences<E, D, T> {
        D::Ops::embed(&self.table, tokens, length)
    }
}

impl<E: Dtype, D: SequenceDevice<E>> Attention<E, D> {
    /// Starts an attention.
    pub fn new(width: usize, heads: usize, start: &mut Start<D>) -> Self {
        let mut map = |bias| Affine::new(width, width, bias, start);
        Self {
            query: map(Bias::Learned),
            key: map(Bias::Absent),
            value: map(Bias::Learned),
            output: map(Bias::Learned),
            heads,
        }
    }

    /// Makes keys and values.
    pub fn source<T: Tape<E, D>>(&self, x: Sequences<E, D, T>) -> KeysAndValues<E, D, T> {
        let (x, tape) = x.split_tape();
        let keys = self.key.forward(x.retaped::<T>());
        KeysAndValues { keys, values: self.value.forward(x.put_tape(tape)) }
    }

    /// Attends to them.
    pub fn forward<T: Tape<E, D>>(
        &self,
        x: Sequences<E, D, T>,
        source: KeysAndValues<E, D, T>,
        visible: &Visible,
    ) -> Sequences<E, D, T> {
        let queries = self.query.forward(x);
        let mixed = D::Ops::attend(queries, source.keys, source.values, self.heads, visible);
        self.output.forward(mixed)
    }
}

impl<E: Dtype, D: SequenceDevice<E>> Attending<E, D> {
    /// Starts an attention and its normalisation.
    pub fn new(width: usize, heads: usize, start: &mut Start<D>) -> Self {
        let norm = LayerNorm::new(width, start);
        Self { norm, attention: Attention::new(width, heads, start) }
    }

    /// Attends to the same sequence.
    pub fn to_itself<T: Tape<E, D>>(
        &self,
        x: Sequences<E, D, T>,
        visible: &Visible,
    ) -> Sequences<E, D, T> {
        let (x, tape) = x.split_tape();
        let normal = self.norm.forward(x.clone().put_tape(tape));
        let (normal, tape) = normal.split_tape();
        let source = self.attention.source(normal.clone().put_tape(tape));
        let normal = normal.retaped::<T>();
        D::Ops::add(self.attention.forward(normal, source, visible), &x)
    }

    /// Attends to something else.
    pub fn to<T: Tape<E, D>>(
        &self,
        x: Sequences<E, D, T>,
        source: KeysAndValues<E, D, T>,
        visible: &Visible,
    ) -> Sequences<E, D, T> {
        let (x, tape) = x.split_tape();
        let normal = self.norm.forward(x.clone().put_tape(tape));
        D::Ops::add(self.attention.forward(normal, source, visible), &x)
    }
}

impl<E: Dtype, D: SequenceDevice<E>> FeedForward<E, D> {
    /// Starts both maps and their normalisation.
    pub fn new(width: usize, hidden: usize, start: &mut Start<D>) -> Self {
        let norm = LayerNorm::new(width, start);
        let inner = Affine::new(width, hidden, Bias::Learned, start);
        Self { norm, inner, outer: Affine::new(hidden, width, Bias::Learned, start) }
    }

    /// Adds what the maps give.
    pub fn forward<T: Tape<E, D>>(&self, x: Sequences<E, D, T>) -> Sequences<E, D, T> {
        let (x, tape) = x.split_tape();
        let normal = self.norm.forward(x.clone().put_tape(tape));
        let hidden = D::Ops::gelu(self.inner.forward(normal));
        D::Ops::add(self.outer.forward(hidden), &x)
    }
}

impl<E: Dtype, D: SequenceDevice<E>> Lstm<E, D> {
    /// Starts a memory.
    pub fn new(inputs: usize, size: usize, start: &mut Start<D>) -> Self {
        let gates = Gates {
            input: start.uniform(inputs, 4 * size, size),
            state: start.uniform(size, 4 * size, size),
            input_bias: start.uniform(1, 4 * size, size),
            state_bias: start.uniform(1, 4 * size, size),
        };
        Self { gates }
    }

    /// Runs over sequences from a state; without one from zeros.
    pub fn forward<T: Tape<E, D>>(
        &self,
        x: Sequences<E, D, T>,
        state: Option<&LstmState<E, D>>,
    ) -> (Sequences<E, D, T>, LstmState<E, D>) {
        let zeros = LstmState::start(x.device(), x.shape().0, self.gates.state.shape().0);
        D::Ops::lstm(x, &self.gates, state.unwrap_or(&zeros))
    }
}
