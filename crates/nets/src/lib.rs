//! The first report's own library: what its chapters run, on dfdx and on exact numbers.
//!
//! In: matrices with one row per position. Out: attention computed in three independent ways.
//! [`attention`] computes it on dfdx tensors, on any device and with gradients;
//! [`mod@reference`] computes it in plain loops over any [`Scalar`](scalar::Scalar);
//! [`scalar`] supplies the scalars that make the loops exact or make them count.
//! Left out: tables, figures and checks, which belong to the chapters.

pub mod attention;
pub mod image;
mod kernels;
pub mod layers;
pub mod octmnist;
pub mod reference;
pub mod retina;
pub mod scalar;
pub mod training;
