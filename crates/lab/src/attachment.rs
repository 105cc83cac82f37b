//! Files that a report offers for download.
//!
//! In: a name and bytes, such as the weights of a trained model. Out: an artifact that becomes a
//! file beside the pages, with its size and digest in both outputs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use veracity_protocol::Artifact;

use crate::IntoArtifact;

/// Longest name, in bytes.
const LONGEST: usize = 100;

/// A file that the report offers for download.
///
/// ```no_run
/// use veracity_lab as lab;
///
/// lab::show(lab::Attachment::new("losses.json", b"[0.7, 0.4]"));
/// ```
#[derive(Clone, Debug)]
pub struct Attachment {
    name: String,
    data: String,
}

impl Attachment {
    /// Offers these bytes under a name of letters, digits, `-`, `_` and `.` in ASCII.
    ///
    /// # Panics
    ///
    /// If the name is none, or begins with a dot.
    #[track_caller]
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let fits = (1..=LONGEST).contains(&name.len());
        assert!(
            fits && name.chars().all(is_plain) && !name.starts_with('.'),
            "{name:?} is no name for a file: letters, digits, `-`, `_` and `.` are, but no dot first"
        );
        Self { name: name.to_owned(), data: STANDARD.encode(bytes) }
    }
}

impl IntoArtifact for Attachment {
    fn into_artifacts(self) -> Vec<Artifact> {
        vec![Artifact::File { name: self.name, data: self.data }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_lead_elsewhere_are_refused() {
        for name in ["", ".x", "../x", "a/b", "a b", "ä", &"x".repeat(101)] {
            assert!(std::panic::catch_unwind(|| Attachment::new(name, b"")).is_err(), "{name}");
        }
        let shown = Attachment::new("w-1.bin", &[0, 255]).into_artifacts();
        assert_eq!(shown, [Artifact::File { name: "w-1.bin".into(), data: "AP8=".into() }]);
    }
}
