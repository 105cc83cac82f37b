//! What a file was at a revision, asked of git. The only place that starts it.
//!
//! In: a folder, a revision and a file. Out: its text then, or why there is none.

use std::path::Path;
use std::process::{Command, Output};

use crate::diag::Diagnostic;

/// Reads `file`, relative to `folder`, as it was at `revision`.
///
/// # Errors
/// If there is no git, no repository, no such revision, or no such file in it.
pub fn show(folder: &Path, revision: &str, file: &str) -> Result<String, Diagnostic> {
    let inside = git(folder, &["rev-parse", "--is-inside-work-tree"])?;
    if !inside.status.success() {
        return Err(Diagnostic::global(
            "no-repository",
            format!(
                "there is no file `{revision}`, and no revision either: {} is in no git repository",
                folder.display()
            ),
        )
        .note(said(&inside))
        .hint("name two files, `report.lock` or `claims.json`"));
    }
    // What looks like an option is not taken for one.
    let commit = format!("{revision}^{{commit}}");
    let found = git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
    if !found.status.success() {
        return Err(Diagnostic::global(
            "unknown-revision",
            format!("there is no file `{revision}`, and no revision of that name"),
        )
        .hint("name a file, `report.lock` or `claims.json`, or a branch, a tag or a commit such as `HEAD~1`"));
    }
    let commit = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    let shown = git(folder, &["show", &format!("{commit}:./{file}")])?;
    if !shown.status.success() {
        return Err(Diagnostic::global(
            "no-record",
            format!("there is no `{file}` at `{revision}`"),
        )
        .note(said(&shown))
        .hint("`veracity record` writes it; it is compared between commits that have it"));
    }
    Ok(String::from_utf8_lossy(&shown.stdout).into_owned())
}

fn git(folder: &Path, arguments: &[&str]) -> Result<Output, Diagnostic> {
    Command::new("git").arg("-C").arg(folder).args(arguments).output().map_err(|error| {
        Diagnostic::global("no-git", format!("cannot start git: {error}"))
            .hint("install git, or compare two files")
    })
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
