//! Convolution, max-pooling and flattening of images as differentiable operations of dfdx.
//!
//! In: batches of images whose sizes are known at run time, with or without a gradient tape.
//! Out: the same. [`ImageOps`] has two implementations: [`Fused`] runs kernels of this crate on
//! the CPU, [`Composed`] consists of dfdx's own operations and so runs on every device.
//! Left out: kernels that are not square, dilation, groups.
//!
//! All functions panic if sizes do not fit together, as dfdx itself does.

mod composed;
mod fused;

use dfdx::dtypes::Dtype;
use dfdx::prelude::{Cpu, Device, HasShape, NoneTape, ReshapeTo, Storage, Tape, Tensor};
use dfdx::shapes::Shape;

pub use composed::Composed;
pub use fused::Fused;

use crate::attention::Matrix;

/// A batch of images: images × channels × height × width.
pub type Images<E, D, T = NoneTape> = Tensor<(usize, usize, usize, usize), E, D, T>;

/// How a square window moves over an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sliding {
    /// Height and width of the window.
    pub size: usize,
    /// Pixels from one position to the next.
    pub stride: usize,
    /// Rings of zeros around the image.
    pub padding: usize,
}

impl Sliding {
    /// Returns the number of positions along a side of `length` pixels.
    ///
    /// # Panics
    /// If the window does not fit or does not move.
    pub fn positions(self, length: usize) -> usize {
        let Self { size, stride, padding } = self;
        assert!(size > 0 && stride > 0, "a window of size {size} moves by {stride}");
        let room = (length + 2 * padding).checked_sub(size);
        room.unwrap_or_else(|| panic!("a window of {size} on {length} pixels")) / stride + 1
    }
}

/// What the input of a convolution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The data themselves: they need no gradient.
    Data,
    /// The result of other operations, to which the gradient is passed on.
    Features,
}

/// Operations on images, for one kind of device.
pub trait ImageOps<E: Dtype, D: Device<E>> {
    /// Correlates images with kernels, and adds a bias to each channel.
    ///
    /// `kernels` is output channels × input channels × size × size, `bias` has one number per
    /// output channel. Along each side there are ⌊(length + 2·padding − size) / stride⌋ + 1
    /// results.
    fn conv2d<T: Tape<E, D>>(
        images: Images<E, D, T>,
        kernels: &Images<E, D>,
        bias: &Tensor<(usize,), E, D>,
        sliding: Sliding,
        source: Source,
    ) -> Images<E, D, T>;

    /// Keeps the largest pixel of each window.
    ///
    /// Of several equal ones the first, row by row, gets the gradient. The padding is 0.
    fn max_pool2d<T: Tape<E, D>>(images: Images<E, D, T>, sliding: Sliding) -> Images<E, D, T>;

    /// Convolves, rectifies and pools in one go; without `pool` it does not pool.
    ///
    /// This is [`ImageOps::conv2d`], dfdx's `relu` and [`ImageOps::max_pool2d`], one after the
    /// other, and may be faster.
    fn conv_relu_pool<T: Tape<E, D>>(
        images: Images<E, D, T>,
        kernels: &Images<E, D>,
        bias: &Tensor<(usize,), E, D>,
        sliding: Sliding,
        pool: Option<Sliding>,
        source: Source,
    ) -> Images<E, D, T> {
        let rectified = Self::conv2d(images, kernels, bias, sliding, source).relu();
        match pool {
            Some(pool) => Self::max_pool2d(rectified, pool),
            None => rectified,
        }
    }

    /// Multiplies rows by a matrix and adds a bias: XW + b.
    fn affine<T: Tape<E, D>>(
        x: Matrix<E, D, T>,
        weight: &Matrix<E, D>,
        bias: &Tensor<(usize,), E, D>,
    ) -> Matrix<E, D, T>;

    /// Makes a row of each image: channel by channel, row by row.
    fn flatten<T: Tape<E, D>>(images: Images<E, D, T>) -> Matrix<E, D, T> {
        let (batch, channels, height, width) = *images.shape();
        images.reshape_like(&(batch, channels * height * width))
    }
}

/// A device with the implementation of [`ImageOps`] that suits it best.
pub trait ImageDevice<E: Dtype>: Device<E> {
    /// That implementation.
    type Ops: ImageOps<E, Self>;
}

impl ImageDevice<f32> for Cpu {
    type Ops = Fused;
}

impl ImageDevice<f64> for Cpu {
    type Ops = Fused;
}

#[cfg(feature = "cuda")]
impl ImageDevice<f32> for dfdx::prelude::Cuda {
    type Ops = Composed;
}

#[cfg(feature = "cuda")]
impl ImageDevice<f64> for dfdx::prelude::Cuda {
    type Ops = Composed;
}

/// Returns a tensor of these numbers, in memory from the device's cache if that is enabled.
///
/// dfdx's `tensor_from_vec` brings memory of its own, which a cache would keep, step after step.
///
/// # Panics
/// If there are not as many numbers as the shape says.
pub fn tensor<S: Shape, E: Dtype, D: Device<E>>(
    device: &D,
    numbers: &[E],
    shape: S,
) -> Tensor<S, E, D> {
    let mut tensor = device.zeros_like(&shape);
    tensor.copy_from(numbers);
    tensor
}

/// The sizes of a convolution or of a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    batch: usize,
    channels: usize,
    height: usize,
    width: usize,
    rows: usize,
    columns: usize,
}

impl Extent {
    fn new((batch, channels, height, width): (usize, usize, usize, usize), by: Sliding) -> Self {
        let (rows, columns) = (by.positions(height), by.positions(width));
        Self { batch, channels, height, width, rows, columns }
    }

    fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    fn positions(&self) -> usize {
        self.rows * self.columns
    }
}

/// Panics if kernels and bias do not fit to the images.
fn assert_fits<E: Dtype, D: Storage<E>>(
    images: (usize, usize, usize, usize),
    kernels: &Images<E, D>,
    bias: &Tensor<(usize,), E, D>,
    sliding: Sliding,
) {
    let (outputs, inputs, height, width) = *kernels.shape();
    let size = sliding.size;
    assert_eq!((height, width), (size, size), "kernels are {size} × {size}");
    assert_eq!(inputs, images.1, "input channels of the kernels and channels of the images");
    assert_eq!(bias.shape().0, outputs, "one bias for each output channel");
}
