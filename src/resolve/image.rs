//! Pictures from the author's files.
//!
//! In: a target and the world. Out: the path, and the bytes with the ending that they deserve, judged
//! by their content. Left out: their place in the text.

use super::link::{Address, address};
use crate::document::ImageData;
use crate::world::World;

/// Reads the picture that `target` names in the file `from`.
///
/// # Errors
/// Why it cannot be shown, and what to do about it.
pub(super) fn load(
    target: &str,
    from: &str,
    world: &dyn World,
) -> Result<(String, ImageData), (String, &'static str)> {
    let path = match address(target, from) {
        Address::File { path, .. } => path,
        Address::Outside => {
            return Err((
                format!("`{target}` leads out of the report's folder"),
                "copy the picture into the report",
            ));
        }
        Address::Web(_) | Address::Label(_) | Address::Unsafe(_) => {
            return Err((
                format!("`{target}` is not a file of the report"),
                "a report holds its pictures; copy this one into its folder",
            ));
        }
    };
    let bytes = world.read(&path).map_err(|error| {
        (
            format!("the picture `{path}` cannot be read: {error}"),
            "a path is relative to the folder of its chapter",
        )
    })?;
    let extension = extension(&bytes).ok_or_else(|| {
        (
            format!("`{path}` is no picture that can be shown"),
            "PNG, JPEG, GIF, SVG and WebP are known, by what is in the file",
        )
    })?;
    Ok((path, ImageData::File { bytes: bytes.into(), extension: extension.into() }))
}

/// The usual ending of a picture, by its first bytes.
fn extension(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => std::str::from_utf8(bytes).is_ok_and(is_svg).then_some("svg"),
    }
}

/// Whether the first element of an XML text is `svg`.
fn is_svg(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<svg") || rest.starts_with("<svg:svg") => return true,
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<!") => ">",
            _ => return false,
        };
        match rest.split_once(end) {
            Some((_, after)) => rest = after.trim_start(),
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::MemoryWorld;

    #[test]
    fn the_content_decides_about_the_kind() {
        assert_eq!(extension(b"\x89PNG\r\n\x1a\n..."), Some("png"));
        assert_eq!(extension(b"\xff\xd8\xff\xe0"), Some("jpg"));
        assert_eq!(extension(b"GIF89a"), Some("gif"));
        assert_eq!(extension(b"RIFF....WEBPVP8 "), Some("webp"));
        assert_eq!(
            extension(b"<?xml version='1.0'?><!-- x --><!DOCTYPE svg>\n<svg/>"),
            Some("svg")
        );
        assert_eq!(extension(b"<html><svg/></html>"), None);
        assert_eq!(extension(b"\xff\xfe"), None);
        assert_eq!(extension(b""), None);
    }

    #[test]
    fn only_files_of_the_report_are_shown() {
        let world = MemoryWorld::default().with("figures/a.svg", "<svg/>");
        assert!(load("../figures/a.svg", "chapters/1.md", &world).is_ok());
        for target in ["a.svg", "../../a.svg", "https://example.org/a.png", "data:image/png,x"] {
            assert!(load(target, "chapters/1.md", &world).is_err(), "{target}");
        }
    }
}
