//! Claims that must hold on several devices.
//!
//! In: what was found on this build's device, and the results of others. Out: what was found on each,
//! with how far the values lie apart, and a verdict that speaks for all. Where the results of others
//! come from is [`crate::pipeline`]'s.

use std::collections::BTreeMap;

use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive};

use super::finding::Finding;
use super::{Names, Site};
use crate::claims::{Expected, OnDevice, Reason, Verdict, exact};

/// Judges a claim on the other devices on which it must hold, and makes its verdict that of all.
pub(super) fn compare(
    finding: &mut Finding<'_>,
    site: &Site,
    here: &Names<'_>,
    elsewhere: &BTreeMap<&str, Names<'_>>,
) -> Vec<OnDevice> {
    let Some(own) = finding.cell.and_then(|(chapter, cell)| here.cell(chapter, cell)) else {
        return Vec::new();
    };
    if finding.devices.is_empty() {
        return Vec::new();
    }
    let mut all = vec![OnDevice {
        device: own.device.clone(),
        verdict: finding.verdict.clone(),
        value: finding.value.clone(),
        difference: None,
        key: Some(own.key.clone()),
    }];
    for device in finding.devices.iter().filter(|device| **device != own.device) {
        all.push(match elsewhere.get(device.as_str()) {
            Some(names) => on(device, finding, site, names),
            None => OnDevice {
                device: device.clone(),
                verdict: Verdict::Unverified(Reason::NeedsDevice, missing(device)),
                value: None,
                difference: None,
                key: None,
            },
        });
    }
    finding.verdict = of_all(&all, finding.expected);
    all
}

/// Why there is nothing of a device.
pub(crate) fn missing(device: &str) -> String {
    format!(
        "nothing was computed on `{device}` from these sources; build with `--device {device}` where \
         there is one, or import the results of a bundle"
    )
}

fn on(device: &str, finding: &Finding<'_>, site: &Site, names: &Names<'_>) -> OnDevice {
    let there = Finding::of(site, names);
    let both = finding.number.as_ref().zip(there.number.as_ref());
    let result = there.cell.and_then(|(chapter, cell)| names.cell(chapter, cell));
    OnDevice {
        device: device.to_owned(),
        difference: both.map(|(here, there)| distance(&(here - there).abs())),
        key: result.filter(|result| result.is_done()).map(|result| result.key.clone()),
        verdict: there.verdict,
        value: there.value,
    }
}

/// A difference, exactly if that is short.
fn distance(difference: &BigRational) -> String {
    let exact = exact::shown(difference);
    match difference.to_f64().filter(|_| exact.starts_with('≈')) {
        Some(rounded) => format!("≈ {rounded:.1e}"),
        None => exact,
    }
}

/// The verdict that decides: one that is not as expected before one that is open.
fn of_all(all: &[OnDevice], expected: Expected) -> Verdict {
    let rank = |found: &&OnDevice| match (&found.verdict, expected) {
        (Verdict::Error(_), _) => 0,
        (Verdict::Vacuous(_), _) => 1,
        (Verdict::Refuted(_), Expected::Verified) | (Verdict::Verified, Expected::Refuted) => 2,
        (Verdict::Unverified(..), _) => 3,
        _ => 4,
    };
    let worst = all.iter().min_by_key(rank).expect("the first is of this build's device");
    let told = |words: &str| format!("on {}: {words}", worst.device);
    match &worst.verdict {
        Verdict::Verified => Verdict::Verified,
        Verdict::Refuted(words) => Verdict::Refuted(told(words)),
        Verdict::Unverified(reason, words) => Verdict::Unverified(*reason, told(words)),
        Verdict::Vacuous(words) => Verdict::Vacuous(told(words)),
        Verdict::Error(words) => Verdict::Error(told(words)),
    }
}
