//! JUnit XML: a suite a chapter, a case a claim.
//!
//! A claim that could not be checked is skipped, with the reason; problems of the report are cases
//! of a suite of their own. The library leaves out characters that XML cannot hold.

use std::collections::BTreeSet;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Findings, open_words, problem_words};
use crate::claims::{Judged, Standing};
use crate::diag::Severity;

/// Name of the suite with problems that belong to no claim.
const PROBLEMS: &str = "problems";

/// Writes a build as JUnit XML.
pub fn text(findings: Findings<'_>) -> String {
    let mut report = Report::new(findings.title);
    let mut seen = BTreeSet::new();
    let chapters = findings.claims.iter().map(|claim| claim.chapter.as_str());
    for chapter in chapters.filter(|chapter| seen.insert(*chapter)) {
        let mut suite = TestSuite::new(chapter);
        for claim in findings.claims.iter().filter(|claim| claim.chapter == chapter) {
            suite.add_test_case(case(claim, findings.prefix));
        }
        report.add_test_suite(suite);
    }
    let mut suite = TestSuite::new(PROBLEMS);
    for problem in findings.problems {
        // What is wrong with a claim is told in its own case.
        let is_of_a_claim = problem.span.is_some()
            && findings.claims.iter().any(|it| Some(&it.span) == problem.span.as_ref());
        if problem.severity != Severity::Error || is_of_a_claim {
            continue;
        }
        let place = problem.span.as_ref().map(|span| format!("{}{span}", findings.prefix));
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type(problem.code).set_message(&problem.message);
        status.set_description(problem_words(problem));
        let name = place.unwrap_or_else(|| problem.code.to_owned());
        let mut case = TestCase::new(format!("{} {name}", problem.code), status);
        case.set_classname(PROBLEMS);
        suite.add_test_case(case);
    }
    if !suite.test_cases.is_empty() {
        report.add_test_suite(suite);
    }
    report.to_string().expect("only writing to a file can fail")
}

fn case(claim: &Judged, prefix: &str) -> TestCase {
    let mut status = match claim.standing() {
        Standing::Good => TestCaseStatus::success(),
        Standing::Open => TestCaseStatus::skipped(),
        Standing::Bad => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    match claim.standing() {
        Standing::Good => {}
        Standing::Open => {
            status.set_message(open_words(claim));
        }
        Standing::Bad => {
            let message = match claim.verdict.detail() {
                "" => "the code agrees with a claim that is said to be wrong",
                detail => detail,
            };
            status.set_type(claim.verdict.word()).set_message(message);
            status.set_description(format!("“{}” {}: {message}", claim.text, claim.relation));
        }
    }
    let mut case = TestCase::new(claim.id.as_str(), status);
    case.set_classname(claim.chapter.as_str());
    case.extra.insert("file".into(), format!("{prefix}{}", claim.span.source.path()).into());
    case.extra.insert("line".into(), claim.span.position().line.to_string().into());
    case
}
