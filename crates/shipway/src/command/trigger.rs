//! `trigger`: what an event asks for, as `on` in `shipway.toml` says: checks on a clean checkout, and deployments.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use shipway_core::config::{Check, Config, Trigger};
use shipway_core::problem::{Code, Problem};
use shipway_world::shell::LocalShell;
use shipway_world::trigger::{Checkout, Ran, Received, Source, received};

use super::{DONE, End};
use crate::args::{self, Args};
use crate::prepare::checks;
use crate::session;
use crate::view::{Document, View};

/// Runs what one event asks for, or all that a push has caused.
pub fn run(args: &Args, asked: &args::Trigger, view: &dyn View) -> End {
    let dir = args.directory.clone().unwrap_or_else(|| PathBuf::from("."));
    let one = |problem| vec![problem];
    let switches = shipway_world::stop::signals()
        .map_err(|error| one(Problem::new(Code::Io, format!("signals cannot be heard: {error}"))))?;
    let shell = LocalShell::new();
    let source = Source { dir: &dir, shell: &shell, stop: &switches.look };
    let job = Job { source, view, json: args.json, dry_run: asked.dry_run };
    let mut codes = vec![];
    for (event, commit) in events(asked, &source, view)? {
        // One event that fails is no reason to leave the next one out.
        let one = job.run(&event, &commit).unwrap_or_else(|problems| {
            view.problems(&problems);
            super::exit_code(&problems)
        });
        codes.push(one);
    }
    Ok(super::worst(codes))
}

fn events(
    asked: &args::Trigger,
    source: &Source<'_>,
    view: &dyn View,
) -> Result<Vec<(Trigger, String)>, Vec<Problem>> {
    let one = |problem| vec![problem];
    if asked.received {
        let mut lines = vec![];
        io::stdin()
            .read_to_end(&mut lines)
            .map_err(|error| one(Problem::new(Code::Io, format!("nothing can be read: {error}"))))?;
        let Received { events, proposed, unreadable } = received(&lines);
        let skipped = |line: &String| {
            let problem =
                Problem::new(Code::TriggerUnknown, "the name of a ref is not UTF-8; it is left out");
            let problem = problem.found(line).wanted("a name in UTF-8, as `on` in shipway.toml has");
            problem.hint("name the branch or tag in UTF-8, and push it again")
        };
        view.warnings(&unreadable.iter().map(skipped).collect::<Vec<_>>());
        for number in proposed {
            // Nobody has agreed to its code, which could write to the repository past the guard.
            view.note(&format!(
                "the checks of change {number} do not run on the server; whoever lands runs them, or a runner: \
                 shipway change check {number}"
            ));
        }
        return Ok(events);
    }
    let text = asked.event.as_deref().unwrap_or_default();
    let event = Trigger::parse(text).ok_or_else(|| {
        let problem = Problem::new(Code::TriggerUnknown, format!("`{text}` is not an event")).found(text);
        let problem = problem.wanted("commit, release, change:BRANCH, tag:NAME or schedule:NAME");
        one(problem.hint("shipway trigger change:main"))
    })?;
    let names = match (&asked.commit, &event) {
        (Some(commit), _) => vec![commit.clone()],
        (None, Trigger::Tag(name)) => vec![format!("refs/tags/{name}")],
        (None, Trigger::Change(branch)) => {
            vec![format!("refs/heads/{branch}"), format!("refs/remotes/origin/{branch}")]
        }
        (None, Trigger::Commit | Trigger::Release | Trigger::Schedule(_)) => vec!["HEAD".into()],
    };
    let found = names.iter().find_map(|name| source.commit(name).ok());
    let commit = match found {
        Some(commit) => commit,
        None => source.commit(names.first().map_or("HEAD", String::as_str)).map_err(one)?,
    };
    Ok(vec![(event, commit)])
}

struct Job<'a> {
    source: Source<'a>,
    view: &'a dyn View,
    json: bool,
    dry_run: bool,
}

impl Job<'_> {
    fn run(&self, event: &Trigger, commit: &str) -> Result<u8, Vec<Problem>> {
        let one = |problem| vec![problem];
        let config = self.configuration(commit)?;
        let checks: Vec<&Check> = config.check.iter().filter(|check| check.wanted_by(event)).collect();
        let wanted = config.environment.iter().filter(|(_, of)| of.on.iter().any(|entry| event.fits(entry)));
        let mut environments: Vec<&str> = wanted.map(|(name, _)| name.as_str()).collect();
        // In the order in which a release comes through them.
        environments.sort_by_key(|name| depth(&config, name));
        let landed = match event {
            Trigger::Change(branch) => self.source.is_on(commit, branch).map_err(one)?,
            Trigger::Commit | Trigger::Release | Trigger::Tag(_) | Trigger::Schedule(_) => true,
        };
        let left = self.left(event, commit, &mut environments).map_err(one)?;
        if self.dry_run {
            return Ok(self.show(event, commit, (&checks, &environments, landed), &left));
        }
        if checks.is_empty() && environments.is_empty() && left.is_empty() {
            self.view.note(&format!("{} asks for nothing", event.text()));
        }
        let checkout = self.source.check_out_aside(commit).map_err(one)?;
        let at_once = config.checks.parallel.unwrap_or_else(checks::cores);
        let ran = checkout.run(&self.source, &checks, (at_once, config.checks.timeout));
        let problems: Vec<Problem> = ran.iter().filter_map(|ran| ran.problem.clone()).collect();
        let mut deployed = vec![];
        if problems.is_empty() && landed {
            for name in &environments {
                let (code, lines) = self.deploy(&checkout, name, commit).map_err(one)?;
                deployed.push((*name, code, lines));
                if code != DONE {
                    break;
                }
            }
        } else if !environments.is_empty() {
            let why = if landed { "a check did not pass" } else { "it has not landed" };
            self.view.note(&format!("nothing is deployed: {why}"));
        }
        self.tell((event, commit), &ran, &deployed, &left);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(super::worst(deployed.iter().map(|(_, code, _)| *code)))
    }

    /// Takes out the environments to which the run that has pushed goes on by itself, and returns them with that run:
    /// two deployments of one release would be in each other's way.
    fn left(
        &self,
        event: &Trigger,
        commit: &str,
        environments: &mut Vec<&str>,
    ) -> Result<Vec<(String, String)>, Problem> {
        let mut bound = match event {
            Trigger::Change(_) | Trigger::Tag(_) if !environments.is_empty() => self.source.bound(commit)?,
            Trigger::Change(_)
            | Trigger::Tag(_)
            | Trigger::Commit
            | Trigger::Release
            | Trigger::Schedule(_) => return Ok(vec![]),
        };
        bound.retain(|name, _| environments.contains(&name.as_str()));
        environments.retain(|name| !bound.contains_key(*name));
        Ok(bound.into_iter().collect())
    }

    /// Reads the configuration that the commit itself has.
    fn configuration(&self, commit: &str) -> Result<Config, Vec<Problem>> {
        match self.source.file(commit, "shipway.toml").map_err(|problem| vec![problem])? {
            None => Ok(Config::default()),
            Some(bytes) => session::read(bytes),
        }
    }

    fn show(
        &self,
        event: &Trigger,
        commit: &str,
        (checks, places, landed): (&[&Check], &[&str], bool),
        left: &[(String, String)],
    ) -> u8 {
        let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        let unseen = names.iter().map(|name| json!({ "name": name, "passed": null, "ms": null }));
        let places = if landed { places } else { &[] };
        let undone = places.iter().map(|name| json!({ "environment": name, "code": null, "entries": [] }));
        let fields = json!({
            "event": event.text(),
            "commit": commit,
            "dry_run": true,
            "checks": unseen.collect::<Vec<_>>(),
            "deployments": undone.collect::<Vec<_>>(),
            "left": left_json(left),
        });
        let mut lines = vec![format!("{} at {}", event.text(), commit.get(..12).unwrap_or(commit))];
        lines.extend(names.iter().map(|name| format!("  check {name}")));
        lines.extend(places.iter().map(|name| format!("  deploy {name}")));
        lines.extend(left.iter().map(left_line));
        self.view.answer(Document::Trigger, &fields, &lines.join("\n"));
        DONE
    }

    fn tell(
        &self,
        (event, commit): (&Trigger, &str),
        ran: &[Ran],
        deployed: &[(&str, u8, Vec<Value>)],
        left: &[(String, String)],
    ) {
        let word = |ran: &Ran| if ran.problem.is_none() { "passed" } else { "did not pass" };
        let checks = ran.iter().map(|ran| {
            json!({
                "name": ran.name,
                "passed": ran.problem.is_none(),
                "ms": u64::try_from(ran.took.as_millis()).unwrap_or(u64::MAX),
            })
        });
        let places = deployed
            .iter()
            .map(|(name, code, lines)| json!({ "environment": name, "code": code, "entries": lines }));
        let fields = json!({
            "event": event.text(),
            "commit": commit,
            "dry_run": false,
            "checks": checks.collect::<Vec<_>>(),
            "deployments": places.collect::<Vec<_>>(),
            "left": left_json(left),
        });
        let mut lines = vec![format!("{} at {}", event.text(), commit.get(..12).unwrap_or(commit))];
        let seconds = |ran: &Ran| format!("{:.1} s", ran.took.as_secs_f64());
        lines.extend(ran.iter().map(|ran| format!("  check {} {} ({})", ran.name, word(ran), seconds(ran))));
        lines
            .extend(deployed.iter().map(|(name, code, _)| format!("  deploy {name} ended with code {code}")));
        lines.extend(left.iter().map(left_line));
        self.view.answer(Document::Trigger, &fields, &lines.join("\n"));
    }

    /// Deploys as a user would, from the checkout: its run is in the journal of this repository.
    fn deploy(&self, checkout: &Checkout, name: &str, commit: &str) -> Result<(u8, Vec<Value>), Problem> {
        let failed = |error: io::Error| Problem::new(Code::Io, format!("deploy cannot be started: {error}"));
        let program = std::env::current_exe().map_err(failed)?;
        let mut deploy = Command::new(program);
        // It may live longer than this process, and works in the checkout as long.
        deploy.arg("-C").arg(&checkout.tree).stdin(checkout.share());
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_QUARANTINE_PATH"] {
            deploy.env_remove(name);
        }
        if !self.json {
            let status = deploy.args(["deploy", name, commit]).status().map_err(failed)?;
            return Ok((status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1), vec![]));
        }
        deploy.args(["--json", "deploy", name, commit]).stdout(Stdio::piped());
        let output = deploy.spawn().and_then(std::process::Child::wait_with_output).map_err(failed)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok((output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1), lines))
    }
}

fn left_line((name, run): &(String, String)) -> String {
    format!("  deploy {name} is left to run {run}, which goes there itself")
}

fn left_json(left: &[(String, String)]) -> Vec<Value> {
    left.iter().map(|(name, run)| json!({ "environment": name, "run": run })).collect()
}

/// Returns how many environments come before one.
fn depth(config: &Config, name: &str) -> usize {
    let before = |name: &str| config.environment.get(name).and_then(|of| of.from.as_deref());
    std::iter::successors(before(name), |name| before(name)).take(config.environment.len()).count()
}
