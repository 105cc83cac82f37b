//! Softmax attention, linear attention and polynomial feature maps on dfdx.
//!
//! In: matrices whose rows are positions, with sizes known at run time, on any device, with or
//! without a gradient tape. Out: matrices of the same kind. Left out: the factor 1/√D, masks,
//! heads and batches.
//!
//! All functions panic if the sizes of their arguments do not fit together, as dfdx itself does.

use std::f64::consts::FRAC_1_SQRT_2;

use dfdx::dtypes::Dtype;
use dfdx::prelude::{
    Axes2, Axis, BroadcastTo, Device, GatherTo, HasShape, NoneTape, PermuteTo, PutTape, SplitTape,
    SumTo, Tape, Tensor, TryConcatAlong, TryMatMul, WithEmptyTape,
};

/// A matrix of run-time size: rows are positions, columns are components.
pub type Matrix<E, D, T = NoneTape> = Tensor<(usize, usize), E, D, T>;

/// Computes softmax(QKᵀ)V.
///
/// `q` and `k` are L×D, `v` is L×C, and so is the result.
pub fn softmax_attention<E, D, T>(
    q: Matrix<E, D, T>,
    k: Matrix<E, D, T>,
    v: Matrix<E, D, T>,
) -> Matrix<E, D, T>
where
    E: Dtype,
    D: Device<E>,
    T: Tape<E, D>,
{
    q.matmul(transpose(k)).softmax::<Axis<1>>().matmul(v)
}

/// Computes D⁻¹Φ(Q)(Φ(K)ᵀV) with D = Diag(Φ(Q)Φ(K)ᵀ1), without ever forming an L×L matrix.
///
/// `phi_q` and `phi_k` are L×M and hold one feature vector per row, `v` is L×C, and so is
/// the result (Katharopoulos et al., 2020, equation 5 in matrix form).
pub fn linear_attention<E, D, T>(
    phi_q: Matrix<E, D, T>,
    phi_k: Matrix<E, D, T>,
    v: Matrix<E, D, T>,
) -> Matrix<E, D, T>
where
    E: Dtype,
    D: Device<E>,
    T: Tape<E, D>,
{
    let mass: Tensor<(usize,), E, D, T> = phi_k.with_empty_tape().sum::<_, Axis<0>>();
    let normaliser = phi_q.with_empty_tape().matmul(mass);
    let sums = phi_q.matmul(transpose(phi_k).matmul(v));
    let shape = *sums.shape();
    sums / normaliser.broadcast_like::<_, Axis<1>>(&shape)
}

/// Maps every row x to 1, x, x⊙x/√2 and the products of two different components.
///
/// `x` is L×D, the result L×M with M = (D+1)(D+2)/2. The products stand in the order
/// x₁x₂, …, x₁x_D, x₂x₃, …, so that φ(q)ᵀφ(k) = 1 + qᵀk + (qᵀk)²/2.
pub fn second_order_features<E, D, T>(x: Matrix<E, D, T>) -> Matrix<E, D, T>
where
    E: Dtype,
    D: Device<E>,
    T: Tape<E, D>,
{
    let (x, tape) = x.split_tape();
    let dimension = x.shape().1;
    let (left, right): (Vec<usize>, Vec<usize>) =
        (0..dimension).flat_map(|i| (i + 1..dimension).map(move |j| (i, j))).unzip();

    let squares = x.retaped::<T>().square() * float::<E>(FRAC_1_SQRT_2);
    let features = join(ones(&x).put_tape(tape), x.retaped::<T>());
    let features = join(features, squares);
    if left.is_empty() {
        return features;
    }
    let products = columns(x.retaped::<T>(), &left) * columns(x.retaped::<T>(), &right);
    join(features, products)
}

/// Maps every row x to the features √(1/α!)·x^α for all exponents α with |α| ≤ `order`.
///
/// `x` is L×D, the result L×C(D+order, order), sorted by degree. φ(q)ᵀφ(k) is the sum of
/// (qᵀk)ᵏ/k! for k from 0 to `order`, by the multinomial theorem.
pub fn taylor_features<E, D, T>(x: Matrix<E, D, T>, order: usize) -> Matrix<E, D, T>
where
    E: Dtype,
    D: Device<E>,
    T: Tape<E, D>,
{
    let (x, tape) = x.split_tape();
    let (rows, dimension) = *x.shape();
    let mut degree = ones(&x).retaped::<T>();
    let mut features = ones(&x).put_tape(tape);
    // A monomial is a non-decreasing sequence of components. All that its successors need is
    // its last component and how often that one has occurred.
    let mut monomials = vec![(0, 0_u32)];
    for _ in 0..order {
        let mut parents = Vec::new();
        let mut factors = Vec::new();
        let mut scales = Vec::new();
        let mut successors = Vec::new();
        for (parent, &(last, count)) in monomials.iter().enumerate() {
            for factor in last..dimension {
                let count = if factor == last { count + 1 } else { 1 };
                parents.push(parent);
                factors.push(factor);
                scales.push(float::<E>(1.0 / f64::from(count).sqrt()));
                successors.push((factor, count));
            }
        }
        let width = successors.len();
        let scales = x.device().tensor_from_vec(scales, (width,));
        let products = columns(degree, &parents)
            * columns(x.retaped::<T>(), &factors)
            * scales.broadcast_like::<_, Axis<0>>(&(rows, width));
        degree = products.with_empty_tape();
        features = join(features, products);
        monomials = successors;
    }
    features
}

fn float<E: Dtype>(value: f64) -> E {
    E::from_f64(value).expect("floating-point types hold every double, rounded")
}

fn ones<E: Dtype, D: Device<E>>(like: &Matrix<E, D>) -> Matrix<E, D> {
    like.device().ones_like(&(like.shape().0, 1))
}

fn transpose<E: Dtype, D: Device<E>, T: Tape<E, D>>(x: Matrix<E, D, T>) -> Matrix<E, D, T> {
    x.permute::<_, Axes2<1, 0>>()
}

/// Puts `right` to the right of `left`.
fn join<E: Dtype, D: Device<E>, T: Tape<E, D>>(
    left: Matrix<E, D, T>,
    right: Matrix<E, D, T>,
) -> Matrix<E, D, T> {
    (left, right).concat_along(Axis::<1>)
}

/// Selects columns of `x` by their indices, repeats allowed.
fn columns<E: Dtype, D: Device<E>, T: Tape<E, D>>(
    x: Matrix<E, D, T>,
    indices: &[usize],
) -> Matrix<E, D, T> {
    let rows = x.shape().0;
    let indices: Tensor<(usize, usize), usize, D> =
        x.device().tensor_from_vec(indices.repeat(rows), (rows, indices.len()));
    x.gather(indices)
}
