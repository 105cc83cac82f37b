//! What evcxr costs as it comes: times of its steps in milliseconds, for comparison.
//!
//! In: on standard input, lines that evcxr executes one after another; `EVCXR_TMPDIR` names the folder
//! of its package. Out: for each of them a line with the milliseconds that it took, the first being
//! those of starting it.

use std::io::BufRead;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use evcxr::{CommandContext, EvalContextOutputs};

fn main() -> ExitCode {
    // Does not return in the process that runs statements.
    evcxr::runtime_hook();
    let started = Instant::now();
    let (mut context, EvalContextOutputs { stdout, stderr }) = match CommandContext::new() {
        Ok(opened) => opened,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    thread::spawn(move || stdout.iter().for_each(drop));
    thread::spawn(move || stderr.iter().for_each(|line| eprintln!("{line}")));
    println!("{}", started.elapsed().as_millis());
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let started = Instant::now();
        if let Err(error) = context.execute(&line) {
            eprintln!("{line}: {error}");
            return ExitCode::FAILURE;
        }
        println!("{}", started.elapsed().as_millis());
    }
    ExitCode::SUCCESS
}
