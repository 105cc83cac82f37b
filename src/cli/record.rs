//! `veracity record`, and `check --locked` against what it wrote.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Session, WRONG, status};
use crate::diag::{Diagnostic, Severity};
use crate::diff::{self, Change, Side, words};
use crate::exec::{CellStatus, FAILED_TESTS};
use crate::kernel::workspace;
use crate::ledger;
use crate::pipeline::{self, BuildRequest, Evaluated};
use crate::record;
use crate::world::{DiskWorld, World};

/// Which files for download a record keeps; of all of them it has the digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Files {
    Small,
    All,
}

/// Executes a report and records it.
pub(super) fn record(
    session: &Session,
    request: &BuildRequest,
    files: Files,
    strict: bool,
) -> Result<u8, Vec<Diagnostic>> {
    if request.chapter.is_some() {
        return Err(vec![
            Diagnostic::global("record-part", "a record is of a whole report, not of one chapter")
                .hint("leave `--chapter` away; what is stored is not executed again"),
        ]);
    }
    let evaluated = pipeline::check(request, &|event| session.progress.show(event))?;
    session.progress.finish();
    session.results(&evaluated, strict);
    let mut cells = evaluated.executed.chapters.iter().flat_map(|chapter| &chapter.cells);
    let mut found = evaluated.diagnostics.iter();
    if cells.any(|cell| matches!(cell.status, CellStatus::Failed(_)))
        || found.any(|found| FAILED_TESTS.contains(&found.code))
    {
        session.problem(
            &Diagnostic::global(
                "record-failed",
                "a cell or a test failed, so nothing was recorded",
            )
            .hint("mend it, or take it out; the record before is as it was"),
        );
        return Ok(WRONG);
    }
    let (lock, mut folder) = record::of(&evaluated, sources(request, &evaluated)?);
    let all = folder.len();
    if files == Files::Small {
        record::drop_large(&mut folder);
    }
    record::write(&request.root, &lock, &folder).map_err(|problem| vec![problem])?;
    session.say(&format!(
        "recorded {} claims and {} cells in {} and {}; commit both\n",
        lock.claims.len(),
        lock.cells.len(),
        record::FILE,
        record::FOLDER,
    ));
    if folder.len() < all {
        session.say(&format!(
            "{} large files for download are recorded by their digests alone; --with-files keeps them\n",
            all - folder.len(),
        ));
    }
    Ok(status(evaluated.standing(), strict))
}

/// Executes a report from scratch and compares it with its record.
pub(super) fn locked(
    session: &Session,
    request: BuildRequest,
    strict: bool,
) -> Result<(u8, Evaluated), Vec<Diagnostic>> {
    let recorded = lock(&request.root)?;
    let world = DiskWorld::new(&request.root);
    // Without its outputs the record shows nothing.
    record::check(&recorded, &world).map_err(|problem| vec![problem])?;
    let profile = recorded.foundation.profile.clone();
    let request = BuildRequest { profile, from_scratch: true, ..request };
    let evaluated = pipeline::check(&request, &|event| session.progress.show(event))?;
    session.progress.finish();
    session.results(&evaluated, strict);
    let chapter = evaluated.plan.chapters.first();
    let is_other_code = chapter.is_some_and(|it| it.foundation.digest != recorded.foundation.code);
    let (recorded, (now, folder)) = (Side::from(recorded), record::side(&evaluated));
    let mut changes = diff::compare(&recorded, &now);
    let kept = |name: &str| world.read(&format!("{}/{name}", record::FOLDER)).ok();
    let given = |name: &str| folder.get(name).cloned();
    diff::outputs::spell(&recorded, &now, [&kept, &given], &mut changes);
    for words in diff::uncompared(&recorded, &now) {
        session.note(&format!("{words}\n"));
    }
    let drifted = changes.iter().any(|change| !change.kind.is_lesser());
    if drifted {
        session.problem(
            &Diagnostic::global(
                "drift",
                format!("the report is not what `{}` recorded", record::FILE),
            )
            .hint("if it is meant, `veracity record` records it anew, for a reviewer to see"),
        );
        session.print(&words::text(&changes));
    } else {
        session.say(&words::text(&changes));
        session.say(&match is_other_code {
            true => {
                format!("other code, with what {} recorded as far as readers see\n", record::FILE)
            }
            false => format!("as recorded in {}\n", record::FILE),
        });
    }
    let status = if drifted { WRONG } else { status(evaluated.standing(), strict) };
    Ok((status, evaluated))
}

/// What a report promises less than its record, whatever its values are; none without a record.
///
/// A record that cannot be read is told as well, or a damage to it would take the warning away.
pub(super) fn weaker(root: &Path, evaluated: &Evaluated) -> Option<Diagnostic> {
    let recorded = match record::read(&DiskWorld::new(root)) {
        Ok(recorded) => recorded,
        Err(_) if !root.join(record::FILE).exists() => return None,
        Err(problem) => return Some(Diagnostic { severity: Severity::Warning, ..problem }),
    };
    let now =
        Side::parse("claims.json", &ledger::json(&evaluated.document, &BTreeMap::new())).ok()?;
    let changes = diff::compare(&recorded.into(), &now);
    let weaker: Vec<Change> = changes.into_iter().filter(|it| it.kind.promises_less()).collect();
    if weaker.is_empty() {
        return None;
    }
    let words = format!("the report promises less than `{}`", record::FILE);
    let mut problem = Diagnostic::global("weaker-than-record", words)
        .hint("if it is meant, `veracity record` records it anew, for a reviewer to see");
    problem.severity = Severity::Warning;
    for Change { kind, what, from, to, .. } in &weaker {
        let none = || "nothing".to_owned();
        let [from, to] = [from, to].map(|it| it.clone().unwrap_or_else(none));
        problem = problem.note(format!("{}: {what}, from {from} to {to}", kind.words()));
    }
    Some(problem)
}

/// Digest of the code that a report brings.
pub(super) fn sources(
    request: &BuildRequest,
    evaluated: &Evaluated,
) -> Result<String, Vec<Diagnostic>> {
    workspace::sources(&request.root, &evaluated.config).map_err(|problem| vec![problem])
}

fn lock(root: &Path) -> Result<record::Lock, Vec<Diagnostic>> {
    record::read(&DiskWorld::new(root)).map_err(|problem| vec![problem])
}
