//! The operations on the CPU, each as one step of the tape.
//!
//! In: images. Out: images. Left out: threads: independent trainings run side by side.
//!
//! A convolution is a product of the kernels with a matrix whose columns are the patches under
//! the window. With stride 1 that matrix is not formed: its rows are overlapping slices of the
//! padded image, over the full padded width, and the results beyond the true width are dropped.

use dfdx::prelude::{
    Cpu, CpuError, Gradients, HasShape, PutTape, ReshapeTo, SplitTape, Tape, Tensor, TensorFromVec,
};
use dfdx::shapes::Shape;

use super::{Extent, ImageOps, Images, Sliding, Source, assert_fits};
use crate::attention::Matrix;
use crate::kernels::{LANES, Real, Strided, add_products, multiply, padded};

/// Operations by kernels of this crate.
#[derive(Clone, Copy, Debug)]
pub struct Fused;

impl<E: Real> ImageOps<E, Cpu> for Fused
where
    Cpu: dfdx::prelude::Device<E>,
{
    fn conv2d<T: Tape<E, Cpu>>(
        images: Images<E, Cpu, T>,
        kernels: &Images<E, Cpu>,
        bias: &Tensor<(usize,), E, Cpu>,
        sliding: Sliding,
        source: Source,
    ) -> Images<E, Cpu, T> {
        assert_fits(*images.shape(), kernels, bias, sliding);
        let (images, mut tape) = images.contiguous().split_tape();
        let extent = Extent::new(*images.shape(), sliding);
        let outputs = kernels.shape().0;
        let convolution = Convolution::new(extent, sliding, outputs);

        let pixels = copy(&images);
        let weights = copy(kernels);
        let results = convolution.forward(&pixels, &weights, &copy(bias));
        let shape = (extent.batch, outputs, extent.rows, extent.columns);
        let result = images.device().tensor_from_vec(results, shape);

        if T::OWNS_TAPE {
            let (kernels, bias, out) = (kernels.clone(), bias.clone(), result.clone());
            tape.add_backward_op(move |gradients| {
                let grad_out = take(gradients, &out)?;
                convolution.kernel_gradient(
                    &pixels,
                    &grad_out,
                    gradient_of(gradients, &kernels)?,
                );
                convolution.bias_gradient(&grad_out, gradient_of(gradients, &bias)?);
                if source == Source::Features {
                    let grad_images = gradient_of(gradients, &images)?;
                    convolution.image_gradient(&weights, &grad_out, grad_images);
                }
                put_back(gradients, &out, grad_out)
            });
        }
        result.put_tape(tape)
    }

    fn max_pool2d<T: Tape<E, Cpu>>(
        images: Images<E, Cpu, T>,
        sliding: Sliding,
    ) -> Images<E, Cpu, T> {
        assert_eq!(sliding.padding, 0, "pooling does not pad");
        let (images, mut tape) = images.contiguous().split_tape();
        let extent = Extent::new(*images.shape(), sliding);
        let (largest, winners) = pool(&copy(&images), &extent, sliding);
        let shape = (extent.batch, extent.channels, extent.rows, extent.columns);
        let result = images.device().tensor_from_vec(largest, shape);
        if T::OWNS_TAPE {
            let out = result.clone();
            tape.add_backward_op(move |gradients| {
                let grad_out = take(gradients, &out)?;
                let grad_images = gradient_of(gradients, &images)?;
                for (&winner, &gradient) in winners.iter().zip(&grad_out) {
                    grad_images[winner as usize] += gradient;
                }
                put_back(gradients, &out, grad_out)
            });
        }
        result.put_tape(tape)
    }

    fn affine<T: Tape<E, Cpu>>(
        x: Matrix<E, Cpu, T>,
        weight: &Matrix<E, Cpu>,
        bias: &Tensor<(usize,), E, Cpu>,
    ) -> Matrix<E, Cpu, T> {
        let (x, mut tape) = x.contiguous().split_tape();
        let (batch, inputs) = *x.shape();
        let outputs = weight.shape().1;
        assert_eq!(weight.shape().0, inputs, "rows of the weights and components of the input");
        assert_eq!(bias.shape().0, outputs, "one bias for each output");
        let rows = padded_rows(&copy(&x), inputs);
        let weights = padded_rows(&copy(weight), outputs);
        let width = padded(outputs);
        let mut results = Vec::with_capacity(batch * width);
        let biases = padded_rows(&copy(bias), outputs);
        (0..batch).for_each(|_| results.extend_from_slice(&biases));
        let offsets = steps(inputs, width);
        let left = Strided { data: &rows, row: padded(inputs), column: 1 };
        multiply(batch, width, left, &weights, &offsets, &mut results, width, true);
        let results = unpadded(results, outputs);
        let result = x.device().tensor_from_vec(results, (batch, outputs));

        if T::OWNS_TAPE {
            let (weight, bias, out) = (weight.clone(), bias.clone(), result.clone());
            tape.add_backward_op(move |gradients| {
                let grad_out = take(gradients, &out)?;
                let padded_out = padded_rows(&grad_out, outputs);
                let left = Strided { data: &rows, row: 1, column: padded(inputs) };
                let offsets = steps(batch, width);
                let grad_weight = gradient_of(gradients, &weight)?;
                if width == outputs {
                    multiply(
                        inputs, width, left, &padded_out, &offsets, grad_weight, width, true,
                    );
                } else {
                    let mut sums = padded_rows(grad_weight, outputs);
                    multiply(inputs, width, left, &padded_out, &offsets, &mut sums, width, true);
                    grad_weight.copy_from_slice(&unpadded(sums, outputs));
                }
                let grad_bias = gradient_of(gradients, &bias)?;
                for row in grad_out.chunks_exact(outputs) {
                    add(grad_bias, row);
                }
                let grad_x = gradient_of(gradients, &x)?;
                let offsets = steps(inputs, width);
                add_products(batch, width, &padded_out, width, &weights, &offsets, grad_x);
                put_back(gradients, &out, grad_out)
            });
        }
        result.put_tape(tape)
    }
}

/// The layout of the patches of one image, and the products with them.
struct Convolution {
    extent: Extent,
    sliding: Sliding,
    outputs: usize,
    /// Height and width of the image with its padding.
    height: usize,
    width: usize,
    /// Where the row of patches for each place of the kernel begins.
    offsets: Vec<usize>,
    /// Distance of two rows of results; with stride 1 the padded width.
    pitch: usize,
    /// Length of a row of patches, in full lanes.
    length: usize,
}

impl Convolution {
    fn new(extent: Extent, sliding: Sliding, outputs: usize) -> Self {
        let Sliding { size, stride, padding } = sliding;
        let (height, width) = (extent.height + 2 * padding, extent.width + 2 * padding);
        let pitch = if stride == 1 { width } else { extent.columns };
        let length = padded(extent.rows * pitch);
        let places = (0..extent.channels)
            .flat_map(|c| (0..size).flat_map(move |y| (0..size).map(move |x| (c, y, x))));
        let offsets = if stride == 1 {
            places.map(|(c, y, x)| (c * height + y) * width + x).collect()
        } else {
            steps(extent.channels * size * size, length)
        };
        Self { extent, sliding, outputs, height, width, offsets, pitch, length }
    }

    /// Room for the patches of one image; what lies between and behind them stays zero.
    fn room<E: Real>(&self) -> Vec<E> {
        let slack = self.length + self.offsets.last().expect("a kernel has a place");
        vec![E::zero(); slack.max(self.extent.channels * self.height * self.width)]
    }

    fn lay_out<E: Real>(&self, image: &[E], room: &mut [E]) {
        let Extent { height, width, rows, columns, .. } = self.extent;
        let Sliding { size, stride, padding } = self.sliding;
        if stride == 1 {
            for (at, line) in image.chunks_exact(width).enumerate() {
                let (channel, y) = (at / height, at % height);
                let start = (channel * self.height + y + padding) * self.width + padding;
                room[start..][..width].copy_from_slice(line);
            }
            return;
        }
        for (place, &offset) in self.offsets.iter().enumerate() {
            let (channel, dy, dx) = (place / (size * size), place / size % size, place % size);
            for row in 0..rows {
                let line = &mut room[offset + row * columns..][..columns];
                let y = (row * stride + dy).checked_sub(padding).filter(|y| *y < height);
                let Some(y) = y else {
                    line.fill(E::zero());
                    continue;
                };
                let source = &image[(channel * height + y) * width..][..width];
                for (column, pixel) in line.iter_mut().enumerate() {
                    let x = (column * stride + dx).wrapping_sub(padding);
                    *pixel = source.get(x).copied().unwrap_or_else(E::zero);
                }
            }
        }
    }

    fn forward<E: Real>(&self, pixels: &[E], weights: &[E], bias: &[E]) -> Vec<E> {
        let Extent { batch, columns, .. } = self.extent;
        let places = self.offsets.len();
        let left = Strided { data: weights, row: places, column: 1 };
        let mut room = self.room();
        let mut sums = vec![E::zero(); self.outputs * self.length];
        let mut results = Vec::with_capacity(batch * self.outputs * self.extent.positions());
        for image in pixels.chunks_exact(self.extent.image()) {
            self.lay_out(image, &mut room);
            let (offsets, length) = (&self.offsets, self.length);
            multiply(self.outputs, length, left, &room, offsets, &mut sums, length, false);
            for (line, &bias) in sums.chunks_exact(length).zip(bias) {
                for line in line.chunks(self.pitch).take(self.extent.rows) {
                    results.extend(line[..columns].iter().map(|&sum| sum + bias));
                }
            }
        }
        results
    }

    fn kernel_gradient<E: Real>(&self, pixels: &[E], grad_out: &[E], gradient: &mut [E]) {
        let mut room = self.room();
        let mut spread = vec![E::zero(); self.outputs * self.length];
        let image = self.extent.image();
        let result = self.outputs * self.extent.positions();
        for (image, grad_out) in pixels.chunks_exact(image).zip(grad_out.chunks_exact(result)) {
            self.lay_out(image, &mut room);
            self.spread(grad_out, &mut spread, self.length, 0);
            let (offsets, length) = (&self.offsets, self.length);
            add_products(self.outputs, length, &spread, length, &room, offsets, gradient);
        }
    }

    fn bias_gradient<E: Real>(&self, grad_out: &[E], gradient: &mut [E]) {
        for (at, plane) in grad_out.chunks_exact(self.extent.positions()).enumerate() {
            gradient[at % self.outputs] += plane.iter().copied().fold(E::zero(), |a, b| a + b);
        }
    }

    fn image_gradient<E: Real>(&self, weights: &[E], grad_out: &[E], gradient: &mut [E]) {
        let image = self.extent.image();
        let result = self.outputs * self.extent.positions();
        let images = gradient.chunks_exact_mut(image).zip(grad_out.chunks_exact(result));
        if self.sliding.stride == 1 {
            self.image_gradient_in_place(weights, images);
        } else {
            self.image_gradient_by_patches(weights, images);
        }
    }

    /// With stride 1 the gradient is itself a convolution, of the spread results with the
    /// kernels seen from the input channel and turned around.
    fn image_gradient_in_place<'a, E: Real>(
        &self,
        weights: &[E],
        images: impl Iterator<Item = (&'a mut [E], &'a [E])>,
    ) {
        let Extent { channels, height, width, .. } = self.extent;
        let Sliding { size, padding, .. } = self.sliding;
        let area = size * size;
        let places = channels * area;
        let turned: Vec<E> = (0..channels)
            .flat_map(|c| (0..self.outputs).map(move |o| o * places + c * area))
            .flat_map(|start| &weights[start..][..area])
            .copied()
            .collect();
        let left = Strided { data: &turned, row: self.outputs * area, column: 1 };
        // No place of a kernel looks further back than `lead`, nor do results of two channels
        // overlap.
        let lead = (size - 1) * (self.width + 1);
        let length = padded(self.height * self.width);
        let pitch = lead + length;
        let offsets: Vec<usize> = (0..self.outputs)
            .flat_map(|o| self.offsets[..area].iter().map(move |back| o * pitch + lead - back))
            .collect();
        let mut spread = vec![E::zero(); self.outputs * pitch];
        let mut sums = vec![E::zero(); channels * length];
        for (gradient, grad_out) in images {
            self.spread(grad_out, &mut spread, pitch, lead);
            multiply(channels, length, left, &spread, &offsets, &mut sums, length, false);
            for (at, line) in gradient.chunks_exact_mut(width).enumerate() {
                let (channel, y) = (at / height, at % height);
                let start = channel * length + (y + padding) * self.width + padding;
                add(line, &sums[start..][..width]);
            }
        }
    }

    fn image_gradient_by_patches<'a, E: Real>(
        &self,
        weights: &[E],
        images: impl Iterator<Item = (&'a mut [E], &'a [E])>,
    ) {
        let Extent { height, width, rows, columns, .. } = self.extent;
        let Sliding { size, stride, padding } = self.sliding;
        let places = self.offsets.len();
        let left = Strided { data: weights, row: 1, column: places };
        let offsets = steps(self.outputs, self.length);
        let mut spread = vec![E::zero(); self.outputs * self.length];
        let mut patches = vec![E::zero(); places * self.length];
        for (gradient, grad_out) in images {
            self.spread(grad_out, &mut spread, self.length, 0);
            let length = self.length;
            multiply(places, length, left, &spread, &offsets, &mut patches, length, false);
            for (place, patch) in patches.chunks_exact(length).enumerate() {
                let (channel, dy, dx) = (place / (size * size), place / size % size, place % size);
                for row in 0..rows {
                    let y = (row * stride + dy).checked_sub(padding).filter(|y| *y < height);
                    let Some(y) = y else { continue };
                    let line = &mut gradient[(channel * height + y) * width..][..width];
                    let patch = &patch[row * columns..][..columns];
                    for (column, &change) in patch.iter().enumerate() {
                        let x = (column * stride + dx).wrapping_sub(padding);
                        if let Some(pixel) = line.get_mut(x) {
                            *pixel += change;
                        }
                    }
                }
            }
        }
    }

    /// Puts the gradient of the results where `forward` computes them; the rest stays zero.
    fn spread<E: Real>(&self, grad_out: &[E], to: &mut [E], pitch: usize, lead: usize) {
        let Extent { rows, columns, .. } = self.extent;
        for (at, line) in grad_out.chunks_exact(columns).enumerate() {
            let (output, row) = (at / rows, at % rows);
            to[output * pitch + lead + row * self.pitch..][..columns].copy_from_slice(line);
        }
    }
}

/// The largest pixel of each window, and where it lies.
fn pool<E: Real>(pixels: &[E], extent: &Extent, sliding: Sliding) -> (Vec<E>, Vec<u32>) {
    let Extent { batch, channels, height, width, rows, columns } = *extent;
    let Sliding { size, stride, .. } = sliding;
    assert!(u32::try_from(pixels.len()).is_ok(), "too many pixels for one batch");
    let count = batch * channels * rows * columns;
    let mut largest = Vec::with_capacity(count);
    let mut winners = Vec::with_capacity(count);
    for plane in 0..batch * channels {
        for row in 0..rows {
            let top = (plane * height + row * stride) * width;
            for column in 0..columns {
                let first = top + column * stride;
                let (mut winner, mut value) = (first, pixels[first]);
                for dy in 0..size {
                    let line = first + dy * width;
                    for (dx, &pixel) in pixels[line..][..size].iter().enumerate() {
                        if pixel > value {
                            (winner, value) = (line + dx, pixel);
                        }
                    }
                }
                largest.push(value);
                winners.push(winner as u32);
            }
        }
    }
    (largest, winners)
}

/// The numbers of a tensor, in order.
fn copy<S: Shape, E: Real>(tensor: &Tensor<S, E, Cpu>) -> Vec<E> {
    let tensor = tensor.clone().contiguous();
    let mut numbers = vec![E::zero(); tensor.shape().num_elements()];
    tensor.copy_into(&mut numbers);
    numbers
}

/// The gradient of a tensor, zero at first.
fn gradient_of<'a, S: Shape, E: Real>(
    gradients: &'a mut Gradients<E, Cpu>,
    tensor: &Tensor<S, E, Cpu>,
) -> Result<&'a mut Vec<E>, CpuError> {
    Ok(E::numbers(gradients.get_or_alloc_mut(tensor)?))
}

/// Takes the gradient of a result, so that other gradients can be changed meanwhile.
fn take<S: Shape, E: Real>(
    gradients: &mut Gradients<E, Cpu>,
    result: &Tensor<S, E, Cpu>,
) -> Result<Vec<E>, CpuError> {
    Ok(std::mem::take(gradient_of(gradients, result)?))
}

fn put_back<S: Shape, E: Real>(
    gradients: &mut Gradients<E, Cpu>,
    result: &Tensor<S, E, Cpu>,
    gradient: Vec<E>,
) -> Result<(), CpuError> {
    *gradient_of(gradients, result)? = gradient;
    Ok(())
}

/// 0, `step`, 2·`step` and so on.
fn steps(count: usize, step: usize) -> Vec<usize> {
    (0..count).map(|at| at * step).collect()
}

/// Rows of full lanes, filled up with zeros.
fn padded_rows<E: Real>(data: &[E], width: usize) -> Vec<E> {
    let to = padded(width);
    if to == width {
        return data.to_vec();
    }
    let mut rows = vec![E::zero(); data.len() / width * to];
    for (to, from) in rows.chunks_exact_mut(to).zip(data.chunks_exact(width)) {
        to[..width].copy_from_slice(from);
    }
    rows
}

fn unpadded<E: Real>(rows: Vec<E>, width: usize) -> Vec<E> {
    if padded(width) == width {
        return rows;
    }
    rows.chunks_exact(padded(width)).flat_map(|row| &row[..width]).copied().collect()
}

fn add<E: Real>(to: &mut [E], what: &[E]) {
    for (to, &what) in to.iter_mut().zip(what) {
        *to += what;
    }
}

const _: () = assert!(LANES.is_power_of_two());
