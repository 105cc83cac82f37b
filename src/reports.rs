//! What came of a build, for other machines: test runners, code review, a badge.
//!
//! In: [`Findings`]. Out: text in somebody else's format, each in a module of its own. Left out:
//! writing it, and `claims.json`, which is our own format and [`crate::ledger`]'s.

pub mod badge;
pub mod github;
pub mod junit;
pub mod sarif;

use crate::claims::{Judged, Standing, Verdict};
use crate::diag::Diagnostic;

/// What came of a build.
#[derive(Clone, Copy, Debug)]
pub struct Findings<'a> {
    /// Title of the report.
    pub title: &'a str,
    /// Folder of the report as seen from where its repository begins, with `/` at the end; empty if
    /// that is the same. Code review wants paths from there.
    pub prefix: &'a str,
    /// Problems of the report, and of the claims that are not as expected.
    pub problems: &'a [Diagnostic],
    /// All claims.
    pub claims: &'a [Judged],
}

impl<'a> Findings<'a> {
    /// Claims that could not be checked.
    fn open(self) -> impl Iterator<Item = &'a Judged> {
        self.claims.iter().filter(|claim| claim.standing() == Standing::Open)
    }
}

/// Why a claim could not be checked, in one sentence.
fn open_words(claim: &Judged) -> String {
    let reason = match &claim.verdict {
        Verdict::Unverified(reason, _) => reason.word(),
        verdict => verdict.word(),
    };
    match claim.verdict.detail() {
        "" => format!("this claim was not checked ({reason}): {}", claim.id),
        detail => format!("this claim was not checked ({reason}): {}: {detail}", claim.id),
    }
}

/// A problem with its notes and its hint.
fn problem_words(problem: &Diagnostic) -> String {
    let mut words = problem.message.clone();
    let label = problem.label.iter().map(|label| ("", label));
    let notes = problem.notes.iter().map(|note| ("note: ", note));
    for (lead, more) in label.chain(notes).chain(problem.hint.iter().map(|hint| ("help: ", hint))) {
        words.push('\n');
        words.push_str(lead);
        words.push_str(more);
    }
    words
}
