//! `veracity attest`: makes a statement about a build, and verifies one.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{RunArgs, Session, WRONG, record, relative, reports, status};
use crate::attest::envelope::Envelope;
use crate::attest::{self, key, statement};
use crate::diag::Diagnostic;
use crate::pipeline::{self, Formats};
use crate::world::{DiskWorld, Recorded};

/// The statement, below the output folder.
const FILE: &str = "attestation.json";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AttestArgs {
    #[command(subcommand)]
    command: Option<AttestCommand>,

    /// Private Ed25519 key that signs the statement: PKCS #8 PEM, or 32 bytes
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Where to write the statement [default: attestation.json in the output folder]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,

    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum AttestCommand {
    /// Tell whether a statement is about these sources, and who signs it
    Verify {
        /// The statement
        file: PathBuf,
        /// Public Ed25519 key that must have signed it: SPKI PEM, or 32 bytes
        #[arg(long, value_name = "FILE")]
        public_key: Option<PathBuf>,
    },
}

pub(super) fn run(
    session: &Session,
    root: &Path,
    args: &AttestArgs,
) -> Result<u8, Vec<Diagnostic>> {
    match &args.command {
        None => make(session, root, args),
        Some(AttestCommand::Verify { file, public_key }) => {
            verify(session, root, file, public_key.as_deref()).or_else(|problem| {
                session.problem(&problem);
                Ok(WRONG)
            })
        }
    }
}

fn make(session: &Session, root: &Path, args: &AttestArgs) -> Result<u8, Vec<Diagnostic>> {
    let key = match &args.key {
        Some(path) => {
            let bytes = bytes(path).map_err(|problem| vec![problem])?;
            Some(key::private(&path.display().to_string(), &bytes).map_err(|it| vec![it])?)
        }
        None => None,
    };
    let request = args.run.request(session, root, Formats { html: false, pdf: false })?;
    let world = Recorded::new(DiskWorld::new(root));
    let evaluated = pipeline::check_in(&request, &world, &|event| session.progress.show(event))?;
    session.progress.finish();
    session.results(&evaluated, args.run.strict);
    let (lock, _) = crate::record::of(&evaluated, record::sources(&request, &evaluated)?);
    let sources = attest::sources(root, &evaluated.config, &world.paths());
    let statement = statement::text(&evaluated, &lock, &sources);
    let (text, words) = match &key {
        Some(key) => {
            let id = key::id(&key.verifying_key());
            (Envelope::seal(&statement, key).text(), format!("signed by {id}"))
        }
        None => (statement, "not signed: `--key FILE` signs it".to_owned()),
    };
    let path = args.to.clone().unwrap_or_else(|| request.out.join(FILE));
    reports::file(&path, &text)?;
    session.say(&format!("wrote {}, {words}\n", relative(&path).display()));
    Ok(status(evaluated.standing(), args.run.strict))
}

fn verify(
    session: &Session,
    root: &Path,
    file: &Path,
    public_key: Option<&Path>,
) -> Result<u8, Diagnostic> {
    let name = file.display().to_string();
    let text = String::from_utf8_lossy(&bytes(file)?).into_owned();
    let envelope: Option<Envelope> = serde_json::from_str(&text).ok();
    let (statement, who) = match (envelope, public_key) {
        (Some(envelope), Some(path)) => {
            let key = key::public(&path.display().to_string(), &bytes(path)?)?;
            (envelope.open(&key)?, format!("signed by {}", key::id(&key)))
        }
        (Some(_), None) => {
            return Err(Diagnostic::global(
                "attestation-refused",
                format!("`{name}` is signed, and only its public key tells by whom"),
            )
            .hint("name the key that you expect with `--public-key FILE`"));
        }
        (None, Some(_)) => {
            return Err(Diagnostic::global(
                "attestation-refused",
                format!("`{name}` is no signed statement"),
            )
            .hint("`veracity attest --key FILE` makes one"));
        }
        (None, None) => (text, "not signed, so anybody may have written it".to_owned()),
    };
    let read = statement::parse(&statement)?;
    let world = Recorded::new(DiskWorld::new(root));
    let written = pipeline::read(&world).map_err(|mut problems| problems.swap_remove(0))?;
    let mut paths = world.paths();
    paths.extend(read.files());
    read.is_about(&attest::sources(root, &written.config, &paths))?;
    let meaning = match read.result() {
        "WARNED" => " (some claims could not be checked)",
        "FAILED" => " (claims or chapters are wrong)",
        _ => "",
    };
    session.say(&format!("{}{meaning} on these sources; {who}\n", read.result()));
    // The statement is genuine, and what it states is that the report is wrong.
    Ok(u8::from(read.result() == "FAILED") * WRONG)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    std::fs::read(path).map_err(|error| {
        Diagnostic::global("no-file", format!("cannot read {}: {error}", path.display()))
            .hint("a file here is relative to the present folder, not to that of the report")
    })
}
