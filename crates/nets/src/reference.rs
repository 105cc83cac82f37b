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
    terms.into_iter().reduce(|sum, term| sum + term).expect("a sum of at least one term")
}

/// Returns the matrix with the columns of `a` as rows.
pub fn transpose<S: Scalar>(a: &[Vec<S>]) -> Rows<S> {
    let columns = a.first().map_or(0, Vec::len);
    (0..columns).map(|column| a.iter().map(|row| row[column].clone()).collect()).collect()
}

/// Returns AB.
pub fn product<S: Scalar>(a: &[Vec<S>], b: &[Vec<S>]) -> Rows<S> {
    let columns = transpose(b);
    a.iter().map(|row| columns.iter().map(|column| dot(row, column)).collect()).collect()
}

/// Returns the sum of every column.
pub fn column_sums<S: Scalar>(a: &[Vec<S>]) -> Vec<S> {
    transpose(a).into_iter().map(sum).collect()
}

/// Returns the matrix with every row multiplied by its factor: Diag(factors)·A.
pub fn scale_rows<S: Scalar>(factors: &[S], a: &[Vec<S>]) -> Rows<S> {
    assert_eq!(factors.len(), a.len(), "as many factors as rows");
    factors
        .iter()
        .zip(a)
        .map(|(factor, row)| row.iter().map(|x| factor.clone() * x.clone()).collect())
        .collect()
}

/// Returns every row's exponentials, divided by their sum.
pub fn softmax<S: Exponential>(scores: &[Vec<S>]) -> Rows<S> {
    let exponentials: Rows<S> =
        scores.iter().map(|row| row.iter().cloned().map(S::exp).collect()).collect();
    let inverse_sums: Vec<S> =
        exponentials.iter().map(|row| sum(row.iter().cloned()).recip()).collect();
    scale_rows(&inverse_sums, &exponentials)
}

/// Returns softmax(QKᵀ)V.
pub fn softmax_attention<S: Exponential>(q: &[Vec<S>], k: &[Vec<S>], v: &[Vec<S>]) -> Rows<S> {
    product(&softmax(&product(q, &transpose(k))), v)
}

/// Returns the diagonal of D⁻¹, where D = Diag(Φ(Q)(Φ(K)ᵀ1)).
pub fn inverse_normaliser<S: Scalar>(phi_q: &[Vec<S>], phi_k: &[Vec<S>]) -> Vec<S> {
    let mass = column_sums(phi_k);
    phi_q.iter().map(|row| dot(row, &mass).recip()).collect()
}

/// Returns the L×L matrix D⁻¹(Φ(Q)Φ(K)ᵀ).
pub fn kernel_weights<S: Scalar>(phi_q: &[Vec<S>], phi_k: &[Vec<S>]) -> Rows<S> {
    let kernel = product(phi_q, &transpose(phi_k));
    scale_rows(&inverse_normaliser(phi_q, phi_k), &kernel)
}

/// Returns D⁻¹(Φ(Q)(Φ(K)ᵀV)): the product of Φ(K)ᵀ and V comes first.
pub fn linear_attention<S: Scalar>(phi_q: &[Vec<S>], phi_k: &[Vec<S>], v: &[Vec<S>]) -> Rows<S> {
    let sums = product(phi_q, &product(&transpose(phi_k), v));
    scale_rows(&inverse_normaliser(phi_q, phi_k), &sums)
}
