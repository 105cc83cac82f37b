//! Products of large matrices in single precision, on several threads.
//!
//! In: slices with the strides of their rows and columns. Out: rows of a slice. Left out: double
//! precision, and matrices whose rows and columns both lie apart.
//!
//! The right-hand side is packed into panels of [`WIDE`] columns, of which a piece of [`DEPTH`]
//! rows fits into the nearest cache; the left-hand side is read where it lies. Every number is
//! added up in one order, whatever the number of threads.

#![expect(
    clippy::needless_range_loop,
    reason = "loops over fixed numbers of lanes and rows, which the compiler unrolls"
)]

use std::sync::OnceLock;

use multiversion::multiversion;

use crate::kernels::{Before, Buffer};

/// Rows of a product that are computed together.
const ROWS: usize = 8;
/// Columns of a panel.
const WIDE: usize = 32;
/// Columns of the last panel if no more are left.
const NARROW: usize = 16;
/// Rows of a panel that are used before those below.
const DEPTH: usize = 256;
/// Products and sums for which another thread is worth starting.
const WORTH_A_THREAD: usize = 1 << 20;

/// A matrix with `data[i * row + j * column]` in row i and column j.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub data: &'a [f32],
    pub row: usize,
    pub column: usize,
}

impl<'a> View<'a> {
    /// A matrix whose rows are `row` apart.
    pub(crate) fn rows(data: &'a [f32], row: usize) -> Self {
        Self { data, row, column: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    pub(crate) fn turned(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }

    fn below(self, first: usize) -> Self {
        Self { data: &self.data[first * self.row..], ..self }
    }
}

/// The right-hand side of products.
pub(crate) struct Panels {
    depth: usize,
    columns: usize,
    numbers: Buffer<f32>,
}

impl Panels {
    /// Packs a matrix of `depth` rows.
    pub(crate) fn new(depth: usize, columns: usize, from: View<'_>) -> Self {
        let width = columns / WIDE * WIDE + panel_width(columns % WIDE);
        let mut numbers = Buffer::zeros(width * depth);
        let mut rest: &mut [f32] = &mut numbers;
        for first in (0..columns).step_by(WIDE) {
            let width = panel_width(columns - first);
            let (panel, behind) = rest.split_at_mut(width * depth);
            rest = behind;
            let count = width.min(columns - first);
            if from.column == 1 {
                for (row, to) in panel.chunks_exact_mut(width).enumerate() {
                    to[..count].copy_from_slice(&from.data[row * from.row + first..][..count]);
                }
            } else {
                for column in 0..count {
                    let source = from.data[(first + column) * from.column..].iter();
                    let source = source.step_by(from.row);
                    let to = panel[column..].iter_mut().step_by(width);
                    to.zip(source).for_each(|(to, &from)| *to = from);
                }
            }
        }
        Self { depth, columns, numbers }
    }
}

fn panel_width(columns: usize) -> usize {
    match columns {
        0 => 0,
        1..=NARROW => NARROW,
        _ => WIDE,
    }
}

/// Computes C = AB or C + AB on several threads, if it is worth it.
///
/// A has `rows` rows, those of C are `c_row` apart. The columns of A or its rows lie together.
pub(crate) fn product(
    rows: usize,
    a: View<'_>,
    b: &Panels,
    c: &mut [f32],
    c_row: usize,
    before: Before,
) {
    let work = rows * b.depth * b.columns;
    let parts = threads().min(work / WORTH_A_THREAD).max(1);
    let share = rows.div_ceil(parts).next_multiple_of(ROWS);
    let jobs = c.chunks_mut(share * c_row).take(rows.div_ceil(share)).enumerate();
    in_parallel(jobs.collect(), |(part, c)| {
        let first = part * share;
        let count = share.min(rows - first);
        multiply_panels(count, a.below(first), b, c, c_row, before);
    });
}

/// Computes C = AB or C + AB on this thread.
pub(crate) fn multiply_panels(
    rows: usize,
    a: View<'_>,
    b: &Panels,
    c: &mut [f32],
    c_row: usize,
    before: Before,
) {
    for top in (0..b.depth).step_by(DEPTH) {
        let depth = DEPTH.min(b.depth - top);
        let before = if top == 0 { before } else { Before::Kept };
        let mut panel = 0;
        for first in (0..b.columns).step_by(WIDE) {
            let width = panel_width(b.columns - first);
            let piece = &b.numbers[panel + top * width..][..depth * width];
            panel += width * b.depth;
            let a = View { data: &a.data[top * a.column..], ..a };
            let columns = width.min(b.columns - first);
            let to = To { c: &mut c[first..], c_row, columns, before };
            if width == WIDE {
                multiply_panel::<WIDE>(rows, a, piece, to);
            } else {
                multiply_panel::<NARROW>(rows, a, piece, to);
            }
        }
    }
}

/// Where a panel of results goes.
struct To<'a> {
    c: &'a mut [f32],
    c_row: usize,
    columns: usize,
    before: Before,
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma",))]
fn multiply_panel<const W: usize>(rows: usize, a: View<'_>, panel: &[f32], to: To<'_>) {
    let depth = panel.len() / W;
    for first in (0..rows).step_by(ROWS) {
        let count = ROWS.min(rows - first);
        let sums = if a.column == 1 {
            let mut lines: [&[f32]; ROWS] = [&[]; ROWS];
            for r in 0..ROWS {
                // Beyond the last row that one is repeated, and the result dropped.
                lines[r] = &a.data[(first + r.min(count - 1)) * a.row..][..depth];
            }
            of_rows::<W>(lines, panel)
        } else if count == ROWS {
            of_columns::<W>(&a.data[first..], a.column, panel)
        } else {
            let mut last = [0.0; ROWS * DEPTH];
            for (p, to) in last.chunks_exact_mut(ROWS).take(depth).enumerate() {
                to[..count].copy_from_slice(&a.data[p * a.column + first..][..count]);
            }
            of_columns::<W>(&last, ROWS, panel)
        };
        for r in 0..count {
            let to_row = &mut to.c[(first + r) * to.c_row..][..to.columns];
            let sums = &sums[r][..to.columns];
            match to.before {
                Before::Dropped => to_row.copy_from_slice(sums),
                Before::Kept => to_row.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum),
            }
        }
    }
}

#[inline(always)]
fn of_rows<const W: usize>(mut lines: [&[f32]; ROWS], panel: &[f32]) -> [[f32; W]; ROWS] {
    let mut sums = [[0.0; W]; ROWS];
    let depth = panel.len() / W;
    for r in 0..ROWS {
        lines[r] = &lines[r][..depth];
    }
    for (p, right) in panel.chunks_exact(W).enumerate() {
        let right: &[f32; W] = right.first_chunk().expect("a row of the panel");
        for r in 0..ROWS {
            let left = lines[r][p];
            for l in 0..W {
                sums[r][l] = left.mul_add(right[l], sums[r][l]);
            }
        }
    }
    // Otherwise the compiler mixes the lanes with what follows and finds no vectors.
    std::hint::black_box(sums)
}

#[inline(always)]
fn of_columns<const W: usize>(data: &[f32], step: usize, panel: &[f32]) -> [[f32; W]; ROWS] {
    let mut sums = [[0.0; W]; ROWS];
    let length = (panel.len() / W - 1) * step + 1;
    let mut lines: [&[f32]; ROWS] = [&[]; ROWS];
    for r in 0..ROWS {
        // The compiler is not to see that the rows lie together: it would make vectors of them.
        lines[r] = &std::hint::black_box(&data[r..])[..length];
    }
    for (p, right) in panel.chunks_exact(W).enumerate() {
        let right: &[f32; W] = right.first_chunk().expect("a row of the panel");
        for r in 0..ROWS {
            let left = lines[r][p * step];
            for l in 0..W {
                sums[r][l] = left.mul_add(right[l], sums[r][l]);
            }
        }
    }
    std::hint::black_box(sums)
}

/// Does all jobs, shared out among the threads; the last share is done on this one.
pub(crate) fn in_parallel<J: Send>(mut jobs: Vec<J>, work: impl Fn(J) + Sync) {
    let share = jobs.len().div_ceil(threads()).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        while jobs.len() > share {
            let others = jobs.split_off(jobs.len() - share);
            scope.spawn(move || others.into_iter().for_each(work));
        }
        jobs.into_iter().for_each(work);
    });
}

/// How many threads to use: as many as `RAYON_NUM_THREADS` says, which dfdx obeys as well, or one
/// for each processor.
pub(crate) fn threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| {
        let asked = std::env::var("RAYON_NUM_THREADS").ok().and_then(|count| count.parse().ok());
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        asked.filter(|count| *count > 0).unwrap_or_else(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|at| ((at * 7919 + seed * 31) % 23) as f32 - 11.0).collect()
    }

    /// Whole numbers, so that every order of sums gives the same.
    #[test]
    fn products_agree_with_plain_loops_however_the_factors_lie() {
        for (seed, (rows, depth, columns)) in
            [(1, 1, 1), (8, 3, 32), (9, 300, 49), (17, 5, 16), (30, 513, 100), (300, 90, 70)]
                .into_iter()
                .enumerate()
        {
            let (a, b) = (numbers(rows * depth, seed), numbers(depth * columns, seed + 9));
            let mut expected = vec![0.0; rows * columns];
            for (at, sum) in expected.iter_mut().enumerate() {
                let (i, j) = (at / columns, at % columns);
                *sum = (0..depth).map(|p| a[i * depth + p] * b[p * columns + j]).sum();
            }
            let turn = |data: &[f32], rows: usize, columns: usize| -> Vec<f32> {
                (0..data.len()).map(|at| data[at % rows * columns + at / rows]).collect()
            };
            let (a_turned, b_turned) = (turn(&a, rows, depth), turn(&b, depth, columns));
            let lefts = [View::rows(&a, depth), View::rows(&a_turned, rows).turned()];
            let rights = [View::rows(&b, columns), View::rows(&b_turned, depth).turned()];
            for left in lefts {
                for right in rights {
                    let pitch = columns + 3;
                    let mut c = vec![1.0; rows * pitch];
                    let panels = Panels::new(depth, columns, right);
                    product(rows, left, &panels, &mut c, pitch, Before::Dropped);
                    product(rows, left, &panels, &mut c, pitch, Before::Kept);
                    for (row, expected) in c.chunks(pitch).zip(expected.chunks(columns)) {
                        assert!(row.iter().zip(expected).all(|(got, want)| *got == 2.0 * want));
                        assert_eq!(row[columns..], [1.0; 3]);
                    }
                }
            }
        }
    }
}
