//! The page of an environment, written from what was seen, with the date and the digest of it.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Difference, Row, State, reach};
use crate::deployment::Host;
use crate::deps::quote;
use crate::id::Digest;
use crate::time::Time;

/// What the page tells.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The environment.
    pub environment: &'a str,
    /// Its hosts, each with its rows.
    pub hosts: &'a [(Host, Vec<Row>)],
    /// Where it differs from the one before it.
    pub differences: &'a [Difference],
    /// When the hosts were looked at.
    pub at: Time,
}

/// When a page was written and what was seen then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The environment.
    pub environment: String,
    /// When.
    pub at: Time,
    /// What, by [`digest`].
    pub digest: Digest,
}

const MARK: &str = "<!-- shipway environment ";

impl Stamp {
    /// Returns the stamp of a page, or none if it has none.
    pub fn read(page: &str) -> Option<Self> {
        let line = page.lines().find_map(|line| line.strip_prefix(MARK)?.strip_suffix(" -->"))?;
        let mut words = line.split(' ');
        let (environment, at, digest) = (words.next()?, words.next()?, words.next()?);
        let hex = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let at = at.parse().ok()?;
        hex.then(|| Self { environment: environment.into(), at, digest: Digest::new(digest) })
    }

    /// Returns why the page is stale, if it is: too old, or not what is seen now.
    pub fn stale(&self, digest: &Digest, now: Time, max_age: Duration) -> Option<String> {
        let age = now.since(self.at);
        if self.digest != *digest {
            return Some(format!("the environment is not as it was seen on {}", self.at.date()));
        }
        let days = |time: Duration| time.as_secs() / 86_400;
        (age > max_age).then(|| format!("it is {} days old, and {} are allowed", days(age), days(max_age)))
    }
}

/// Returns the digest of what was seen, without what changes by itself, such as free space.
pub fn digest(hosts: &[(Host, Vec<Row>)], differences: &[Difference]) -> Digest {
    let steady = |row: &Row| {
        let found = if is_steady(&row.name) { row.found.as_str() } else { "" };
        (row.name.clone(), row.state, found.to_owned(), row.wanted.clone())
    };
    let rows: Vec<_> =
        hosts.iter().map(|(host, rows)| (&host.name, rows.iter().map(steady).collect::<Vec<_>>())).collect();
    Digest::of_json(&(rows, differences))
}

/// Tells whether what was found changes only when somebody changes the host.
fn is_steady(name: &str) -> bool {
    let kind = name.split(' ').next().unwrap_or_default();
    !["clock", "disk", "memory", "certificate", "dns", "backup", "service"].contains(&kind)
}

/// Returns the page in Markdown.
pub fn page(page: &Page<'_>) -> String {
    let mut out = format!("# Environment {}\n\n", text(page.environment));
    let digest = digest(page.hosts, page.differences);
    let environment: String = page.environment.split_whitespace().collect();
    let _ = writeln!(out, "{MARK}{environment} {} {digest} -->\n", page.at);
    let _ = writeln!(
        out,
        "Seen on {} by `shipway env verify`, which also tells when this page is stale. Do not edit it.\n",
        page.at.date()
    );
    access(&mut out, page.hosts);
    for (host, rows) in page.hosts {
        let _ =
            writeln!(out, "## {}\n\n| state | what | found | wanted |\n|---|---|---|---|", text(&host.name));
        for row in rows {
            let [name, found, wanted] = [&row.name, &row.found, &row.wanted].map(|one| text(one));
            let _ = writeln!(out, "| {} | {name} | {found} | {wanted} |", row.state.as_str());
        }
        out.push('\n');
    }
    differences(&mut out, page.differences);
    issues(&mut out, page.hosts);
    reference(&mut out, page.hosts);
    out.truncate(out.trim_end().len());
    out + "\n"
}

fn access(out: &mut String, hosts: &[(Host, Vec<Row>)]) {
    out.push_str("## Access\n\n| host | address | directory | roles |\n|---|---|---|---|\n");
    for (host, _) in hosts {
        let address = if host.is_local() { "this machine" } else { &host.address };
        let [name, address, path] = [host.name.as_str(), address, &host.path].map(text);
        let _ = writeln!(out, "| {name} | {address} | {path} | {} |", text(&host.roles.join(", ")));
    }
    out.push('\n');
}

fn differences(out: &mut String, differences: &[Difference]) {
    if differences.is_empty() {
        return;
    }
    out.push_str("## Differences from the environment before it\n\n| what | there | here |\n|---|---|---|\n");
    for one in differences {
        let [there, here] = [&one.one, &one.other].map(|value| text(value.as_deref().unwrap_or("–")));
        let _ = writeln!(out, "| {} | {there} | {here} |", text(&one.what));
    }
    out.push('\n');
}

fn issues(out: &mut String, hosts: &[(Host, Vec<Row>)]) {
    let red = || hosts.iter().flat_map(|(host, rows)| rows.iter().map(move |row| (host, row)));
    let mut red = red().filter(|(_, row)| row.state != State::Ok).peekable();
    if red.peek().is_none() {
        return;
    }
    out.push_str("## Open issues\n\n");
    for (host, row) in red {
        let _ = writeln!(
            out,
            "- {}, {}: {}, wanted {}",
            text(&host.name),
            text(&row.name),
            text(&row.found),
            text(&row.wanted)
        );
        if let Some(fix) = &row.fix {
            let _ = writeln!(out, "  - `{}`", fix.replace('`', "'").replace('\n', " "));
        }
    }
    out.push('\n');
}

fn reference(out: &mut String, hosts: &[(Host, Vec<Row>)]) {
    let mut lines = String::new();
    for (host, rows) in hosts {
        if !host.is_local() {
            let _ = writeln!(lines, "{}   # {}", reach(host, &[]), host.name.replace('\n', " "));
        }
        for row in rows {
            match row.name.split_once(' ') {
                Some(("venv", path)) => {
                    let _ = writeln!(
                        lines,
                        "{0} list   # pip of {1}, never the one of the system",
                        quote(&format!("{path}/bin/pip")),
                        host.name.replace('\n', " ")
                    );
                }
                Some(("service", unit)) if !unit.contains('/') => {
                    let _ = writeln!(lines, "systemctl status {0}; journalctl -u {0} -n 50", quote(unit));
                }
                Some(("disk", path)) => {
                    let _ = writeln!(lines, "df -h {0}; df -i {0}", quote(path));
                }
                _ => {}
            }
        }
    }
    if !lines.is_empty() {
        let _ = write!(out, "## Quick reference\n\n```sh\n{lines}```\n\n");
    }
}

/// Returns a text that stays in its cell and brings no markup of its own.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '<' | '*' | '_' | '`' | '[' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
