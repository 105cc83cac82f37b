//! Attention in plain loops, over any scalar.
//!
//! In: matrices as slices of rows, of matching sizes and not empty. Out: matrices as vectors of
//! rows. Left out: speed. This is the implementation with which
//! [`attention`](crate::attention) is compared and the one whose operations are counted: no sum
//! starts from zero and nothing is computed twice, so that the counts are those of the formulas.
//!
//! All functions panic if a matrix is empty or the sizes do not fit together.

use crate::scalar::{Exponential, Scalar};

/// A matrix as a vector of rows.
pub type Rows<S> = Vec<Vec<S>>;

/// Returns aᵀb.
pub fn dot<S: Scalar>(a: &[S], b: &[S]) -> S {
    assert_eq!(a.len(), b.len(), "vectors of different length");
    let products = a.iter().zip(b).map(|(a, b)| a.clone() * b.clone());
    sum(products)
}

/// Returns the sum of at least one number.
pub fn sum<S: Scalar>(terms: impl IntoIterator<Item = S>) -> S {
    terms
        .into_iter()
        .reduce(|sum, term| sum + term)
        .expect("a sum of at least one term")
}

/// Returns the matrix with the columns of `a` as rows.
pub fn transpose<S: Scalar>(a: &[Vec<S>]) -> Rows<S> {
    let columns = a.first().map_or(0, Vec::len);
    (0..columns)
        .map(|column| a.iter().map(|row| row[column].clone()).collect())
        .collect()
}

/// Returns AB.
pub fn product<S: Scalar>(a: &[Vec<S>], b: &[Vec<S>]) -> Rows<S> {
    let columns = transpose(b);
    a.iter()
        .map(|row| columns.iter().map(|column| dot(row, column)).collect())
        .collect()
}

/// Returns softmax(QKᵀ)V.
pub fn softmax_attention<S: Exponential>(q: &[Vec<S>], k: &[Vec<S>], v: &[Vec<S>]) -> Rows<S> {
    let scores = product(q, &transpose(k));
    let exponentials: Rows<S> = scores
        .into_iter()
        .map(|row| row.into_iter().map(S::exp).collect())
        .collect();
    product(&normalise(exponentials), v)
}

/// Returns D⁻¹Φ(Q)Φ(K)ᵀ with D = Diag(Φ(Q)Φ(K)ᵀ1), an L×L matrix.
pub fn kernel_weights<S: Scalar>(phi_q: &[Vec<S>], phi_k: &[Vec<S>]) -> Rows<S> {
    let inverse = inverse_normaliser(phi_q, phi_k);
    scale(product(phi_q, &transpose(phi_k)), inverse)
}

/// Returns D⁻¹(Φ(Q)(Φ(K)ᵀV)): the product of Φ(K)ᵀ and V comes first.
pub fn linear_attention<S: Scalar>(phi_q: &[Vec<S>], phi_k: &[Vec<S>], v: &[Vec<S>]) -> Rows<S> {
    let inverse = inverse_normaliser(phi_q, phi_k);
    scale(product(phi_q, &product(&transpose(phi_k), v)), inverse)
}

/// Returns the diagonal of D⁻¹, as 1/(Φ(Q)(Φ(K)ᵀ1)).
fn inverse_normaliser<S: Scalar>(phi_q: &[Vec<S>], phi_k: &[Vec<S>]) -> Vec<S> {
    let mass: Vec<S> = transpose(phi_k).into_iter().map(sum).collect();
    phi_q.iter().map(|row| dot(row, &mass).recip()).collect()
}

fn normalise<S: Scalar>(rows: Rows<S>) -> Rows<S> {
    let inverse = rows.iter().map(|row| sum(row.iter().cloned()).recip());
    let inverse = inverse.collect();
    scale(rows, inverse)
}

/// Multiplies every row by its factor.
fn scale<S: Scalar>(rows: Rows<S>, factors: Vec<S>) -> Rows<S> {
    let scaled = rows.into_iter().zip(factors);
    scaled
        .map(|(row, factor)| {
            row.into_iter()
                .map(|entry| entry * factor.clone())
                .collect()
        })
        .collect()
}
