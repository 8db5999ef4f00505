//! Whether an environment is ready: one table for each host, with a command below each line that is not as wanted.

use serde::Serialize;
use shipway_core::deployment::Host;
use shipway_core::id::Digest;
use shipway_core::preflight::{Difference, Row, State};
use shipway_core::time::Time;

use super::paint::{Ink, Paint};
use super::table::{Cell, Table};
use super::text;

/// What was seen of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The environment.
    pub environment: String,
    /// Its hosts, each with its rows.
    pub hosts: Vec<(Host, Vec<Row>)>,
    /// The environment that it is compared with.
    pub mirror: Option<String>,
    /// Where the two differ.
    pub differences: Vec<Difference>,
    /// When it was looked at.
    pub at: Time,
}

impl Report {
    /// Returns how many rows stand like this.
    pub fn count(&self, state: State) -> usize {
        self.hosts.iter().flat_map(|(_, rows)| rows).filter(|row| row.state == state).count()
    }

    /// Returns the digest of what was seen, without what changes by itself.
    pub fn digest(&self) -> Digest {
        shipway_core::preflight::digest(&self.hosts, &self.differences)
    }
}

/// The report for programs.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    v: u32,
    kind: &'static str,
    environment: &'a str,
    at: Time,
    digest: Digest,
    ready: bool,
    hosts: Vec<HostDocument<'a>>,
    mirror: Option<&'a str>,
    differences: &'a [Difference],
}

#[derive(Serialize)]
struct HostDocument<'a> {
    host: &'a str,
    address: &'a str,
    rows: &'a [Row],
}

/// Returns the report for programs.
pub(super) fn document(report: &Report) -> Document<'_> {
    Document {
        v: super::document::V,
        kind: "preflight",
        environment: &report.environment,
        at: report.at,
        digest: report.digest(),
        ready: report.count(State::Bad) == 0,
        hosts: report.hosts.iter().map(|(host, rows)| host_document(host, rows)).collect(),
        mirror: report.mirror.as_deref(),
        differences: &report.differences,
    }
}

fn host_document<'a>(host: &'a Host, rows: &'a [Row]) -> HostDocument<'a> {
    HostDocument { host: &host.name, address: &host.address, rows }
}

/// Returns the sign of a state in front of its word, and their colour.
pub(super) fn sign(state: State) -> (&'static str, Ink) {
    match state {
        State::Ok => ("✓ ok", Ink::Good),
        State::Warn => ("! warn", Ink::Care),
        State::Unknown => ("? unknown", Ink::Care),
        State::Bad => ("✗ bad", Ink::Bad),
    }
}

/// Returns a line with a command that can be pasted.
pub(super) fn fix(command: &str, paint: Paint) -> String {
    format!("      {} {}\n", paint.ink(Ink::Faint, "└ fix:"), paint.ink(Ink::Hint, command))
}

/// Returns the report as tables.
pub(super) fn render(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    for (host, rows) in &report.hosts {
        let place = if host.is_local() { "this machine" } else { &host.address };
        let title = format!("{} {}", report.environment, host.name);
        text::put(&mut out, format_args!("{}   {}\n", paint.ink(Ink::Strong, &title), paint.plain(place)));
        out.push_str(&table(rows, paint));
        out.push('\n');
    }
    if let Some(mirror) = &report.mirror {
        out.push_str(&differences(mirror, report, paint));
    }
    let words = [(State::Ok, "ok"), (State::Warn, "warn"), (State::Unknown, "unknown"), (State::Bad, "bad")];
    let counts = words.map(|(state, word)| (report.count(state), word));
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let told = if told.is_empty() { "nothing is wanted".to_owned() } else { told.join(", ") };
    text::put(&mut out, format_args!("{told}\n"));
    out
}

/// Returns rows with their commands; the columns are those of all rows.
fn table(rows: &[Row], paint: Paint) -> String {
    let mut table = Table::new(&[(2, 9), (2, 36), (2, 44), (2, 44)]);
    table.row([
        Cell::empty(),
        Cell::new(Ink::Faint, "what"),
        Cell::new(Ink::Faint, "found"),
        Cell::new(Ink::Faint, "wanted"),
    ]);
    for row in rows {
        let (word, ink) = sign(row.state);
        table.row([
            Cell::new(ink, word),
            Cell::plain(&row.name),
            Cell::plain(&row.found),
            Cell::new(Ink::Faint, &row.wanted),
        ]);
    }
    let lines = table.render(paint);
    let mut lines = lines.lines();
    let mut out = lines.next().map(|head| format!("{head}\n")).unwrap_or_default();
    for (line, row) in lines.zip(rows) {
        text::put(&mut out, format_args!("{line}\n"));
        if let Some(command) = &row.fix {
            out.push_str(&fix(command, paint));
        }
    }
    out
}

fn differences(mirror: &str, report: &Report, paint: Paint) -> String {
    if report.differences.is_empty() {
        return format!("no differences from {}\n\n", paint.plain(mirror));
    }
    let mut table = Table::new(&[(2, 40), (2, 40), (2, 40)]);
    table.row([Cell::empty(), Cell::new(Ink::Faint, mirror), Cell::new(Ink::Faint, &report.environment)]);
    for one in &report.differences {
        let [there, here] = [&one.one, &one.other].map(|value| Cell::plain(value.as_deref().unwrap_or("–")));
        table.row([Cell::plain(&one.what), there, here]);
    }
    format!("{}\n{}\n", paint.ink(Ink::Strong, &format!("differences from {mirror}")), table.render(paint))
}

#[cfg(test)]
pub(in crate::view) mod tests {
    use super::*;
    use crate::view::sample::NOON;

    pub(in crate::view) fn sample() -> Report {
        let host = Host {
            name: "web-1".into(),
            address: "deploy@web-1".into(),
            path: "/srv/app".into(),
            ssh: vec![],
            roles: vec![],
        };
        let rows = vec![
            Row::new("os", State::Ok, "debian 12, Linux x86_64", "debian>=12"),
            Row::new("port 8000", State::Bad, "in use", "free").fix("ss -ltnp 'sport = :8000'"),
            Row::new("dns \x1b[5mdb", State::Unknown, "it was not resolved in time", "resolves"),
        ];
        let difference = Difference { what: "python".into(), one: Some("3.11.2".into()), other: None };
        Report {
            environment: "production".into(),
            hosts: vec![(host, rows)],
            mirror: Some("staging".into()),
            differences: vec![difference],
            at: NOON,
        }
    }

    #[test]
    fn every_row_says_how_it_stands_and_red_ones_what_to_do() {
        let expect = "\
production web-1   deploy@web-1
             what        found                        wanted
  ✓ ok       os          debian 12, Linux x86_64      debian>=12
  ✗ bad      port 8000   in use                       free
      └ fix: ss -ltnp 'sport = :8000'
  ? unknown  dns ␛[5mdb  it was not resolved in time  resolves

differences from staging
          staging  production
  python  3.11.2   –

1 ok, 1 unknown, 1 bad
";
        assert_eq!(render(&sample(), Paint::new(false)), expect);
    }

    #[test]
    fn an_environment_like_its_mirror_says_so() {
        let report = Report { hosts: vec![], differences: vec![], ..sample() };
        assert_eq!(render(&report, Paint::new(false)), "no differences from staging\n\nnothing is wanted\n");
    }
}
