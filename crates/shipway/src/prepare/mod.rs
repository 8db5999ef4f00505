//! From a repository to the plan of its next release: look, decide, write, and put down in order.

pub mod backup;
pub mod checks;
pub mod deploy;
pub mod guarded;
pub mod line;
pub mod message;
pub mod onward;
pub mod outlook;
pub mod wants;
pub mod writes;

use std::collections::BTreeSet;

use semver::Version;
use shipway_core::config::{Config, Sign};
use shipway_core::facts::{Facts, RemoteFacts};
use shipway_core::kinds::Signing;
use shipway_core::plan::{Plan, Release, Verb};
use shipway_core::planner::deploy::Material;
use shipway_core::planner::push::{self, From, Input, To};
use shipway_core::problem::{Code, Problem};
use shipway_core::validate::{self, Wanted};
use shipway_core::version::{self, Ask, Decision, TagFormat};
use shipway_world::changelog::Forge;
use shipway_world::deploy::Hands;
use shipway_world::facts::{self, Look, Tree, TrySigning};
use shipway_world::package::Projects;

use crate::session::Session;

/// What a look is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To show a plan: nothing is tried that needs a right to write.
    Plan,
    /// To carry a plan out at once.
    Push,
}

/// A plan, and what it was decided from.
#[derive(Debug)]
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// What is worth knowing and does not stand in the way.
    pub warnings: Vec<Problem>,
}

/// What was seen of a repository, and how it is configured.
pub struct Seen<'a> {
    /// The configuration, with the default branch of the remote filled in.
    pub config: Config,
    /// What was seen.
    pub facts: Facts,
    /// The files of HEAD.
    pub tree: Tree<'a>,
    /// The projects in them.
    pub projects: Projects,
    /// How tags are named.
    pub format: TagFormat,
    /// What a reader must know of how that was found out.
    pub format_note: Option<String>,
}

/// Returns the plan of the next release, or everything that stands in its way.
pub fn prepare(
    session: &Session<'_>,
    ask: &Ask,
    to: Option<&str>,
    purpose: Purpose,
) -> Result<Prepared, Vec<Problem>> {
    let prepared = decided(session, ask, to, purpose);
    prepared.map_err(|problems| problems.into_iter().map(|problem| onward(problem, to)).collect())
}

/// Lets the commands that a problem offers go where the one did that has met it.
fn onward(problem: Problem, to: Option<&str>) -> Problem {
    let Some(to) = to else { return problem };
    let goes_on = |hint: String| {
        let command = hint.rsplit_once(": ").map_or(hint.as_str(), |(_, command)| command);
        let push = command == "shipway push" || command.starts_with("shipway push ");
        if push && !command.contains("--to") && !command.contains("&&") {
            format!("{hint} --to {to}")
        } else {
            hint
        }
    };
    Problem { hints: problem.hints.into_iter().map(goes_on).collect(), ..problem }
}

fn decided(
    session: &Session<'_>,
    ask: &Ask,
    to: Option<&str>,
    purpose: Purpose,
) -> Result<Prepared, Vec<Problem>> {
    let mut seen = look(session, purpose)?;
    let mut problems = judge(&seen, purpose);
    // Without a commit there is nothing to decide from, and that is said already.
    if seen.facts.head.commit().is_empty() && !problems.is_empty() {
        return Err(problems);
    }
    let decided = line::decide(session, &seen, ask);
    let (decision, line) = match decided {
        Ok(decided) => decided,
        Err(more) => {
            problems.extend(more);
            return Err(problems);
        }
    };
    if line.last.is_some() {
        let known: Vec<&Version> = line.known().chain([&decision.to]).collect();
        seen.projects.forget_idle(&|version| known.contains(&version));
    }
    problems.extend(disagreement(&seen, &line, ask, &decision));
    let written = writes::edits(&seen, &decision, &line, &session.today());
    let writes = written.unwrap_or_else(|more| {
        problems.extend(more);
        writes::Writes::default()
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    let checks = checks::needs(&seen, session.environment.path()).map_err(|problem| vec![problem])?;
    let mut input = input(session, &seen, (&decision, &line), writes, checks)?;
    input.ticket = guarded::ticket(session, &input)?;
    let hands = session.hands().map_err(|problem| vec![problem])?;
    if let Some(to) = to {
        go_on(session, &hands, &seen, (&mut input, line.tag.as_deref()), to)?;
    }
    let plan = push::plan(input, &session.catalog(&hands)).map_err(|problem| vec![problem])?;
    if purpose == Purpose::Push {
        outlook::ready(session, &plan)?;
    }
    Ok(Prepared { plan, warnings: decision.warnings })
}

/// Looks at the repository, its remote and its files.
pub fn look<'a>(session: &'a Session<'_>, purpose: Purpose) -> Result<Seen<'a>, Vec<Problem>> {
    let config = session.config.clone();
    let ask = Look {
        remote: config.release.remote.clone(),
        network: true,
        try_push: purpose == Purpose::Push,
        try_signing: match config.release.sign {
            Sign::Auto if purpose == Purpose::Push => TrySigning::AsConfigured,
            Sign::Required if purpose == Purpose::Push => TrySigning::Always,
            Sign::Auto | Sign::Required | Sign::Never => TrySigning::Never,
        },
        open_run: session.open_run().map_err(|problem| vec![problem])?,
    };
    let facts = facts::gather(&session.repository, &ask, &session.shell, &session.switches.look)?;
    let default = facts.remote.as_ref().and_then(|remote| remote.default_branch.clone());
    let config = config.with_default_branch(default.as_deref());
    let tree = Tree::at(session.git(), facts.head.commit()).map_err(|problem| vec![problem])?;
    let projects = detect(&config, &tree)?;
    let (format, format_note) = line::format(&config, &facts, &projects).map_err(|problem| vec![problem])?;
    Ok(Seen { config, facts, tree, projects, format, format_note })
}

/// Glances at the repository: HEAD, tags and configuration, and its files only where the names of the tags do not tell
/// which of them are ours. Enough to decide a version, and cheap enough for every prompt.
pub fn glance<'a>(session: &'a Session<'_>) -> Result<Seen<'a>, Vec<Problem>> {
    glance_at(session, false)
}

/// The same with the files of HEAD, whatever the names of the tags tell: only they say how the project is called, and
/// whatever is kept under its name must be found there.
pub fn glance_with_files<'a>(session: &'a Session<'_>) -> Result<Seen<'a>, Vec<Problem>> {
    glance_at(session, true)
}

fn glance_at<'a>(session: &'a Session<'_>, files: bool) -> Result<Seen<'a>, Vec<Problem>> {
    let one = |problem| vec![problem];
    let glance = session.git().glance(&session.repository).map_err(one)?;
    let config = session.config.clone();
    let facts = Facts { head: glance.head, tags: glance.tags, ..Facts::unseen(&session.directory()) };
    validate::no_commits(&facts).map_or(Ok(()), |problem| Err(vec![problem]))?;
    let formats = version::detect(facts.tags.keys().map(String::as_str), &facts.directory);
    let told = config.release.tag.is_some() || (formats.count > 0 && !formats.by_name);
    let blind = told && !files;
    let tree = Tree::at(session.git(), if blind { "" } else { facts.head.commit() }).map_err(one)?;
    // Where nothing is looked at, no manifest is missed.
    let projects = if blind { Projects::detect(&tree, None)? } else { detect(&config, &tree)? };
    let (format, format_note) = line::format(&config, &facts, &projects).map_err(one)?;
    Ok(Seen { config, facts, tree, projects, format, format_note })
}

impl Seen<'_> {
    /// Returns the name of the project.
    pub fn name(&self) -> String {
        let named = self.config.project.name.as_deref().or_else(|| self.projects.name());
        named.unwrap_or(&self.facts.directory).to_owned()
    }

    /// Returns the pages of the remote on the web, if it has any.
    pub fn forge(&self) -> Option<Forge> {
        let chosen = self.facts.remote.as_ref().map(|remote| remote.name.as_str());
        let url = chosen
            .and_then(|name| self.facts.remotes.get(name))
            .or_else(|| self.facts.remotes.values().next());
        url.and_then(|url| Forge::from_remote(url))
    }
}

fn detect(config: &Config, tree: &Tree<'_>) -> Result<Projects, Vec<Problem>> {
    let kinds = config.release.packages.as_ref();
    let kinds: Option<Vec<&str>> = kinds.map(|kinds| kinds.iter().map(|kind| kind.as_str()).collect());
    Projects::detect(tree, kinds.as_deref())
}

/// Returns the problems of the repository itself.
fn judge(seen: &Seen<'_>, purpose: Purpose) -> Vec<Problem> {
    let release = &seen.config.release;
    let mut branches = release.branches.clone().unwrap_or_default();
    branches.extend(release.channel.values().map(|channel| channel.branch.clone()));
    branches.extend(release.line.values().map(|line| line.branch.clone()));
    // A branch such as `release/1.x` says by its name what it is for.
    let by_name = seen.facts.head.branch().filter(|branch| line::is_maintenance(branch, &seen.config));
    branches.extend(by_name.map(str::to_owned));
    let wanted = Wanted { branches, remote: release.remote.clone(), now_pushing: purpose == Purpose::Push };
    validate::validate(&seen.facts, &wanted)
}

/// Returns the problem of version files that state neither the last release nor the one that is asked for.
fn disagreement(seen: &Seen<'_>, line: &line::Line, ask: &Ask, decision: &Decision) -> Vec<Problem> {
    let stated = match seen.projects.version() {
        Err(problem) => return vec![problem],
        Ok(None) => return vec![],
        Ok(Some(stated)) => stated,
    };
    // A prerelease that was merged from its channel stands in the file until the final version follows.
    let merged = !stated.pre.is_empty()
        && *stated < decision.to
        && seen.facts.tags.contains_key(&seen.format.render(stated));
    let known = line.known().any(|version| version == stated) || *stated == decision.to || merged;
    // `0.0.0` and `0.0.0-development` say that the version is taken from the tag.
    let unreleased = (stated.major, stated.minor, stated.patch) == (0, 0, 0);
    if known || unreleased || matches!(ask, Ask::Exact(_)) {
        return vec![];
    }
    let Some(last) = &line.last else { return vec![] };
    let files: Vec<&str> = seen.projects.found().map(|(_, found)| found.file.as_str()).collect();
    let problem =
        Problem::new(Code::VersionsDisagree, format!("{} and the last tag disagree", files.join(", ")))
            .found(format!("version {stated} in the file, and tag {}", seen.format.render(last)))
            .wanted(last.to_string());
    // A version that is not higher could not be released.
    let problem = if stated > last {
        problem.hint(format!("release the version in the file: shipway push {stated}"))
    } else {
        problem
    };
    vec![problem.hint(format!("release the next one: shipway push {}", decision.to))]
}

fn input(
    session: &Session<'_>,
    seen: &Seen<'_>,
    (decision, line): (&Decision, &line::Line),
    writes: writes::Writes,
    checks: Vec<shipway_core::gate::Need>,
) -> Result<Input, Vec<Problem>> {
    let (config, facts) = (&seen.config, &seen.facts);
    let remote = facts.remote.as_ref().ok_or_else(|| vec![no_remote()])?;
    let version = decision.to.to_string();
    let release = Release {
        verb: Verb::Push,
        project: seen.name(),
        from: decision.from.as_ref().map(ToString::to_string),
        to: version.clone(),
        tag: seen.format.render(&decision.to),
        environment: None,
        why: decision.why.clone(),
    };
    let mut notes = validate::notes(facts);
    notes.extend(seen.projects.notes().map(str::to_owned));
    notes.extend(seen.format_note.clone());
    notes.extend(writes.notes);
    notes.extend(line.notes.iter().cloned());
    notes.extend(checks::review(seen, &checks));
    notes.extend(session.durability_note());
    Ok(Input {
        release,
        from: From {
            branch: facts.head.branch().unwrap_or_default().into(),
            commit: facts.head.commit().into(),
            tree: facts.tree.clone(),
            tags: facts.tags.keys().cloned().collect::<BTreeSet<_>>(),
        },
        to: To { remote: remote.name.clone(), branch: remote.branch.clone(), tip: tip(remote, facts) },
        message: message::commit(&version, &decision.evidence),
        edits: writes.edits,
        changelog: writes.changelog,
        at_once: config.checks.parallel.unwrap_or_else(checks::cores),
        checks,
        health: config.verify.health.clone(),
        within: config.verify.within,
        sign: match config.release.sign {
            Sign::Auto => Signing::Auto,
            Sign::Required => Signing::Required,
            Sign::Never => Signing::Never,
        },
        step_timeout: config.release.step_timeout,
        ticket: None,
        tag_publishes: seen.projects.tag_publishes().is_some(),
        notes,
        target: config.target.push,
        onward: None,
    })
}

/// Adds the way to an environment, through those before it.
fn go_on(
    session: &Session<'_>,
    hands: &Hands,
    seen: &Seen<'_>,
    (input, last): (&mut Input, Option<&str>),
    to: &str,
) -> Result<(), Vec<Problem>> {
    let chain = onward::chain(session, to).map_err(|problem| vec![problem])?;
    if seen.projects.tag_publishes().is_some() {
        let problem =
            Problem::new(Code::PastReturn, "the tag of this project is its publication, which stays")
                .wanted("a deployment that can be taken back with its release")
                .hint(format!("release first, and bring it there then: shipway push && shipway deploy {to}"));
        return Err(vec![problem]);
    }
    // A release that is only a tag is built from the commit that is there; another one from the one that is made.
    let commit = input.edits.is_empty().then(|| input.from.commit.clone());
    let material = Material::Built(deploy::build(session, commit, &input.release.to));
    let range =
        last.map_or_else(|| input.from.commit.clone(), |last| format!("{last}..{}", input.from.commit));
    let project = input.release.project.clone();
    let cargo = onward::Cargo {
        project: &project,
        version: &input.release.to,
        material: &material,
        range: &range,
        restored: false,
    };
    let mut ways = vec![];
    for place in chain {
        let place = onward::look(session, hands, place, &project)?;
        let (way, notes) = onward::way(session, hands, &place, &cargo)?;
        input.notes.extend(notes);
        input.target += session.config.target.deploy;
        ways.push(way);
    }
    input.release.environment = Some(to.to_owned());
    input.onward = Some((material, ways));
    Ok(())
}

/// Returns what the remote branch is at. A remote that was not seen is taken to be as this repository is.
fn tip(remote: &RemoteFacts, facts: &Facts) -> String {
    match &remote.seen {
        Some(Ok(refs)) => refs.tip.clone().unwrap_or_default(),
        Some(Err(_)) | None => facts.head.commit().to_owned(),
    }
}

fn no_remote() -> Problem {
    Problem::new(Code::NoRemote, "there is no remote to push to").hint("git remote add origin URL")
}
