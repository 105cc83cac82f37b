//! Attention in blocks of queries, whose weights never leave the cache.
//!
//! In: queries, keys, values. Out: mixed values. Left out: the weights themselves. Backward they
//! are computed once more, in blocks of queries and keys, from the logarithms of their sums (Dao et
//! al., 2022). The mean of the gradients of a query's weights, each weighted by its weight, is
//! the product of the result with its gradient.

use dfdx::prelude::{Cpu, HasShape, PutTape, ReshapeTo, SplitTape, Tape};

use super::super::{Extent, Sequences, Visible};
use crate::image::tensor;
use crate::kernels::{Before, Buffer};
use crate::products::{Panels, View, in_parallel, multiply_panels};
use crate::tape::{copy, put_back, take};
use crate::vectors;

/// Queries whose weights are computed together.
const QUERIES: usize = 96;
/// Queries and keys whose weights are computed together backward: they and their gradients fill
/// half of the second cache.
const QUERIES_BACK: usize = 192;
const KEYS_BACK: usize = 352;

pub(super) fn attend<T: Tape<f32, Cpu>>(
    queries: Sequences<f32, Cpu, T>,
    keys: Sequences<f32, Cpu, T>,
    values: Sequences<f32, Cpu, T>,
    heads: usize,
    visible: &Visible,
) -> Sequences<f32, Cpu, T> {
    let extent = Extent::new(&queries, &keys, *values.shape(), heads, visible);
    let (queries, tape) = queries.contiguous().split_tape();
    let (keys, keys_tape) = keys.contiguous().split_tape();
    let (values, values_tape) = values.contiguous().split_tape();
    let mut tape = tape.merge(keys_tape).merge(values_tape);
    let kernel = Attention { extent, visible: visible.clone() };
    let (q, k, v) = (copy(&queries), copy(&keys), copy(&values));
    let mut results = Buffer::any(q.len());
    let mut logarithms = Buffer::any(extent.batch * heads * extent.queries);
    let (of_queries, of_keys) = kernel.chunks();
    let jobs = results.chunks_exact_mut(of_queries);
    let jobs = jobs.zip(logarithms.chunks_exact_mut(heads * extent.queries)).enumerate();
    in_parallel(jobs.collect(), |(sequence, (out, logarithms))| {
        let q = &q[sequence * of_queries..][..of_queries];
        let (k, v) = (&k[sequence * of_keys..][..of_keys], &v[sequence * of_keys..][..of_keys]);
        kernel.forward(sequence, [q, k, v], out, logarithms);
    });
    let result = tensor(queries.device(), &results, *queries.shape());

    if T::OWNS_TAPE {
        let out = result.clone();
        tape.add_backward_op(move |gradients| {
            let gradient = take(gradients, &out)?;
            let results = copy(&out);
            let mut to_q = take(gradients, &queries)?;
            let mut to_k = take(gradients, &keys)?;
            let mut to_v = take(gradients, &values)?;
            let to = to_q.chunks_exact_mut(of_queries).zip(to_k.chunks_exact_mut(of_keys));
            let to = to.zip(to_v.chunks_exact_mut(of_keys)).enumerate().collect();
            in_parallel(to, |(sequence, ((to_q, to_k), to_v))| {
                let q = &q[sequence * of_queries..][..of_queries];
                let k = &k[sequence * of_keys..][..of_keys];
                let v = &v[sequence * of_keys..][..of_keys];
                let given = &gradient[sequence * of_queries..][..of_queries];
                let known = heads * extent.queries;
                let results = Results {
                    mixed: &results[sequence * of_queries..][..of_queries],
                    logarithms: &logarithms[sequence * known..][..known],
                };
                kernel.backward(sequence, [q, k, v], results, given, [to_q, to_k, to_v]);
            });
            put_back(gradients, &queries, to_q)?;
            put_back(gradients, &keys, to_k)?;
            put_back(gradients, &values, to_v)?;
            put_back(gradients, &out, gradient)
        });
    }
    result.put_tape(tape)
}

/// What came out for a sequence.
struct Results<'a> {
    mixed: &'a [f32],
    logarithms: &'a [f32],
}

struct Attention {
    extent: Extent,
    visible: Visible,
}

impl Attention {
    /// Numbers of the queries and of the keys of a sequence.
    fn chunks(&self) -> (usize, usize) {
        let Extent { queries, keys, width, .. } = self.extent;
        (queries * width, keys * width)
    }

    /// What products of queries with keys are multiplied by.
    fn scale(&self) -> f32 {
        (self.extent.head() as f32).sqrt().recip()
    }

    fn forward(
        &self,
        sequence: usize,
        [q, k, v]: [&[f32]; 3],
        out: &mut [f32],
        logarithms: &mut [f32],
    ) {
        let Extent { queries, keys, width, heads, .. } = self.extent;
        let size = self.extent.head();
        let mut weights = Buffer::any(QUERIES.min(queries) * keys);
        for head in 0..heads {
            let part = head * size;
            let turned = Panels::new(size, keys, View::rows(&k[part..], width).turned());
            let values = Panels::new(keys, size, View::rows(&v[part..], width));
            for first in (0..queries).step_by(QUERIES) {
                let count = QUERIES.min(queries - first);
                let block = View::rows(&q[first * width + part..], width);
                let dropped = Before::Dropped;
                multiply_panels(count, block, &turned, &mut weights, keys, dropped);
                for (row, weights) in weights.chunks_exact_mut(keys).take(count).enumerate() {
                    let seen = self.visible.count(sequence, first + row, keys);
                    let logarithm = vectors::softmax(&mut weights[..seen], self.scale());
                    logarithms[head * queries + first + row] = logarithm;
                    weights[seen..].fill(0.0);
                }
                let to = &mut out[first * width + part..];
                multiply_panels(count, View::rows(&weights, keys), &values, to, width, dropped);
            }
        }
    }

    fn backward(
        &self,
        sequence: usize,
        [q, k, v]: [&[f32]; 3],
        results: Results<'_>,
        given: &[f32],
        [to_q, to_k, to_v]: [&mut [f32]; 3],
    ) {
        let Extent { queries, keys, width, heads, .. } = self.extent;
        let size = self.extent.head();
        let mut weights = Buffer::any(QUERIES_BACK.min(queries) * KEYS_BACK.min(keys));
        let mut changes = Buffer::any(weights.len());
        let mut means = Buffer::any(queries);
        let (dropped, kept) = (Before::Dropped, Before::Kept);
        for head in 0..heads {
            let part = head * size;
            let rows = results.mixed.chunks_exact(width).zip(given.chunks_exact(width));
            for (mean, (mixed, given)) in means.iter_mut().zip(rows) {
                *mean = vectors::dot(&mixed[part..][..size], &given[part..][..size]);
            }
            // Those of queries and of the gradients of what is mixed for them.
            let panels: Vec<[Panels; 2]> = (0..queries)
                .step_by(QUERIES_BACK)
                .map(|first| {
                    let count = QUERIES_BACK.min(queries - first);
                    [q, given].map(|rows| {
                        Panels::new(count, size, View::rows(&rows[first * width + part..], width))
                    })
                })
                .collect();
            for first_key in (0..keys).step_by(KEYS_BACK) {
                let keys = KEYS_BACK.min(keys - first_key);
                let from_key = first_key * width + part;
                let by_row = View::rows(&k[from_key..], width);
                let turned = Panels::new(size, keys, by_row.turned());
                let by_row = Panels::new(keys, size, by_row);
                let by_column = View::rows(&v[from_key..], width).turned();
                let values = Panels::new(size, keys, by_column);
                for (first, [block, given_block]) in (0..queries).step_by(QUERIES_BACK).zip(&panels)
                {
                    let count = QUERIES_BACK.min(queries - first);
                    let from = first * width + part;
                    let [rows, given] = [q, given].map(|rows| View::rows(&rows[from..], width));
                    multiply_panels(count, rows, &turned, &mut weights, keys, dropped);
                    multiply_panels(count, given, &values, &mut changes, keys, dropped);
                    let pairs = weights.chunks_exact_mut(keys).zip(changes.chunks_exact_mut(keys));
                    for (row, (weights, changes)) in pairs.take(count).enumerate() {
                        let query = first + row;
                        let seen = self.visible.count(sequence, query, self.extent.keys);
                        let (seen, rest) =
                            weights.split_at_mut(seen.saturating_sub(first_key).min(keys));
                        let (of_seen, of_rest) = changes.split_at_mut(seen.len());
                        let logarithm = results.logarithms[head * queries + query];
                        let mean = means[query];
                        vectors::softmax_back(seen, of_seen, self.scale(), logarithm, mean);
                        rest.fill(0.0);
                        of_rest.fill(0.0);
                    }
                    let weights = View::rows(&weights, keys).turned();
                    multiply_panels(keys, weights, given_block, &mut to_v[from_key..], width, kept);
                    let changes = View::rows(&changes, keys);
                    multiply_panels(count, changes, &by_row, &mut to_q[from..], width, kept);
                    let changes = changes.turned();
                    multiply_panels(keys, changes, block, &mut to_k[from_key..], width, kept);
                }
            }
        }
    }
}
