//! Operations on sequences of vectors, differentiable on dfdx's tape.
//!
//! In: batches of sequences whose sizes are known at run time, with or without a gradient tape.
//! Out: the same. [`SequenceOps`] has two implementations: [`Fused`] runs kernels of this crate in
//! single precision on the CPU, [`Composed`] consists of dfdx's own operations and so runs on
//! every device and in double precision. Left out: dropout.
//!
//! Parameters are matrices throughout; what belongs to components is a matrix of one row.
//! All functions panic if sizes do not fit together, as dfdx itself does.

mod composed;
mod fused;
pub mod layers;

use dfdx::dtypes::Dtype;
use dfdx::prelude::{Cpu, Device, HasShape, NoneTape, Rank0, Storage, Tape, Tensor};

pub use composed::Composed;
pub use fused::Fused;

use crate::attention::Matrix;
use crate::image::{Sliding, Source};

/// A batch of sequences of equal length: sequences × length × components.
pub type Sequences<E, D, T = NoneTape> = Tensor<(usize, usize, usize), E, D, T>;

/// Added to variances before their root is taken, as PyTorch does.
pub const EPSILON: f64 = 1e-5;

/// Which keys a query may look at: always the first ones of its sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    order: Order,
    lengths: Option<Vec<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Any,
    Causal,
}

impl Visible {
    /// All keys.
    pub fn all() -> Self {
        Self { order: Order::Any, lengths: None }
    }

    /// Those at the place of the query and before it; there are as many queries as keys.
    pub fn causal() -> Self {
        Self { order: Order::Causal, lengths: None }
    }

    /// Of these only so many of each sequence; the rest is padding.
    pub fn within(self, lengths: &[usize]) -> Self {
        Self { lengths: Some(lengths.to_vec()), ..self }
    }

    /// Returns how many of `keys` keys a query of a sequence sees.
    pub fn count(&self, sequence: usize, query: usize, keys: usize) -> usize {
        let ordered = match self.order {
            Order::Any => keys,
            Order::Causal => query + 1,
        };
        self.lengths.as_ref().map_or(ordered, |lengths| ordered.min(lengths[sequence]))
    }

    fn assert_fits(&self, batch: usize, queries: usize, keys: usize) {
        if self.order == Order::Causal {
            assert_eq!(queries, keys, "as many queries as keys under a causal mask");
        }
        if let Some(lengths) = &self.lengths {
            assert_eq!(lengths.len(), batch, "one length for each sequence");
            let fits = lengths.iter().all(|length| (1..=keys).contains(length));
            assert!(fits, "lengths between 1 and {keys}, not {lengths:?}");
        }
    }
}

/// The parameters of a long short-term memory; the gates are input, forget, candidate, output.
#[derive(Clone, Debug)]
pub struct Gates<E: Dtype, D: Storage<E>> {
    /// Inputs × four times the state.
    pub input: Matrix<E, D>,
    /// State × four times the state.
    pub state: Matrix<E, D>,
    /// One number for each gate and component, beside the inputs.
    pub input_bias: Matrix<E, D>,
    /// One number for each gate and component, beside the state; only the sum of both matters.
    pub state_bias: Matrix<E, D>,
}

/// What a long short-term memory knows after a step: sequences × components each.
#[derive(Clone, Debug)]
pub struct LstmState<E: Dtype, D: Storage<E>> {
    /// What it shows.
    pub state: Matrix<E, D>,
    /// What it keeps.
    pub memory: Matrix<E, D>,
}

impl<E: Dtype, D: Device<E>> LstmState<E, D> {
    /// Zeros, from which PyTorch starts.
    pub fn start(device: &D, batch: usize, size: usize) -> Self {
        let zeros: Matrix<E, D> = device.zeros_like(&(batch, size));
        Self { state: zeros.clone(), memory: zeros }
    }
}

/// Operations on sequences, for one kind of device.
pub trait SequenceOps<E: Dtype, D: Device<E>> {
    /// Multiplies every vector by a matrix and adds a bias, if there is one: xW + b.
    fn affine<T: Tape<E, D>>(
        x: Sequences<E, D, T>,
        weight: &Matrix<E, D>,
        bias: Option<&Matrix<E, D>>,
    ) -> Sequences<E, D, T>;

    /// Correlates sequences with kernels that look at `sliding.size` vectors at once.
    ///
    /// `kernels` is size·components × outputs, the vectors that a kernel sees one after the other.
    fn convolve<T: Tape<E, D>>(
        x: Sequences<E, D, T>,
        kernels: &Matrix<E, D>,
        bias: &Matrix<E, D>,
        sliding: Sliding,
        source: Source,
    ) -> Sequences<E, D, T>;

    /// Multiplies every number x by Φ(x), the share of a normal distribution below it: the
    /// activation GELU (Hendrycks and Gimpel, 2016) in its exact form, PyTorch's default.
    fn gelu<T: Tape<E, D>>(x: Sequences<E, D, T>) -> Sequences<E, D, T>;

    /// Brings every vector to mean 0 and variance 1, scales and shifts its components (Ba, Kiros
    /// and Hinton, 2016).
    fn layer_norm<T: Tape<E, D>>(
        x: Sequences<E, D, T>,
        scale: &Matrix<E, D>,
        shift: &Matrix<E, D>,
    ) -> Sequences<E, D, T>;

    /// Attends with several heads (Vaswani et al., 2017), to each of which an equal part of the
    /// components belongs.
    ///
    /// Queries and keys are both divided by the fourth root of the size of a head.
    fn attend<T: Tape<E, D>>(
        queries: Sequences<E, D, T>,
        keys: Sequences<E, D, T>,
        values: Sequences<E, D, T>,
        heads: usize,
        visible: &Visible,
    ) -> Sequences<E, D, T>;

    /// Runs a long short-term memory (Hochreiter and Schmidhuber, 1997) over sequences.
    ///
    /// Gives what it shows after every step, and its state after the last. No gradient goes to
    /// the state from which it starts.
    fn lstm<T: Tape<E, D>>(
        x: Sequences<E, D, T>,
        gates: &Gates<E, D>,
        start: &LstmState<E, D>,
    ) -> (Sequences<E, D, T>, LstmState<E, D>);

    /// Adds a sequence to others.
    fn add<T: Tape<E, D>>(x: Sequences<E, D, T>, y: &Sequences<E, D>) -> Sequences<E, D, T>;

    /// Adds the rows of a matrix to the vectors of each sequence, from row `first` on.
    fn add_rows<T: Tape<E, D>>(
        x: Sequences<E, D, T>,
        rows: &Matrix<E, D>,
        first: usize,
    ) -> Sequences<E, D, T>;

    /// Looks up a row of a table for each token; `tokens` has `length` of each sequence.
    fn embed<T: Tape<E, D>>(
        table: &Matrix<E, D>,
        tokens: &[usize],
        length: usize,
    ) -> Sequences<E, D, T> {
        Composed::embed(table, tokens, length)
    }

    /// Returns the mean cross-entropy of the softmax of logits, in nats, with smoothed labels
    /// (Szegedy et al., 2016): a share `smoothing` of the truth belongs to all classes equally.
    fn cross_entropy<T: Tape<E, D>>(
        logits: Sequences<E, D, T>,
        labels: &[usize],
        smoothing: f64,
    ) -> Tensor<Rank0, E, D, T> {
        Composed::cross_entropy(logits, labels, smoothing)
    }
}

/// A device with the implementation of [`SequenceOps`] that suits it best.
pub trait SequenceDevice<E: Dtype>: Device<E> {
    /// That implementation.
    type Ops: SequenceOps<E, Self>;
}

impl SequenceDevice<f32> for Cpu {
    type Ops = Fused;
}

impl SequenceDevice<f64> for Cpu {
    type Ops = Composed;
}

#[cfg(feature = "cuda")]
impl SequenceDevice<f32> for dfdx::prelude::Cuda {
    type Ops = Composed;
}

#[cfg(feature = "cuda")]
impl SequenceDevice<f64> for dfdx::prelude::Cuda {
    type Ops = Composed;
}

/// Returns the weights of an attention: sequences × heads × queries × keys, a row after the other.
pub fn attention_weights<E: Dtype, D: Device<E>>(
    queries: &Sequences<E, D>,
    keys: &Sequences<E, D>,
    heads: usize,
    visible: &Visible,
) -> Tensor<(usize, usize, usize, usize), E, D> {
    composed::weights(queries.clone(), keys.clone(), heads, visible)
}

/// Returns positions as sines and cosines of lengths that grow geometrically up to `longest`
/// (Vaswani et al., 2017): all sines first, then all cosines. The result is `count` × `width`.
///
/// # Panics
/// If `width` is odd or below 4.
pub fn sinusoids<E: Dtype, D: Device<E>>(
    device: &D,
    count: usize,
    width: usize,
    longest: f64,
) -> Matrix<E, D> {
    assert!(width >= 4 && width.is_multiple_of(2), "an even width of at least 4, not {width}");
    let half = width / 2;
    let mut numbers = Vec::with_capacity(count * width);
    for position in 0..count {
        let angle = |component: usize| {
            position as f64 * (-longest.ln() * component as f64 / (half - 1) as f64).exp()
        };
        numbers.extend((0..half).map(|at| number::<E>(angle(at).sin())));
        numbers.extend((0..half).map(|at| number::<E>(angle(at).cos())));
    }
    device.tensor_from_vec(numbers, (count, width))
}

/// Sizes of an attention.
#[derive(Clone, Copy, Debug)]
struct Extent {
    batch: usize,
    queries: usize,
    keys: usize,
    width: usize,
    heads: usize,
}

impl Extent {
    fn new<E: Dtype, D: Storage<E>, T>(
        queries: &Sequences<E, D, T>,
        keys: &Sequences<E, D, T>,
        values: (usize, usize, usize),
        heads: usize,
        visible: &Visible,
    ) -> Self {
        let (batch, queries, width) = *queries.shape();
        let keys_shape = *keys.shape();
        assert_eq!(keys_shape, values, "keys and values");
        assert_eq!((keys_shape.0, keys_shape.2), (batch, width), "sequences and width of keys");
        assert!(heads > 0 && width.is_multiple_of(heads), "{heads} heads share {width} components");
        visible.assert_fits(batch, queries, keys_shape.1);
        Self { batch, queries, keys: keys_shape.1, width, heads }
    }

    fn head(&self) -> usize {
        self.width / self.heads
    }
}

fn number<E: Dtype>(value: f64) -> E {
    E::from_f64(value).expect("floating-point types hold every double, rounded")
}

/// Panics if a matrix does not have these sizes.
fn assert_sizes<E: Dtype, D: Storage<E>>(what: &str, matrix: &Matrix<E, D>, sizes: (usize, usize)) {
    assert_eq!(*matrix.shape(), sizes, "sizes of the {what}");
}
