//! `shipway say`: a whole sentence by an exact grammar, without a language model.
//!
//! ```text
//! sentence = ["please"] verb [project|"all"] [level] ["to" environment] ["," ("dry run"|"plan only")] ["."|"!"]
//! verb     = push | ship | release | deploy | roll back | plan | status
//! level    = ["as"] ["a"|"the"] (patch|minor|major) [version|release|bump]  |  ["as"] ["version"] SEMVER
//! ```
//!
//! The grammar holds for the sentence from end to end; anything else is refused, because a word that is not understood
//! may turn the meaning around. Keywords and names match in any case. The result names no effect, only a plan.

use semver::Version;

use crate::problem::{Code, Problem};
use crate::version::{Ask, Bump, excerpt};

/// What a sentence asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The verb.
    pub verb: Verb,
    /// The version; without one, what the commits ask for.
    pub ask: Ask,
    /// The environment, as the configuration writes it.
    pub to: Option<String>,
    /// The project, as the configuration writes it.
    pub project: Option<String>,
    /// Whether all projects are meant.
    pub all: bool,
    /// Whether the sentence says that nothing but the plan is wanted.
    pub plan_only: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `push`, `ship` or `release`.
    Push,
    /// `deploy`.
    Deploy,
    /// `roll back`.
    RollBack,
    /// `plan`.
    Plan,
    /// `status`.
    Status,
}

/// Returns what a sentence asks for, or a problem that lists the accepted forms.
pub fn understand(sentence: &str, projects: &[String], environments: &[String]) -> Result<Said, Problem> {
    let parts = split(sentence).map_err(|why| refused(sentence, &why))?;
    let mut words = Words { left: &parts.words };
    let said = read(&mut words, projects, environments).and_then(|said| match words.left.first() {
        None => Ok(Said { plan_only: parts.plan_only || said.verb == Verb::Plan, ..said }),
        Some(word) => Err(format!("`{}` is not understood here", excerpt(word, 40))),
    });
    said.map_err(|why| refused(sentence, &why))
}

/// The words of a sentence without its tail.
struct Parts<'a> {
    words: Vec<&'a str>,
    plan_only: bool,
}

fn split(sentence: &str) -> Result<Parts<'_>, String> {
    const LONGEST: usize = 400;
    let text = sentence.trim();
    if text.len() > LONGEST {
        return Err("the sentence is too long".to_owned());
    }
    if text.contains(|c: char| c.is_control()) {
        return Err("the sentence is more than one line".to_owned());
    }
    let text = text.strip_suffix(['.', '!']).unwrap_or(text).trim_end();
    let (text, tail) = text.split_once(',').map_or((text, None), |(text, tail)| (text, Some(tail)));
    let plan_only = match tail.map(|tail| tail.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>())
    {
        None => false,
        Some(tail) if same(&tail, &["dry", "run"]) || same(&tail, &["plan", "only"]) => true,
        Some(tail) => {
            return Err(format!("`{}` is not understood after the comma", excerpt(&tail.join(" "), 40)));
        }
    };
    Ok(Parts { words: text.split(' ').filter(|word| !word.is_empty()).collect(), plan_only })
}

fn same(words: &[&str], wanted: &[&str]) -> bool {
    words.len() == wanted.len()
        && words.iter().zip(wanted).all(|(word, wanted)| word.eq_ignore_ascii_case(wanted))
}

/// The words that are still to be read.
struct Words<'w, 'a> {
    left: &'w [&'a str],
}

impl<'a> Words<'_, 'a> {
    /// Takes the next words if they are the given ones.
    fn take(&mut self, wanted: &[&str]) -> bool {
        let found = self.left.get(..wanted.len()).is_some_and(|words| same(words, wanted));
        if found {
            self.left = &self.left[wanted.len()..];
        }
        found
    }

    /// Takes the next word if there is one of the given ones, and returns it as it was given.
    fn take_one<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
        let word = *self.left.first()?;
        let found = names.into_iter().find(|name| name.eq_ignore_ascii_case(word))?;
        self.left = &self.left[1..];
        Some(found)
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, left) = self.left.split_first()?;
        self.left = left;
        Some(first)
    }
}

fn read(words: &mut Words<'_, '_>, projects: &[String], environments: &[String]) -> Result<Said, String> {
    words.take(&["please"]);
    let verb = verb(words).ok_or("the sentence does not begin with a verb that is known")?;
    let (mut project, mut all) = (None, false);
    // A word of the grammar wins over a project of that name, so that a sentence never changes its meaning.
    if !words.left.first().is_some_and(|word| is_keyword(word)) {
        project = words.take_one(projects.iter().map(String::as_str)).map(str::to_owned);
        all = project.is_none() && words.take(&["all"]);
    }
    let ask = level(words)?;
    if ask != Ask::Auto && matches!(verb, Verb::RollBack | Verb::Status) {
        return Err("this verb takes no version".to_owned());
    }
    let mut to = None;
    if words.take(&["to"]) {
        let name = words.take_one(environments.iter().map(String::as_str));
        to = Some(name.ok_or_else(|| unknown_environment(words.left.first()))?.to_owned());
    }
    Ok(Said { verb, ask, to, project, all, plan_only: false })
}

fn unknown_environment(word: Option<&&str>) -> String {
    match word {
        Some(word) => format!("`{}` is not an environment", excerpt(word, 40)),
        None => "no environment follows `to`".to_owned(),
    }
}

fn verb(words: &mut Words<'_, '_>) -> Option<Verb> {
    if words.take(&["roll", "back"]) {
        return Some(Verb::RollBack);
    }
    Some(match words.take_one(["push", "ship", "release", "deploy", "plan", "status"])? {
        "deploy" => Verb::Deploy,
        "plan" => Verb::Plan,
        "status" => Verb::Status,
        _ => Verb::Push,
    })
}

fn is_keyword(word: &str) -> bool {
    ["as", "a", "the", "patch", "minor", "major", "version", "to"]
        .iter()
        .any(|w| w.eq_ignore_ascii_case(word))
}

fn level(words: &mut Words<'_, '_>) -> Result<Ask, String> {
    let introduced = words.take(&["as"]);
    let article = words.take_one(["a", "the"]).is_some();
    let bump = match words.take_one(["patch", "minor", "major"]) {
        Some("patch") => Some(Bump::Patch),
        Some("minor") => Some(Bump::Minor),
        Some(_) => Some(Bump::Major),
        None => None,
    };
    if let Some(bump) = bump {
        words.take_one(["version", "release", "bump"]);
        return Ok(Ask::Bump(bump));
    }
    if article {
        return Err("no patch, minor or major follows the article".to_owned());
    }
    let named = words.take(&["version"]);
    let version = words.left.first().and_then(|word| Version::parse(word).ok());
    match version {
        Some(version) => {
            words.next();
            Ok(Ask::Exact(version))
        }
        None if named => Err("no semantic version follows `version`".to_owned()),
        None if introduced => Err("no version follows `as`".to_owned()),
        None => Ok(Ask::Auto),
    }
}

fn refused(sentence: &str, why: &str) -> Problem {
    Problem::new(Code::Sentence, why)
        .found(excerpt(sentence, 80))
        .wanted("[please] VERB [PROJECT|all] [LEVEL] [to ENVIRONMENT] [, dry run|, plan only]")
        .details([
            "VERB: push, ship, release, deploy, roll back, plan or status",
            "LEVEL: [as] [a|the] patch|minor|major [version|release|bump]",
            "LEVEL: [as] [version] 1.2.3",
            "for example: push as major version",
            "for example: push version 2.0.0-rc.1, dry run",
            "for example: roll back",
        ])
        .hint("shipway say \"push, plan only\"")
}

#[cfg(test)]
mod tests;
