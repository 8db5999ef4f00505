//! Badges: images whose address holds the version, on the hosts that draw them.

use semver::Version;
use shipway_core::edit::Replace;

const HOSTS: [&[u8]; 4] = [b"img.shields.io/", b"raster.shields.io/", b"badgen.net/", b"badge.fury.io/"];
/// What the label of a badge says when its message is the version of the project. A badge that shows the least version
/// of a tool may show the same number by accident.
const LABELS: [&str; 8] = ["version", "release", "latest", "stable", "crates.io", "npm", "pypi", "tag"];

/// Returns the replacements of the old version in the addresses of badges.
pub(super) fn replacements(bytes: &[u8], from: &Version, to: &Version) -> Vec<Replace> {
    let mut replace = vec![];
    for host in HOSTS {
        let mut at = 0;
        while let Some(found) = super::find(&bytes[at..], host) {
            let start = at + found + host.len();
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b")\"'<>?#".contains(byte);
            let end = bytes[start..].iter().position(ends).map_or(bytes.len(), |length| start + length);
            if let Ok(url) = str::from_utf8(&bytes[start..end]) {
                replace.extend(in_path(url, start, from, to));
            }
            at = end;
        }
    }
    replace
}

/// Returns the replacements in the path of a badge, which begins at an offset.
fn in_path(path: &str, offset: usize, from: &Version, to: &Version) -> Vec<Replace> {
    let mut replace = vec![];
    let mut start = 0;
    let mut label = "";
    for part in path.split('/') {
        let plain = |version: &Version| version.to_string().replace('+', "%2B");
        let shields = |version: &Version| plain(version).replace('-', "--");
        if let Some((name, message)) = split_label(part)
            && is_label(name)
        {
            let at = offset + start + name.len() + 1;
            replace.extend(message_of(message, at, &shields(from), &shields(to)));
        } else if label == "v" || is_label(label) {
            let bare = part.strip_prefix('v').unwrap_or(part);
            let bare = bare.strip_suffix(".svg").unwrap_or(bare);
            let at = offset + start + usize::from(part.starts_with('v'));
            if bare == plain(from) {
                replace.push(Replace::new(at..at + bare.len(), plain(to)));
            }
        }
        start += part.len() + 1;
        label = part;
    }
    replace
}

/// Returns the replacement in the message and colour of a static badge, such as `1.2.3-blue.svg`.
fn message_of(message: &str, offset: usize, from: &str, to: &str) -> Option<Replace> {
    let bare = message.strip_prefix('v').unwrap_or(message);
    let at = offset + message.len() - bare.len();
    let rest = bare.strip_prefix(from)?;
    let ends = rest.starts_with('-') && !rest.starts_with("--");
    ends.then(|| Replace::new(at..at + from.len(), to))
}

/// Splits a part such as `version-1.2.3-blue` at its first single dash; two of them stand for one in the text.
fn split_label(part: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    while let Some(dash) = part[at..].find('-') {
        let dash = at + dash;
        let run = part[dash..].bytes().take_while(|&byte| byte == b'-').count();
        if run % 2 == 1 {
            return Some((&part[..dash + run - 1], &part[dash + run..]));
        }
        at = dash + run;
    }
    None
}

fn is_label(label: &str) -> bool {
    let label = label.to_ascii_lowercase();
    LABELS.iter().any(|one| label.contains(one))
}
