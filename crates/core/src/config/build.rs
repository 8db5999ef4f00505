//! From values that are all right to the typed configuration.

mod deploy;

use std::collections::BTreeMap;
use std::time::Duration;

use semver::{Version, VersionReq};

use super::choice::{Ambiguous, BelowOne, PackageKind, Sign};
use super::place::Source;
use super::read::Found;
use super::value::Value;
use super::{Channel, Check, Checks, Config, Journal, Line, Project, Release, Secrets, Target, Verify, line};

/// What the table of keys promises; reading has checked it for every key before this module runs.
const PROMISE: &str = "the table of keys gives this key this type, and a default where it is not optional";

/// Returns the configuration of a file without problems.
pub(super) fn config(root: &Found, source: Source<'_>) -> Config {
    let mut places = BTreeMap::new();
    root.places(source, &mut places);
    let [project, checks, verify] = ["project", "checks", "verify"].map(|name| section(root, name));
    let members = |group: &Found| (group.label.clone(), group.texts("members").expect(PROMISE));
    let group: BTreeMap<String, Vec<String>> = root.sections("group").map(members).collect();
    let [journal, secrets, target] = ["journal", "secrets", "target"].map(|name| section(root, name));
    Config {
        project: Project { name: project.text("name") },
        release: release(section(root, "release")),
        check: root.sections("check").map(check).collect(),
        checks: Checks {
            detect: checks.flag("detect"),
            outdated: checks.flag("outdated"),
            parallel: checks.count("parallel"),
            timeout: checks.duration("timeout").expect(PROMISE),
        },
        verify: Verify {
            health: verify.texts("health").expect(PROMISE),
            within: verify.duration("within").expect(PROMISE),
        },
        journal: Journal { accept_loss: journal.flag("accept-loss"), anchor: journal.text("anchor") },
        secrets: Secrets { names: secrets.texts("names").expect(PROMISE) },
        target: Target {
            push: target.duration("push").expect(PROMISE),
            rollback: target.duration("rollback").expect(PROMISE),
            deploy: target.duration("deploy").expect(PROMISE),
        },
        artifact: deploy::artifact(section(root, "artifact")),
        service: root.sections("service").map(deploy::service).collect(),
        environment: root
            .sections("environment")
            .map(|found| (found.label.clone(), deploy::environment(found, &group)))
            .collect(),
        migration: root.sections("migration").map(deploy::migration).collect(),
        backup: root.sections("backup").map(|found| (found.label.clone(), deploy::backup(found))).collect(),
        group,
        places,
    }
}

fn section<'a>(root: &'a Found, name: &'static str) -> &'a Found {
    root.sections(name).next().expect("a table that stands once is read even where the file leaves it out")
}

fn release(found: &Found) -> Release {
    let kinds = |names: Vec<String>| {
        names.iter().map(|name| PackageKind::of(name).expect(PROMISE)).collect::<Vec<_>>()
    };
    Release {
        remote: found.text("remote"),
        branches: found.texts("branches"),
        tag: found.text("tag"),
        first: found.version("first"),
        breaking_below_1: found.choice("breaking-below-1", BelowOne::of),
        ambiguous: found.choice("ambiguous", Ambiguous::of),
        packages: found.texts("packages").map(kinds),
        changelog: found.text("changelog"),
        changelog_template: found.text("changelog-template"),
        readme: found.flag("readme"),
        sign: found.choice("sign", Sign::of),
        step_timeout: found.duration("step-timeout"),
        channel: found.sections("channel").map(|found| (found.label.clone(), channel(found))).collect(),
        line: found.sections("line").map(|found| (found.label.clone(), maintenance(found))).collect(),
    }
}

fn channel(found: &Found) -> Channel {
    Channel {
        branch: found.text("branch").expect(PROMISE),
        suffix: found.text("suffix").unwrap_or_else(|| format!("{}.{{n}}", found.label)),
    }
}

fn maintenance(found: &Found) -> Line {
    Line {
        branch: found.text("branch").unwrap_or_else(|| format!("release/{}", found.label)),
        range: found
            .range("range")
            .or_else(|| line::range_of(&found.label))
            .expect("a line without a range has a name that is one"),
    }
}

fn check(found: &Found) -> Check {
    Check {
        name: found.text("name").expect(PROMISE),
        run: found.texts("run").expect(PROMISE),
        timeout: found.duration("timeout"),
        env: found.variables("env"),
        on: found.texts("on").expect(PROMISE),
        files: found.texts("files").expect(PROMISE),
    }
}

impl Found {
    fn text(&self, key: &str) -> Option<String> {
        if let Some(Value::Text(text)) = self.value(key) { Some(text.clone()) } else { None }
    }

    fn texts(&self, key: &str) -> Option<Vec<String>> {
        if let Some(Value::Texts(texts)) = self.value(key) { Some(texts.clone()) } else { None }
    }

    fn duration(&self, key: &str) -> Option<Duration> {
        if let Some(Value::Duration(duration)) = self.value(key) { Some(*duration) } else { None }
    }

    fn range(&self, key: &str) -> Option<VersionReq> {
        if let Some(Value::Range(range)) = self.value(key) { Some(range.clone()) } else { None }
    }

    fn count(&self, key: &str) -> Option<usize> {
        if let Some(Value::Count(count)) = self.value(key) { Some(*count) } else { None }
    }

    fn flag(&self, key: &str) -> bool {
        let flag = if let Some(Value::Flag(flag)) = self.value(key) { Some(*flag) } else { None };
        flag.expect(PROMISE)
    }

    fn ports(&self, key: &str) -> Option<[u16; 2]> {
        if let Some(Value::Ports(ports)) = self.value(key) { Some(*ports) } else { None }
    }

    fn version(&self, key: &str) -> Version {
        let version = if let Some(Value::Version(version)) = self.value(key) { Some(version) } else { None };
        version.expect(PROMISE).clone()
    }

    fn variables(&self, key: &str) -> BTreeMap<String, String> {
        let variables = if let Some(Value::Variables(of)) = self.value(key) { Some(of) } else { None };
        variables.expect(PROMISE).clone()
    }

    fn choice<T>(&self, key: &str, of: fn(&str) -> Option<T>) -> T {
        self.text(key).and_then(|text| of(&text)).expect(PROMISE)
    }
}
