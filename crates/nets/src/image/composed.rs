//! The operations as compositions of dfdx's own, on any device.
//!
//! In: images. Out: images. Left out: speed: windows are gathered one by one.

use dfdx::dtypes::Dtype;
use dfdx::prelude::{
    Axes3, Axis, BroadcastTo, ChooseFrom, Device, GatherTo, HasShape, PermuteTo, PutTape,
    ReshapeTo, SplitTape, Tape, Tensor, TryConcatAlong, TryMatMul, ge,
};

use super::{Extent, ImageOps, Images, Sliding, Source, assert_fits};
use crate::attention::Matrix;

/// Operations composed of dfdx's own.
#[derive(Clone, Copy, Debug)]
pub struct Composed;

impl<E: Dtype, D: Device<E>> ImageOps<E, D> for Composed {
    fn conv2d<T: Tape<E, D>>(
        images: Images<E, D, T>,
        kernels: &Images<E, D>,
        bias: &Tensor<(usize,), E, D>,
        sliding: Sliding,
        _: Source,
    ) -> Images<E, D, T> {
        assert_fits(*images.shape(), kernels, bias, sliding);
        let extent = Extent::new(*images.shape(), sliding);
        let (outputs, inputs, size, _) = *kernels.shape();
        let (batch, positions, volume) = (extent.batch, extent.positions(), inputs * size * size);

        let zero = images.device().zeros_like(&(batch, 1));
        let (images, tape) = images.reshape_like(&(batch, extent.image())).split_tape();
        let padded = (images.put_tape(tape), zero).concat_along(Axis::<1>);
        let patches = columns(padded, &patch_indices(&extent, sliding));
        let patches = patches.reshape_like(&(batch * positions, volume));

        let matrix = kernels.retaped::<T>().reshape_like(&(outputs, volume));
        let products = patches.matmul(matrix.permute::<_, dfdx::prelude::Axes2<1, 0>>());
        let bias = bias.retaped::<T>().broadcast_like::<_, Axis<0>>(&(batch * positions, outputs));
        (products + bias)
            .reshape_like(&(batch, positions, outputs))
            .permute::<_, Axes3<0, 2, 1>>()
            .reshape_like(&(batch, outputs, extent.rows, extent.columns))
    }

    fn max_pool2d<T: Tape<E, D>>(images: Images<E, D, T>, sliding: Sliding) -> Images<E, D, T> {
        assert_eq!(sliding.padding, 0, "pooling does not pad");
        let extent = Extent::new(*images.shape(), sliding);
        let flat = images.reshape_like(&(extent.batch, extent.image()));
        let (flat, tape) = flat.split_tape();
        let place = |at| pixel_indices(&extent, sliding, at);
        let mut largest = columns(flat.clone().put_tape(tape), &place(0));
        for at in 1..sliding.size * sliding.size {
            let pixels = columns(flat.retaped::<T>(), &place(at));
            // Of equal pixels the earlier one stays.
            let stays = ge(&largest, &pixels);
            largest = stays.choose(largest, pixels);
        }
        largest.reshape_like(&(extent.batch, extent.channels, extent.rows, extent.columns))
    }

    fn affine<T: Tape<E, D>>(
        x: Matrix<E, D, T>,
        weight: &Matrix<E, D>,
        bias: &Tensor<(usize,), E, D>,
    ) -> Matrix<E, D, T> {
        let shape = (x.shape().0, weight.shape().1);
        let bias = bias.retaped::<T>().broadcast_like::<_, Axis<0>>(&shape);
        x.matmul(weight.retaped::<T>()) + bias
    }
}

/// For every position the pixels under the window; those outside are the one after the last.
fn patch_indices(extent: &Extent, sliding: Sliding) -> Vec<usize> {
    let Extent { channels, height, width, rows, columns, .. } = *extent;
    let Sliding { size, stride, padding } = sliding;
    let mut indices = Vec::with_capacity(rows * columns * channels * size * size);
    for (row, column) in pairs(rows, columns) {
        for channel in 0..channels {
            for (dy, dx) in pairs(size, size) {
                let y = (row * stride + dy).checked_sub(padding).filter(|y| *y < height);
                let x = (column * stride + dx).checked_sub(padding).filter(|x| *x < width);
                let inside = y.zip(x).map(|(y, x)| (channel * height + y) * width + x);
                indices.push(inside.unwrap_or(extent.image()));
            }
        }
    }
    indices
}

/// For every channel and position the pixel at one place of the window.
fn pixel_indices(extent: &Extent, sliding: Sliding, offset: usize) -> Vec<usize> {
    let (dy, dx) = (offset / sliding.size, offset % sliding.size);
    let mut indices = Vec::with_capacity(extent.channels * extent.positions());
    for channel in 0..extent.channels {
        for (row, column) in pairs(extent.rows, extent.columns) {
            let (y, x) = (row * sliding.stride + dy, column * sliding.stride + dx);
            indices.push((channel * extent.height + y) * extent.width + x);
        }
    }
    indices
}

fn pairs(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

/// Selects columns by their indices, repeats allowed.
fn columns<E: Dtype, D: Device<E>, T: Tape<E, D>>(
    x: Matrix<E, D, T>,
    indices: &[usize],
) -> Matrix<E, D, T> {
    let rows = x.shape().0;
    let indices: Tensor<(usize, usize), usize, D> =
        x.device().tensor_from_vec(indices.repeat(rows), (rows, indices.len()));
    x.gather(indices)
}
