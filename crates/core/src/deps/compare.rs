//! Declared against installed, and the command that brings them together.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::pep508::{self, Requirement};
use super::{Declaration, Declared, Installed, Inventory, Kind, Place, normal, pep440, quote, satisfies};

/// What comes with every virtual environment and is never too much.
const TOOLS: [&str; 4] = ["pip", "setuptools", "wheel", "pkg-resources"];

/// How a package stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is asked for and not there.
    Missing,
    /// It is there in a version that will not do.
    Mismatched,
    /// It is there and nothing asks for it.
    Extra,
    /// One of the two cannot be read.
    Unknown,
    /// It is there as asked for.
    Ok,
}

/// One package, declared and installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Who installs it.
    pub manager: Kind,
    /// The name, for people.
    pub name: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What is asked for; empty for any version, and where nothing asks.
    pub declared: String,
    /// What is there; empty if nothing is.
    pub installed: String,
    /// Who asks for it.
    pub from: String,
    /// The command that sets it right, to be pasted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// Returns every package of a declaration as it stands at a place, those that need something first.
pub fn compare(declaration: &Declaration, inventory: &Inventory, place: &Place) -> Vec<Row> {
    let mut rows = Comparison { declaration, inventory, place, rows: vec![] }.all();
    rows.sort_by(|a, b| (a.verdict, &a.name).cmp(&(b.verdict, &b.name)));
    rows.dedup();
    rows
}

struct Comparison<'a> {
    declaration: &'a Declaration,
    inventory: &'a Inventory,
    place: &'a Place,
    rows: Vec<Row>,
}

impl Comparison<'_> {
    fn all(mut self) -> Vec<Row> {
        let there: BTreeMap<String, &Installed> =
            self.inventory.packages.iter().rev().map(|one| (self.key(&one.name), one)).collect();
        let mut asked = vec![];
        for declared in &self.declaration.packages {
            match pep508::applies(&declared.marker, &self.inventory.markers, &[]) {
                Some(false) => {}
                Some(true) => {
                    asked.push((declared.name.clone(), declared.extras.clone()));
                    self.one(declared, there.get(&declared.name).copied());
                }
                None => {
                    asked.push((declared.name.clone(), declared.extras.clone()));
                    let what = format!("marker {}", declared.marker);
                    self.push(Verdict::Unknown, &declared.name, [&what, ""], &declared.from);
                }
            }
        }
        self.python();
        for note in &self.declaration.notes {
            let (from, what) = note.split_once(": ").unwrap_or((&self.declaration.source, note));
            self.push(Verdict::Unknown, what, ["", ""], from);
        }
        match self.place.kind() {
            Kind::Pip => self.closure(&there, asked),
            Kind::Npm if self.declaration.whole => {
                let asked: BTreeSet<&str> =
                    self.declaration.packages.iter().map(|one| one.name.as_str()).collect();
                for one in there.values().filter(|one| !asked.contains(one.name.as_str())) {
                    self.push(Verdict::Extra, &one.name, ["", &one.version], "");
                }
            }
            // A list of programs or system packages says nothing about all the others on a machine.
            Kind::Npm | Kind::Cargo | Kind::Debian | Kind::Unknown => {}
        }
        self.rows
    }

    fn key(&self, name: &str) -> String {
        if self.place.kind() == Kind::Pip { normal(name) } else { name.to_owned() }
    }

    fn one(&mut self, declared: &Declared, there: Option<&Installed>) {
        let Some(there) = there else {
            if !declared.optional {
                self.push(Verdict::Missing, &declared.name, [&declared.want, ""], &declared.from);
            }
            return;
        };
        let verdict = match satisfies(self.place.kind(), &there.version, &declared.want) {
            Some(true) => Verdict::Ok,
            Some(false) => Verdict::Mismatched,
            None => Verdict::Unknown,
        };
        self.push(verdict, &declared.name, [&declared.want, &there.version], &declared.from);
    }

    fn python(&mut self) {
        let version = self.inventory.markers.get("python_full_version").cloned();
        let (Some(version), wanted) = (version, &self.declaration.python) else { return };
        if pep440::satisfies(&version, wanted) == Some(false) {
            self.rows.push(Row {
                manager: Kind::Pip,
                name: "python".into(),
                verdict: Verdict::Mismatched,
                declared: wanted.clone(),
                installed: version,
                from: self.declaration.source.clone(),
                fix: None,
            });
        }
    }

    /// Follows what installed packages need themselves, and tells what is missing, wrong, or reached by nothing.
    fn closure(&mut self, there: &BTreeMap<String, &Installed>, mut queue: Vec<(String, Vec<String>)>) {
        let mut reached: BTreeSet<String> = BTreeSet::new();
        let mut done: BTreeSet<(String, Vec<String>)> = BTreeSet::new();
        // A project that is installed itself asks for what its metadata says.
        queue.extend(self.declaration.own.iter().map(|own| (own.clone(), vec![])));
        while let Some((name, extras)) = queue.pop() {
            if !done.insert((name.clone(), extras.clone())) {
                continue;
            }
            reached.insert(name.clone());
            let Some(one) = there.get(&name) else { continue };
            for text in &one.requires {
                let Some(needed) = pep508::parse(text) else { continue };
                if pep508::applies(&needed.marker, &self.inventory.markers, &extras) != Some(true) {
                    continue;
                }
                self.needed(one, &needed, there.get(&needed.name).copied());
                queue.push((needed.name, needed.extras));
            }
        }
        // Of a file that could not be read nothing is known, so nothing is too much either.
        if self.declaration.packages.is_empty() && !self.declaration.notes.is_empty() {
            return;
        }
        for (name, one) in there {
            if !one.inherited && !reached.contains(name) && !TOOLS.contains(&name.as_str()) {
                self.push(Verdict::Extra, name, ["", &one.version], "");
            }
        }
    }

    fn needed(&mut self, by: &Installed, needed: &Requirement, there: Option<&Installed>) {
        let from = format!("{} {}", normal(&by.name), by.version);
        let told = |row: &Row| row.name == needed.name && row.verdict == Verdict::Missing;
        match there {
            None if self.rows.iter().any(told) => {}
            None => self.push(Verdict::Missing, &needed.name, [&needed.specifiers, ""], &from),
            Some(one) if satisfies(Kind::Pip, &one.version, &needed.specifiers) == Some(false) => {
                self.push(Verdict::Mismatched, &needed.name, [&needed.specifiers, &one.version], &from);
            }
            Some(_) => {}
        }
    }

    /// Adds a row; the two versions are the declared and the installed one.
    fn push(&mut self, verdict: Verdict, name: &str, versions: [&str; 2], from: &str) {
        let [declared, installed] = versions;
        let shown = if self.place.kind() == Kind::Npm {
            let name = name.strip_prefix("node_modules/").unwrap_or(name);
            name.replace("/node_modules/", " > ")
        } else {
            name.to_owned()
        };
        self.rows.push(Row {
            manager: self.place.kind(),
            name: shown,
            verdict,
            declared: declared.to_owned(),
            installed: installed.to_owned(),
            from: from.to_owned(),
            fix: self.fix(verdict, name, declared),
        });
    }

    fn fix(&self, verdict: Verdict, name: &str, want: &str) -> Option<String> {
        match (verdict, self.place) {
            (Verdict::Ok | Verdict::Unknown, _) | (_, Place::Unknown) => None,
            (Verdict::Extra, Place::Pip { venv }) => {
                Some(format!("{} uninstall --yes {}", pip(venv), quote(name)))
            }
            (_, Place::Pip { venv }) => {
                Some(format!("{} install {}", pip(venv), always_quoted(&format!("{name}{want}"))))
            }
            (_, Place::Npm { dir, .. }) => {
                let verb = if self.declaration.whole { "ci" } else { "install" };
                let here = dir.is_empty() || dir == ".";
                Some(if here { format!("npm {verb}") } else { format!("npm --prefix {} {verb}", quote(dir)) })
            }
            (Verdict::Extra, Place::Cargo { .. }) => Some(format!("cargo uninstall {}", quote(name))),
            (_, Place::Cargo { root }) => {
                let place = if root.is_empty() { String::new() } else { format!(" --root {}", quote(root)) };
                let at = if want.is_empty() { String::new() } else { format!("@{want}") };
                Some(format!("cargo install --locked{place} {}", quote(&format!("{name}{at}"))))
            }
            (Verdict::Extra, Place::Debian { .. }) => Some(format!("apt-get remove {}", quote(name))),
            (_, Place::Debian { .. }) => {
                // apt takes one version and no range; without one it takes the newest.
                let exact = if want.starts_with('=') { want } else { "" };
                Some(format!("apt-get install {}", quote(&format!("{name}{exact}"))))
            }
        }
    }
}

fn pip(venv: &str) -> String {
    quote(&format!("{}/bin/pip", venv.trim_end_matches('/')))
}

/// Returns a word in quotes, as people write requirements.
fn always_quoted(word: &str) -> String {
    if word.contains('\'') { quote(word) } else { format!("'{word}'") }
}
