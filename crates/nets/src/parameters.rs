//! Collections of matrices that are trained, with sizes known at run time.
//!
//! In: layers. Out: their matrices with names. Left out: sizes that belong to a type, for which
//! dfdx has `TensorCollection`.

use dfdx::dtypes::Dtype;
use dfdx::prelude::{Device, HasShape, Shape};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use crate::attention::Matrix;

/// Something that is trained.
pub trait Parameters<E: Dtype, D: Device<E>> {
    /// Returns all matrices with their names, each below `name`.
    fn named(&self, name: &str) -> Vec<(String, &Matrix<E, D>)>;

    /// Returns the same matrices to be changed, in the same order.
    fn named_mut(&mut self, name: &str) -> Vec<(String, &mut Matrix<E, D>)>;

    /// Returns how many numbers there are.
    fn parameter_count(&self) -> usize {
        self.named("").iter().map(|(_, matrix)| matrix.shape().num_elements()).sum()
    }
}

impl<E: Dtype, D: Device<E>> Parameters<E, D> for Matrix<E, D> {
    fn named(&self, name: &str) -> Vec<(String, &Matrix<E, D>)> {
        vec![(name.to_owned(), self)]
    }

    fn named_mut(&mut self, name: &str) -> Vec<(String, &mut Matrix<E, D>)> {
        vec![(name.to_owned(), self)]
    }
}

impl<E: Dtype, D: Device<E>, P: Parameters<E, D>> Parameters<E, D> for Vec<P> {
    fn named(&self, name: &str) -> Vec<(String, &Matrix<E, D>)> {
        let parts = self.iter().enumerate();
        parts.flat_map(|(at, part)| part.named(&below(name, &at.to_string()))).collect()
    }

    fn named_mut(&mut self, name: &str) -> Vec<(String, &mut Matrix<E, D>)> {
        let parts = self.iter_mut().enumerate();
        parts.flat_map(|(at, part)| part.named_mut(&below(name, &at.to_string()))).collect()
    }
}

impl<E: Dtype, D: Device<E>, P: Parameters<E, D>> Parameters<E, D> for Option<P> {
    fn named(&self, name: &str) -> Vec<(String, &Matrix<E, D>)> {
        self.as_ref().map_or_else(Vec::new, |part| part.named(name))
    }

    fn named_mut(&mut self, name: &str) -> Vec<(String, &mut Matrix<E, D>)> {
        self.as_mut().map_or_else(Vec::new, |part| part.named_mut(name))
    }
}

/// The name of a part.
pub(crate) fn below(name: &str, part: &str) -> String {
    if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") }
}

/// Makes a collection of the fields of a type.
macro_rules! collection {
    ($type:ident { $($field:ident),+ }) => {
        impl<E: dfdx::dtypes::Dtype, D: dfdx::prelude::Device<E>>
            $crate::parameters::Parameters<E, D> for $type<E, D>
        {
            fn named(&self, name: &str) -> Vec<(String, &$crate::attention::Matrix<E, D>)> {
                let mut all = Vec::new();
                $(all.extend(
                    self.$field.named(&$crate::parameters::below(name, stringify!($field)))
                );)+
                all
            }

            fn named_mut(
                &mut self,
                name: &str,
            ) -> Vec<(String, &mut $crate::attention::Matrix<E, D>)> {
                let mut all = Vec::new();
                $(all.extend(
                    self.$field.named_mut(&$crate::parameters::below(name, stringify!($field)))
                );)+
                all
            }
        }
    };
}

pub(crate) use collection;

/// Random numbers to start from: the same ones on every device.
#[derive(Debug)]
pub struct Start<D> {
    random: StdRng,
    device: D,
}

impl<D> Start<D> {
    /// Starts the random numbers of a seed.
    pub fn new(seed: u64, device: &D) -> Self
    where
        D: Clone,
    {
        Self { random: StdRng::seed_from_u64(seed), device: device.clone() }
    }

    /// Returns a matrix of numbers between ±1/√`inputs`, as PyTorch starts most layers.
    pub fn uniform<E: Dtype>(&mut self, rows: usize, columns: usize, inputs: usize) -> Matrix<E, D>
    where
        D: Device<E>,
    {
        let bound = (inputs as f64).sqrt().recip();
        self.filled(rows, columns, |random| random.gen_range(-bound..=bound))
    }

    /// Returns a matrix of normally distributed numbers.
    pub fn normal<E: Dtype>(&mut self, rows: usize, columns: usize, deviation: f64) -> Matrix<E, D>
    where
        D: Device<E>,
    {
        self.filled(rows, columns, |random| {
            let number: f64 = StandardNormal.sample(random);
            deviation * number
        })
    }

    /// Returns a matrix of one number.
    pub fn constant<E: Dtype>(&mut self, rows: usize, columns: usize, number: f64) -> Matrix<E, D>
    where
        D: Device<E>,
    {
        self.filled(rows, columns, |_| number)
    }

    fn filled<E: Dtype>(
        &mut self,
        rows: usize,
        columns: usize,
        mut number: impl FnMut(&mut StdRng) -> f64,
    ) -> Matrix<E, D>
    where
        D: Device<E>,
    {
        let numbers = (0..rows * columns).map(|_| number(&mut self.random));
        let numbers = numbers.map(|number| {
            E::from_f64(number).expect("floating-point types hold every double, rounded")
        });
        self.device.tensor_from_vec(numbers.collect(), (rows, columns))
    }
}
