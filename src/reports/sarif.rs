//! SARIF 2.1.0: what is wrong, at its place, for code review.
//!
//! Claims that are as expected are not results; one that could not be checked is a note.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use serde_sarif::sarif::Sarif;

use super::{Findings, open_words, problem_words};
use crate::diag::Severity;
use crate::span::Span;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The rule of a claim that could not be checked.
const OPEN: &str = "claim-unverified";

/// Writes a build as SARIF, with a newline at the end.
pub fn text(findings: Findings<'_>) -> String {
    let mut results = Vec::new();
    for problem in findings.problems {
        let level = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let words = problem_words(problem);
        results.push(result(findings, problem.code, level, &words, problem.span.as_ref(), None));
    }
    for claim in findings.open() {
        let span = Some(&claim.span);
        results.push(result(findings, OPEN, "note", &open_words(claim), span, Some(&claim.id)));
    }
    let rules: BTreeMap<&str, Value> = results
        .iter()
        .filter_map(|result| result["ruleId"].as_str())
        .map(|rule| (rule, json!({ "id": rule, "shortDescription": { "text": about(rule) } })))
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Veracity",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let log: Sarif = serde_json::from_value(log).expect("this is SARIF");
    let mut text = serde_json::to_string_pretty(&log).expect("strings and numbers are JSON");
    text.push('\n');
    text
}

fn result(
    findings: Findings<'_>,
    rule: &str,
    level: &str,
    words: &str,
    span: Option<&Span>,
    claim: Option<&str>,
) -> Value {
    let mut result = json!({ "ruleId": rule, "level": level, "message": { "text": words } });
    if let Some(span) = span {
        let (start, end) = (span.position(), span.source.position(span.range.end));
        result["locations"] = json!([{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&format!("{}{}", findings.prefix, span.source.path())) },
            "region": {
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
        }}]);
    }
    if let Some(claim) = claim {
        // So that a claim is the same one after lines above it have changed.
        result["partialFingerprints"] = json!({ "claim/v1": claim });
    }
    result
}

/// A path as a relative reference: everything but unreserved characters and `/` is escaped.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn about(rule: &str) -> String {
    match rule {
        OPEN => "A claim could not be checked".to_owned(),
        "claim-refuted" => "The code disagrees with a claim".to_owned(),
        "claim-not-refuted" => "The code agrees with a claim that is said to be wrong".to_owned(),
        "claim-vacuous" => "Nothing was checked for a claim".to_owned(),
        rule => format!("Problem of the kind {}", rule.replace('-', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_escaped() {
        assert_eq!(uri("a b/é#1.md"), "a%20b/%C3%A9%231.md");
    }
}
