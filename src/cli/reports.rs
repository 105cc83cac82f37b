//! `--report`: what came of a build, in the formats of other machines.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{Session, relative, summary};
use crate::diag::Diagnostic;
use crate::kernel::workspace::write_if_changed;
use crate::pipeline::Evaluated;
use crate::reports::{Findings, badge, github, junit, sarif};

/// One wish of `--report`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// JUnit XML into a file.
    Junit(PathBuf),
    /// SARIF 2.1.0 into a file.
    Sarif(PathBuf),
    /// An SVG into a file.
    Badge(PathBuf),
    /// Annotations of GitHub on standard output.
    Github,
}

impl FromStr for Report {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const KNOWN: &str = "known are junit=FILE, sarif=FILE, badge=FILE and github";
        match text.split_once('=') {
            Some((_, "")) => Err(format!("it names no file; {KNOWN}")),
            Some(("junit", file)) => Ok(Self::Junit(file.into())),
            Some(("sarif", file)) => Ok(Self::Sarif(file.into())),
            Some(("badge", file)) => Ok(Self::Badge(file.into())),
            None if text == "github" => Ok(Self::Github),
            None if ["junit", "sarif", "badge"].contains(&text) => {
                Err(format!("say into which file: {text}=FILE"))
            }
            _ => Err(KNOWN.to_owned()),
        }
    }
}

/// Writes all that were asked for; files are relative to the present folder.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn write(
    session: &Session,
    root: &Path,
    evaluated: &Evaluated,
    wanted: &[Report],
) -> Result<(), Vec<Diagnostic>> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut problems = evaluated.diagnostics.clone();
    problems.extend(summary::claims(&evaluated.document));
    let prefix = prefix(root);
    let findings = Findings {
        title: &evaluated.document.title,
        prefix: &prefix,
        problems: &problems,
        claims: &evaluated.document.claims,
    };
    for report in wanted {
        let (path, text) = match report {
            Report::Junit(path) => (path, junit::text(findings)),
            Report::Sarif(path) => (path, sarif::text(findings)),
            Report::Badge(path) => (path, badge::text(findings)),
            Report::Github => {
                session.print(&github::text(findings));
                continue;
            }
        };
        file(path, &text)?;
    }
    Ok(())
}

/// Writes a file that a person asked for, in the place of nothing or of one of its kind.
///
/// # Errors
/// If it cannot be written, or would take the place of a folder or of another kind of file.
pub(super) fn file(path: &Path, text: &str) -> Result<(), Vec<Diagnostic>> {
    let here = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let refused = |what: &str| {
        let words = format!("{} is {what}, and is left as it is", path.display());
        Err(vec![Diagnostic::global("report-file", words).hint("name another file")])
    };
    if here.is_dir() {
        return refused("a folder");
    }
    // An XML or SVG file begins with its first word, a JSON file with its bracket.
    let opening = if text.starts_with('<') { 4 } else { 1 };
    match std::fs::read(&here) {
        Ok(present) if !present.is_empty() && !present.starts_with(&text.as_bytes()[..opening]) => {
            return refused("a file of another kind");
        }
        _ => {}
    }
    write_if_changed(&here, text.as_bytes()).map_err(|error| {
        vec![
            Diagnostic::global("report-file", format!("cannot write {}: {error}", path.display()))
                .hint("is the disk full, or the folder read-only?"),
        ]
    })
}

/// The report's folder as seen from here, where it is below; with `/` at the end.
fn prefix(root: &Path) -> String {
    let below = relative(root);
    match below.is_relative() {
        true => format!("{}/", below.to_string_lossy().replace('\\', "/")),
        false => String::new(),
    }
}
