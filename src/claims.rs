//! Judges every claim of the prose against what the code produced.
//!
//! In: the claims of all chapters, and the values and checks that cells published. Out:
//! the ledger, one [`Judged`] a claim. Left out: how a verdict looks, which is
//! [`crate::render`]'s.

mod devices;
pub(crate) mod exact;
mod formula;
mod judge;
mod lattice;
mod measure;
pub(crate) mod number;
pub(crate) mod published;
mod relation;
mod rule;
pub(crate) mod slack;
pub(crate) mod strength;
mod table;
mod wording;

pub(crate) use devices::named_in as devices_in;
pub(crate) use formula::weak;
pub(crate) use judge::missing_on;
pub use judge::{Site, Stated, Subject, judge};
pub(crate) use table::aggregate;

use std::collections::BTreeSet;

use veracity_protocol::DataUse;

use crate::diag::Diagnostic;
use crate::span::Span;

/// A claim with its verdict and everything that led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Unique in the report: `chapter/name`, with `#2` and so on for further claims on it.
    pub id: String,
    /// Anchor of the claim in the page.
    pub anchor: String,
    /// Slug of the chapter.
    pub chapter: String,
    /// Where the claim stands.
    pub span: Span,
    /// What the author asserts, as printed.
    pub text: String,
    /// Name of the value or check.
    pub name: String,
    /// Names of further values: those it is computed from, and the one that it quotes.
    pub others: Vec<String>,
    /// How text and value must be related, in words such as `= (4 decimals)` or `± 2 %`.
    pub relation: String,
    /// What of the text is compared with the value.
    pub compared: Compared,
    /// What the author expects.
    pub expected: Expected,
    /// What was found.
    pub verdict: Verdict,
    /// The value at full precision, or the check's outcome in words.
    pub value: Option<String>,
    /// Unit of the value.
    pub unit: Option<String>,
    /// What the verdict rests on.
    pub provenance: Option<Provenance>,
    /// Identifiers of the claims that it is said to follow from.
    pub because: Vec<String>,
    /// What was found on each of the devices on which it must hold, beginning with that of this build;
    /// nothing if one is enough.
    pub devices: Vec<OnDevice>,
}

/// What was found about a claim on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnDevice {
    /// The device.
    pub device: String,
    /// Whether the claim holds there.
    pub verdict: Verdict,
    /// The value there, or the check's outcome in words.
    pub value: Option<String>,
    /// How far the value is from that of this build's device, if both are numbers.
    pub difference: Option<String>,
    /// Cache key of the cell there.
    pub key: Option<String>,
}

impl OnDevice {
    /// Device, value and difference, such as `cuda: 0.8203, which differs by 0.0001`.
    pub fn words(&self) -> String {
        let mut words = format!("{}: {}", self.device, self.value.as_deref().unwrap_or("no value"));
        if let Some(difference) = &self.difference {
            words.push_str(&match difference.as_str() {
                "0" => ", which is the same".to_owned(),
                difference => format!(", which differs by {difference}"),
            });
        }
        words
    }
}

/// What of a claim's text is compared with the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Its numbers, or its words with a text.
    Number,
    /// What its formula gives at a point.
    Formula,
    /// Nothing: something holds or does not.
    Nothing,
}

/// Which verdict the author expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The claim holds.
    Verified,
    /// The claim is quoted because it is wrong.
    Refuted,
}

/// What was found about a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The code agrees.
    Verified,
    /// The code disagrees, with how.
    Refuted(String),
    /// It could not be checked.
    Unverified(Reason, String),
    /// It was "checked" by something that cannot fail, with how.
    Vacuous(String),
    /// The claim itself is at fault, with how.
    Error(String),
}

/// Why a claim could not be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The data set is not at hand.
    NeedsData,
    /// The device is not at hand.
    NeedsDevice,
    /// Another profile would compute it.
    NeedsProfile,
    /// Its cell was not run.
    NotRun,
    /// A cell before it failed.
    Blocked,
    /// A claim that it follows from is not as expected.
    Stale,
    /// Fewer seeds than were declared beforehand.
    TooFewSeeds,
    /// The interval has numbers on both sides of the bound.
    Inconclusive,
    /// Nothing ran, and the record has no result for its cell as it is now.
    NotRecorded,
}

/// What a verdict rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Provenance {
    /// Identifier of the cell in its chapter.
    pub cell: String,
    /// Slug of the cell's chapter.
    pub chapter: String,
    /// Anchor of the cell in its page.
    pub anchor: String,
    /// Cache key of the cell.
    pub key: String,
    /// Device on which it ran.
    pub device: String,
    /// Profile under which it ran.
    pub profile: String,
    /// Data behind the value.
    pub data: Option<DataUse>,
    /// Seed behind the value: its own, or else that of the run.
    pub seed: Option<u64>,
    /// Wall time of the cell in milliseconds; not part of the page's bytes.
    pub duration_ms: u64,
}

/// What the verdict means, given what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Verdict and expectation agree.
    Good,
    /// Not checked; a failure only under `--strict`.
    Open,
    /// A failure.
    Bad,
}

/// Most claims that are named for want of the one that was asked for.
const MOST_NAMED: usize = 5;

/// The claims of a name or identifier.
///
/// # Errors
/// If there is none, with those that there are.
pub fn named<'a>(claims: &'a [Judged], wanted: &str) -> Result<Vec<&'a Judged>, Diagnostic> {
    let is_wanted = |claim: &&Judged| claim.id == wanted || claim.name == wanted;
    let found: Vec<&Judged> = claims.iter().filter(is_wanted).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let names = claims.iter().flat_map(|claim| [claim.id.as_str(), claim.name.as_str()]);
    let similarity = |name: &str| {
        let short = name.rsplit('/').next().unwrap_or(name);
        strsim::jaro_winkler(wanted, name).max(strsim::jaro_winkler(wanted, short))
    };
    let known: BTreeSet<&str> = claims.iter().map(|claim| claim.name.as_str()).collect();
    let mut nearest: Vec<&str> = known.into_iter().collect();
    nearest.sort_by(|a, b| similarity(b).total_cmp(&similarity(a)));
    nearest.truncate(MOST_NAMED);
    Err(Diagnostic::global("unknown-claim", format!("no claim is called `{wanted}`"))
        .note(match nearest.as_slice() {
            [] => "this report makes no claims".to_owned(),
            nearest => format!(
                "the nearest are {}; the ledger lists all {}",
                nearest.join(", "),
                claims.len()
            ),
        })
        .did_you_mean(wanted, names))
}

impl Judged {
    /// What was found on other devices than that of this build, if it must hold there.
    pub fn elsewhere(&self) -> impl Iterator<Item = &OnDevice> {
        self.devices.iter().skip(1)
    }

    /// What the verdict means, given what was expected.
    pub fn standing(&self) -> Standing {
        match (&self.verdict, self.expected) {
            (Verdict::Verified, Expected::Verified) | (Verdict::Refuted(_), Expected::Refuted) => {
                Standing::Good
            }
            (Verdict::Unverified(..), _) => Standing::Open,
            _ => Standing::Bad,
        }
    }
}

impl Verdict {
    /// The verdict in one word, as in `claims.json`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Refuted(_) => "refuted",
            Self::Unverified(..) => "unverified",
            Self::Vacuous(_) => "vacuous",
            Self::Error(_) => "error",
        }
    }

    /// How or why, in words; empty for a verified claim.
    pub fn detail(&self) -> &str {
        match self {
            Self::Verified => "",
            Self::Refuted(detail)
            | Self::Unverified(_, detail)
            | Self::Vacuous(detail)
            | Self::Error(detail) => detail,
        }
    }
}

impl Reason {
    /// The reason as in `claims.json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::NeedsData => "needs-data",
            Self::NeedsDevice => "needs-device",
            Self::NeedsProfile => "needs-profile",
            Self::NotRun => "not-run",
            Self::Blocked => "blocked",
            Self::Stale => "stale",
            Self::TooFewSeeds => "too-few-seeds",
            Self::Inconclusive => "inconclusive",
            Self::NotRecorded => "not-recorded",
        }
    }
}
