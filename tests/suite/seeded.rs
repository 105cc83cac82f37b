//! Copies of this report with errors in them: each is noticed by a verdict, or in [`told`] by what a
//! comparison with the report as it is tells.
//!
//! Cells that train are left out, as they take minutes; what the homework's tables say is compared with
//! the published figures all the same.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use veracity::claims::{Judged, Standing};
use veracity::diag::Diagnostic;
use veracity::exec::Executed;
use veracity::pipeline::{self, BuildRequest, Evaluated, Formats, Ground, Planned};
use veracity::publish::Output;
use veracity::world::{DiskWorld, World};

const CHAPTERS: [&str; 3] = [
    "chapters/1-linear-attention.md",
    "chapters/2-convolutional-networks.md",
    "chapters/3-speech-recognition.md",
];

/// Cells that take minutes or measure times.
const LONG: [&str; 4] = ["trainings", "speech-trainings", "tbl-times", "fig-costs"];

/// The report on disk with other words in some chapters.
struct Copy {
    disk: DiskWorld,
    chapters: BTreeMap<&'static str, String>,
}

impl World for Copy {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.chapters.get(path) {
            Some(text) => Ok(text.clone().into_bytes()),
            None => self.disk.read(path),
        }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.disk.list(folder)
    }
}

impl Copy {
    fn new() -> Self {
        Self { disk: DiskWorld::new(root()), chapters: BTreeMap::new() }
    }

    fn text(&self, path: &'static str) -> String {
        String::from_utf8(self.read(path).expect("it can be read")).expect("it is text")
    }

    /// Puts a text in the place of another that stands there.
    fn replace(&mut self, path: &'static str, old: &str, new: &str) {
        let text = self.text(path);
        assert!(text.contains(old), "{path} has no {old}");
        self.chapters.insert(path, text.replacen(old, new, 1));
    }
}

/// The report as it is, with what its cells put out.
struct Report {
    request: BuildRequest,
    ground: Ground,
    results: (Executed, Vec<Diagnostic>),
    clean: Evaluated,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The report, in the output folder of its builds, which keeps results; one test at a time.
fn report() -> std::sync::MutexGuard<'static, Report> {
    static REPORT: OnceLock<Mutex<Report>> = OnceLock::new();
    let report = REPORT.get_or_init(|| Mutex::new(Report::new()));
    report.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Report {
    fn new() -> Self {
        let request = BuildRequest {
            formats: Formats { html: false, pdf: false },
            jobs: 2,
            ..BuildRequest::of(&root())
        };
        let copy = Copy::new();
        let written = pipeline::read(&copy).unwrap_or_else(|problems| panic!("{problems:?}"));
        let ground = pipeline::ground(&request, &written, &pipeline::prepare, &|_| ());
        let ground = ground.unwrap_or_else(|problems| panic!("{problems:?}"));
        let planned = plan(&request, &ground, &copy);
        let results = run(&request, &ground, &planned);
        let clean = pipeline::judge(planned, results.clone(), &copy);
        let bad = |claim: &&Judged| claim.standing() == Standing::Bad;
        let bad: Vec<&Judged> = clean.document.claims.iter().filter(bad).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        Self { request, ground, results, clean }
    }

    /// Judges a copy whose code is the same.
    fn judge(&self, copy: &Copy) -> Evaluated {
        pipeline::judge(plan(&self.request, &self.ground, copy), self.results.clone(), copy)
    }

    /// Runs a copy with other formulas and judges it.
    fn execute(&self, copy: &Copy) -> Evaluated {
        let planned = plan(&self.request, &self.ground, copy);
        let results = run(&self.request, &self.ground, &planned);
        pipeline::judge(planned, results, copy)
    }
}

/// The plan of a copy without the cells that take long.
fn plan(request: &BuildRequest, ground: &Ground, copy: &Copy) -> Planned {
    let written = pipeline::read(copy).unwrap_or_else(|problems| panic!("{problems:?}"));
    let planned = pipeline::plan(request, written, ground);
    let mut planned = planned.unwrap_or_else(|problems| panic!("{problems:?}"));
    for chapter in &mut planned.plan.chapters {
        let is_long = |at: &usize| LONG.contains(&chapter.cells[*at].id.as_str());
        let quick = (0..chapter.cells.len())
            .filter(|at| !is_long(at) && !chapter.cells[*at].needs.iter().any(&is_long))
            .collect();
        chapter.keep_only(&quick, "it takes long");
    }
    planned
}

fn run(request: &BuildRequest, ground: &Ground, planned: &Planned) -> (Executed, Vec<Diagnostic>) {
    let _held = Output::open(&request.out, || ()).expect("the output folder can be written");
    pipeline::run(request, planned, &*ground.kernel, &|_| ())
}

/// Identifiers of the claims that are not as expected.
fn bad(report: &Evaluated) -> BTreeSet<String> {
    let claims = report.document.claims.iter();
    claims.filter(|claim| claim.standing() == Standing::Bad).map(|claim| claim.id.clone()).collect()
}

#[test]
fn wrong_digits_and_signs_turn_their_claims() {
    let report = report();
    for (path, old, new, claim) in [
        (CHAPTERS[0], "[32768](claim:mix-products)", "[32786](claim:mix-products)", "mix-products"),
        (CHAPTERS[0], "[$-6$](claim:grid-first)", "[$6$](claim:grid-first)", "grid-first"),
        (CHAPTERS[0], "[0.53](claim:error-2-3)", "[0.54](claim:error-2-3)", "error-2-3"),
        (
            CHAPTERS[0],
            "[2](claim:softmax-exponent-l",
            "[1](claim:softmax-exponent-l",
            "softmax-exponent-l",
        ),
        (
            CHAPTERS[1],
            "[224892](claim:parameters-pooled)",
            "[224829](claim:parameters-pooled)",
            "parameters-pooled",
        ),
        (CHAPTERS[1], "[3.1](claim:own-val-pool", "[−3.1](claim:own-val-pool", "own-val-pool"),
        (
            CHAPTERS[1],
            "[0.141](claim:tol-val-pool-0.1)",
            "[0.0141](claim:tol-val-pool-0.1)",
            "tol-val-pool-0.1",
        ),
        (CHAPTERS[1], "from 0.0182 to", "from 0.0128 to", "groups-pool"),
        (CHAPTERS[2], "[9825](claim:all-train)", "[9852](claim:all-train)", "all-train"),
        (
            CHAPTERS[2],
            "[0.6](claim:jaccard-example)",
            "[0.75](claim:jaccard-example)",
            "jaccard-example",
        ),
        (CHAPTERS[2], "[22,050](claim:rate)", "[22,500](claim:rate)", "rate"),
        (
            CHAPTERS[2],
            "[1.183](claim:recurrent-loss",
            "[1.138](claim:recurrent-loss",
            "recurrent-loss",
        ),
    ] {
        let mut copy = Copy::new();
        copy.replace(path, old, new);
        let bad = bad(&report.judge(&copy));
        assert!(bad.iter().any(|id| id.ends_with(&format!("/{claim}"))), "{new}: {bad:?}");
    }
}

#[test]
fn other_words_for_a_number_turn_their_claims() {
    let report = report();
    for (path, old, new, claim) in [
        (CHAPTERS[0], "has [three](claim:softmax", "has [four](claim:softmax", "softmax-steps"),
        (CHAPTERS[0], "[five](claim:taylor", "[six](claim:taylor", "taylor-highest"),
        (CHAPTERS[1], "to tell [four](claim", "to tell [five](claim", "classes"),
        (CHAPTERS[1], "[Six](claim:groups)", "[Sixty](claim:groups)", "groups"),
        (CHAPTERS[2], "[ten](claim:clip", "[two](claim:clip", "clip-frames"),
        (CHAPTERS[2], "[more than four](", "[more than three](", "equal-cost-share"),
        // What scales a number makes another of it, in the link or beside it.
        (CHAPTERS[0], "[2145](claim:m-64)", "[2145 million](claim:m-64)", "m-64"),
        (CHAPTERS[0], "[2145](claim:m-64)", "[2145](claim:m-64) thousand", "m-64"),
        (CHAPTERS[0], "[2145](claim:m-64)", "[five times 2145](claim:m-64)", "m-64"),
        (CHAPTERS[2], "has [13100](claim:all", "has twice [13100](claim:all", "all-clips"),
        (CHAPTERS[2], "[13100](claim:all", "[a half of 13100](claim:all", "all-clips"),
    ] {
        let mut copy = Copy::new();
        copy.replace(path, old, new);
        let bad = bad(&report.judge(&copy));
        let is_this = |id: &String| id.contains(&format!("/{claim}"));
        assert!(bad.iter().any(is_this), "{new}: {bad:?}");
    }
    // Without its claim a number is uncovered, in words as well.
    let mut copy = Copy::new();
    copy.replace(CHAPTERS[1], "[Six](claim:groups)", "Seven");
    let uncovered = &report.judge(&copy).document.coverage[1].uncovered;
    assert_eq!(uncovered.iter().map(|it| it.text()).collect::<Vec<_>>(), ["Seven"]);
}

/// Where the cells of the rows of a table stand: that above a caption with this label.
fn cells(text: &str, label: &str) -> Vec<Vec<std::ops::Range<usize>>> {
    let caption = text.find(&format!("{{#{label} ")).expect("the table has a label");
    let above = text[..caption].rfind("\n: ").expect("it has a caption");
    let start = text[..above].trim_end().rfind("\n\n").expect("it is a paragraph") + 2;
    let mut at = start;
    let mut rows = Vec::new();
    for line in text[start..above].split_inclusive('\n').filter(|line| line.starts_with('|')) {
        let bars: Vec<usize> = line.match_indices('|').map(|(bar, _)| at + bar).collect();
        rows.push(bars.windows(2).map(|pair| pair[0] + 1..pair[1]).collect());
        at += line.len();
    }
    rows.split_off(2)
}

/// What a reader sees of the cell of a table, with the place of the words in it.
fn printed(text: &str, cell: &std::ops::Range<usize>) -> Option<std::ops::Range<usize>> {
    let open = cell.start + text[cell.clone()].find('[')? + 1;
    let close = open + text[open..cell.end].find(']')?;
    Some(open..close)
}

/// A text with two places in it changed for each other.
fn swap(text: &str, a: &std::ops::Range<usize>, b: &std::ops::Range<usize>) -> String {
    let (first, second) = if a.start < b.start { (a, b) } else { (b, a) };
    [
        &text[..first.start],
        &text[second.clone()],
        &text[first.end..second.start],
        &text[first.clone()],
        &text[second.end..],
    ]
    .concat()
}

#[test]
fn cells_of_quoted_tables_cannot_change_places() {
    let report = report();
    let mut swaps = 0;
    for (path, label) in [
        (CHAPTERS[1], "tbl-rates"),
        (CHAPTERS[1], "tbl-models"),
        (CHAPTERS[2], "tbl-recurrent"),
        (CHAPTERS[2], "tbl-attention"),
    ] {
        let text = Copy::new().text(path);
        let rows = cells(&text, label);
        let all: Vec<_> = rows.iter().flatten().filter(|it| printed(&text, it).is_some()).collect();
        assert!(all.len() > 3, "{label}");
        // Neighbours in a row, and in a column.
        let columns = rows[0].iter().filter(|it| printed(&text, it).is_some()).count();
        for apart in [1, columns] {
            for (a, b) in all.iter().zip(all.iter().skip(apart)) {
                let words = [a, b].map(|it| printed(&text, it).expect("it was found above"));
                for (a, b) in [(*a, *b), (&words[0], &words[1])] {
                    if text[a.clone()] == text[b.clone()] {
                        continue;
                    }
                    let mut copy = Copy::new();
                    copy.chapters.insert(path, swap(&text, a, b));
                    swaps += 1;
                    let bad = bad(&report.judge(&copy));
                    assert!(!bad.is_empty(), "{} and {}", &text[a.clone()], &text[b.clone()]);
                }
            }
        }
    }
    assert!(swaps > 50, "only {swaps}");
}

#[test]
fn wrong_formulas_turn_their_checks() {
    let report = report();
    for (path, errors) in [
        (
            CHAPTERS[0],
            vec![
                // An exponent, a sign, a bound of a sum, a term that is missing.
                ("= L^2 (2D + 1)", "= L^3 (2D + 1)", "softmax-products"),
                ("&= 2 L^2 D - L D - L .", "&= 2 L^2 D + L D - L .", "softmax-sums"),
                (
                    "\\approx 1 + \\sum_{i=1}^{D} q_i k_i",
                    "\\approx 1 + \\sum_{i=2}^{D} q_i k_i",
                    "three-terms",
                ),
                ("1 \\le i < j \\le D", "1 \\le i \\le j \\le D", "square"),
                ("= \\binom{D + K}{K} ,", "= \\binom{D + K}{K + 1} ,", "m-general"),
                (
                    "{\\lvert t \\rvert^{K+1}}{(K+1)!} \\max",
                    "{\\lvert t \\rvert^{K+1}}{(K+2)!} \\max",
                    "remainder",
                ),
                (
                    "\\frac{r^{K+1}}{(K+1)!} \\, e^{r}",
                    "\\frac{r^{K+1}}{(K+1)!} \\, e^{-r}",
                    "epsilon",
                ),
                (
                    "\\Delta \\le \\frac{2 \\varepsilon}",
                    "\\Delta \\le \\frac{3 \\varepsilon}",
                    "error-bound",
                ),
                ("&= 2 L M D + L M + L D ,", "&= 2 L M D + L D ,", "linear-products"),
            ],
        ),
        (
            CHAPTERS[1],
            vec![
                ("H - K + 2P}{S} + 1", "H - K + 2P}{S}", "size-formula"),
                ("O \\left( I K^2 + 1 \\right)", "O \\left( I K + 1 \\right)", "conv-parameters"),
                ("80 + 1168 + 184640", "80 + 1186 + 184640", "parameters-formula"),
            ],
        ),
        (
            CHAPTERS[2],
            vec![
                ("T(N) = \\frac{N}{160} + 1", "T(N) = \\frac{N}{160}", "frames-formula"),
                ("8 W^2 + 8 W", "8 W^2 + 4 W", "memory-count"),
                ("4 n W^2 + 2 n^2 W", "4 n W^2 + 2 n W", "attention-products"),
                ("\\frac{s}{m + n - s}", "\\frac{s}{m + n}", "jaccard-formula"),
                ("\\frac{s}{\\sqrt{m n}}", "\\frac{s}{m n}", "cosine-formula"),
                ("1 - \\frac{d}{\\max(m, n)}", "1 - \\frac{d}{m + n}", "damerau-formula"),
            ],
        ),
    ] {
        let mut copy = Copy::new();
        for (old, new, _) in &errors {
            copy.replace(path, old, new);
        }
        let bad = bad(&report.execute(&copy));
        for (_, new, claim) in &errors {
            assert!(bad.iter().any(|id| id.ends_with(&format!("/{claim}"))), "{new}: {bad:?}");
        }
    }
}

#[test]
fn what_a_page_shows_beside_a_number_turns_its_claim() {
    let report = report();
    for (path, old, new, claim) in [
        (CHAPTERS[0], "[2145](claim:m-64)", "[2145](claim:m-64)&#48;", "m-64"),
        (CHAPTERS[0], "[2145](claim:m-64)", "[2145](claim:m-64) *million*", "m-64"),
        (CHAPTERS[0], "[2145](claim:m-64)", "[2145](claim:m-64) $\\times 10^6$", "m-64"),
        (CHAPTERS[0], "[2145](claim:m-64)", "[2145 M](claim:m-64)", "m-64"),
        (CHAPTERS[0], "has [three](claim:softmax", "has no [three](claim:softmax", "softmax-steps"),
        (CHAPTERS[1], "[Six](claim:groups)", "[Six](claim:groups) (hundred)", "groups"),
        (CHAPTERS[1], "to tell [four](claim", "to tell thirty-[four](claim", "classes"),
        (CHAPTERS[2], "has [13100](claim:all", "has nearly [13100](claim:all", "all-clips"),
        (CHAPTERS[2], "has [13100](claim:all", "has &minus;[13100](claim:all", "all-clips"),
        (CHAPTERS[2], "[22,050](claim:rate)", "[22,050](claim:rate)%", "rate"),
    ] {
        let mut copy = Copy::new();
        copy.replace(path, old, new);
        let bad = bad(&report.judge(&copy));
        assert!(bad.iter().any(|id| id.contains(&format!("/{claim}"))), "{new}: {bad:?}");
    }
}
