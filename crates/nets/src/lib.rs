//! The first report's own library: what its chapters run, on dfdx and on exact numbers.
//!
//! Attention, computed in three independent ways: [`attention`] on dfdx tensors, on any device and
//! with gradients; [`mod@reference`] in plain loops over any [`Scalar`](scalar::Scalar); and
//! [`scalar`] supplies the scalars that make the loops exact or make them count.
//!
//! Images: [`image`] convolves and pools them on dfdx's tape, [`layers`] have parameters,
//! [`octmnist`] reads the published scans of retinas, [`retina`] draws some that resemble them, and
//! [`training`] has what a training loop needs.
//!
//! Speech: [`speech`] makes spectrograms of clips and tokens of transcripts, and [`similarity`]
//! compares transcripts. [`sequence`] has operations and layers for sequences of vectors,
//! [`parameters`] names what is trained, and [`recogniser`] has the networks and their training.
//!
//! [`memory`] counts what a computation holds, [`selftest`] compares the operations with independent
//! computations, on whatever device there is, and [`throughput`] tells how fast the networks learn
//! there.
//!
//! Left out: the networks and training loops of images, tables, figures and checks, which belong
//! to the chapters.

pub mod attention;
pub mod image;
mod kernels;
pub mod layers;
pub mod memory;
pub mod octmnist;
pub mod parameters;
mod products;
pub mod recogniser;
pub mod reference;
pub mod retina;
pub mod scalar;
pub mod selftest;
pub mod sequence;
pub mod similarity;
pub mod speech;
mod tape;
pub mod throughput;
pub mod training;
mod vectors;
