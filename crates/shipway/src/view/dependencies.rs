//! Declared against installed packages: a table of what differs, and the commands that set it right.

use serde::Serialize;
use shipway_core::deps::{Kind, Row, Verdict};
use shipway_core::preflight::State;

use super::paint::{Ink, Paint};
use super::table::{Cell, Table};
use super::{preflight, text};

/// More commands than this are not shown on screen; programs get all of them.
const COMMANDS: usize = 20;

/// What was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The environment; nothing for this directory.
    pub environment: Option<String>,
    /// Every declaration on every host.
    pub places: Vec<Place>,
}

/// One declaration and where it should be installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The host; empty for this machine.
    pub host: String,
    /// Who installs it.
    pub manager: Kind,
    /// What declares it.
    pub source: String,
    /// Where it should be.
    pub place: String,
    /// Why nothing could be compared, and the command that helps.
    pub trouble: Option<Trouble>,
    /// The packages.
    pub rows: Vec<Row>,
}

/// Why nothing could be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// How grave it is.
    pub state: State,
    /// Why.
    pub what: String,
    /// The command that helps.
    pub fix: Option<String>,
}

impl Report {
    /// Returns how many packages stand like this.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.places.iter().flat_map(|place| &place.rows).filter(|row| row.verdict == verdict).count()
    }

    /// Tells whether everything that is declared is there.
    pub fn is_met(&self) -> bool {
        let bad = |trouble: &Trouble| trouble.state == State::Bad;
        self.count(Verdict::Missing) + self.count(Verdict::Mismatched) == 0
            && !self.places.iter().any(|place| place.trouble.as_ref().is_some_and(bad))
    }
}

/// The report for programs.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    v: u32,
    kind: &'static str,
    environment: Option<&'a str>,
    met: bool,
    places: &'a [Place],
}

/// Returns the report for programs.
pub(super) fn document(report: &Report) -> Document<'_> {
    Document {
        v: super::document::V,
        kind: "dependencies",
        environment: report.environment.as_deref(),
        met: report.is_met(),
        places: &report.places,
    }
}

fn sign(verdict: Verdict) -> (&'static str, Ink) {
    match verdict {
        Verdict::Missing => ("✗ missing", Ink::Bad),
        Verdict::Mismatched => ("✗ mismatched", Ink::Bad),
        Verdict::Extra => ("! extra", Ink::Care),
        Verdict::Unknown => ("? unknown", Ink::Care),
        Verdict::Ok => ("✓ ok", Ink::Good),
    }
}

/// Returns the report as tables.
pub(super) fn render(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    for place in &report.places {
        let host = if place.host.is_empty() { String::new() } else { format!("{}: ", place.host) };
        let title = format!("{host}{} in {}", place.source, place.place);
        text::put(
            &mut out,
            format_args!("{}   {}\n", paint.ink(Ink::Strong, &title), place.manager.as_str()),
        );
        out.push_str(&one(place, paint));
        out.push('\n');
    }
    let words = [
        (Verdict::Ok, "as declared"),
        (Verdict::Missing, "missing"),
        (Verdict::Mismatched, "mismatched"),
        (Verdict::Extra, "extra"),
        (Verdict::Unknown, "unknown"),
    ];
    let counts = words.map(|(verdict, word)| (report.count(verdict), word));
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let told = if told.is_empty() { "nothing to compare".to_owned() } else { told.join(", ") };
    text::put(&mut out, format_args!("{told}\n"));
    out
}

fn one(place: &Place, paint: Paint) -> String {
    if let Some(trouble) = &place.trouble {
        let (word, ink) = preflight::sign(trouble.state);
        let mut out = format!("  {}  {}\n", paint.ink(ink, word), paint.plain(&trouble.what));
        out.extend(trouble.fix.iter().map(|command| preflight::fix(command, paint)));
        return out;
    }
    let different: Vec<&Row> = place.rows.iter().filter(|row| row.verdict != Verdict::Ok).collect();
    if different.is_empty() {
        let (word, ink) = sign(Verdict::Ok);
        return format!("  {}  all {} as declared\n", paint.ink(ink, word), place.rows.len());
    }
    let mut table = Table::new(&[(2, 12), (2, 40), (2, 24), (2, 32), (2, 40)]);
    table.row(["", "package", "installed", "declared", "by"].map(|head| Cell::new(Ink::Faint, head)));
    let mut commands: Vec<&str> = vec![];
    for row in different {
        let (word, ink) = sign(row.verdict);
        let installed = if row.installed.is_empty() { "–" } else { &row.installed };
        let declared = match row.verdict {
            Verdict::Extra => "–",
            _ if row.declared.is_empty() => "any version",
            _ => &row.declared,
        };
        let texts = [&row.name, installed, declared].map(Cell::plain);
        let [name, installed, declared] = texts;
        table.row([Cell::new(ink, word), name, installed, declared, Cell::new(Ink::Faint, &row.from)]);
        commands.extend(row.fix.as_deref().filter(|fix| !commands.contains(fix)));
    }
    let mut out = table.render(paint);
    out.extend(commands.iter().take(COMMANDS).map(|command| preflight::fix(command, paint)));
    if let Some(more) = commands.len().checked_sub(COMMANDS).filter(|more| *more > 0) {
        text::put(&mut out, format_args!("      and {}: see --json\n", text::count(more, "more command")));
    }
    out
}

#[cfg(test)]
pub(in crate::view) mod tests {
    use super::*;

    pub(in crate::view) fn sample() -> Report {
        let row = |name: &str, verdict, declared: &str, installed: &str, fix: &str| Row {
            manager: Kind::Pip,
            name: name.into(),
            verdict,
            declared: declared.into(),
            installed: installed.into(),
            from: if verdict == Verdict::Extra { String::new() } else { "requirements.txt:1".into() },
            fix: (!fix.is_empty()).then(|| fix.to_owned()),
        };
        let rows = vec![
            row("flask", Verdict::Missing, "==2.0", "", "venv/bin/pip install 'flask==2.0'"),
            row("gr\x1b[5mün", Verdict::Mismatched, ">=2", "1.0", "venv/bin/pip install 'grün>=2'"),
            row("stray", Verdict::Extra, "", "1.0", "venv/bin/pip uninstall --yes stray"),
            row("six", Verdict::Ok, "", "1.16", ""),
        ];
        let place = |trouble, rows| Place {
            host: String::new(),
            manager: Kind::Pip,
            source: "requirements.txt".into(),
            place: "venv".into(),
            trouble,
            rows,
        };
        let trouble = Trouble {
            state: State::Bad,
            what: "venv is no virtual environment".into(),
            fix: Some("python3 -m venv venv".into()),
        };
        Report { environment: None, places: vec![place(None, rows), place(Some(trouble), vec![])] }
    }

    #[test]
    fn what_differs_is_listed_with_its_commands_and_the_rest_is_counted() {
        let expect = "\
requirements.txt in venv   pip
                package   installed  declared  by
  ✗ missing     flask     –          ==2.0     requirements.txt:1
  ✗ mismatched  gr␛[5mün  1.0        >=2       requirements.txt:1
  ! extra       stray     1.0        –
      └ fix: venv/bin/pip install 'flask==2.0'
      └ fix: venv/bin/pip install 'grün>=2'
      └ fix: venv/bin/pip uninstall --yes stray

requirements.txt in venv   pip
  ✗ bad  venv is no virtual environment
      └ fix: python3 -m venv venv

1 as declared, 1 missing, 1 mismatched, 1 extra
";
        assert_eq!(render(&sample(), Paint::new(false)), expect);
    }

    #[test]
    fn what_is_as_declared_takes_one_line() {
        let mut report = sample();
        report.places.truncate(1);
        report.places[0].rows.drain(..3);
        assert!(report.is_met());
        let expect = "requirements.txt in venv   pip\n  ✓ ok  all 1 as declared\n\n1 as declared\n";
        assert_eq!(render(&report, Paint::new(false)), expect);
    }
}
