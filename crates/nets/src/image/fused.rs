//! The operations on the CPU, each as one step of the tape.
//!
//! In: images. Out: images. Left out: threads: independent trainings run side by side.
//!
//! A convolution is a product of the kernels with a matrix whose columns are the patches under
//! the window. With stride 1 that matrix is not formed: its rows are overlapping slices of the
//! padded image, over the full padded width, and the results beyond the true width are dropped.

use dfdx::prelude::{Cpu, HasShape, PutTape, ReshapeTo, SplitTape, Tape, Tensor};

use super::{Extent, ImageOps, Images, Sliding, Source, assert_fits, tensor};
use crate::attention::Matrix;
use crate::kernels::{
    Before, Buffer, LANES, Packed, Real, Windows, add, add_lanes, add_products, add_totals,
    largest_of_windows, multiply, padded, sum,
};
use crate::tape::{buffer, copy, gradient_of, put_back, take};

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
        convolve(images, kernels, bias, sliding, After::Nothing, source)
    }

    fn conv_relu_pool<T: Tape<E, Cpu>>(
        images: Images<E, Cpu, T>,
        kernels: &Images<E, Cpu>,
        bias: &Tensor<(usize,), E, Cpu>,
        sliding: Sliding,
        pool: Option<Sliding>,
        source: Source,
    ) -> Images<E, Cpu, T> {
        let pool = pool.unwrap_or(Sliding { size: 1, stride: 1, padding: 0 });
        assert_eq!(pool.padding, 0, "pooling does not pad");
        convolve(images, kernels, bias, sliding, After::ReluPool(pool), source)
    }

    fn max_pool2d<T: Tape<E, Cpu>>(
        images: Images<E, Cpu, T>,
        sliding: Sliding,
    ) -> Images<E, Cpu, T> {
        assert_eq!(sliding.padding, 0, "pooling does not pad");
        let (images, mut tape) = images.contiguous().split_tape();
        let extent = Extent::new(*images.shape(), sliding);
        let (count, pixels) = (extent.batch * extent.channels, copy(&images));
        let mut results = Buffer::any(count * extent.positions());
        let mut winners = vec![0; results.len()];
        let planes = results.chunks_exact_mut(extent.positions());
        let planes = planes.zip(winners.chunks_exact_mut(extent.positions()));
        let area = extent.height * extent.width;
        for ((values, winners), pixels) in planes.zip(pixels.chunks_exact(area)) {
            let windows = Windows {
                pitch: extent.width,
                columns: extent.columns,
                size: sliding.size,
                stride: sliding.stride,
                bias: E::zero(),
                not_positive: None,
            };
            largest_of_windows(pixels, windows, values, winners);
        }
        let shape = (extent.batch, extent.channels, extent.rows, extent.columns);
        let result = tensor(images.device(), &results, shape);
        if T::OWNS_TAPE {
            let out = result.clone();
            tape.add_backward_op(move |gradients| {
                let grad_out = take(gradients, &out)?;
                let grad_images = gradient_of(gradients, &images)?;
                let planes = grad_out.chunks_exact(extent.positions());
                let planes = planes.zip(winners.chunks_exact(extent.positions()));
                for ((changes, winners), pixels) in planes.zip(grad_images.chunks_exact_mut(area)) {
                    for (&change, &winner) in changes.iter().zip(winners) {
                        pixels[winner as usize] += change;
                    }
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
        let rows = copy(&x);
        let weights = padded_rows(copy(weight), outputs);
        let width = padded(outputs);
        let mut results = Buffer::any(batch * width);
        let biases = padded_rows(copy(bias), outputs);
        results.chunks_exact_mut(width).for_each(|row| row.copy_from_slice(&biases));
        let offsets = steps(inputs, width);
        let left = Packed::new(batch, inputs, &rows, inputs, 1);
        multiply(&left, width, &weights, &offsets, &mut results, width, Before::Kept);
        let results = unpadded(results, outputs);
        let result = tensor(x.device(), &results, (batch, outputs));

        if T::OWNS_TAPE {
            let (weight, bias, out) = (weight.clone(), bias.clone(), result.clone());
            tape.add_backward_op(move |gradients| {
                let grad_out = take(gradients, &out)?;
                let padded_out = padded_rows(buffer(&grad_out), outputs);
                let left = Packed::new(inputs, batch, &rows, 1, inputs);
                let offsets = steps(batch, width);
                let kept = Before::Kept;
                let grad_weight = gradient_of(gradients, &weight)?;
                if width == outputs {
                    multiply(&left, width, &padded_out, &offsets, grad_weight, width, kept);
                } else {
                    let mut sums = padded_rows(buffer(grad_weight), outputs);
                    multiply(&left, width, &padded_out, &offsets, &mut sums, width, kept);
                    grad_weight.copy_from_slice(&unpadded(sums, outputs));
                }
                let grad_bias = gradient_of(gradients, &bias)?;
                for row in grad_out.chunks_exact(outputs) {
                    add(grad_bias, row);
                }
                let grad_x = gradient_of(gradients, &x)?;
                if batch >= WORTH_TURNING && padded(inputs) == inputs {
                    let turned = turned(&weights, inputs, outputs, width);
                    let left = Packed::new(batch, outputs, &grad_out, outputs, 1);
                    let offsets = steps(outputs, inputs);
                    multiply(&left, inputs, &turned, &offsets, grad_x, inputs, Before::Kept);
                } else {
                    let offsets = steps(inputs, width);
                    add_products(batch, width, &padded_out, width, &weights, &offsets, grad_x);
                }
                put_back(gradients, &out, grad_out)
            });
        }
        result.put_tape(tape)
    }
}

/// What follows the sums of a convolution.
#[derive(Clone, Copy, Debug)]
enum After {
    Nothing,
    ReluPool(Sliding),
}

fn convolve<E: Real, T: Tape<E, Cpu>>(
    images: Images<E, Cpu, T>,
    kernels: &Images<E, Cpu>,
    bias: &Tensor<(usize,), E, Cpu>,
    sliding: Sliding,
    after: After,
    source: Source,
) -> Images<E, Cpu, T>
where
    Cpu: dfdx::prelude::Device<E>,
{
    assert_fits(*images.shape(), kernels, bias, sliding);
    let (images, mut tape) = images.contiguous().split_tape();
    let extent = Extent::new(*images.shape(), sliding);
    let outputs = kernels.shape().0;
    let convolution = Convolution::new(extent, sliding, outputs, after);

    let pixels = copy(&images);
    let weights = copy(kernels);
    let (results, winners) = convolution.forward(&pixels, &weights, &copy(bias));
    let result = tensor(images.device(), &results, convolution.shape());

    if T::OWNS_TAPE {
        let (kernels, bias, out) = (kernels.clone(), bias.clone(), result.clone());
        tape.add_backward_op(move |gradients| {
            let grad_out = take(gradients, &out)?;
            let mut grad_kernels = Buffer::zeros(weights.len());
            let mut grad_bias = Buffer::zeros(outputs);
            let into = match source {
                Source::Features => Some(gradient_of(gradients, &images)?),
                Source::Data => None,
            };
            let by = Backward { pixels: &pixels, weights: &weights, winners: &winners };
            convolution.backward(by, &grad_out, &mut grad_kernels, &mut grad_bias, into);
            add(gradient_of(gradients, &kernels)?, &grad_kernels);
            add(gradient_of(gradients, &bias)?, &grad_bias);
            put_back(gradients, &out, grad_out)
        });
    }
    result.put_tape(tape)
}

/// The layout of the patches of one image, and the products with them.
struct Convolution {
    extent: Extent,
    sliding: Sliding,
    outputs: usize,
    /// The windows over the results of the convolution; one for each result if none follows.
    pooled: Extent,
    pool: Sliding,
    after: After,
    /// Height and width of the image with its padding.
    height: usize,
    width: usize,
    /// Where the row of patches for each place of the kernel begins.
    offsets: Vec<usize>,
    /// Distance of two rows of results; with stride 1 the padded width.
    pitch: usize,
    /// Length of a row of patches, in full lanes.
    length: usize,
    /// Zeros before the spread gradient of each channel: with stride 1 no place of a kernel
    /// looks further back.
    lead: usize,
    /// Room for the spread gradient of a channel; the last number is for what goes nowhere.
    spread: usize,
}

/// What `forward` leaves to `backward`.
#[derive(Clone, Copy)]
struct Backward<'a, E> {
    pixels: &'a [E],
    weights: &'a [E],
    winners: &'a [u32],
}

impl Convolution {
    fn new(extent: Extent, sliding: Sliding, outputs: usize, after: After) -> Self {
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
        let lead = if stride == 1 { (size - 1) * (width + 1) } else { 0 };
        let pool = match after {
            After::Nothing => Sliding { size: 1, stride: 1, padding: 0 },
            After::ReluPool(pool) => pool,
        };
        let pooled = Extent::new((extent.batch, outputs, extent.rows, extent.columns), pool);
        let spread = lead + length.max(padded(height * width)) + 1;
        Self {
            extent,
            sliding,
            outputs,
            pooled,
            pool,
            after,
            height,
            width,
            offsets,
            pitch,
            length,
            lead,
            spread,
        }
    }

    fn shape(&self) -> (usize, usize, usize, usize) {
        (self.extent.batch, self.outputs, self.pooled.rows, self.pooled.columns)
    }

    fn windows<E>(&self, bias: E) -> Windows<E> {
        let not_positive = match self.after {
            After::Nothing => None,
            After::ReluPool(_) => Some((self.spread - self.lead - 1) as u32),
        };
        Windows {
            pitch: self.pitch,
            columns: self.pooled.columns,
            size: self.pool.size,
            stride: self.pool.stride,
            bias,
            not_positive,
        }
    }

    /// Room for the patches of one image; what lies between and behind them stays zero.
    fn room<E: Real>(&self) -> Buffer<E> {
        let slack = self.length + self.offsets.last().expect("a kernel has a place");
        Buffer::zeros(slack.max(self.extent.channels * self.height * self.width))
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

    /// Results, and for each the place among the sums of the channel that it comes from.
    fn forward<E: Real>(&self, pixels: &[E], weights: &[E], bias: &[E]) -> (Buffer<E>, Vec<u32>) {
        let places = self.offsets.len();
        let left = Packed::new(self.outputs, places, weights, places, 1);
        let mut room = self.room();
        let mut sums = Buffer::any(self.outputs * self.length);
        let count = self.pooled.positions();
        let mut results = Buffer::any(self.extent.batch * self.outputs * count);
        let mut winners = vec![0; results.len()];
        let mut planes = results.chunks_exact_mut(count).zip(winners.chunks_exact_mut(count));
        for image in pixels.chunks_exact(self.extent.image()) {
            self.lay_out(image, &mut room);
            let (offsets, length) = (&self.offsets, self.length);
            multiply(&left, length, &room, offsets, &mut sums, length, Before::Dropped);
            let channels = sums.chunks_exact(length).zip(bias);
            for ((sums, &bias), (values, winners)) in channels.zip(&mut planes) {
                largest_of_windows(sums, self.windows(bias), values, winners);
            }
        }
        (results, winners)
    }

    fn backward<E: Real>(
        &self,
        by: Backward<'_, E>,
        grad_out: &[E],
        grad_kernels: &mut [E],
        grad_bias: &mut [E],
        mut grad_images: Option<&mut Vec<E>>,
    ) {
        let Extent { channels, height, width, .. } = self.extent;
        let Sliding { size, stride, padding } = self.sliding;
        let (places, area, length) = (self.offsets.len(), size * size, self.length);
        let image = self.extent.image();
        let pitch = self.spread;
        let mut room = self.room();
        let mut spread = Buffer::zeros(self.outputs * pitch);
        // With stride 1 the gradient of an image is itself a convolution, of the spread results
        // with the kernels seen from the input channel and turned around.
        let turned = match (stride, &grad_images) {
            (1, Some(_)) => {
                let mut turned = Buffer::any(by.weights.len());
                let (from, to) = (by.weights.chunks_exact(area), turned.chunks_exact_mut(area));
                for (at, to) in to.enumerate() {
                    let (channel, output) = (at / self.outputs, at % self.outputs);
                    let kernel = from.clone().nth(output * channels + channel);
                    to.copy_from_slice(kernel.expect("a kernel for each pair of channels"));
                }
                Packed::new(channels, self.outputs * area, &turned, self.outputs * area, 1)
            }
            _ => Packed::new(places, self.outputs, by.weights, 1, places),
        };
        let back: Vec<usize> = match stride {
            1 => (0..self.outputs)
                .flat_map(|o| self.offsets[..area].iter().map(move |at| (o, at)))
                .map(|(o, at)| o * pitch + self.lead - at)
                .collect(),
            _ => steps(self.outputs, pitch),
        };
        let padded_area = padded(self.height * self.width);
        let mut sums = Buffer::any(match stride {
            1 => channels * padded_area,
            _ => places * length,
        });
        let count = self.pooled.positions();
        let apart = self.pool.stride >= self.pool.size;
        let mut lanes = Buffer::zeros(grad_kernels.len() * LANES);
        for (at, pixels) in by.pixels.chunks_exact(image).enumerate() {
            self.lay_out(pixels, &mut room);
            spread.fill(E::zero());
            for output in 0..self.outputs {
                let from = (at * self.outputs + output) * count;
                let (changes, winners) = (&grad_out[from..][..count], &by.winners[from..][..count]);
                let to = &mut spread[output * pitch..][self.lead..pitch];
                let changes = changes.iter().zip(winners);
                if apart {
                    // No place wins twice, and sums at the place for nothing would wait for each
                    // other.
                    changes.for_each(|(&change, &winner)| to[winner as usize] = change);
                } else {
                    changes.for_each(|(&change, &winner)| to[winner as usize] += change);
                }
                grad_bias[output] += sum(&to[..length]);
            }
            let from_lead = &spread[self.lead..];
            let (rows, offsets) = (self.outputs, &self.offsets);
            add_lanes(rows, length, from_lead, pitch, &room, offsets, &mut lanes);
            let Some(gradient) = grad_images.as_deref_mut() else { continue };
            let gradient = &mut gradient[at * image..][..image];
            if stride == 1 {
                let dropped = Before::Dropped;
                multiply(&turned, padded_area, &spread, &back, &mut sums, padded_area, dropped);
                for (at, line) in gradient.chunks_exact_mut(width).enumerate() {
                    let (channel, y) = (at / height, at % height);
                    let start = channel * padded_area + (y + padding) * self.width + padding;
                    add(line, &sums[start..][..width]);
                }
            } else {
                multiply(&turned, length, &spread, &back, &mut sums, length, Before::Dropped);
                self.collect(&sums, gradient);
            }
        }
        add_totals(&lanes, grad_kernels);
    }

    /// Adds the gradients of all patches to the pixels that they were made of.
    fn collect<E: Real>(&self, patches: &[E], gradient: &mut [E]) {
        let Extent { height, width, rows, columns, .. } = self.extent;
        let Sliding { size, stride, padding } = self.sliding;
        for (place, patch) in patches.chunks_exact(self.length).enumerate() {
            let (channel, dy, dx) = (place / (size * size), place / size % size, place % size);
            for row in 0..rows {
                let y = (row * stride + dy).checked_sub(padding).filter(|y| *y < height);
                let Some(y) = y else { continue };
                let line = &mut gradient[(channel * height + y) * width..][..width];
                for (column, &change) in patch[row * columns..][..columns].iter().enumerate() {
                    let x = (column * stride + dx).wrapping_sub(padding);
                    if let Some(pixel) = line.get_mut(x) {
                        *pixel += change;
                    }
                }
            }
        }
    }
}

/// 0, `step`, 2·`step` and so on.
fn steps(count: usize, step: usize) -> Vec<usize> {
    (0..count).map(|at| at * step).collect()
}

/// Rows from which on it is faster to turn the weights than to multiply by them as they lie.
const WORTH_TURNING: usize = 32;

/// The columns of a matrix as rows; its own rows are `pitch` apart.
fn turned<E: Real>(matrix: &[E], rows: usize, columns: usize, pitch: usize) -> Buffer<E> {
    let mut turned = Buffer::any(rows * columns);
    // By squares, so that neither side leaves the nearest cache.
    for top in (0..rows).step_by(LANES) {
        let bottom = rows.min(top + LANES);
        let mut left = 0;
        while left + LANES <= columns && bottom - top == LANES {
            let lines: [&[E; LANES]; LANES] =
                std::array::from_fn(|row| first(&matrix[(top + row) * pitch + left..]));
            for column in 0..LANES {
                let to = &mut turned[(left + column) * rows + top..][..LANES];
                for (to, line) in to.iter_mut().zip(&lines) {
                    *to = line[column];
                }
            }
            left += LANES;
        }
        for column in left..columns {
            for row in top..bottom {
                turned[column * rows + row] = matrix[row * pitch + column];
            }
        }
    }
    turned
}

fn first<E>(numbers: &[E]) -> &[E; LANES] {
    numbers.first_chunk().expect("a square of the matrix")
}

/// Rows of full lanes, filled up with zeros.
fn padded_rows<E: Real>(data: Buffer<E>, width: usize) -> Buffer<E> {
    let to = padded(width);
    if to == width {
        return data;
    }
    let mut rows = Buffer::zeros(data.len() / width * to);
    for (to, from) in rows.chunks_exact_mut(to).zip(data.chunks_exact(width)) {
        to[..width].copy_from_slice(from);
    }
    rows
}

fn unpadded<E: Real>(rows: Buffer<E>, width: usize) -> Buffer<E> {
    let from = padded(width);
    if from == width {
        return rows;
    }
    let mut data = Buffer::any(rows.len() / from * width);
    for (to, from) in data.chunks_exact_mut(width).zip(rows.chunks_exact(from)) {
        to.copy_from_slice(&from[..width]);
    }
    data
}
