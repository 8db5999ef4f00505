//! A block of ours in a file of somebody else: between two marks, and nothing outside of them changes.

const BEGIN: &str = "<!-- shipway:begin -->";
const END: &str = "<!-- shipway:end -->";

/// Returns a text with our block in it: where one is already, else at the end. `None` if the marks of the text do not
/// go together, so that nobody can say what is ours.
pub fn managed(text: &str, block: &str) -> Option<String> {
    // Lines end as those of the file do.
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let ours = format!("{BEGIN}\n{}\n{END}", block.trim_end()).replace('\n', end);
    match (text.matches(BEGIN).count(), text.matches(END).count()) {
        (0, 0) => {
            let gap = match text {
                "" => "",
                text if text.ends_with("\n\n") || text.ends_with("\r\n\r\n") => "",
                text if text.ends_with('\n') => end,
                _ => &end.repeat(2),
            };
            Some(format!("{text}{gap}{ours}{end}"))
        }
        (1, 1) => {
            let (before, rest) = text.split_once(BEGIN)?;
            let (_, after) = rest.split_once(END)?;
            Some(format!("{before}{ours}{after}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let check = |text: &str, expected: &str| {
            let once = managed(text, "ours\n").unwrap();
            assert_eq!(once, expected, "{text:?}");
            assert_eq!(managed(&once, "ours\n").unwrap(), once);
        };
        let ours = "<!-- shipway:begin -->\nours\n<!-- shipway:end -->";
        check("", &format!("{ours}\n"));
        check("# Mine\n", &format!("# Mine\n\n{ours}\n"));
        check("no line feed", &format!("no line feed\n\n{ours}\n"));
        check("a\n<!-- shipway:begin -->\nold\nold\n<!-- shipway:end -->  \nb", &format!("a\n{ours}  \nb"));
        check("a\r\n", &format!("a\r\n\r\n{}\r\n", ours.replace('\n', "\r\n")));
    }

    #[test]
    fn marks_that_do_not_go_together_are_left_alone() {
        for text in ["<!-- shipway:begin -->", "<!-- shipway:end --> <!-- shipway:begin -->"] {
            assert_eq!(managed(text, "ours"), None, "{text}");
        }
    }
}
