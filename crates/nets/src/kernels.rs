//! Products of small matrices, compiled for several generations of processors.
//!
//! In: slices, and for the right-hand side the offset at which each of its rows begins, so that
//! overlapping windows of an image are rows of a matrix that is never formed. Out: slices.
//! Left out: threads, and matrices too large for a cache.
//!
//! The best version for the running processor is chosen at run time. All of them add in the same
//! order and round once per product and sum, so that the results do not depend on the choice.

#![expect(
    clippy::needless_range_loop,
    reason = "loops over fixed numbers of lanes and rows, which the compiler unrolls"
)]

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

use dfdx::dtypes::Dtype;
use dfdx::prelude::{Cpu, Storage};
use multiversion::multiversion;
use num_traits::Float;

/// A floating-point type for which the kernels are compiled.
pub trait Real: Dtype + Float {
    /// The numbers in a buffer of dfdx's on the CPU.
    fn numbers(buffer: &mut <Cpu as Storage<Self>>::Vec) -> &mut Vec<Self>;

    /// Buffers of this thread that wait to be used again.
    #[doc(hidden)]
    fn spare() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>>;
}

macro_rules! real {
    ($($float:ty)*) => {$(
        impl Real for $float {
            fn numbers(buffer: &mut <Cpu as Storage<Self>>::Vec) -> &mut Vec<Self> {
                buffer
            }

            fn spare() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>> {
                thread_local!(static SPARE: RefCell<Vec<Vec<$float>>> = const {
                    RefCell::new(Vec::new())
                });
                &SPARE
            }
        }
    )*};
}

real! { f32 f64 }

/// Numbers in memory that is used again by the next buffer of the same length: fresh memory
/// costs more than what is done with it.
#[derive(Debug)]
pub(crate) struct Buffer<E: Real>(Vec<E>);

impl<E: Real> Buffer<E> {
    /// Returns numbers that are to be overwritten.
    pub(crate) fn any(length: usize) -> Self {
        let found = E::spare().with_borrow_mut(|spare| {
            let at = spare.iter().rposition(|buffer| buffer.len() == length)?;
            Some(spare.swap_remove(at))
        });
        Self(found.unwrap_or_else(|| vec![E::zero(); length]))
    }

    /// Returns zeros.
    pub(crate) fn zeros(length: usize) -> Self {
        let mut buffer = Self::any(length);
        buffer.fill(E::zero());
        buffer
    }
}

/// Returns the bytes of the buffers of this thread that wait to be used again.
pub(crate) fn spare_bytes<E: Real>() -> usize {
    let numbers = |spare: &RefCell<Vec<Vec<E>>>| spare.borrow().iter().map(Vec::len).sum::<usize>();
    E::spare().with(numbers) * size_of::<E>()
}

impl<E: Real> Drop for Buffer<E> {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        // At the end of a thread its spare buffers are gone already.
        let _ = E::spare().try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() == SPARE {
                spare.remove(0);
            }
            spare.push(buffer);
        });
    }
}

impl<E: Real> Deref for Buffer<E> {
    type Target = [E];

    fn deref(&self) -> &[E] {
        &self.0
    }
}

impl<E: Real> DerefMut for Buffer<E> {
    fn deref_mut(&mut self) -> &mut [E] {
        &mut self.0
    }
}

/// Most buffers that wait; the oldest gives way.
const SPARE: usize = 256;

/// Numbers that are processed together; widths are padded to multiples of it.
pub(crate) const LANES: usize = 16;

/// Rows of a product that are computed together.
const ROWS: usize = 8;

/// The smallest multiple of [`LANES`] that is not below `width`.
pub(crate) fn padded(width: usize) -> usize {
    width.next_multiple_of(LANES)
}

/// A matrix in row-major order, with rows of zeros up to a multiple of [`ROWS`].
pub(crate) struct Packed<E: Real> {
    rows: usize,
    columns: usize,
    numbers: Buffer<E>,
}

impl<E: Real> Packed<E> {
    /// Packs the matrix with `data[i * row_step + j * column_step]` in row i and column j.
    pub(crate) fn new(
        rows: usize,
        columns: usize,
        data: &[E],
        row_step: usize,
        column_step: usize,
    ) -> Self {
        let mut numbers = Buffer::zeros(rows.next_multiple_of(ROWS) * columns);
        for (row, line) in numbers.chunks_exact_mut(columns).enumerate().take(rows) {
            let from = &data[row * row_step..];
            if column_step == 1 {
                line.copy_from_slice(&from[..columns]);
            } else {
                let from = from.iter().step_by(column_step);
                line.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
            }
        }
        Self { rows, columns, numbers }
    }
}

/// What becomes of the numbers that a product is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// They are overwritten.
    Dropped,
    /// They are kept.
    Kept,
}

/// Computes C = AB or C + AB.
///
/// Row p of B is the `width` numbers of `b` from `offsets[p]`, row i of C those of `c` from
/// `i * c_row`. `width` is a multiple of [`LANES`].
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn multiply<E: Real>(
    a: &Packed<E>,
    width: usize,
    b: &[E],
    offsets: &[usize],
    c: &mut [E],
    c_row: usize,
    before: Before,
) {
    let columns = a.columns;
    let offsets = &offsets[..columns];
    for first in (0..a.rows).step_by(ROWS) {
        let count = ROWS.min(a.rows - first);
        let mut left: [&[E]; ROWS] = [&[]; ROWS];
        for r in 0..ROWS {
            left[r] = &a.numbers[(first + r) * columns..][..columns];
        }
        for at in (0..width).step_by(LANES) {
            let mut sums = [[E::zero(); LANES]; ROWS];
            for p in 0..columns {
                let right: &[E; LANES] = lanes(b, offsets[p] + at);
                for r in 0..ROWS {
                    let left = left[r][p];
                    for l in 0..LANES {
                        sums[r][l] = left.mul_add(right[l], sums[r][l]);
                    }
                }
            }
            for r in 0..ROWS {
                if r < count {
                    let to = &mut c[(first + r) * c_row + at..][..LANES];
                    match before {
                        Before::Dropped => to.copy_from_slice(&sums[r]),
                        Before::Kept => {
                            for l in 0..LANES {
                                to[l] += sums[r][l];
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Adds ABᵀ to C; A is `rows` × `width` with rows `a_row` apart.
///
/// Row j of B is the `width` numbers of `b` from `offsets[j]`; C is `rows` × `offsets.len()`.
/// `width` is a multiple of [`LANES`].
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn add_products<E: Real>(
    rows: usize,
    width: usize,
    a: &[E],
    a_row: usize,
    b: &[E],
    offsets: &[usize],
    c: &mut [E],
) {
    let columns = offsets.len();
    // Beyond the last row and column the last one is repeated, and the result dropped.
    for row in (0..rows).step_by(4) {
        let line = |r: usize| (row + r).min(rows - 1) * a_row;
        let lines = [line(0), line(1), line(2), line(3)];
        for column in (0..columns).step_by(2) {
            let pair = [offsets[column], offsets[(column + 1).min(columns - 1)]];
            let sums = products(a, lines, b, pair, width);
            for r in 0..4.min(rows - row) {
                for j in 0..2.min(columns - column) {
                    c[(row + r) * columns + column + j] += total(sums[r][j]);
                }
            }
        }
    }
}

/// Adds ABᵀ to C as [`add_products`] does, but each number of C is [`LANES`] numbers of `lanes`
/// whose sum it is: many products can be added before [`add_totals`] adds them up once.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn add_lanes<E: Real>(
    rows: usize,
    width: usize,
    a: &[E],
    a_row: usize,
    b: &[E],
    offsets: &[usize],
    lanes: &mut [E],
) {
    let columns = offsets.len();
    // Beyond the last row and column the last one is repeated, and the result dropped.
    for row in (0..rows).step_by(4) {
        let line = |r: usize| (row + r).min(rows - 1) * a_row;
        let lines = [line(0), line(1), line(2), line(3)];
        for column in (0..columns).step_by(2) {
            let pair = [offsets[column], offsets[(column + 1).min(columns - 1)]];
            let sums = products(a, lines, b, pair, width);
            for r in 0..4.min(rows - row) {
                for j in 0..2.min(columns - column) {
                    let at = (row + r) * columns + column + j;
                    let to = &mut lanes[at * LANES..][..LANES];
                    for l in 0..LANES {
                        to[l] += sums[r][j][l];
                    }
                }
            }
        }
    }
}

/// Adds the sum of each [`LANES`] numbers of `lanes` to a number of `c`.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn add_totals<E: Real>(lanes: &[E], c: &mut [E]) {
    for (c, lanes) in c.iter_mut().zip(lanes.chunks_exact(LANES)) {
        *c += total(*lanes.first_chunk().expect("a chunk has all lanes"));
    }
}

/// The lanes of the products of four rows with two.
#[inline(always)]
fn products<E: Real>(
    a: &[E],
    lines: [usize; 4],
    b: &[E],
    offsets: [usize; 2],
    width: usize,
) -> [[[E; LANES]; 2]; 4] {
    let mut sums = [[[E::zero(); LANES]; 2]; 4];
    let (a0, a1) = (&a[lines[0]..][..width], &a[lines[1]..][..width]);
    let (a2, a3) = (&a[lines[2]..][..width], &a[lines[3]..][..width]);
    let (b0, b1) = (&b[offsets[0]..][..width], &b[offsets[1]..][..width]);
    let left = a0.chunks_exact(LANES).zip(a1.chunks_exact(LANES));
    let left = left.zip(a2.chunks_exact(LANES).zip(a3.chunks_exact(LANES)));
    let right = b0.chunks_exact(LANES).zip(b1.chunks_exact(LANES));
    for (((a0, a1), (a2, a3)), (b0, b1)) in left.zip(right) {
        for l in 0..LANES {
            sums[0][0][l] = a0[l].mul_add(b0[l], sums[0][0][l]);
        }
        for l in 0..LANES {
            sums[0][1][l] = a0[l].mul_add(b1[l], sums[0][1][l]);
        }
        for l in 0..LANES {
            sums[1][0][l] = a1[l].mul_add(b0[l], sums[1][0][l]);
        }
        for l in 0..LANES {
            sums[1][1][l] = a1[l].mul_add(b1[l], sums[1][1][l]);
        }
        for l in 0..LANES {
            sums[2][0][l] = a2[l].mul_add(b0[l], sums[2][0][l]);
        }
        for l in 0..LANES {
            sums[2][1][l] = a2[l].mul_add(b1[l], sums[2][1][l]);
        }
        for l in 0..LANES {
            sums[3][0][l] = a3[l].mul_add(b0[l], sums[3][0][l]);
        }
        for l in 0..LANES {
            sums[3][1][l] = a3[l].mul_add(b1[l], sums[3][1][l]);
        }
    }
    // Otherwise the compiler mixes the lanes with what follows and finds no vectors.
    std::hint::black_box(sums)
}

/// The sum of all lanes, by halves.
#[inline(always)]
fn total<E: Real>(mut lanes: [E; LANES]) -> E {
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn lanes<E>(data: &[E], at: usize) -> &[E; LANES] {
    data[at..].first_chunk().expect("rows are padded to full lanes")
}

/// Windows over a plane of numbers, and what is done with the largest number of each.
#[derive(Clone, Copy)]
pub(crate) struct Windows<E> {
    /// Distance of two rows of the plane.
    pub pitch: usize,
    /// Windows in a row.
    pub columns: usize,
    /// Height and width of a window.
    pub size: usize,
    /// Distance of two windows.
    pub stride: usize,
    /// Added to every number first.
    pub bias: E,
    /// Where the winner is said to lie if it is not positive; its value then becomes zero.
    pub not_positive: Option<u32>,
}

/// Finds the largest number under each window, and where in the plane it lies.
///
/// Of equal numbers the first wins, row by row.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn largest_of_windows<E: Real>(
    plane: &[E],
    windows: Windows<E>,
    values: &mut [E],
    winners: &mut [u32],
) {
    let Windows { pitch, columns, size, stride, not_positive, .. } = windows;
    let rows = values.chunks_exact_mut(columns).zip(winners.chunks_exact_mut(columns));
    for (row, (values, winners)) in rows.enumerate() {
        let top = row * stride * pitch;
        let lines = &plane[top..];
        match (size, stride) {
            (1, 1) => largest_of_one(lines, top as u32, windows.bias, values, winners),
            (2, 2) => largest_of_four(lines, top as u32, windows, values, winners),
            _ => largest_of_any(lines, top as u32, windows, values, winners),
        }
        if let Some(place) = not_positive {
            for (value, winner) in values.iter_mut().zip(winners) {
                let passes = *value > E::zero();
                *value = if passes { *value } else { E::zero() };
                *winner = if passes { *winner } else { place };
            }
        }
    }
}

#[inline(always)]
fn largest_of_one<E: Real>(lines: &[E], top: u32, bias: E, values: &mut [E], winners: &mut [u32]) {
    for (at, ((value, winner), &number)) in values.iter_mut().zip(winners).zip(lines).enumerate() {
        *value = number + bias;
        *winner = top + at as u32;
    }
}

#[inline(always)]
fn largest_of_four<E: Real>(
    lines: &[E],
    top: u32,
    Windows { pitch, columns, bias, .. }: Windows<E>,
    values: &mut [E],
    winners: &mut [u32],
) {
    let (upper, lower) = (&lines[..2 * columns], &lines[pitch..][..2 * columns]);
    let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
    for (at, ((value, winner), (upper, lower))) in
        values.iter_mut().zip(winners).zip(pairs).enumerate()
    {
        let first = top + 2 * at as u32;
        let (mut best, mut place) = (upper[0] + bias, first);
        for (number, candidate) in [
            (upper[1] + bias, first + 1),
            (lower[0] + bias, first + pitch as u32),
            (lower[1] + bias, first + pitch as u32 + 1),
        ] {
            let wins = number > best;
            best = if wins { number } else { best };
            place = if wins { candidate } else { place };
        }
        *value = best;
        *winner = place;
    }
}

#[inline(always)]
fn largest_of_any<E: Real>(
    lines: &[E],
    top: u32,
    Windows { pitch, size, stride, bias, .. }: Windows<E>,
    values: &mut [E],
    winners: &mut [u32],
) {
    for (column, (value, winner)) in values.iter_mut().zip(winners).enumerate() {
        for place in 0..size * size {
            let at = column * stride + place / size * pitch + place % size;
            let number = lines[at] + bias;
            if place == 0 || number > *value {
                (*value, *winner) = (number, top + at as u32);
            }
        }
    }
}

/// Adds up numbers.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn sum<E: Real>(numbers: &[E]) -> E {
    let mut sums = [E::zero(); LANES];
    let mut chunks = numbers.chunks_exact(LANES);
    for chunk in &mut chunks {
        for l in 0..LANES {
            sums[l] += chunk[l];
        }
    }
    for (sum, &number) in sums.iter_mut().zip(chunks.remainder()) {
        *sum += number;
    }
    total(sums)
}

/// Adds numbers to others.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
pub(crate) fn add<E: Real>(to: &mut [E], what: &[E]) {
    for (to, &what) in to.iter_mut().zip(what) {
        *to += what;
    }
}
