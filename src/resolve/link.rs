//! Where a link of the author's leads, and whether it is safe to follow.
//!
//! In: the target as written, and the file that holds it. Out: an [`Address`]. Left out:
//! whether anything is there.

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address<'a> {
    /// To the web, or to a mail program.
    Web(&'a str),
    /// To a place in this report, by label.
    Label(&'a str),
    /// To a file of the report, by its path from the root, and a place in it.
    File { path: String, label: Option<&'a str> },
    /// To a file outside of the report.
    Outside,
    /// To something that may run code or cannot be read, by its scheme.
    Unsafe(String),
}

/// Reads a target that is written in the file `from`.
pub(super) fn address<'a>(target: &'a str, from: &str) -> Address<'a> {
    let target = target.trim();
    // Browsers drop these characters, so `java\nscript:` is a scheme to them.
    if target.contains(|c: char| c.is_control()) {
        return Address::Unsafe("control characters".into());
    }
    if let Some(label) = target.strip_prefix('#') {
        return Address::Label(label);
    }
    if target.starts_with("//") || target.starts_with('\\') {
        return Address::Unsafe("no scheme".into());
    }
    let head = target.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((scheme, _)) = head.split_once(':') {
        let scheme = scheme.to_ascii_lowercase();
        return match scheme.as_str() {
            "http" | "https" | "mailto" => Address::Web(target),
            _ => Address::Unsafe(format!("`{scheme}:`")),
        };
    }
    let (path, label) = match target.split_once('#') {
        Some((path, label)) => (path, Some(label)),
        None => (target, None),
    };
    match relative(path, from) {
        Some(path) => Address::File { path, label },
        None => Address::Outside,
    }
}

/// The path from the root of a path that is written in the file `from`; none if it leads out.
fn relative(path: &str, from: &str) -> Option<String> {
    let mut parts: Vec<&str> = match path.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => {
            from.rsplit_once('/').map(|(folder, _)| folder.split('/').collect()).unwrap_or_default()
        }
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_schemes_are_refused() {
        for target in [
            "javascript:alert(1)",
            " JavaScript:alert(1)",
            "java\nscript:x",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "//example.org",
            "\\\\host\\x",
            "x:y",
        ] {
            assert!(matches!(address(target, "a.md"), Address::Unsafe(_)), "{target}");
        }
        for target in ["https://example.org/a:b#c", "HTTP://example.org", "mailto:a@example.org"] {
            assert_eq!(address(target, "a.md"), Address::Web(target));
        }
    }

    #[test]
    fn paths_are_relative_to_their_file() {
        let file = |path: &str, label| Address::File { path: path.into(), label };
        assert_eq!(address("2.md#sec-x", "chapters/1.md"), file("chapters/2.md", Some("sec-x")));
        assert_eq!(address("../a/./b.png", "chapters/1.md"), file("a/b.png", None));
        assert_eq!(address("/a.png", "chapters/1.md"), file("a.png", None));
        assert_eq!(address("a/b:c", "1.md"), file("a/b:c", None));
        assert_eq!(address("../../x", "chapters/1.md"), Address::Outside);
        assert_eq!(address("#eq-m", "1.md"), Address::Label("eq-m"));
    }
}
