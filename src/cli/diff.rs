//! `veracity diff`: what has changed between commits, records or ledgers.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Session, USAGE, WRONG};
use crate::diag::Diagnostic;
use crate::diff::{self, Side, words};
use crate::{git, publish, record};

pub(super) const AFTER_HELP: &str = "\
Exit status:
  0  nothing has changed, or nothing that weakens the report (see --fail-on)
  1  a claim fails, is no longer checked, is now expected to be refuted or was deleted,
     a tolerance was loosened, a check weakened, an exemption added, or data are no longer real
  2  one side could not be read";

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// Revision with a report.lock, or a file: report.lock or claims.json
    old: String,

    /// The same for the other side [default: report.lock as it is; build/claims.json if OLD is one]
    new: Option<String>,

    /// How to show it
    #[arg(long, default_value = "text")]
    format: Format,

    /// Which changes give the exit status 1
    #[arg(long, value_name = "WHAT", default_value = "weakened")]
    fail_on: FailOn,

    /// Folder with claims.json [default: `build` in the report's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// For a pull request
    Markdown,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Those that weaken the report
    Weakened,
    /// All, as diff(1) does
    Any,
    /// None
    Nothing,
}

pub(super) fn run(session: &Session, root: Option<PathBuf>, args: &DiffArgs) -> u8 {
    let compared = |root: Option<&Path>| {
        let old = side(root, &args.old)?;
        let new = match &args.new {
            Some(new) => side(root, new)?,
            None => present(root, args)?,
        };
        Ok(diff::compare(&old, &new))
    };
    let are_files = [Some(&args.old), args.new.as_ref()]
        .iter()
        .all(|side| side.is_some_and(|side| Path::new(side).is_file()));
    let mut changes = Vec::new();
    let mut take = |root: Option<&Path>| match compared(root) {
        Ok(found) => {
            changes = found;
            Ok(0)
        }
        Err(problem) => Err(vec![problem]),
    };
    let failed = match are_files {
        // Two files need no report around them.
        true => session.status_of(take(None)),
        false => session.with_root(root, |root| take(Some(root))),
    };
    if failed != 0 {
        return USAGE;
    }
    session.print(&match args.format {
        Format::Text => words::text(&changes),
        Format::Markdown => words::markdown(&changes),
        Format::Json => words::json(&changes),
    });
    let fails = match args.fail_on {
        FailOn::Weakened => changes.iter().any(|change| change.kind.weakens()),
        FailOn::Any => !changes.is_empty(),
        FailOn::Nothing => false,
    };
    u8::from(fails) * WRONG
}

/// A side by the name that a person gives: a file, or a revision.
fn side(root: Option<&Path>, name: &str) -> Result<Side, Diagnostic> {
    match (Path::new(name).exists(), root) {
        (false, Some(root)) => {
            let text = git::show(root, name, record::FILE)?;
            Side::parse(&format!("{name}:{}", record::FILE), &text)
        }
        _ => file(Path::new(name)),
    }
}

/// The side that is meant if none is named.
fn present(root: Option<&Path>, args: &DiffArgs) -> Result<Side, Diagnostic> {
    let root = root.unwrap_or(Path::new("."));
    let is_ledger = std::fs::read(&args.old).is_ok_and(|bytes| bytes.starts_with(b"{"));
    match is_ledger {
        true => {
            let out = args.out.clone().unwrap_or_else(|| root.join("build"));
            file(&out.join(publish::CLAIMS_FILE))
        }
        false => file(&root.join(record::FILE)),
    }
}

fn file(path: &Path) -> Result<Side, Diagnostic> {
    let shown = super::relative(path).display().to_string();
    let text = std::fs::read(path).map_err(|error| {
        Diagnostic::global("no-record", format!("cannot read {shown}: {error}"))
            .hint("`veracity record` writes report.lock, and `veracity check` claims.json")
    })?;
    Side::parse(&shown, &String::from_utf8_lossy(&text))
}
