//! Annotations of GitHub's workflows: a command a line, on standard output.

use std::fmt::Write as _;

use super::{Findings, open_words, problem_words};
use crate::diag::Severity;
use crate::span::Span;

/// Writes a build as workflow commands.
pub fn text(findings: Findings<'_>) -> String {
    let mut text = String::new();
    for problem in findings.problems {
        let command = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let words = problem_words(problem);
        line(&mut text, command, findings.prefix, problem.span.as_ref(), problem.code, &words);
    }
    for claim in findings.open() {
        let words = open_words(claim);
        line(&mut text, "notice", findings.prefix, Some(&claim.span), "claim-unverified", &words);
    }
    text
}

fn line(
    text: &mut String,
    command: &str,
    prefix: &str,
    span: Option<&Span>,
    title: &str,
    words: &str,
) {
    let _ = write!(text, "::{command} ");
    if let Some(span) = span {
        let (start, end) = (span.position(), span.source.position(span.range.end));
        let file = property(&format!("{prefix}{}", span.source.path()));
        let _ = write!(text, "file={file},line={},endLine={}", start.line, end.line);
        // Columns of a place over several lines mean nothing.
        if start.line == end.line {
            let _ = write!(text, ",col={},endColumn={}", start.column, end.column);
        }
        text.push(',');
    }
    let _ = writeln!(text, "title={}::{}", property(title), data(words));
}

/// What stands behind `::`, so that it can neither end the line nor begin a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_an_author_writes_is_a_command() {
        assert_eq!(data("50 %\n::error::x"), "50 %25%0A::error::x");
        assert_eq!(property("a,b:c.md"), "a%2Cb%3Ac.md");
    }
}
