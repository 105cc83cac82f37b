//! `veracity explain CLAIM`: the whole chain from the printed number to the run behind it.

use std::fmt::Write as _;

use super::Session;
use crate::claims::{self, Expected, Judged, OnDevice};
use crate::data::kind_word;
use crate::diag::{Diagnostic, printable};
use crate::evidence::{self, Evidence};
use crate::pipeline::{self, BuildEvent, BuildRequest, Evaluated};
use crate::publish::Output;

pub(super) fn explain(
    session: &Session,
    request: &BuildRequest,
    wanted: &str,
) -> Result<u8, Vec<Diagnostic>> {
    let show = |event: BuildEvent<'_>| session.progress.show(event);
    // Its cells may run, and no other build may clear away what they write meanwhile.
    let _output =
        Output::open(&request.out, || show(BuildEvent::Waiting)).map_err(|it| vec![it])?;
    let evaluated =
        pipeline::evaluate(request, &crate::world::DiskWorld::new(&request.root), &show)?;
    session.progress.finish();
    match told(&evaluated, wanted) {
        Ok(words) => session.print(&words),
        Err(problem) => {
            session.problem(&problem);
            return Ok(super::USAGE);
        }
    }
    Ok(0)
}

/// How the claims of a name were judged.
///
/// # Errors
/// If no claim has it.
pub(super) fn told(evaluated: &Evaluated, wanted: &str) -> Result<String, Diagnostic> {
    let found = claims::named(&evaluated.document.claims, wanted)?;
    let evidence = Evidence::of(evaluated, found.iter().copied());
    let words: Vec<String> = found.iter().map(|claim| words(claim, &evidence)).collect();
    Ok(words.join("\n"))
}

/// The verdict on a claim, given what its author expects.
pub(super) fn verdict(claim: &Judged) -> &'static str {
    match (claim.verdict.word(), claim.expected) {
        ("refuted", Expected::Refuted) => "refuted, as expected",
        ("verified", Expected::Refuted) => "verified, but said to be wrong",
        (word, _) => word,
    }
}

fn words(claim: &Judged, evidence: &Evidence) -> String {
    let mut text = String::new();
    let mut line = |name: &str, words: &str| {
        for (index, words) in words.lines().enumerate() {
            let name = if index == 0 { name } else { "" };
            let _ = writeln!(text, "\x1b[1m{name:>9}\x1b[0m {}", printable(words));
        }
    };
    line("claim", &claim.id);
    line("at", &claim.span.to_string());
    line("prose", evidence::paragraph(&claim.span));
    line("asserts", &claim.text);
    line("relation", &claim.relation);
    if !claim.because.is_empty() {
        line("premises", &claim.because.join(", "));
    }
    if let Some(value) = &claim.value {
        let unit = claim.unit.as_deref().unwrap_or_default();
        line("value", format!("{value} {unit}").trim());
    }
    let devices: Vec<String> = claim.devices.iter().map(OnDevice::words).collect();
    line("devices", &devices.join("\n"));
    line("verdict", verdict(claim));
    line("because", claim.verdict.detail());
    for formula in evidence.formulas.get(&claim.id).into_iter().flatten() {
        line("formula", formula);
    }
    for part in evidence.behind(claim) {
        match &part.cell {
            Some(cell) => line("cell", &format!("{cell} at {}", part.place)),
            None => line("module", &format!("at {}", part.place)),
        }
        let code: Vec<String> = part.code.lines().map(|line| format!("| {line}")).collect();
        line("", &code.join("\n"));
    }
    if let Some(run) = &claim.provenance {
        if let Some(data) = &run.data {
            let kind = kind_word(data.kind);
            line("data", &format!("{} ({kind}), digest {}", data.name, data.digest));
        }
        line("run", &format!("cell {}/{}, {} ms", run.chapter, run.cell, run.duration_ms));
        line("device", &run.device);
        line("profile", &run.profile);
        if let Some(seed) = run.seed {
            line("seed", &seed.to_string());
        }
        line("key", &run.key);
    }
    line("again", &evidence.again(claim));
    text
}
