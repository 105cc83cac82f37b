//! `veracity diff`: what has changed between commits, records or ledgers.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Session, USAGE, WRONG};
use crate::diag::Diagnostic;
use crate::diff::{self, Change, Side, outputs, words};
use crate::{document, git, publish, record};

pub(super) const AFTER_HELP: &str = "\
Exit status:
  0  nothing has changed, or nothing that weakens the report (see --fail-on)
  1  a claim fails, is no longer checked, is now expected to be refuted or was deleted,
     a tolerance was loosened, a check weakened, a result is no longer compared, a claim is compared
     in another way, an exemption was added, or data are no longer real
  2  one side could not be read";

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// File, report.lock or claims.json, here or in the report's folder, or a revision with a report.lock
    old: String,

    /// The same for the other side [default: build/claims.json, what the last build says]
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
    let compared = |root: Option<&Path>| -> Result<Vec<Change>, Diagnostic> {
        let old = Named::of(root, &args.old)?;
        let new = match &args.new {
            Some(new) => Named::of(root, new)?,
            None => Named::present(root.unwrap_or(Path::new(".")), args.out.as_deref())?,
        };
        let mut changes = diff::compare(&old.side, &new.side);
        let folders: [outputs::Folder<'_>; 2] = [&|name| old.read(name), &|name| new.read(name)];
        outputs::spell(&old.side, &new.side, folders, &mut changes);
        for words in diff::uncompared(&old.side, &new.side) {
            session.note(&format!("{words}\n"));
        }
        Ok(changes)
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

/// A side, and where the outputs of its cells may be found.
struct Named {
    side: Side,
    origin: Origin,
}

/// Where a side was found.
enum Origin {
    File(PathBuf),
    Revision(PathBuf, String),
}

impl Named {
    /// The side of which a person gives the name: a file here, one of the report, or a revision.
    fn of(root: Option<&Path>, name: &str) -> Result<Self, Diagnostic> {
        let here = Path::new(name).is_file().then(|| PathBuf::from(name));
        let there = || root.map(|root| root.join(name)).filter(|path| path.is_file());
        match (here.or_else(there), root) {
            (Some(path), _) => Self::file(&path),
            (None, Some(root)) => {
                let text = git::show(root, name, record::FILE)?;
                let side = Side::parse(&format!("{name}:{}", record::FILE), &text)?;
                Ok(Self { side, origin: Origin::Revision(root.to_owned(), name.to_owned()) })
            }
            (None, None) => Self::file(Path::new(name)),
        }
    }

    /// What is meant if none is named: what the last build says, if the report is still the one that was built.
    fn present(root: &Path, out: Option<&Path>) -> Result<Self, Diagnostic> {
        let out = out.map_or_else(|| root.join("build"), Path::to_owned);
        let path = out.join(publish::CLAIMS_FILE);
        let ledger = Self::file(&path)?;
        let is_other = |(path, digest): &(&String, &String)| {
            let bytes = std::fs::read(root.join(path)).ok();
            bytes.is_none_or(|bytes| document::digest(&bytes) != **digest)
        };
        let others: Vec<&str> =
            ledger.side.sources.iter().filter(is_other).map(|(path, _)| path.as_str()).collect();
        if others.is_empty() && !ledger.side.sources.is_empty() {
            return Ok(ledger);
        }
        let shown = super::relative(&path).display().to_string();
        let problem = Diagnostic::global(
            "old-ledger",
            format!("{shown} is not of the report as it is"),
        )
        .hint(
            "`veracity check` makes it anew; name `report.lock` to compare with what is recorded",
        );
        Err(match others.is_empty() {
            true => problem.note("it was made by a version that did not say from which files"),
            false => problem.note(format!("changed since it was made: {}", others.join(", "))),
        })
    }

    fn file(path: &Path) -> Result<Self, Diagnostic> {
        let shown = super::relative(path).display().to_string();
        let text = std::fs::read(path).map_err(|error| {
            Diagnostic::global("no-record", format!("cannot read {shown}: {error}"))
                .hint("`veracity record` writes report.lock, and `veracity check` claims.json")
        })?;
        let side = Side::parse(&shown, &String::from_utf8_lossy(&text))?;
        Ok(Self { side, origin: Origin::File(path.to_owned()) })
    }

    /// A file of the folder beside a record.
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        let name = format!("{}/{name}", record::FOLDER);
        match &self.origin {
            Origin::File(path) => std::fs::read(path.with_file_name(name)).ok(),
            Origin::Revision(root, revision) => {
                git::show(root, revision, &name).ok().map(String::into_bytes)
            }
        }
    }
}
