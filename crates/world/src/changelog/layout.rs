//! The layout that is built in, as code: byte for byte what the built-in template makes, in a small part of the time.

use super::{EntryLine, Notes};

/// Adds the section of a release.
pub(super) fn write(notes: &Notes, out: &mut String) {
    add(out, &["## [", &notes.version, "]"]);
    if let Some(url) = &notes.compare_url {
        add(out, &["(", url, ")"]);
    }
    add(out, &[" - ", &notes.date, "\n"]);
    if notes.sections.is_empty() {
        out.push_str("\nNo notable changes.\n");
    }
    for section in &notes.sections {
        add(out, &["\n### ", section.title, "\n\n"]);
        for one in &section.entries {
            entry(one, out);
        }
    }
}

fn entry(entry: &EntryLine, out: &mut String) {
    out.push_str("- ");
    if let Some(scope) = &entry.scope {
        add(out, &["**", scope, ":** "]);
    }
    add(out, &[&entry.text, " ("]);
    link(&entry.commit_short, entry.commit_url.as_deref(), out);
    out.push(')');
    for issue in &entry.issues {
        out.push_str(", ");
        link(&issue.id, issue.url.as_deref(), out);
    }
    out.push('\n');
    let Some(text) = &entry.breaking_text else { return };
    out.push('\n');
    for line in text.split('\n') {
        // An empty line stays empty: spaces at its end would be noise in every difference.
        add(out, &[if line.is_empty() { "" } else { "  " }, line, "\n"]);
    }
}

fn link(text: &str, url: Option<&str>, out: &mut String) {
    match url {
        Some(url) => add(out, &["[", text, "](", url, ")"]),
        None => out.push_str(text),
    }
}

fn add(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}
