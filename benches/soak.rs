//! A long day of an author's: whether a session that sees thousands of edits stays as small as it was.
//!
//! Run by `cargo bench --bench soak`; `VERACITY_EDITS` says how many edits there are, 2,000 without it.
//! Needs `veracity-live` (`cargo build --manifest-path crates/live/Cargo.toml`). A session watches a small
//! report whose chapter runs in a context; edits of all kinds, mistakes among them, are written to disk one
//! after another. At intervals the memory, threads, files and processes are told, and at the end what is
//! left of them once the session has ended.

#[cfg(target_os = "linux")]
fn main() {
    soak::run();
}

#[cfg(not(target_os = "linux"))]
fn main() {}

/// That of the program.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(target_os = "linux")]
mod soak {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::mpsc::{self, Receiver};
    use std::time::{Duration, Instant};

    use veracity::config::ReportConfig;
    use veracity::kernel::behind::Teller;
    use veracity::kernel::live::Pool;
    use veracity::pipeline::{self, BuildRequest, KernelChoice};
    use veracity::session::{PageState, Session, Update};

    const SETTINGS: &str =
        "title: Soak\nchapters: [thin.md, live.md]\nbibliography: works.bib\ndependencies: {}\n";

    const WORKS: &str = "@book{a, title = {Words}, author = {Author, Ann}, year = {1999}}\n";

    const THIN: &str = "# Prose\n\nWords of @a and $a^2 + b^2$, see @sec-more.\n\n\
         ## More {#sec-more}\n\n$$ a^2 + b^2 = c^2 $$ {#eq-p}\n\nNothing runs here.\n";

    const LIVE: &str = "# Code\n\n```rust,module\npub fn double(x: u64) -> u64 { 2 * x }\n```\n\n\
         ```rust,cell\n//| id: first\nlet start: u64 = 20;\nlet all: Vec<u64> = (0..start).map(double).collect();\n\
         lab::value(\"n\", start);\n```\n\n\
         ```rust,cell\n//| caption: Doubled numbers.\n//| label: tab-d\nlet mut table = lab::Table::new([\"x\", \"y\"]);\n\
         for (x, y) in all.iter().enumerate() { table.row([x as u64, *y]); }\ntable\n```\n\n\
         ```rust,cell\nlab::value(\"sum\", all.iter().sum::<u64>());\n```\n\nThe sum is [380](claim:sum).\n";

    /// Runs the edits and tells what they leave behind.
    pub(super) fn run() {
        let edits = std::env::var("VERACITY_EDITS").ok().and_then(|words| words.parse().ok());
        let edits: usize = edits.unwrap_or(2000);
        let temp = tempfile::tempdir().expect("a temporary folder");
        // What this process and its children put into the folder for temporary files is counted there.
        let root = temp.path().join("report");
        write(&root, "report.yaml", SETTINGS);
        write(&root, "works.bib", WORKS);
        write(&root, "thin.md", THIN);
        write(&root, "live.md", LIVE);
        write(&root, "templates/own.css", "main { margin: 0 }\n");
        let pool = Arc::new(Pool::of(companion()));
        let request = request(&root, Arc::clone(&pool));
        let before = Census::take(&root);
        let (session, told) = start(&request);
        told.settled();
        println!("{edits} edits; memory in MB");
        println!("{}", Census::HEADER);
        let mut slowest = BTreeMap::<&str, Vec<Duration>>::new();
        let step = (edits / 10).max(1);
        for n in 1..=edits {
            let kind = KINDS[n % KINDS.len()];
            let started = Instant::now();
            kind.1(&root, n);
            told.settled();
            slowest.entry(kind.0).or_default().push(started.elapsed());
            if n == 1 || n % step == 0 {
                println!("{n:>6} {}", Census::take(&root));
            }
        }
        session.stop();
        pool.keep_only(&[]);
        println!("ended  {}", Census::take(&root));
        println!("before {before}");
        for (kind, mut times) in slowest {
            times.sort();
            let (median, last) = (times[times.len() / 2], times[times.len() - 1]);
            println!("{kind:<24} {:>4} edits, median {median:?}, slowest {last:?}", times.len());
        }
    }

    type Edit = fn(&Path, usize);

    /// Edits as they come, each with a name. A module, which costs a new context, is seldom changed.
    const KINDS: [(&str, Edit); 25] = [
        ("prose", prose),
        ("formula", formula),
        ("prose", prose),
        ("cell", cell),
        ("prose", prose),
        ("caption", |root, n| {
            write(root, "live.md", &LIVE.replace("Doubled", &format!("Doubled ({n})")));
        }),
        ("prose", prose),
        ("style", |root, n| {
            write(root, "templates/own.css", &format!("main {{ margin: {n}px }}\n"))
        }),
        ("prose", prose),
        ("cell", cell),
        ("half-typed cell", |root, n| {
            write(
                root,
                "live.md",
                &LIVE.replace("let start: u64 = 20;", &format!("let start = ({n}")),
            );
        }),
        ("cell", cell),
        ("works", |root, n| {
            write(root, "works.bib", &WORKS.replace("Words", &format!("Words {n}")))
        }),
        ("prose", prose),
        ("cell that panics", |root, n| {
            write(
                root,
                "live.md",
                &LIVE.replace(
                    "lab::value(\"sum\",",
                    &format!("assert!(all[0] == {n}); lab::value(\"sum\","),
                ),
            );
        }),
        ("cell", cell),
        ("broken settings", |root, n| write(root, "report.yaml", &format!("title: [{n}\n"))),
        ("settings", |root, n| {
            write(root, "report.yaml", &SETTINGS.replace("Soak", &format!("Soak {n}")))
        }),
        ("not UTF-8", |root, n| {
            let bytes = [THIN.as_bytes(), &[0xff], n.to_string().as_bytes()].concat();
            fs::write(root.join("thin.md"), bytes).expect("it can be written");
        }),
        ("prose", prose),
        ("chapter gone", |root, _| fs::remove_file(root.join("thin.md")).expect("it is there")),
        ("prose", prose),
        ("claim", |root, n| write(root, "live.md", &LIVE.replace("[380]", &format!("[{n}]")))),
        ("cell", cell),
        ("module", |root, n| match n % 100 {
            99 => write(root, "live.md", &LIVE.replace("{ 2 * x }", &format!("{{ 2 * x + {n} }}"))),
            _ => write(root, "live.md", LIVE),
        }),
    ];

    fn prose(root: &Path, n: usize) {
        write(root, "thin.md", &format!("{THIN}\nThis is edit {n}, and $x_{{{n}}}$ is new.\n"));
    }

    fn formula(root: &Path, n: usize) {
        write(root, "thin.md", &THIN.replace("c^2 $$", &format!("c^2 + {n} $$")));
    }

    fn cell(root: &Path, n: usize) {
        write(root, "live.md", &LIVE.replace("20;", &format!("{};", 20 + n % 1000)));
    }

    /// What a process and its children take up.
    struct Census {
        host: u64,
        contexts: u64,
        threads: usize,
        files: usize,
        watches: usize,
        processes: usize,
        runs: usize,
        cache: u64,
    }

    impl Census {
        const HEADER: &str = " edits   host contexts threads files watches processes runs cache";

        fn take(root: &Path) -> Self {
            let children = descendants(std::process::id());
            let inside = |path: &Path| fs::read_dir(path).map_or(0, Iterator::count);
            let infos = fs::read_dir("/proc/self/fdinfo").into_iter().flatten().flatten();
            let watches = infos
                .filter_map(|info| fs::read_to_string(info.path()).ok())
                .map(|text| text.matches("inotify wd:").count())
                .sum();
            Self {
                host: resident(std::process::id()),
                contexts: children.iter().map(|child| resident(*child)).sum(),
                threads: inside(Path::new("/proc/self/task")),
                files: inside(Path::new("/proc/self/fd")),
                watches,
                processes: children.len(),
                runs: inside(&root.join("build/run")),
                cache: size(&root.join("build/cache")),
            }
        }
    }

    impl std::fmt::Display for Census {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let Self { host, contexts, threads, files, watches, processes, runs, cache } = self;
            write!(
                f,
                "{:>6} {:>8} {threads:>7} {files:>5} {watches:>7} {processes:>9} {runs:>4} {:>5}",
                host >> 20,
                contexts >> 20,
                cache >> 20
            )
        }
    }

    /// Processes below one.
    fn descendants(of: u32) -> Vec<u32> {
        let parents: BTreeMap<u32, u32> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let process = entry.file_name().to_str()?.parse().ok()?;
                let status = fs::read_to_string(entry.path().join("status")).ok()?;
                let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
                Some((process, parent.trim().parse().ok()?))
            })
            .collect();
        let mut found = vec![of];
        let mut at = 0;
        while at < found.len() {
            let below = parents.iter().filter(|(_, parent)| **parent == found[at]);
            found.extend(below.map(|(process, _)| *process).collect::<Vec<_>>());
            at += 1;
        }
        found.split_off(1)
    }

    /// Bytes of memory that a process holds.
    fn resident(process: u32) -> u64 {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) << 10
    }

    /// Bytes of the files below a folder.
    fn size(folder: &Path) -> u64 {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| match entry.path() {
                path if path.is_dir() => size(&path),
                path => fs::metadata(path).map_or(0, |metadata| metadata.len()),
            })
            .sum()
    }

    struct Told(Receiver<()>);

    impl Told {
        /// Waits until the session has said its last word on an edit: a final page or what stands in the way.
        fn settled(&self) {
            self.0.recv_timeout(Duration::from_secs(300)).expect("the session goes on");
            // A PDF follows on another thread, and a file that is replaced may be looked at twice.
            while self.0.recv_timeout(Duration::from_millis(60)).is_ok() {}
        }
    }

    fn start(request: &BuildRequest) -> (Session, Told) {
        let (sender, told) = mpsc::channel();
        let subscriber = move |update: Update<'_>| {
            let is_last = match update {
                Update::Page(page) => page.state == PageState::Final,
                Update::Trouble(_) => true,
                _ => false,
            };
            if is_last {
                // After the last edit nobody listens.
                let _ = sender.send(());
            }
        };
        let KernelChoice::Live(pool) = &request.kernel else { unreachable!("it is chosen below") };
        let pool = Arc::clone(pool);
        let tell: Teller = Arc::new(|_| ());
        let prepare = move |request: &BuildRequest, config: &ReportConfig, slugs: &[&str]| {
            pipeline::prepare_warm(&pool, &tell, request, config, slugs)
        };
        (Session::start(request.clone(), Arc::new(prepare), Arc::new(subscriber)), Told(told))
    }

    fn companion() -> PathBuf {
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/live/target");
        let named = std::env::var_os("VERACITY_LIVE").map(PathBuf::from).into_iter();
        named
            .chain(["release", "debug"].map(|kind| built.join(kind).join("veracity-live")))
            .find(|path| path.is_file())
            .expect("veracity-live is built")
    }

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("it can be made");
        let beside = path.with_extension("part");
        fs::write(&beside, text).expect("it can be written");
        fs::rename(beside, path).expect("it can be renamed");
    }

    fn request(root: &Path, pool: Arc<Pool>) -> BuildRequest {
        BuildRequest { jobs: 2, kernel: KernelChoice::Live(pool), ..BuildRequest::of(root) }
    }
}
