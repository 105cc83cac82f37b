//! Attention on dfdx against the plain loops, against finite differences and on exact numbers.

use dfdx::prelude::*;
use num_rational::BigRational;
use veracity_nets::attention::{
    Matrix, linear_attention, second_order_features, softmax_attention, taylor_features,
};
use veracity_nets::reference;
use veracity_nets::scalar::{Counted, Operations, Scalar, Surd, count};

/// A feature map on dfdx matrices.
type FeatureMap<T> = fn(Matrix<f64, Cpu, T>) -> Matrix<f64, Cpu, T>;

/// The tape that records gradients.
type Taped = OwnedTape<f64, Cpu>;

fn random(seed: u64, rows: usize, columns: usize) -> Matrix<f64, Cpu> {
    Cpu::seed_from_u64(seed).sample_normal_like(&(rows, columns))
}

fn rows<E>(matrix: &Matrix<E, Cpu>) -> Vec<Vec<E>>
where
    Cpu: Storage<E>,
    E: dfdx::dtypes::Unit + Copy,
{
    let width = matrix.shape().1;
    matrix.as_vec().chunks(width).map(<[E]>::to_vec).collect()
}

fn assert_close(actual: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    for (actual, expected) in actual.iter().zip(expected) {
        assert_eq!(actual.len(), expected.len());
        for (a, e) in actual.iter().zip(expected) {
            assert!((a - e).abs() <= tolerance * e.abs().max(1.0), "{a} against {e}");
        }
    }
}

/// 1, x, x⊙x/√2 and the mixed products, in the order of the definition.
fn second_order<S: Scalar>(x: &[S]) -> Vec<S> {
    let mut features = vec![S::one()];
    features.extend_from_slice(x);
    for a in x {
        features.push(a.clone() * a.clone() * S::root_half());
    }
    for (i, a) in x.iter().enumerate() {
        for b in &x[i + 1..] {
            features.push(a.clone() * b.clone());
        }
    }
    features
}

#[test]
fn softmax_attention_equals_the_loops() {
    let (q, k, v) = (random(1, 6, 3), random(2, 6, 3), random(3, 6, 4));
    let expected = reference::softmax_attention(&rows(&q), &rows(&k), &rows(&v));
    assert_close(&rows(&softmax_attention(q, k, v)), &expected, 1e-12);
}

#[test]
fn linear_attention_equals_the_loops() {
    let (q, k, v) = (random(1, 6, 3), random(2, 6, 3), random(3, 6, 4));
    let (q, k) = (second_order_features(q), second_order_features(k));
    let expected = reference::linear_attention(&rows(&q), &rows(&k), &rows(&v));
    let weights = reference::kernel_weights(&rows(&q), &rows(&k));
    assert_close(&reference::product(&weights, &rows(&v)), &expected, 1e-12);
    assert_close(&rows(&linear_attention(q, k, v)), &expected, 1e-12);
}

#[test]
fn second_order_features_follow_their_definition() {
    for dimension in 1..6 {
        let x = random(4, 3, dimension);
        let expected: Vec<_> = rows(&x).iter().map(|row| second_order(row)).collect();
        assert_eq!(expected[0].len(), (dimension + 1) * (dimension + 2) / 2);
        assert_close(&rows(&second_order_features(x)), &expected, 1e-15);
    }
}

#[test]
fn taylor_features_give_the_truncated_series() {
    for order in 0..6_usize {
        for dimension in 1..5 {
            let (q, k) = (random(5, 4, dimension), random(6, 4, dimension));
            let series = |t: f64| {
                let mut term = 1.0;
                let mut sum = 1.0;
                for k in 1..=order {
                    term *= t / k as f64;
                    sum += term;
                }
                sum
            };
            let scores = reference::product(&rows(&q), &reference::transpose(&rows(&k)));
            let expected: Vec<Vec<f64>> =
                scores.into_iter().map(|row| row.into_iter().map(series).collect()).collect();
            let (phi_q, phi_k) = (taylor_features(q, order), taylor_features(k, order));
            let binomial = (1..=order).fold(1, |c, i| c * (dimension + i) / i);
            assert_eq!(phi_q.shape().1, binomial);
            let kernel = reference::product(&rows(&phi_q), &reference::transpose(&rows(&phi_k)));
            assert_close(&kernel, &expected, 1e-12);
        }
    }
}

/// Weights every feature differently, so that no two errors cancel.
fn objective<T: Tape<f64, Cpu>>(features: Matrix<f64, Cpu, T>) -> Tensor<(), f64, Cpu, T> {
    let shape = *features.shape();
    let weights = random(9, shape.0, shape.1);
    (features * weights).sum()
}

/// Compares the gradient of a function with central differences in every component.
fn assert_gradient(
    x: Matrix<f64, Cpu>,
    plain: impl Fn(Matrix<f64, Cpu>) -> Matrix<f64, Cpu>,
    taped: impl Fn(Matrix<f64, Cpu, Taped>) -> Matrix<f64, Cpu, Taped>,
) {
    let shape = *x.shape();
    let device = x.device().clone();
    // The squaring puts operations on the tape before the function sees it.
    let gradients = objective(taped(x.leaky_trace().square())).backward();
    let gradient = gradients.get(&x).as_vec();
    let data = x.as_vec();
    let step = 1e-5;
    let shifted = |index: usize, by: f64| {
        let mut data = data.clone();
        data[index] += by;
        objective(plain(device.tensor_from_vec(data, shape).square())).as_vec()[0]
    };
    for (index, derivative) in gradient.into_iter().enumerate() {
        let difference = (shifted(index, step) - shifted(index, -step)) / (2.0 * step);
        let error = (derivative - difference).abs();
        assert!(error < 1e-7 * difference.abs().max(1.0), "{derivative} against {difference}");
    }
}

#[test]
fn gradients_of_feature_maps_match_finite_differences() {
    let maps: [(FeatureMap<NoneTape>, FeatureMap<Taped>); 3] = [
        (second_order_features, second_order_features),
        (|x| taylor_features(x, 1), |x| taylor_features(x, 1)),
        (|x| taylor_features(x, 4), |x| taylor_features(x, 4)),
    ];
    for (plain, taped) in maps {
        assert_gradient(random(7, 2, 3), plain, taped);
    }
}

#[test]
fn gradients_of_attention_match_finite_differences() {
    let (k, v) = (random(10, 4, 3), random(11, 4, 2));
    assert_gradient(
        random(7, 4, 3),
        |q| softmax_attention(q, k.clone(), v.clone()),
        |q| softmax_attention(q, k.retaped(), v.retaped()),
    );
    assert_gradient(
        random(7, 4, 3),
        |k| linear_attention(random(8, 4, 3).square(), k, v.clone()),
        |k| linear_attention(random(8, 4, 3).square().retaped(), k, v.retaped()),
    );
}

#[test]
fn the_second_order_kernel_is_exact() {
    let half = BigRational::new(1.into(), 2.into());
    for seed in 0..50_i64 {
        let q: Vec<Surd> = (0..4).map(|i| (seed * (i + 3) % 7 - 3).into()).collect();
        let k: Vec<Surd> = (0..4).map(|i| (seed * (i + 5) % 11 - 5).into()).collect();
        let t = reference::dot(&q, &k);
        let expected = Surd::one() + t.clone() + t.clone() * t * half.clone().into();
        assert_eq!(reference::dot(&second_order(&q), &second_order(&k)), expected);
    }
}

#[test]
fn counts_follow_from_the_sizes() {
    let (l, d, m) = (7_u64, 3_u64, 10_u64);
    let matrix = |columns: u64| vec![vec![Counted(0.5); columns as usize]; l as usize];
    let (_, softmax) = count(|| reference::softmax_attention(&matrix(d), &matrix(d), &matrix(d)));
    let expected = Operations {
        multiplications: 2 * l * l * d + l * l,
        additions: l * l * (d - 1) + l * (l - 1) + l * d * (l - 1),
        reciprocals: l,
        exponentials: l * l,
    };
    assert_eq!(softmax, expected);

    let (_, linear) = count(|| reference::linear_attention(&matrix(m), &matrix(m), &matrix(d)));
    let expected = Operations {
        multiplications: 2 * l * m * d + l * m + l * d,
        additions: m * (l - 1) + l * (m - 1) + m * d * (l - 1) + l * d * (m - 1),
        reciprocals: l,
        exponentials: 0,
    };
    assert_eq!(linear, expected);
}
