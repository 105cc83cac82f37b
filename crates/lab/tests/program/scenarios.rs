//! The program of a chapter as the report builder would generate it, for `tests/runtime.rs`.
//!
//! The environment variable `SCENARIO` says how the second cell ends.

use std::process::ExitCode;

use veracity_lab as lab;
use veracity_lab::prelude::*;
use veracity_lab::runtime;

fn main() -> ExitCode {
    runtime::run(cells)
}

fn cells() -> Result<(), runtime::Failure> {
    let scenario = std::env::var("SCENARIO").unwrap_or_default();

    runtime::begin(0);
    print!("of the first cell, without a line feed");
    eprintln!("error stream of the first cell");
    let answer = 42;
    runtime::output(lab::value("answer", answer).unit("units"));

    runtime::begin(1);
    println!("of the second cell");
    match scenario.as_str() {
        "error" => {
            let _: i32 = "x".parse()?; // error here
        }
        "chain" => Err(Outer(Inner))?,
        "panic" => {
            std::hint::black_box(None::<i32>).unwrap(); // panic here
        }
        "caught" => {
            let caught = std::panic::catch_unwind(|| panic!("caught by the author"));
            assert!(caught.is_err());
        }
        "caught-then-panic" => {
            let caught = std::panic::catch_unwind(|| panic!("caught by the author"));
            assert!(caught.is_err());
            panic!("not caught"); // second panic here
        }
        "unjoined" => {
            let thread = std::thread::spawn(|| panic!("in a thread that nobody asks"));
            while !thread.is_finished() {
                std::thread::yield_now();
            }
        }
        "joined" => {
            let thread = std::thread::spawn(|| panic!("in a thread"));
            thread.join().unwrap(); // join here
        }
        "resumed" => {
            let thread = std::thread::spawn(|| panic!("carried over")); // origin here
            let Err(payload) = thread.join();
            std::panic::resume_unwind(payload);
        }
        "twice" => {
            lab::value("question", 42);
            lab::value("question", 43); // twice here
        }
        "ragged" => {
            Table::from_rows(&[(1, 2)]); // ragged here
        }
        "logarithmic" => {
            lab::show(Plot::new("x", "y").line("", [(0, 1)]).log_x()); // logarithmic here
        }
        "unknown" => {
            equation!("eq-none"); // unknown here
        }
        "undefined" => {
            let eq = equation!("eq-inverse");
            lab::check(Check::exact("inverse").over([("x", 0..=1)], |p| {
                (eq.eval(p), 1) // undefined here
            }));
        }
        "unproved" => {
            let eq = equation!("eq-inverse");
            let proof = Check::polynomial("inverse").degree([("x", 1)]);
            lab::check(proof.equals(&eq, |_| 1)); // unproved here
        }
        "endless" => loop {
            std::thread::park();
        },
        "sweep" => {
            let halves = lab::sweep("half", &[2, 4, 6], |number| {
                let progress = lab::progress("halving", 1);
                progress.step();
                (number / 2 + answer - 42, std::process::id())
            });
            println!("{:?}", halves.iter().map(|(half, _)| half).collect::<Vec<_>>());
            println!("{:?}", halves.iter().map(|(_, process)| process).collect::<Vec<_>>());
        }
        "sweep-panic" => {
            lab::sweep("half", &[2, 4, 6], |number| {
                assert_ne!(*number, 4, "no half of four"); // job here
                number / 2
            });
        }
        "sweep-exit" => {
            lab::sweep("half", &[2, 4, 6], |number| match number {
                4 => std::process::exit(9),
                number => number / 2,
            });
        }
        "sweep-endless" => {
            lab::sweep("half", &[2, 4], |number| {
                let name = format!("job-{number}.pid");
                let file = lab::data_dir().join(name);
                std::fs::write(file, std::process::id().to_string()).expect("it can be written");
                loop {
                    std::thread::park();
                }
            })
            .into_iter()
            .for_each(|(): ()| ());
        }
        "deep" => println!("{}", depth(100_000)),
        _ => {}
    }
    runtime::output((Check::shape("shape", [2], [2]), "text"));
    Ok(())
}

#[derive(Debug)]
struct Inner;

#[derive(Debug)]
struct Outer(Inner);

impl std::fmt::Display for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the inner reason")
    }
}

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the outer reason")
    }
}

impl std::error::Error for Inner {}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Uses about 1 kB of stack per level.
fn depth(levels: u32) -> u64 {
    let frame = std::hint::black_box([u64::from(levels); 128]);
    if levels == 0 { 0 } else { 1 + depth(levels - 1) + (frame[1] - frame[0]) }
}
