//! Layers with parameters: convolutions and affine maps.
//!
//! In: images or rows. Out: the same. Left out: activations, which have no parameters. Sizes of
//! parameters belong to the type, those of the input are known at run time. Tuples of layers are
//! collections of tensors for dfdx, which counts, builds and updates them.

use dfdx::dtypes::Dtype;
use dfdx::prelude::{
    Device, ModuleVisitor, Rank1, Rank2, Rank4, ReshapeTo, Storage, Tape, Tensor, TensorCollection,
    TensorOptions,
};
use num_traits::Float;
use rand_distr::Uniform;
use rand_distr::uniform::SampleUniform;

use crate::attention::Matrix;
use crate::image::{ImageDevice, ImageOps, Images, Sliding, Source};

/// A convolution from `IN` to `OUT` channels with square kernels and a bias for each channel.
///
/// Parameters start uniformly between ±1/√(IN·SIZE²).
#[derive(Clone, Debug)]
pub struct Conv2d<
    const IN: usize,
    const OUT: usize,
    const SIZE: usize,
    const STRIDE: usize,
    const PADDING: usize,
    E: Dtype,
    D: Storage<E>,
> {
    /// Kernels: output channels × input channels × height × width.
    pub kernels: Tensor<Rank4<OUT, IN, SIZE, SIZE>, E, D>,
    /// One number for each output channel.
    pub bias: Tensor<Rank1<OUT>, E, D>,
}

/// An affine map of rows, XW + b, from `IN` to `OUT` components.
///
/// Parameters start uniformly between ±1/√IN.
#[derive(Clone, Debug)]
pub struct Affine<const IN: usize, const OUT: usize, E: Dtype, D: Storage<E>> {
    /// Inputs × outputs.
    pub weight: Tensor<Rank2<IN, OUT>, E, D>,
    /// One number for each output.
    pub bias: Tensor<Rank1<OUT>, E, D>,
}

impl<
    const IN: usize,
    const OUT: usize,
    const SIZE: usize,
    const STRIDE: usize,
    const PADDING: usize,
    E: Dtype,
    D: ImageDevice<E>,
> Conv2d<IN, OUT, SIZE, STRIDE, PADDING, E, D>
{
    /// Returns how the kernels move over an image.
    pub fn sliding(&self) -> Sliding {
        Sliding { size: SIZE, stride: STRIDE, padding: PADDING }
    }

    /// Convolves images of `IN` channels.
    pub fn forward<T: Tape<E, D>>(
        &self,
        images: Images<E, D, T>,
        source: Source,
    ) -> Images<E, D, T> {
        let kernels = self.kernels.clone().reshape_like(&(OUT, IN, SIZE, SIZE));
        let bias = self.bias.clone().reshape_like(&(OUT,));
        D::Ops::conv2d(images, &kernels, &bias, self.sliding(), source)
    }

    /// Convolves, rectifies and pools in one go; without `pool` it does not pool.
    pub fn relu_pool<T: Tape<E, D>>(
        &self,
        images: Images<E, D, T>,
        pool: Option<Sliding>,
        source: Source,
    ) -> Images<E, D, T> {
        let kernels = self.kernels.clone().reshape_like(&(OUT, IN, SIZE, SIZE));
        let bias = self.bias.clone().reshape_like(&(OUT,));
        D::Ops::conv_relu_pool(images, &kernels, &bias, self.sliding(), pool, source)
    }
}

impl<const IN: usize, const OUT: usize, E: Dtype, D: ImageDevice<E>> Affine<IN, OUT, E, D> {
    /// Maps rows of `IN` components.
    pub fn forward<T: Tape<E, D>>(&self, x: Matrix<E, D, T>) -> Matrix<E, D, T> {
        let weight = self.weight.clone().reshape_like(&(IN, OUT));
        D::Ops::affine(x, &weight, &self.bias.clone().reshape_like(&(OUT,)))
    }
}

impl<
    const IN: usize,
    const OUT: usize,
    const SIZE: usize,
    const STRIDE: usize,
    const PADDING: usize,
    E: Dtype + Float + SampleUniform,
    D: Device<E>,
> TensorCollection<E, D> for Conv2d<IN, OUT, SIZE, STRIDE, PADDING, E, D>
{
    type To<E2: Dtype, D2: Device<E2>> = Conv2d<IN, OUT, SIZE, STRIDE, PADDING, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let kernels = TensorOptions::reset_with(|kernels: &mut Tensor<_, E, D>| {
            kernels.try_fill_with_distr(around_zero(IN * SIZE * SIZE))
        });
        let bias = TensorOptions::reset_with(|bias: &mut Tensor<_, E, D>| {
            bias.try_fill_with_distr(around_zero(IN * SIZE * SIZE))
        });
        visitor.visit_fields(
            (
                Self::tensor(
                    "kernels",
                    |layer| &layer.kernels,
                    |layer| &mut layer.kernels,
                    kernels,
                ),
                Self::tensor("bias", |layer| &layer.bias, |layer| &mut layer.bias, bias),
            ),
            |(kernels, bias)| Conv2d { kernels, bias },
        )
    }
}

impl<const IN: usize, const OUT: usize, E: Dtype + Float + SampleUniform, D: Device<E>>
    TensorCollection<E, D> for Affine<IN, OUT, E, D>
{
    type To<E2: Dtype, D2: Device<E2>> = Affine<IN, OUT, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let weight = TensorOptions::reset_with(|weight: &mut Tensor<_, E, D>| {
            weight.try_fill_with_distr(around_zero(IN))
        });
        let bias = TensorOptions::reset_with(|bias: &mut Tensor<_, E, D>| {
            bias.try_fill_with_distr(around_zero(IN))
        });
        visitor.visit_fields(
            (
                Self::tensor("weight", |layer| &layer.weight, |layer| &mut layer.weight, weight),
                Self::tensor("bias", |layer| &layer.bias, |layer| &mut layer.bias, bias),
            ),
            |(weight, bias)| Affine { weight, bias },
        )
    }
}

/// Uniform between ±1/√`inputs`, the usual start of layers with so many inputs per output.
fn around_zero<E: Dtype + Float + SampleUniform>(inputs: usize) -> Uniform<E> {
    let bound = <E as num_traits::NumCast>::from(inputs).map_or(E::one(), |n: E| n.sqrt().recip());
    Uniform::new(-bound, bound)
}
