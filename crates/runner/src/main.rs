//! Runs a bundle of compiled chapters where there is no toolchain.
//!
//! In: the folder in which this executable lies, with a manifest, the chapters' programs and
//! perhaps data. Out: a results folder for `veracity import`. It is built into every bundle under
//! the name `run`, and needs neither a network nor any other program but those of the bundle.
//!
//! A chapter that ended well is not run again. One that was cut short is, and finds what it had
//! memoised in the results folder.

mod bundle;
mod chapter;
mod machine;
mod options;
mod results;

use std::process::{Command, ExitCode};

use options::Options;

/// Exit status for what is wrong with the bundle, the machine or the arguments.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let options = match Options::read(std::env::args_os().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => return unusable(&message),
    };
    match run(&options) {
        Ok(status) => status,
        Err(message) => unusable(&message),
    }
}

fn unusable(message: &str) -> ExitCode {
    eprintln!("run: {message}");
    ExitCode::from(UNUSABLE)
}

fn run(options: &Options) -> Result<ExitCode, String> {
    let bundle = bundle::Opened::at(&options.bundle)?;
    let data = bundle.data(&options.data)?;
    let machine = machine::look(bundle.manifest.cuda.as_ref(), options.cuda.as_deref())?;
    println!("{} on {}", bundle.manifest.report, machine.words);
    if options.only_check {
        println!("bundle, data and machine are as they should be");
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(test) = &bundle.manifest.self_test {
        return self_test(&bundle, test, options.throughput, &machine);
    }
    if options.throughput {
        return Err(
            "`--throughput` is for a bundle that `veracity bundle --selftest` made".to_owned()
        );
    }
    let mut results = results::Folder::open(&options.results, &bundle, &machine.words)?;
    let count = bundle.manifest.chapters.len();
    let mut all_well = true;
    for (index, chapter) in bundle.manifest.chapters.iter().enumerate() {
        let head = format!("[{}/{count}] {}", index + 1, chapter.plan.chapter);
        if results.has(&chapter.plan.chapter) {
            println!("{head}: has run already");
            continue;
        }
        println!("{head}: {} cells", chapter.plan.cells.len());
        let run = chapter::Run {
            chapter,
            bundle: &bundle,
            data: &data,
            machine: &machine,
            results: &options.results,
            jobs: options.jobs,
            slurm: options.slurm.as_deref(),
        };
        let ran = run.to_its_end()?;
        if let Some(failure) = &ran.failure {
            all_well = false;
            println!("{head}: {failure}");
            println!("{head}: what was memoised is kept; running this again goes on from there");
        }
        results.keep(&chapter.plan.chapter, ran)?;
    }
    println!("results in {}; take them home and say `veracity import`", options.results.display());
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the program that tests the device; its table is for people, its exit status is ours.
fn self_test(
    bundle: &bundle::Opened,
    program: &str,
    throughput: bool,
    machine: &machine::Machine,
) -> Result<ExitCode, String> {
    let program = bundle.folder.join(program);
    let mut command = Command::new(&program);
    command.current_dir(bundle.home());
    println!("{}", machine.words);
    if throughput {
        command.arg("--throughput");
    }
    if let Some(libraries) = &machine.libraries {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    let failed = |error| format!("{} cannot be run: {error}", program.display());
    let status = command.status().map_err(failed)?;
    if !status.success() {
        println!("the self-test failed: {status}");
    }
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
