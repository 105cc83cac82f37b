//! Changes as text for a terminal, as Markdown for a pull request, and as JSON.
//!
//! In: [`Change`]s in their order. Out: text with a newline at the end. Colours are ANSI escapes,
//! which the terminal's writer takes out where nobody wants them.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Change, Kind};
use crate::diag::printable;

const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const GREEN: &str = "\x1b[32m";
const BOLD: &str = "\x1b[1m";
const RESET: &str = "\x1b[0m";

/// Version of the JSON.
const VERSION: u32 = 1;

/// What has changed in one line, such as `2 changes weaken the report, 3 others`.
pub fn summary(changes: &[Change]) -> String {
    let weaken = changes.iter().filter(|change| change.kind.weakens()).count();
    let others = changes.len() - weaken;
    let counted = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    };
    let weaken_words = counted(weaken, "change weakens the report", "changes weaken the report");
    match (weaken, others) {
        (0, 0) => "no changes".to_owned(),
        (0, _) => counted(others, "change, which weakens nothing", "changes, which weaken nothing"),
        (_, 0) => weaken_words,
        _ => format!("{weaken_words}, {}", counted(others, "other", "others")),
    }
}

/// For a terminal.
pub fn text(changes: &[Change]) -> String {
    let mut text = String::new();
    let mut last = None;
    for change in changes {
        if last != Some(change.kind) {
            let color = match change.kind {
                kind if kind.weakens() => RED,
                kind if kind < Kind::Added => YELLOW,
                _ => GREEN,
            };
            let _ = writeln!(text, "{color}{BOLD}{}{RESET}", change.kind.words());
            last = Some(change.kind);
        }
        let _ = write!(text, "  {}", printable(&change.what));
        if let Some(place) = change.place.as_ref().filter(|place| **place != change.what) {
            let _ = write!(text, "  {}", printable(place));
        }
        text.push('\n');
        for (sign, color, words) in [("-", RED, &change.from), ("+", GREEN, &change.to)] {
            for line in words.iter().flat_map(|words| words.lines()) {
                let _ = writeln!(text, "    {color}{sign} {}{RESET}", printable(line));
            }
        }
    }
    if !changes.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "{}", summary(changes));
    text
}

/// For a pull request.
pub fn markdown(changes: &[Change]) -> String {
    let mut text = format!("### Claims: {}\n", summary(changes));
    if changes.is_empty() {
        return text;
    }
    text.push_str("\n| | what | before | after |\n|---|---|---|---|\n");
    for change in changes {
        let mark = if change.kind.weakens() { "⚠️ **" } else { "" };
        let end = if change.kind.weakens() { "**" } else { "" };
        let place = change.place.as_ref().filter(|place| **place != change.what);
        let place = place.map(|place| format!("<br>{}", cell(place))).unwrap_or_default();
        let side = |words: &Option<String>| words.as_deref().map_or_else(String::new, cell);
        let _ = writeln!(
            text,
            "| {mark}{}{end} | {}{place} | {} | {} |",
            change.kind.words(),
            cell(&change.what),
            side(&change.from),
            side(&change.to),
        );
    }
    text
}

/// Text of an author in a cell of a table: code, in which nothing is markup.
fn cell(words: &str) -> String {
    let words = words.replace(['\n', '\r'], " ").replace('|', "\\|");
    // Code that holds backticks needs longer ones around it.
    let longest = words.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    match longest {
        0 => format!("{fence}{words}{fence}"),
        _ => format!("{fence} {words} {fence}"),
    }
}

#[derive(Serialize)]
struct File<'a> {
    version: u32,
    weakened: bool,
    changes: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    kind: String,
    weakens: bool,
    what: &'a str,
    place: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
}

/// For programs.
pub fn json(changes: &[Change]) -> String {
    let lines = changes.iter().map(|change| Line {
        kind: change.kind.words().replace(' ', "-"),
        weakens: change.kind.weakens(),
        what: &change.what,
        place: change.place.as_deref(),
        from: change.from.as_deref(),
        to: change.to.as_deref(),
    });
    let weakened = changes.iter().any(|change| change.kind.weakens());
    let file = File { version: VERSION, weakened, changes: lines.collect() };
    let mut text = serde_json::to_string_pretty(&file).expect("strings are JSON");
    text.push('\n');
    text
}
