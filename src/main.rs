//! The `veracity` program; see the library's `cli` for its commands.

fn main() -> std::process::ExitCode {
    veracity::cli::main()
}
