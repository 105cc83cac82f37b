//! A session over edits: the same pages as a build from nothing, whatever was edited before.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use veracity::diag::Diagnostic;
use veracity::kernel::workspace::Network;
use veracity::kernel::{Ending, Event, Kernel, Outcome};
use veracity::pipeline::{self, BuildRequest, Formats, Ground, Prepare};
use veracity::plan::ChapterPlan;
use veracity::session::{Change, PageState, Session, Stepper, Subscriber, Update};
use veracity_protocol::{CellOutput, Published, Value};

const PATIENCE: Duration = Duration::from_secs(60);

type Files = BTreeMap<String, Bytes>;

/// What tests see of a session.
#[derive(Debug)]
enum Told {
    Changed(Vec<Change>),
    Page(PageState, Files),
    Trouble(Vec<Diagnostic>),
    Printed,
}

struct Bench {
    folder: tempfile::TempDir,
    /// Cells that were run, in order.
    ran: Arc<Mutex<Vec<String>>>,
    /// Whether nothing can be compiled, whatever the code.
    is_full: Arc<AtomicBool>,
}

/// A kernel whose cells publish the number that their code consists of, and fail at `boom`; a cell
/// that says `wait` ends when the run is interrupted.
struct Numbers {
    ran: Arc<Mutex<Vec<String>>>,
    is_full: Arc<AtomicBool>,
    interrupts: Mutex<Receiver<()>>,
    interrupt: mpsc::Sender<()>,
}

impl Kernel for Numbers {
    fn run(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        sink: &(dyn Fn(Event) + Sync),
    ) -> Vec<Outcome> {
        let answer = |&cell: &usize| {
            let plan = &chapter.cells[cell];
            sink(Event::Started { cell });
            self.ran.lock().expect("no panic").push(format!("{}/{}", chapter.slug, plan.id));
            let text = plan.span.text();
            if text.contains("wait") {
                let interrupts = self.interrupts.lock().expect("no panic");
                interrupts.recv_timeout(PATIENCE).expect("the run is interrupted");
            }
            sink(Event::Ended { cell });
            let ending = if self.is_full.load(Ordering::SeqCst) {
                let start = plan.span.source.span(0..0);
                Ending::Failed(Box::new(Diagnostic::error("build-folder", "no space", start)))
            } else if text.contains("boom") {
                let at = plan.span.range.start + text.find("boom").expect("it is there");
                let span = plan.span.source.span(at..at + 4);
                Ending::Failed(Box::new(Diagnostic::error("cell-panic", "boom", span)))
            } else {
                let code = plan.body.tokens().to_string();
                let digits: String = code.chars().filter(char::is_ascii_digit).collect();
                let value = Published {
                    name: "n".to_owned(),
                    value: Value::Integer { value: format!("1{digits}") },
                    unit: None,
                    data: None,
                    seed: None,
                };
                Ending::Done(CellOutput { artifacts: Vec::new(), values: vec![value] })
            };
            Outcome::silent(ending)
        };
        cells.iter().map(answer).collect()
    }

    fn interrupt(&self) {
        let _ = self.interrupt.send(());
    }
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bench = Self { folder, ran: Arc::default(), is_full: Arc::default() };
        bench.write("report.yaml", "title: T\nchapters: [a.md, b.md]\nbibliography: works.bib\n");
        bench.write("works.bib", BIB);
        bench.write("a.md", chapter("A", "Words.", 7));
        bench.write("b.md", chapter("B", "Other words.", 8));
        bench
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("it can be made");
        // As editors save: beside, then renamed.
        let beside = path.with_extension("part");
        fs::write(&beside, text).expect("it can be written");
        fs::rename(beside, path).expect("it can be renamed");
    }

    fn request(&self, out: PathBuf) -> BuildRequest {
        BuildRequest {
            out,
            formats: Formats { html: true, pdf: false },
            jobs: 1,
            network: Network::Forbidden,
            ..BuildRequest::of(self.root())
        }
    }

    fn prepare(&self) -> Arc<Prepare> {
        let (ran, is_full) = (Arc::clone(&self.ran), Arc::clone(&self.is_full));
        Arc::new(move |_: &_, _: &_, _: &[&str]| {
            let (interrupt, interrupts) = mpsc::channel();
            let (ran, is_full) = (Arc::clone(&ran), Arc::clone(&is_full));
            let kernel = Numbers { ran, is_full, interrupts: Mutex::new(interrupts), interrupt };
            Ok(Ground {
                digest: "same".to_owned(),
                toolchain: String::new(),
                kernel: Box::new(kernel),
            })
        })
    }

    fn ran(&self) -> Vec<String> {
        std::mem::take(&mut *self.ran.lock().expect("no panic"))
    }

    /// The files of a session that begins with these sources and has no stored result.
    fn clean_build(&self) -> Files {
        let out = tempfile::tempdir().expect("a temporary folder");
        let (subscriber, told) = listener();
        let request = self.request(out.path().to_owned());
        Stepper::new(request, self.prepare(), subscriber).settle();
        let told: Vec<Told> = told.try_iter().collect();
        let last = told.iter().rev().find_map(|told| match told {
            Told::Page(PageState::Final, files) => Some(files.clone()),
            _ => None,
        });
        last.unwrap_or_else(|| panic!("it can be built: {told:?}"))
    }
}

const BIB: &str = "@book{one, author = {A. Author}, title = {One}, year = 2001}\n";

fn chapter(title: &str, words: &str, number: u32) -> String {
    format!(
        "# {title}\n\n{words} See [@one], $x^{{{number}}}$.\n\n## Part\n\n\
         ```rust,cell\n//| label: n\n{number}\n```\n\n\
         It is [1{number}](claim:n), {{{{ n }}}}.\n"
    )
}

fn listener() -> (Subscriber, Receiver<Told>) {
    let (sender, told) = mpsc::channel();
    let subscriber = move |update: Update<'_>| {
        let told = match update {
            Update::Changed(changes) => Told::Changed(changes.iter().copied().collect()),
            Update::Page(page) => Told::Page(page.state, page.files.clone()),
            Update::Trouble(problems) => Told::Trouble(problems.to_vec()),
            Update::Printed(_) => Told::Printed,
            _ => return,
        };
        // A test that has ended does not listen.
        let _ = sender.send(told);
    };
    (Arc::new(subscriber), told)
}

/// The last final pages that were told of so far.
fn pages(told: &Receiver<Told>) -> Option<Files> {
    told.try_iter()
        .filter_map(|told| match told {
            Told::Page(PageState::Final, files) => Some(files),
            _ => None,
        })
        .last()
}

/// Waits for something.
#[track_caller]
fn wait<T>(told: &Receiver<Told>, mut is_it: impl FnMut(Told) -> Option<T>) -> T {
    loop {
        let told = told.recv_timeout(PATIENCE).expect("it happens");
        if let Some(found) = is_it(told) {
            return found;
        }
    }
}

fn page_with(words: &'static str) -> impl FnMut(Told) -> Option<()> {
    move |told| match told {
        Told::Page(_, files) => {
            let text = String::from_utf8_lossy(files.get("a.html")?).into_owned();
            text.contains(words).then_some(())
        }
        _ => None,
    }
}

const RED: &str = "main { color: red }";

fn is_red(told: Told) -> Option<()> {
    match told {
        Told::Page(_, files) => (*files["assets/style.css"] == *RED.as_bytes()).then_some(()),
        _ => None,
    }
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % sides
    }
}

#[test]
fn after_any_edits_the_pages_are_those_of_a_build_clean_build() {
    let bench = Bench::new();
    let (subscriber, told) = listener();
    let request = bench.request(bench.root().join("build"));
    let mut session = Stepper::new(request, bench.prepare(), subscriber);
    session.settle();
    let mut last = pages(&told).expect("it can be built");
    let mut dice = Dice(1);
    let edits = 300;
    for edit in 0..edits {
        let name = ["a.md", "b.md"][dice.roll(2)];
        let number = dice.roll(5) as u32;
        let words = ["One.", "Two ways.", "*Three*.", "$y_1 + y_2$", "[9](claim:n)"];
        let text = chapter(name, words[dice.roll(words.len())], number);
        match dice.roll(10) {
            0..=3 => bench.write(name, text),
            4 => bench.write(name, text.replace("\n```\n", "\nboom\n```\n")),
            5 => bench.write(name, text.replace("label: n", "label: m")),
            6 => bench.write("works.bib", BIB.replace("One", words[dice.roll(3)])),
            7 => {
                let style = format!("main {{ margin: {}px }}", dice.roll(3));
                bench.write("templates/style.css", style);
            }
            8 => bench.write("report.yaml", {
                let order = ["[a.md, b.md]", "[b.md, a.md]", "[a.md]"][dice.roll(3)];
                format!("title: T\nchapters: {order}\nbibliography: works.bib\n")
            }),
            _ => bench.write(name, &text[..text.len() / 2]),
        }
        session.settle();
        last = pages(&told).unwrap_or(last);
        if edit % 7 == 0 || edit + 1 == edits {
            let fresh = bench.clean_build();
            assert_eq!(last.keys().collect::<Vec<_>>(), fresh.keys().collect::<Vec<_>>());
            for (path, bytes) in &fresh {
                // It holds durations, which differ.
                let same = path.ends_with("provenance.js") || last[path] == *bytes;
                let texts = [&last[path], bytes].map(|text| String::from_utf8_lossy(text));
                let different = texts[0].lines().zip(texts[1].lines()).find(|(a, b)| a != b);
                assert!(same, "{path} differs after edit {edit}: {different:#?}");
            }
        }
    }
    for (path, bytes) in &last {
        let on_disk = fs::read(bench.root().join("build/report").join(path)).expect("it is there");
        assert!(*bytes == on_disk, "{path} was not written");
    }
}

#[test]
fn only_what_an_edit_touches_runs_and_failures_do_not_run_again() {
    let bench = Bench::new();
    let (subscriber, told) = listener();
    let request = bench.request(bench.root().join("build"));
    let mut session = Stepper::new(request, bench.prepare(), subscriber);
    session.settle();
    assert_eq!(bench.ran(), ["a/n", "b/n"]);
    bench.write("a.md", chapter("A", "Edited.", 7));
    session.settle();
    assert_eq!(bench.ran(), [""; 0]);
    bench.write("b.md", chapter("B", "Words.", 8).replace("\n```\n", "\nboom\n```\n"));
    session.settle();
    assert_eq!(bench.ran(), ["b/n"]);
    bench.write("b.md", chapter("B", "More\n\nwords.", 8).replace("\n```\n", "\nboom\n```\n"));
    session.settle();
    assert_eq!(bench.ran(), [""; 0]);
    drop(session);
    let changes: Vec<Vec<Change>> = told
        .iter()
        .filter_map(|told| match told {
            Told::Changed(changes) => Some(changes),
            _ => None,
        })
        .collect();
    assert_eq!(
        changes,
        [vec![Change::Prose], vec![Change::Prose, Change::Cell][1..].to_vec(), vec![Change::Prose]]
    );
}

#[test]
fn a_failure_that_is_not_the_codes_is_not_remembered() {
    let bench = Bench::new();
    let (subscriber, told) = listener();
    let request = bench.request(bench.root().join("build"));
    let mut session = Stepper::new(request, bench.prepare(), subscriber);
    bench.is_full.store(true, Ordering::SeqCst);
    session.settle();
    assert_eq!(bench.ran(), ["a/n", "b/n"]);
    bench.is_full.store(false, Ordering::SeqCst);
    bench.write("a.md", chapter("A", "There is space again.", 7));
    session.settle();
    assert_eq!(bench.ran(), ["a/n", "b/n"]);
    let page = &pages(&told).expect("it can be built")["a.html"];
    assert!(!String::from_utf8_lossy(page).contains("no space"));
}

#[test]
fn what_cells_stand_on_is_made_again_when_somebody_has_removed_it() {
    let bench = Bench::new();
    let request = bench.request(bench.root().join("build"));
    let work = request.out.join("work");
    let prepared = Arc::new(AtomicUsize::new(0));
    let (count, scripted, folder) = (Arc::clone(&prepared), bench.prepare(), work.clone());
    let prepare = move |request: &_, config: &_, slugs: &[&str]| {
        count.fetch_add(1, Ordering::SeqCst);
        fs::create_dir_all(&folder).expect("it can be made");
        fs::write(folder.join("Cargo.toml"), "").expect("it can be written");
        scripted(request, config, slugs)
    };
    let mut session = Stepper::new(request, Arc::new(prepare), Arc::new(|_| ()));
    session.settle();
    bench.write("a.md", chapter("A", "It is kept.", 7));
    session.settle();
    assert_eq!(prepared.load(Ordering::SeqCst), 1);
    fs::remove_dir_all(&work).expect("it can be removed");
    bench.write("a.md", chapter("A", "It is gone.", 7));
    session.settle();
    assert_eq!(prepared.load(Ordering::SeqCst), 2);
}

#[test]
#[cfg(unix)]
fn a_full_disk_is_told_and_when_it_has_space_again_the_pages_are_written() {
    let Some(disk) = crate::disk::Disk::mount(8 << 20) else {
        eprintln!("SKIPPED: a disk that is full; this user may not mount a small one");
        return;
    };
    let bench = Bench::new();
    let (subscriber, told) = listener();
    let mut request = bench.request(disk.build());
    request.formats.pdf = true;
    let session = Session::start(request, bench.prepare(), subscriber);
    wait(&told, page_with("Words."));
    let is_printed = |told| matches!(told, Told::Printed).then_some(());
    wait(&told, is_printed);
    let pdf = || fs::read(disk.build().join("report.pdf")).expect("it is there");
    let before = pdf();
    let filler = disk.root().join("filler");
    // It is written until there is no space.
    let _ = fs::write(&filler, vec![1; 8 << 20]);
    let code = "boom, or 17";
    bench.write(
        "a.md",
        chapter("A", "Written in need.", 7).replace("\n7\n", &format!("\n{code}\n")),
    );
    wait(&told, page_with("Written in need."));
    wait(&told, |told| match told {
        Told::Trouble(problems) => (problems[0].code == "output-folder").then_some(()),
        _ => None,
    });
    bench.ran();
    assert!(pdf() == before, "pages that could not be written have no PDF");
    fs::remove_file(&filler).expect("it can be removed");
    // No file of the report changes: the session looks by itself.
    wait(&told, page_with("Written in need."));
    wait(&told, page_with("Written in need."));
    assert_eq!(bench.ran().last().map(String::as_str), Some("a/n"), "what failed runs again");
    session.stop();
    assert!(pdf() != before);
    let written = fs::read_to_string(disk.build().join("report/a.html")).expect("it is there");
    assert!(written.contains("Written in need."));
}

#[test]
fn a_watched_report_survives_what_editors_and_people_do_to_it() {
    let bench = Bench::new();
    let (subscriber, told) = listener();
    let request = bench.request(bench.root().join("build"));
    let session = Session::start(request, bench.prepare(), subscriber);
    wait(&told, page_with("Words."));
    bench.write("a.md", chapter("A", "Saved beside.", 7));
    wait(&told, page_with("Saved beside."));
    fs::write(bench.root().join("a.md"), chapter("A", "Saved in place.", 7)).expect("written");
    wait(&told, page_with("Saved in place."));

    let code = |wanted: &'static str| {
        move |told: Told| match told {
            Told::Trouble(problems) => (problems[0].code == wanted).then_some(()),
            _ => None,
        }
    };
    fs::write(bench.root().join("a.md"), b"# A\n\n\xff").expect("it can be written");
    wait(&told, code("not-utf-8"));
    bench.write("a.md", chapter("A", "In UTF-8 again.", 7));
    wait(&told, page_with("In UTF-8 again."));
    fs::rename(bench.root().join("a.md"), bench.root().join("c.md")).expect("it can be renamed");
    wait(&told, code("unreadable-file"));
    bench.write("report.yaml", "title: T\nchapters: [c.md, b.md]\n");
    wait(&told, |told| match told {
        Told::Page(_, files) => files.contains_key("c.html").then_some(()),
        _ => None,
    });
    fs::rename(bench.root().join("c.md"), bench.root().join("a.md")).expect("it can be renamed");
    wait(&told, code("unreadable-file"));
    bench.write("report.yaml", "title: T\nchapters: [a.md, b.md]\n");
    wait(&told, page_with("In UTF-8 again."));
    bench.write("a.md", chapter("A", "Half-typed.", 7).replace("\n7\n", "\nf(7, [\n"));
    wait(&told, page_with("Half-typed."));
    bench.write("a.md", chapter("A", "In UTF-8 again.", 7));
    wait(&told, page_with("In UTF-8 again."));
    bench.write("report.yaml", "title: [\n");
    wait(&told, |told| matches!(told, Told::Trouble(_)).then_some(()));
    let settings = "title: T\nchapters: [a.md, deep/c.md]\n";
    bench.write("report.yaml", settings);
    wait(&told, code("unreadable-file"));
    bench.write("deep/c.md", "# C\n");
    wait(&told, page_with("In UTF-8 again."));
    bench.write("templates/style.css", RED);
    wait(&told, is_red);
    session.stop();
    assert!(told.try_iter().all(|told| !matches!(told, Told::Trouble(_))));
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_made_for_templates_is_watched_before_anything_is_in_it() {
    use std::os::unix::fs::MetadataExt;

    let bench = Bench::new();
    let (subscriber, told) = listener();
    let request = bench.request(bench.root().join("build"));
    let session = Session::start(request, bench.prepare(), subscriber);
    wait(&told, |told| matches!(told, Told::Page(PageState::Final, _)).then_some(()));
    let folder = bench.root().join("templates");
    fs::create_dir(&folder).expect("it can be made");
    let mark = format!(" ino:{:x} ", fs::metadata(&folder).expect("it is there").ino());
    let is_watched = || {
        let open = fs::read_dir("/proc/self/fdinfo").expect("it can be read").flatten();
        open.filter_map(|file| fs::read_to_string(file.path()).ok())
            .any(|text| text.contains(&mark))
    };
    let since = Instant::now();
    while !is_watched() {
        assert!(since.elapsed() < PATIENCE, "nobody watches it");
        std::thread::yield_now();
    }
    bench.write("templates/style.css", RED);
    wait(&told, is_red);
    session.stop();
}

#[test]
fn an_edit_shows_while_cells_run_and_ends_the_run_if_it_touches_them() {
    let bench = Bench::new();
    bench.write("a.md", chapter("A", "Before.", 7).replace("\n```\n", "\nwait\n```\n"));
    let (subscriber, told) = listener();
    let request = bench.request(bench.root().join("build"));
    let session = Session::start(request, bench.prepare(), subscriber);
    wait(&told, |told| matches!(told, Told::Page(PageState::Meanwhile, _)).then_some(()));
    bench.write("a.md", chapter("A", "Meanwhile.", 7).replace("\n```\n", "\nwait\n```\n"));
    wait(&told, |told| match told {
        Told::Page(state, files) => {
            let text = String::from_utf8_lossy(&files["a.html"]).into_owned();
            let shown = text.contains("Meanwhile.");
            // What has no result is never shown as if it had one.
            shown.then(|| assert!(state == PageState::Meanwhile && text.contains("is running")))
        }
        _ => None,
    });
    bench.write("a.md", chapter("A", "After.", 7));
    wait(&told, |told| match told {
        Told::Page(PageState::Final, files) => {
            String::from_utf8_lossy(&files["a.html"]).contains("After.").then_some(())
        }
        _ => None,
    });
    session.stop();
    assert_eq!(bench.ran(), ["a/n", "a/n", "b/n"]);
}

#[test]
fn an_edit_before_anything_runs_ends_the_run_once_it_turns_out_to_be_of_old_code() {
    let bench = Bench::new();
    bench.write("a.md", chapter("A", "Before.", 7).replace("\n```\n", "\nwait\n```\n"));
    let (subscriber, told) = listener();
    let request = bench.request(bench.root().join("build"));
    // The first ground takes until the edit was seen.
    let (seen, is_seen) = mpsc::channel::<()>();
    let (begins, begun) = mpsc::channel();
    let (prepare, is_seen) = (bench.prepare(), Mutex::new(is_seen));
    let prepare: Arc<Prepare> = Arc::new(move |request: &_, config: &_, slugs: &[&str]| {
        // A test that has failed does not listen.
        let _ = begins.send(());
        let _ = is_seen.lock().expect("no panic").recv();
        prepare(request, config, slugs)
    });
    let session = Session::start(request, prepare, subscriber);
    begun.recv_timeout(PATIENCE).expect("it begins");
    bench.write("a.md", chapter("A", "After.", 7));
    wait(&told, |told| matches!(told, Told::Changed(_)).then_some(()));
    drop(seen);
    wait(&told, |told| match told {
        Told::Page(PageState::Final, files) => {
            String::from_utf8_lossy(&files["a.html"]).contains("After.").then_some(())
        }
        _ => None,
    });
    session.stop();
}

#[test]
fn the_pdf_follows_and_an_ordinary_build_finds_nothing_to_do() {
    let bench = Bench::new();
    bench.write("report.yaml", "title: T\nchapters: [p.md]\n");
    bench.write("p.md", "# Prose\n\nNo cells.\n");
    let mut request = bench.request(bench.root().join("build"));
    request.formats.pdf = true;
    let (subscriber, told) = listener();
    let session = Session::start(request.clone(), Arc::new(pipeline::prepare), subscriber);
    wait(&told, |told| matches!(told, Told::Printed).then_some(()));
    session.stop();
    assert!(bench.root().join("build/report.pdf").exists());
    let build = pipeline::build(&request, &|_| ()).expect("it can be built");
    assert!(!build.rendered);
}
