//! The texts of change requests: what may be said, how options of a push carry it, and the issues that it names.

/// How many bytes a title may have.
pub const TITLE: usize = 200;
/// How many bytes any other text may have: one option of a push must hold it.
pub const TEXT: usize = 48 * 1024;

/// Words in front of an issue by which it is closed.
const CLOSING: [&str; 9] =
    ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"];

/// Returns why a text cannot be a title; nothing for one that can.
pub fn flaw_of_title(title: &str) -> Option<String> {
    let fits = !title.trim().is_empty() && title.len() <= TITLE && !title.contains(char::is_control);
    (!fits).then(|| format!("a title is one line of 1 to {TITLE} bytes"))
}

/// Returns why a text cannot be a description or a comment; nothing for one that can.
pub fn flaw_of_text(text: &str) -> Option<String> {
    let foul = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.len() > TEXT {
        return Some(format!("a text has up to {TEXT} bytes"));
    }
    text.contains(foul).then(|| "a text has no control characters".to_owned())
}

/// What the chapter of a description begins with that is made from the commits.
const NOTES: &str = "## Notes\n";

/// Tells whether a description is nothing but notes, or is empty: then there is no word of a person in it.
pub fn is_notes(text: &str) -> bool {
    let text = text.trim_start();
    text.is_empty() || text.starts_with("### ") || text.starts_with(NOTES)
}

/// Returns a description with notes as its last chapter, in place of those that it has.
pub fn with_notes(text: &str, notes: &str) -> String {
    let own = text.rfind(&format!("\n{NOTES}")).map_or(text, |at| &text[..at]).trim_end();
    let notes = notes.trim();
    match (own.is_empty(), notes.is_empty()) {
        (_, true) => own.to_owned(),
        (true, false) => notes.to_owned(),
        (false, false) => format!("{own}\n\n{NOTES}\n{notes}"),
    }
}

/// Returns a text as an option of a push carries it: in one line.
pub fn pack(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\r', "").replace('\n', "\\n")
}

/// Returns the text that an option of a push carries: `\n` is a line feed, and `\\` a backslash.
pub fn unpack(text: &str) -> String {
    let (mut unpacked, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('\\', Some('n')) => unpacked.push('\n'),
            ('\\', Some('\\')) => unpacked.push('\\'),
            (c, _) => {
                unpacked.push(c);
                continue;
            }
        }
        chars.next();
    }
    unpacked
}

/// Returns the issues that a text names, such as `#12`, each with whether it is closed by it.
pub fn issues(text: &str) -> Vec<(String, bool)> {
    let mut issues = vec![];
    for line in text.lines() {
        let mut before = "";
        for word in line.split_whitespace() {
            let name = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '#');
            let number = name.strip_prefix('#').unwrap_or_default();
            if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
                let closes = CLOSING.contains(&before.trim_end_matches(':').to_ascii_lowercase().as_str());
                add_issue(&mut issues, format!("#{number}"), closes);
            }
            before = word;
        }
    }
    issues
}

/// Adds an issue to a list that has each once.
pub fn add_issue(issues: &mut Vec<(String, bool)>, issue: String, closes: bool) {
    match issues.iter_mut().find(|(known, _)| *known == issue) {
        Some((_, known)) => *known |= closes,
        None => issues.push((issue, closes)),
    }
}

/// Returns the boxes of a checklist, each with whether it is ticked.
pub fn boxes(text: &str) -> Vec<(String, bool)> {
    let item = |line: &str| {
        let rest = line.trim_start().strip_prefix(['-', '*', '+'])?.trim_start();
        let (mark, what) = rest.strip_prefix('[')?.split_once(']')?;
        let ticked = match mark {
            " " | "" => false,
            "x" | "X" => true,
            _ => return None,
        };
        Some((what.trim().to_owned(), ticked))
    };
    text.lines().filter_map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_text_is_one_line_and_comes_back() {
        for text in ["", "a\nb", "a\\nb", "\\", "\\\\n\n\\", "back\\slash and\n\nlines\\"] {
            assert!(!pack(text).contains('\n'));
            assert_eq!(unpack(&pack(text)), text, "{text:?}");
        }
        assert_eq!(unpack("a\\nb\\tc\\"), "a\nb\\tc\\");
    }

    #[test]
    fn notes_are_the_last_chapter_and_what_a_person_wrote_stays() {
        let first = with_notes("- [ ] a test\n", "### Features\n\n- a\n");
        assert_eq!(first, "- [ ] a test\n\n## Notes\n\n### Features\n\n- a");
        let ticked = first.replace("[ ]", "[x]");
        assert_eq!(with_notes(&ticked, "- b"), "- [x] a test\n\n## Notes\n\n- b");
        assert_eq!(with_notes(&ticked, ""), "- [x] a test");
        assert_eq!(with_notes("", "- b"), "- b");
        for (text, expected) in [("", true), ("### Features\n", true), ("## Notes\n", true), (&ticked, false)]
        {
            assert_eq!(is_notes(text), expected, "{text}");
        }
    }

    #[test]
    fn titles_and_texts_have_limits() {
        for title in ["", " ", "a\nb", "a\u{1b}[2Jb", &"x".repeat(TITLE + 1)] {
            assert!(flaw_of_title(title).is_some(), "{title:?}");
        }
        assert_eq!(flaw_of_title("feat: x"), None);
        assert_eq!(flaw_of_text("a\n\tb"), None);
        assert!(flaw_of_text("a\u{1b}[2J").is_some());
        assert!(flaw_of_text(&"x".repeat(TEXT + 1)).is_some());
    }

    #[test]
    fn issues_are_found_as_people_write_them() {
        let found = |text: &str| {
            issues(text)
                .into_iter()
                .map(|(issue, closes)| format!("{issue}{}", if closes { "!" } else { "" }))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(found("feat: x (#3)"), "#3");
        assert_eq!(found("Closes #4, see #3."), "#4! #3");
        assert_eq!(found("fixes: #5\nfixes\n#6"), "#5! #6");
        assert_eq!(found("#3 closes #3"), "#3!");
        assert_eq!(found("a#3 ##4 # 5 #x6 #7x"), "");
    }

    #[test]
    fn boxes_are_ticked_or_not() {
        let found = boxes("## Tested\n- [x] by hand\n  * [ ] on Linux\n- [?] what\n- no box\n[ ] no item");
        assert_eq!(found, [("by hand".to_owned(), true), ("on Linux".to_owned(), false)]);
    }
}
