//! A record as text: TOML that reads well in a code review.
//!
//! In: a [`Lock`] or its text. Out: the other. The text carries a digest of itself, so that an
//! edit by hand is noticed. Left out: files.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::{Table, Value};

use super::files::File;
use super::{Cell, Entry, Lock};
use crate::diag::Diagnostic;

/// Version of the form.
const VERSION: i64 = 1;

const HEAD: &str = "\
# What this report claimed and what its code gave, made by `veracity record`.
# `veracity build-report --frozen` renders from it. An edit by hand is noticed: record it anew.
";

/// Writes a record; the same record gives the same bytes.
pub fn text(lock: &Lock) -> String {
    let body = body(lock);
    let digest = blake3::hash(body.as_bytes()).to_hex();
    format!("{HEAD}version = {VERSION}\ndigest = \"{digest}\"\n{body}")
}

fn body(lock: &Lock) -> String {
    let mut text = String::from("\n");
    if let Some(language) = &lock.language {
        line(&mut text, "language", language);
    }
    let _ = writeln!(text, "passages_version = {}", lock.passages_version);
    text.push_str("environment = [\n");
    for (name, words) in &lock.environment {
        let _ = writeln!(text, "  [{}, {}],", quoted(name), quoted(words));
    }
    let ground = &lock.foundation;
    text.push_str("]\n\n[foundation]\n");
    line(&mut text, "profile", &ground.profile);
    line(&mut text, "device", &ground.device);
    line(&mut text, "seed", &ground.seed);
    line(&mut text, "code", &ground.code);
    line(&mut text, "sources", &ground.sources);
    if !lock.data.is_empty() {
        text.push_str("\n[data]\n");
    }
    for (name, data) in &lock.data {
        let (kind, digest) = (quoted(&data.kind), quoted(&data.digest));
        let _ = writeln!(text, "{} = {{ kind = {kind}, digest = {digest} }}", quoted(name));
    }
    if !lock.cells.is_empty() {
        text.push_str("\n[cells]\n");
    }
    cells(&mut text, &lock.cells);
    for (device, there) in &lock.elsewhere {
        let _ = writeln!(text, "\n[elsewhere.{}]", quoted(device));
        cells(&mut text, there);
    }
    if let Some(passages) = &lock.passages {
        text.push_str("\n[passages]\n");
        for (path, all) in passages {
            let _ = writeln!(text, "{} = [", quoted(path));
            for words in all {
                let _ = writeln!(text, "  {},", verbatim(words));
            }
            text.push_str("]\n");
        }
    }
    for claim in &lock.claims {
        text.push_str("\n[[claim]]\n");
        self::claim(&mut text, claim);
    }
    for exemption in &lock.exemptions {
        text.push_str("\n[[exemption]]\n");
        line(&mut text, "path", &exemption.path);
        line(&mut text, "text", &exemption.text);
        line(&mut text, "reason", &exemption.reason);
    }
    text
}

fn cells(text: &mut String, cells: &BTreeMap<String, Cell>) {
    for (name, it) in cells {
        cell(text, name, it);
    }
}

fn cell(text: &mut String, name: &str, cell: &Cell) {
    let _ = write!(text, "{} = {{ key = {}", quoted(name), quoted(&cell.key));
    for (name, digest) in [("output", &cell.output), ("shown", &cell.shown)] {
        if let Some(digest) = digest {
            let _ = write!(text, ", {name} = {}", quoted(digest));
        }
    }
    let file = |file: &File| {
        let (name, digest) = (quoted(&file.name), quoted(&file.digest));
        format!("{{ name = {name}, bytes = {}, digest = {digest} }}", file.bytes)
    };
    if !cell.files.is_empty() {
        let files: Vec<String> = cell.files.iter().map(file).collect();
        let _ = write!(text, ", files = [{}]", files.join(", "));
    }
    text.push_str(if cell.measured { ", measured = true }\n" } else { " }\n" });
}

fn claim(text: &mut String, claim: &Entry) {
    line(text, "id", &claim.id);
    line(text, "path", &claim.path);
    line(text, "text", &claim.text);
    line(text, "relation", &claim.relation);
    if !claim.because.is_empty() {
        let names: Vec<String> = claim.because.iter().map(|name| quoted(name)).collect();
        let _ = writeln!(text, "because = [{}]", names.join(", "));
    }
    if claim.expected != "verified" {
        line(text, "expected", &claim.expected);
    }
    line(text, "verdict", &claim.verdict);
    for (name, words) in [
        ("reason", &claim.reason),
        ("value", &claim.value),
        ("unit", &claim.unit),
        ("cell", &claim.cell),
    ] {
        if let Some(words) = words {
            line(text, name, words);
        }
    }
    if let Some(data) = &claim.dataset {
        let (name, kind, digest) = (quoted(&data.name), quoted(&data.kind), quoted(&data.digest));
        let _ = writeln!(text, "dataset = {{ name = {name}, kind = {kind}, digest = {digest} }}");
    }
}

fn line(text: &mut String, name: &str, words: &str) {
    let _ = writeln!(text, "{name} = {}", quoted(words));
}

/// A string of TOML on one line, in which formulas and quotes stand as they are if that is possible.
fn verbatim(words: &str) -> String {
    match words.contains(['"', '\\']) && !words.contains(|c: char| c == '\'' || c.is_control()) {
        true => format!("'{words}'"),
        false => quoted(words),
    }
}

/// A basic string of TOML on one line.
fn quoted(words: &str) -> String {
    let mut quoted = String::with_capacity(words.len() + 2);
    quoted.push('"');
    for c in words.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Reads what [`text`] wrote; `name` is what it is called in messages.
///
/// # Errors
/// If it is no record, of another version, or not as it was written.
pub fn parse(name: &str, text: &str) -> Result<Lock, Diagnostic> {
    // A checkout may have changed the ends of lines.
    let text = text.replace("\r\n", "\n");
    let damaged = |words: String| {
        Diagnostic::global("record-damaged", words).hint(
            "`veracity record` makes it anew; after a merge, record the merged report rather than \
             the merged lines",
        )
    };
    let (head, body) = split(&text)
        .ok_or_else(|| damaged(format!("`{name}` is no record: it names no version and digest")))?;
    if head.version != VERSION {
        return Err(Diagnostic::global(
            "record-version",
            format!(
                "`{name}` is a record of version {}, and this is Veracity {} for version {VERSION}",
                head.version,
                env!("CARGO_PKG_VERSION")
            ),
        )
        .hint("use the Veracity that wrote it, or make it anew with `veracity record`"));
    }
    if blake3::hash(body.as_bytes()).to_hex().as_str() != head.digest {
        return Err(damaged(format!("`{name}` is not as it was recorded: its digest is another")));
    }
    toml::from_str(body)
        .map_err(|error| damaged(format!("`{name}` cannot be read: {}", error.message())))
}

struct Head {
    version: i64,
    digest: String,
}

/// The lines up to the digest, and all behind them.
fn split(text: &str) -> Option<(Head, &str)> {
    let at = text.find("\ndigest = ")? + 1;
    let end = at + text[at..].find('\n')? + 1;
    let head: Table = text[..end].parse().ok()?;
    let version = head.get("version").and_then(Value::as_integer)?;
    let digest = head.get("digest").and_then(Value::as_str)?.to_owned();
    Some((Head { version, digest }, &text[end..]))
}
