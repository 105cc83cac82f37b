//! What may be written on the command line, and its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::device::Device;
use super::{attest, bundle, data, diff, mutate, reports};
#[cfg(unix)]
use crate::kernel::confine;

/// What follows the help of commands that judge a report, behind examples of them.
macro_rules! after_help {
    ($($examples:literal)?) => {
        concat!(
            $("Examples:\n  ", $examples, "\n\n",)?
            "\
Exit status:
  0  every claim is as expected
  1  a claim is refuted, vacuous or in error, or a chapter has an error
     (with --strict, also if a claim could not be checked)
  2  wrong usage
  3  the report could not be built; the one before is still there

A chapter is code: building a report runs it with your rights.
Build only reports that you trust; opening a finished one runs nothing of it."
        )
    };
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  veracity explain hundredth              by the claim's name
  veracity explain 1-triangles/hundredth  where several chapters have that name";

const SERVE_EXAMPLES: &str = "\
Examples:
  veracity serve            pages at http://127.0.0.1:4040/ that follow every save
  veracity serve --port 0   at any port that is free
  veracity serve --console  with a panel that answers Rust, behind a token";

#[cfg(unix)]
const CONSOLE_EXAMPLES: &str = "\
Examples:
  veracity console 1                  a prompt behind the cells of chapter 1; :help lists the rest
  echo 'triangle(7)' | veracity console 1";

const NEW_EXAMPLES: &str = "\
Examples:
  veracity new triangles
  veracity serve --root triangles";

/// Heading of the options that every command has.
const EVERYWHERE: &str = "Options of every command";

/// Builds reports from Markdown and Rust, and checks what the prose claims against the code.
#[derive(Debug, Parser)]
#[command(name = "veracity", version, after_help = after_help!(), propagate_version = true)]
pub(super) struct Cli {
    /// Folder of the report [default: the nearest one with report.yaml, from here upwards]
    #[arg(long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    pub(super) root: Option<PathBuf>,

    /// Say only what is wrong
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    pub(super) quiet: bool,

    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = EVERYWHERE
    )]
    pub(super) color: ColorChoice,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the code, judge the claims, and write the HTML and PDF report
    #[command(after_help = after_help!("\
  veracity build-report                    report.yaml here or above; see build/report/index.html
  veracity build-report --format html      without the PDF
  veracity build-report --frozen           from report.lock, where there is no Rust"))]
    BuildReport {
        /// What to write
        #[arg(long, value_delimiter = ',', default_value = "html,pdf")]
        format: Vec<Format>,
        /// Render from report.lock and run nothing; no toolchain is needed
        #[arg(long, conflicts_with_all = ["chapter", "profile", "device", "kernel", "no_cache"])]
        frozen: bool,
        #[command(flatten)]
        reports: ReportArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Run the code and judge the claims, but render nothing
    #[command(after_help = after_help!("\
  veracity check                           every claim, with its verdict
  veracity check --claim hundredth         only what this one needs
  veracity check --strict --report github  for CI: unverified claims fail, problems are annotations"))]
    Check {
        /// Fail unless this part of the numbers in the prose, in per cent, is backed
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=100))]
        require_coverage: Option<u8>,
        /// Run everything from scratch and compare it with report.lock
        #[arg(long, conflicts_with_all = ["chapter", "profile"])]
        locked: bool,
        #[command(flatten)]
        reports: ReportArgs,
        /// Run only what this claim needs, and tell its verdict; claims.json stays as it is
        #[arg(long, value_name = "CLAIM", conflicts_with_all = ["chapter", "locked", "require_coverage", "wanted"])]
        claim: Option<String>,
        /// The report is not yours: confine its code and use nothing that it brings along but sources
        #[arg(long)]
        untrusted: bool,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Run the code and write down in report.lock what the report claims and what came of it
    Record {
        /// Keep files for download of any size, such as trained weights, not only their digests
        #[arg(long)]
        with_files: bool,

        #[command(flatten)]
        run: RunArgs,
    },
    /// Tell what has changed between commits, records or ledgers, what weakens the report first
    #[command(after_help = diff::AFTER_HELP)]
    Diff(diff::DiffArgs),
    /// Make an in-toto statement about a build, or verify one
    Attest(attest::AttestArgs),
    /// Build again after every change of a file, and tell what came of it
    Watch {
        /// What to write
        #[arg(long, value_delimiter = ',', default_value = "html,pdf")]
        format: Vec<Format>,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Build again after every change, as `watch` does, and show pages that follow in the browser
    #[command(after_help = SERVE_EXAMPLES)]
    Serve {
        /// Port to listen on; 0 takes any that is free [default: 4040, or any if that is taken]
        #[arg(long)]
        port: Option<u16>,
        /// Name or address to listen on; other than this machine's own only with --token
        #[arg(long, value_name = "NAME", default_value = "127.0.0.1")]
        host: String,
        /// Let in only who has the token that is printed
        #[arg(long)]
        token: bool,
        /// Let readers ask the code, in a panel of each chapter; means --token, for it runs code
        #[arg(long)]
        console: bool,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Tell how a claim was judged: prose, formula or value, code, data, verdict
    #[command(before_long_help = EXPLAIN_EXAMPLES, after_help = EXPLAIN_EXAMPLES, after_long_help = "")]
    Explain {
        /// Name or identifier of the claim, such as `m-count` or `1-attention/m-count`
        claim: String,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Change claims, formulas and code one by one, and tell which changes no claim notices
    #[command(after_help = mutate::AFTER_HELP)]
    Mutate {
        #[command(flatten)]
        mutate: mutate::MutateArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Ask the code of a chapter questions, at a prompt behind its cells
    #[cfg(unix)]
    #[command(after_help = CONSOLE_EXAMPLES)]
    Console {
        /// The chapter: its number, file or name
        #[arg(id = "asked", value_name = "CHAPTER")]
        chapter: String,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Write the chapters in another form
    Export {
        /// As notebooks of the Rust kernel for Jupyter, with their outputs
        #[arg(long, required = true)]
        ipynb: bool,
        /// Folder to write into [default: `build/notebooks` in the report's folder]
        #[arg(long = "to", value_name = "DIR", id = "into")]
        to: Option<PathBuf>,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Make a chapter out of a Rust notebook
    ImportNotebook {
        /// The notebook
        file: PathBuf,
        /// The chapter's file [default: of the notebook's name, in `chapters`]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make a small report that builds at once
    #[command(after_help = NEW_EXAMPLES)]
    New {
        /// Folder to make; it must not exist or be empty
        dir: PathBuf,
    },
    /// Look for what is needed here: toolchain, disk, GPU, optional parts
    Doctor,
    /// Make programs of the chapters that run where there is no Rust
    Bundle {
        #[command(flatten)]
        args: bundle::BundleArgs,
    },
    /// Take over the results of a bundle that ran elsewhere
    Import {
        #[command(flatten)]
        args: bundle::ImportArgs,
    },
    /// List, download and verify the data sets of data/manifest.yaml
    Data {
        #[command(subcommand)]
        command: data::DataCommand,
    },
    /// Give up rights and become another program
    #[cfg(unix)]
    #[command(name = confine::COMMAND, hide = true)]
    Confine {
        policy: String,
        #[arg(last = true)]
        command: Vec<std::ffi::OsString>,
    },
    /// Remove stored results, compiled chapters and outputs
    Clean {
        /// Folder with them [default: `build` in the report's folder]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Html,
    Pdf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum KernelName {
    /// A compiled program for each chapter
    Batch,
    /// A process for each chapter that stays, on evcxr
    #[cfg(unix)]
    Live,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum VenueName {
    /// On this machine
    Local,
    /// As arrays on a cluster with Slurm, whose nodes see the report's folder
    Slurm,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Also tell other machines: junit=FILE, sarif=FILE, badge=FILE, or github for annotations
    #[arg(long = "report", value_name = "KIND[=FILE]")]
    pub(super) wanted: Vec<reports::Report>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "How the code is run")]
pub(super) struct RunArgs {
    /// Run the cells of this chapter only (from 1); the others keep their stored results
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) chapter: Option<u32>,

    /// Name of a profile: `quick` is what a reader waits for, `full` the real experiment
    #[arg(long, default_value = "quick")]
    pub(super) profile: String,

    /// Where tensors live
    #[arg(long, default_value = "auto")]
    pub(super) device: Device,

    /// What runs the cells [default: batch; for `watch` and `serve` live, if it is there]
    #[arg(long)]
    pub(super) kernel: Option<KernelName>,

    /// Where the jobs of sweeps run
    #[arg(long, value_name = "WHERE", default_value = "local")]
    pub(super) on: VenueName,

    /// Further argument for Slurm's sbatch, such as --sbatch=--time=2:00:00; may be given again
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub(super) sbatch: Vec<String>,

    /// Chapters to run at a time [default: one for each processor, 1 on a GPU]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) jobs: Option<u32>,

    /// Folder for outputs and stored results [default: `build` in the report's folder]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,

    /// Folder with data sets [default: `data` in the report's folder]
    #[arg(long, value_name = "DIR", env = "VERACITY_DATA")]
    pub(super) data: Option<PathBuf>,

    /// Run every cell from scratch, whatever is stored
    #[arg(long)]
    pub(super) no_cache: bool,

    /// Confine compilers and cells: they read the report, the toolchain and declared data, write only
    /// results, use no network and end at limits
    #[arg(long)]
    pub(super) sandbox: bool,

    /// Use no network, not even to fetch crates for the chapters
    #[arg(long)]
    pub(super) offline: bool,

    /// Fail also if a claim could not be checked
    #[arg(long)]
    pub(super) strict: bool,
}
