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
    clippy::too_many_arguments,
    reason = "loops over fixed numbers of lanes and rows, which the compiler unrolls"
)]

use dfdx::dtypes::Dtype;
use dfdx::prelude::{Cpu, Storage};
use multiversion::multiversion;
use num_traits::Float;

/// A floating-point type for which the kernels are compiled.
pub trait Real: Dtype + Float {
    /// The numbers in a buffer of dfdx's on the CPU.
    fn numbers(buffer: &mut <Cpu as Storage<Self>>::Vec) -> &mut Vec<Self>;
}

impl Real for f32 {
    fn numbers(buffer: &mut <Cpu as Storage<Self>>::Vec) -> &mut Vec<Self> {
        buffer
    }
}

impl Real for f64 {
    fn numbers(buffer: &mut <Cpu as Storage<Self>>::Vec) -> &mut Vec<Self> {
        buffer
    }
}

/// Numbers that are processed together; widths are padded to multiples of it.
pub(crate) const LANES: usize = 16;

/// Rows of the result that are computed together.
const ROWS: usize = 8;

/// The smallest multiple of [`LANES`] that is not below `width`.
pub(crate) fn padded(width: usize) -> usize {
    width.next_multiple_of(LANES)
}

/// A matrix in a slice, by the strides of its rows and columns.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a, E> {
    pub data: &'a [E],
    pub row: usize,
    pub column: usize,
}

/// Adds AB to C, or puts it there; A is `rows` × `offsets.len()`.
///
/// Row p of B is the `width` numbers of `b` from `offsets[p]`, row i of C those of `c` from
/// `i * c_row`. `width` is a multiple of [`LANES`].
#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512dq+avx2+fma",
    "x86_64+avx2+fma",
))]
pub(crate) fn multiply<E: Real>(
    rows: usize,
    width: usize,
    a: Strided<'_, E>,
    b: &[E],
    offsets: &[usize],
    c: &mut [E],
    c_row: usize,
    keep: bool,
) {
    let mut row = 0;
    while row + ROWS <= rows {
        multiply_rows::<E, ROWS>(row, width, a, b, offsets, c, c_row, keep);
        row += ROWS;
    }
    while row + 4 <= rows {
        multiply_rows::<E, 4>(row, width, a, b, offsets, c, c_row, keep);
        row += 4;
    }
    while row < rows {
        multiply_rows::<E, 1>(row, width, a, b, offsets, c, c_row, keep);
        row += 1;
    }
}

#[inline(always)]
fn multiply_rows<E: Real, const R: usize>(
    row: usize,
    width: usize,
    a: Strided<'_, E>,
    b: &[E],
    offsets: &[usize],
    c: &mut [E],
    c_row: usize,
    keep: bool,
) {
    for at in (0..width).step_by(LANES) {
        let mut sums = [[E::zero(); LANES]; R];
        if keep {
            for r in 0..R {
                sums[r].copy_from_slice(&c[(row + r) * c_row + at..][..LANES]);
            }
        }
        for (p, offset) in offsets.iter().enumerate() {
            let right: &[E; LANES] = lanes(b, offset + at);
            let column = &a.data[row * a.row + p * a.column..];
            for r in 0..R {
                let left = column[r * a.row];
                for l in 0..LANES {
                    sums[r][l] = left.mul_add(right[l], sums[r][l]);
                }
            }
        }
        for r in 0..R {
            c[(row + r) * c_row + at..][..LANES].copy_from_slice(&sums[r]);
        }
    }
}

/// Adds ABᵀ to C; A is `rows` × `width` with rows `a_row` apart.
///
/// Row j of B is the `width` numbers of `b` from `offsets[j]`; C is `rows` × `offsets.len()`.
/// `width` is a multiple of [`LANES`].
#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512dq+avx2+fma",
    "x86_64+avx2+fma",
))]
pub(crate) fn add_products<E: Real>(
    rows: usize,
    width: usize,
    a: &[E],
    a_row: usize,
    b: &[E],
    offsets: &[usize],
    c: &mut [E],
) {
    let mut row = 0;
    while row + 4 <= rows {
        add_products_rows::<E, 4>(row, width, a, a_row, b, offsets, c);
        row += 4;
    }
    while row < rows {
        add_products_rows::<E, 1>(row, width, a, a_row, b, offsets, c);
        row += 1;
    }
}

#[inline(always)]
fn add_products_rows<E: Real, const R: usize>(
    row: usize,
    width: usize,
    a: &[E],
    a_row: usize,
    b: &[E],
    offsets: &[usize],
    c: &mut [E],
) {
    let mut pairs = offsets.chunks_exact(2);
    let mut column = 0;
    for pair in &mut pairs {
        add_block::<E, R, 2>(row, column, width, a, a_row, b, [pair[0], pair[1]], offsets.len(), c);
        column += 2;
    }
    for &offset in pairs.remainder() {
        add_block::<E, R, 1>(row, column, width, a, a_row, b, [offset], offsets.len(), c);
    }
}

#[inline(always)]
fn add_block<E: Real, const R: usize, const C: usize>(
    row: usize,
    column: usize,
    width: usize,
    a: &[E],
    a_row: usize,
    b: &[E],
    offsets: [usize; C],
    c_row: usize,
    c: &mut [E],
) {
    let mut sums = [[[E::zero(); LANES]; C]; R];
    for at in (0..width).step_by(LANES) {
        let right: [&[E; LANES]; C] = offsets.map(|offset| lanes(b, offset + at));
        for r in 0..R {
            let left: &[E; LANES] = lanes(a, (row + r) * a_row + at);
            for j in 0..C {
                for l in 0..LANES {
                    sums[r][j][l] = left[l].mul_add(right[j][l], sums[r][j][l]);
                }
            }
        }
    }
    for r in 0..R {
        for j in 0..C {
            c[(row + r) * c_row + column + j] += total(sums[r][j]);
        }
    }
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
