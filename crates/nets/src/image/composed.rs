//! The operations as compositions of dfdx's own, on any device.
//!
//! In: images. Out: images. Left out: speed: windows are gathered one by one. Which pixels a window has
//! is the same in every step of a training, so those indices stay on the device.

use std::any::{Any, TypeId};
use std::cell::RefCell;

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
        let patches = columns(padded, Indices { extent, sliding, offset: None });
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
        let place = |at| Indices { extent, sliding, offset: Some(at) };
        let mut largest = columns(flat.clone().put_tape(tape), place(0));
        for at in 1..sliding.size * sliding.size {
            let pixels = columns(flat.retaped::<T>(), place(at));
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

/// Which pixels of an image belong where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Indices {
    extent: Extent,
    sliding: Sliding,
    /// The one place of the window that is meant; none for all of them.
    offset: Option<usize>,
}

/// Indices on a device, for each image of a batch, of the type of that device.
type Kept = (TypeId, Indices, Box<dyn Any>);

/// Most indices that stay; a network has a handful.
const MOST_KEPT: usize = 32;

thread_local! {
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

impl Indices {
    /// Brings them to the device, unless they are there.
    fn on<E: Dtype, D: Device<E>>(self, device: &D) -> Tensor<(usize, usize), usize, D> {
        let kind = TypeId::of::<D>();
        let known = KEPT.with_borrow(|kept| {
            let found = kept.iter().find(|(of, indices, _)| (*of, *indices) == (kind, self))?;
            found.2.downcast_ref::<Tensor<(usize, usize), usize, D>>().cloned()
        });
        known.unwrap_or_else(|| {
            let Self { extent, sliding, offset } = self;
            let indices = match offset {
                None => patch_indices(&extent, sliding),
                Some(offset) => pixel_indices(&extent, sliding, offset),
            };
            let shape = (extent.batch, indices.len());
            let indices = device.tensor_from_vec(indices.repeat(extent.batch), shape);
            KEPT.with_borrow_mut(|kept| {
                kept.truncate(MOST_KEPT - 1);
                kept.insert(0, (kind, self, Box::new(indices.clone())));
            });
            indices
        })
    }
}

/// Selects columns by their indices, repeats allowed.
fn columns<E: Dtype, D: Device<E>, T: Tape<E, D>>(
    x: Matrix<E, D, T>,
    indices: Indices,
) -> Matrix<E, D, T> {
    let indices = indices.on(x.device());
    x.gather(indices)
}
