//! The measurement of throughput learns with every network and times each part.

use std::time::Duration;

use dfdx::prelude::AutoDevice;
use veracity_nets::recogniser::Sizes;
use veracity_nets::throughput::{Extent, measure};

#[test]
fn every_network_learns_and_its_parts_are_timed() {
    let speech = Sizes {
        mels: 5,
        frames: 12,
        tokens: 6,
        vocabulary: 7,
        width: 8,
        heads: 2,
        hidden: 10,
        blocks: 1,
    };
    let extent = Extent { batches: &[2], speech, patience: Duration::ZERO, steps: (1, 1) };
    let rows = measure(&AutoDevice::seed_from_u64(1), extent);
    let names: Vec<&str> = rows.iter().map(|row| row.network.as_str()).collect();
    assert_eq!(
        names,
        [
            "pooled CNN, batch 2",
            "strided CNN, batch 2",
            "recurrent speech, 4 clips",
            "attention speech, 4 clips"
        ]
    );
    for row in rows {
        assert!(row.rate.is_finite() && row.rate > 0.0, "{row:?}");
        assert!(!row.step.is_zero() && !row.parts.issue.is_zero(), "{row:?}");
    }
}
