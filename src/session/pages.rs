//! Pages in memory, and what is kept to make the next ones sooner.
//!
//! In: what was found, and the templates among the report's files. Out: the files of the pages.
//! Left out: writing them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::diag::Diagnostic;
use crate::math::MathmlRenderer;
use crate::pipeline::Evaluated;
use crate::render::Highlighter;
use crate::render::html::{self, Templates};
use crate::world::{DiskWorld, Recorded};

/// After how many pages code that is no longer shown is forgotten.
const RENEWAL: u64 = 100;

/// Makes pages.
pub(super) struct Pages {
    math: MathmlRenderer,
    highlighter: Arc<Highlighter>,
    /// How often pages were made.
    renders: u64,
    /// Those of the last pages, with their digest.
    templates: Option<(String, Templates)>,
}

impl Pages {
    /// Begins with the colours of code that an earlier build has kept in an output folder.
    pub(super) fn new(out: &Path) -> Self {
        let kept = crate::cache::kept(&out.join("cache").join("highlighted"));
        let highlighter = Arc::new(Highlighter::new(kept.unwrap_or_default()));
        Self { math: MathmlRenderer::new(), highlighter, renders: 0, templates: None }
    }

    /// The colours of code.
    pub(super) fn highlighter(&self) -> &Arc<Highlighter> {
        &self.highlighter
    }

    /// Loads the templates, unless those of the last pages have not changed.
    ///
    /// # Errors
    /// Where a template is at fault.
    pub(super) fn load(&mut self, world: &Recorded<DiskWorld>) -> Result<(), Vec<Diagnostic>> {
        load(&mut self.templates, world).map(|_| ())
    }

    /// The files of the pages, by path.
    ///
    /// # Errors
    /// Where a template is at fault.
    pub(super) fn render(
        &mut self,
        world: &Recorded<DiskWorld>,
        evaluated: &Evaluated,
    ) -> Result<BTreeMap<String, Bytes>, Vec<Diagnostic>> {
        self.renders += 1;
        if self.renders.is_multiple_of(RENEWAL) {
            self.highlighter = Arc::new(self.highlighter.renewed());
        }
        let templates = load(&mut self.templates, world)?;
        let files = html::files(
            &evaluated.document,
            &evaluated.evidence(),
            templates,
            &self.highlighter,
            &mut self.math,
        )?;
        Ok(files.into_iter().map(|file| (file.path, file.bytes)).collect())
    }
}

fn load<'a>(
    kept: &'a mut Option<(String, Templates)>,
    world: &Recorded<DiskWorld>,
) -> Result<&'a Templates, Vec<Diagnostic>> {
    let digest = html::digest_of_templates(world);
    let known = kept.take().filter(|(known, _)| *known == digest);
    let (_, templates) = match known {
        Some(known) => kept.insert(known),
        None => kept.insert((digest, Templates::load(world)?)),
    };
    Ok(templates)
}
