//! `veracity mutate [CLAIM]`: which changes of the report no claim notices.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Session;
use crate::claims;
use crate::config;
use crate::diag::{Diagnostic, printable};
use crate::mutate::{self, Advance, Fate, Findings, Kind, Mutant, Wanted};
use crate::pipeline::{self, BuildEvent, BuildRequest};
use crate::progress::Verbosity;
use crate::publish::Output;
use crate::world::DiskWorld;

pub(super) const AFTER_HELP: &str = "\
A change that survives shows that the claims which rest on its place would be as green if the place
were wrong. Some survivors are harmless: a change may mean the same, or only move what is tried. The
author says so in the code, by `// mutants: REASON` behind a line or above what it is about; such a
change is tried all the same, and counts as explained if it survives. The author's files and stored results stay as they are. --chapter tests the claims of one chapter.

Exit status:
  0  every change was noticed, is explained, or said nothing
  1  a change survived without a reason
  2  wrong usage
  3  the report could not be built";

#[derive(Debug, Args)]
pub(super) struct MutateArgs {
    /// Name or identifier of the only claim to test
    claim: Option<String>,

    /// What to change
    #[arg(long, value_delimiter = ',', default_value = "text,formula,code")]
    kinds: Vec<KindName>,

    /// Most changes of code to try, drawn by --draw; each compiles and runs what it reaches
    #[arg(long, value_name = "N", default_value_t = 20)]
    sample: usize,

    /// Leave out changes of code behind claims whose cells took longer, as training does
    #[arg(long, value_name = "TIME", value_parser = budget)]
    longest: Option<Duration>,

    /// Seed of the draw
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    draw: u64,

    /// Longest time to take, such as 90s or 10m
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = budget)]
    budget: Duration,

    /// How to print the findings
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindName {
    /// What claims state
    Text,
    /// Printed formulas that checks evaluate
    Formula,
    /// Code behind claims
    Code,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn budget(text: &str) -> Result<Duration, String> {
    config::duration(text).ok_or_else(|| "a time such as 90s, 10m or 1h30m is needed".to_owned())
}

pub(super) fn mutate(
    session: &Session,
    request: &BuildRequest,
    args: &MutateArgs,
) -> Result<u8, Vec<Diagnostic>> {
    let started = Instant::now();
    let show = |event: BuildEvent<'_>| session.progress.show(event);
    let _output =
        Output::open(&request.out, || show(BuildEvent::Waiting)).map_err(|it| vec![it])?;
    let world = DiskWorld::new(&request.root);
    let report = pipeline::evaluate(request, &world, &show)?;
    session.progress.finish();
    let claims = &report.document.claims;
    let mut only: BTreeSet<String> = match &args.claim {
        Some(wanted) => match claims::named(claims, wanted) {
            Ok(found) => found.into_iter().map(|claim| claim.id.clone()).collect(),
            Err(problem) => {
                session.problem(&problem);
                return Ok(super::USAGE);
            }
        },
        None => BTreeSet::new(),
    };
    if let (Some(number), None) = (request.chapter, &args.claim) {
        let slug = &report.chapters[number - 1].slug;
        let own = claims.iter().filter(|claim| claim.chapter == *slug);
        only = own.map(|claim| claim.id.clone()).collect();
    }
    let wanted = Wanted {
        claims: only,
        kinds: args.kinds.iter().map(|kind| kind.kind()).collect(),
        sample: args.sample,
        longest: args.longest,
        seed: args.draw,
        budget: args.budget,
        jobs: request.jobs,
    };
    let bar = bar(session);
    let told = Mutex::new(Instant::now());
    let findings = mutate::search(request, &world, &report, &wanted, &|advance| {
        tell(&bar, &told, session, advance);
    })
    .map_err(|problem| vec![problem])?;
    bar.finish_and_clear();
    match args.format {
        Format::Json => session.print(&json(&findings)),
        Format::Text => session.print(&words(&findings, started.elapsed())),
    }
    Ok(if findings.survivors().next().is_some() { super::WRONG } else { 0 })
}

impl KindName {
    fn kind(self) -> Kind {
        match self {
            Self::Text => Kind::Text,
            Self::Formula => Kind::Formula,
            Self::Code => Kind::Code,
        }
    }
}

fn bar(session: &Session) -> ProgressBar {
    if session.verbosity == Verbosity::Quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("[{bar:24}] {pos}/{len} changes {elapsed} {msg}");
    ProgressBar::new(0).with_style(style.expect("the template is ours"))
}

/// Shows how far the trials have come: as a bar, or in a log as a line every now and then.
fn tell(bar: &ProgressBar, told: &Mutex<Instant>, session: &Session, advance: Advance) {
    const EVERY: Duration = Duration::from_secs(10);
    let Advance { done, total, survived } = advance;
    if !bar.is_hidden() {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.set_message(format!("{survived} survived"));
    } else if session.verbosity == Verbosity::Normal
        && let Ok(mut told) = told.lock()
        && told.elapsed() > EVERY
    {
        *told = Instant::now();
        eprintln!("{done} of {total} changes tried, {survived} survived");
    }
}

fn words(findings: &Findings, took: Duration) -> String {
    let mut words = String::new();
    for mutant in findings.survivors() {
        let (before, after) = mutant.diff();
        let _ = writeln!(
            words,
            "\x1b[1msurvived\x1b[0m {} {}: no claim notices\n  \x1b[31m- {}\x1b[0m\n  \x1b[32m+ {}\x1b[0m\n  \
             the green of {} does not depend on it\n",
            mutant.kind.word(),
            mutant.span,
            printable(before.trim()),
            printable(after.trim()),
            few(&mutant.claims),
        );
    }
    for mutant in findings.explained() {
        let (_, after) = mutant.diff();
        let _ = writeln!(
            words,
            "\x1b[1mexplained\x1b[0m {} {}: {}\n  \x1b[2m+ {}\x1b[0m\n",
            mutant.kind.word(),
            mutant.span,
            printable(mutant.reason.as_deref().unwrap_or_default()),
            printable(after.trim()),
        );
    }
    let unknown = findings.tried.iter().filter_map(|(mutant, fate)| match fate {
        Fate::TimedOut => {
            Some((mutant, "timed out", "it ran far longer than before, and was ended"))
        }
        Fate::Untried(why) => Some((mutant, "not run", why.as_str())),
        Fate::Noticed(_) | Fate::Invalid(_) | Fate::Survived => None,
    });
    let left = findings.left.iter().map(|mutant| (mutant, "not tried", "the time was up"));
    for (mutant, fate, why) in unknown.chain(left) {
        let _ = writeln!(
            words,
            "\x1b[1m{fate}\x1b[0m {} {}: {}\n  \x1b[2m+ {}\x1b[0m\n",
            mutant.kind.word(),
            mutant.span,
            printable(why),
            printable(mutant.diff().1.trim()),
        );
    }
    for kind in [Kind::Text, Kind::Formula, Kind::Code] {
        let tried: Vec<_> = findings.tried.iter().filter(|(it, _)| it.kind == kind).collect();
        if !tried.is_empty() {
            let _ = writeln!(words, "{:>7}: {}", kind.word(), counts(&tried));
        }
    }
    if findings.undrawn > 0 {
        let _ = writeln!(words, "{} possible changes of code were not drawn", findings.undrawn);
    }
    if findings.slow > 0 {
        let _ = writeln!(words, "{} more rest under cells that took longer", findings.slow);
    }
    if !findings.left.is_empty() {
        let _ = writeln!(words, "{} changes were not tried in time", findings.left.len());
    }
    if !findings.open.is_empty() {
        let _ = writeln!(
            words,
            "{} claims were not tested, because they are not as expected unchanged: {}",
            findings.open.len(),
            few(&findings.open)
        );
    }
    let _ = writeln!(
        words,
        "{} changes in {:.1} s, {} survived, {} more are explained",
        findings.tried.len(),
        took.as_secs_f64(),
        findings.survivors().count(),
        findings.explained().count()
    );
    words
}

/// The first of some claims, and how many more there are.
fn few(claims: &[String]) -> String {
    const FEW: usize = 4;
    let shown: Vec<String> = claims.iter().take(FEW).map(|it| printable(it)).collect();
    match claims.len().saturating_sub(FEW) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// How many mutants met which fate, and the share of those that ran to an end that was noticed.
fn counts(tried: &[&(Mutant, Fate)]) -> String {
    let mut counts: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for (mutant, fate) in tried {
        *counts.entry(name(mutant, fate)).or_default() += 1;
    }
    let of = |fates: &[usize]| -> usize {
        counts.iter().filter(|((fate, _), _)| fates.contains(fate)).map(|(_, count)| count).sum()
    };
    // What was cut short may have been slow and nothing else.
    let (noticed, all) = (of(&[0]), of(&[0, 2, 3]));
    let share = (noticed * 100).checked_div(all);
    let share = share.map(|share| format!(" ({share} % noticed)")).unwrap_or_default();
    let parts: Vec<String> =
        counts.iter().map(|((_, name), count)| format!("{count} {name}")).collect();
    format!("{} tried, {}{share}", tried.len(), parts.join(", "))
}

fn name(mutant: &Mutant, fate: &Fate) -> (usize, &'static str) {
    match fate {
        Fate::Noticed(_) => (0, "noticed"),
        Fate::TimedOut => (1, "timed out"),
        Fate::Survived if mutant.reason.is_some() => (2, "explained"),
        Fate::Survived => (3, "survived"),
        Fate::Invalid(_) => (4, "invalid"),
        Fate::Untried(_) => (5, "not run"),
    }
}

#[derive(Serialize)]
struct File<'a> {
    version: u32,
    not_drawn: usize,
    too_slow: usize,
    not_tried: usize,
    not_tested: &'a [String],
    mutants: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    kind: &'static str,
    path: &'a str,
    line: usize,
    column: usize,
    before: String,
    after: String,
    claims: &'a [String],
    fate: &'static str,
    detail: Option<&'a str>,
}

fn json(findings: &Findings) -> String {
    let tried = findings.tried.iter().map(|(mutant, fate)| {
        let detail = match fate {
            Fate::Noticed(words) | Fate::Invalid(words) | Fate::Untried(words) => Some(&**words),
            Fate::Survived => mutant.reason.as_deref(),
            Fate::TimedOut => None,
        };
        row(mutant, name(mutant, fate).1, detail)
    });
    let left = findings.left.iter().map(|mutant| row(mutant, "not tried", None));
    let file = File {
        version: 1,
        not_drawn: findings.undrawn,
        too_slow: findings.slow,
        not_tried: findings.left.len(),
        not_tested: &findings.open,
        mutants: tried.chain(left).collect(),
    };
    let mut text = serde_json::to_string_pretty(&file).expect("strings and numbers are JSON");
    text.push('\n');
    text
}

fn row<'a>(mutant: &'a Mutant, fate: &'static str, detail: Option<&'a str>) -> Row<'a> {
    let position = mutant.span.position();
    let (before, after) = mutant.diff();
    Row {
        kind: mutant.kind.word(),
        path: mutant.span.source.path(),
        line: position.line,
        column: position.column,
        before,
        after,
        claims: &mutant.claims,
        fate,
        detail,
    }
}
