//! What the live kernel costs: a context, an edit, memory. `cargo bench --bench live`; needs
//! `veracity-live` (`cargo build --manifest-path crates/live/Cargo.toml`).

#[cfg(unix)]
fn main() {
    live::measure();
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod live {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use veracity::exec::CellStatus;
    use veracity::kernel::live::Pool;
    use veracity::pipeline::{self, BuildRequest, Formats, KernelChoice};
    use veracity::world::DiskWorld;

    const EDITS: usize = 15;
    const CHAPTER: &str = "chapters/1-linear-attention.md";

    /// Measures on a copy of this report.
    pub(super) fn measure() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = own.join("crates/live/target");
        let named = std::env::var_os("VERACITY_LIVE").map(PathBuf::from).into_iter();
        let executable = named
            .chain(["release", "debug"].map(|kind| built.join(kind).join("veracity-live")))
            .find(|path| path.is_file())
            .expect("veracity-live is built");
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-bench");
        let _ = fs::remove_dir_all(root.join("build/cache"));
        fs::create_dir_all(root.join("chapters")).expect("the target folder can be written");
        for file in ["report.yaml", "Cargo.lock", "chapters/references.bib"] {
            fs::copy(own.join(file), root.join(file)).expect("this report is whole");
        }
        let settings = fs::read_to_string(own.join("report.yaml")).expect("this report is whole");
        let nets = own.join("crates/nets").display().to_string();
        let alone = settings
            .lines()
            .filter(|line| !line.trim_start().starts_with("- chapters/") || line.contains(CHAPTER));
        let settings = alone.collect::<Vec<_>>().join("\n").replace("crates/nets", &nets);
        fs::write(root.join("report.yaml"), settings).expect("the target folder can be written");
        let text = fs::read_to_string(own.join(CHAPTER)).expect("this report is whole");
        let pool = Arc::new(Pool::of(executable));
        let request = BuildRequest {
            formats: Formats { html: false, pdf: false },
            jobs: 1,
            kernel: KernelChoice::Live(Arc::clone(&pool)),
            ..BuildRequest::of(&root)
        };
        let evaluate = |probe: &str| {
            let text = format!("{text}\n```rust,cell\n{probe}\n```\n");
            fs::write(root.join(CHAPTER), text).expect("the target folder can be written");
            let began = Instant::now();
            let evaluated = pipeline::evaluate(&request, &DiskWorld::new(&root), &|_| ());
            let took = began.elapsed();
            let evaluated = evaluated.unwrap_or_else(|problems| panic!("{problems:?}"));
            // What needs data or another profile does not run here.
            let mut cells = evaluated.executed.chapters[0].cells.iter();
            let failed = cells.find(|cell| matches!(cell.status, CellStatus::Failed(_)));
            assert!(failed.is_none(), "{failed:?}");
            took
        };
        // What stands under the cells is compiled once; that is not what an edit costs.
        println!("whole chapter, what it stands on perhaps not compiled: {:?}", evaluate("0;"));
        pool.keep_only(&[]);
        println!("context and one cell: {:?}", evaluate("1;"));
        let edits = (0..EDITS).map(|n| evaluate(&format!("lab::value(\"probe\", {n});")));
        told("thin cell edited", edits.collect());
        for (chapter, process) in pool.processes() {
            println!("memory of {chapter}: {} MB in veracity-live", resident(process) >> 20);
        }
    }

    fn told(what: &str, mut times: Vec<Duration>) {
        times.sort();
        let (first, last) = (times[0], times[times.len() - 1]);
        println!("{what}: median {:?}, {first:?} to {last:?}", times[times.len() / 2]);
    }

    /// Bytes of memory that a process holds; 0 where nobody tells.
    fn resident(process: u32) -> u64 {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) << 10
    }
}
