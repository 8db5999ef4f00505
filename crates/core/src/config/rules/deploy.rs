//! What environments and services say of each other.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{differ, wanting};
use crate::config::amount;
use crate::config::place::{Problems, shown};
use crate::config::read::Found;
use crate::config::value::Value;
use crate::deployment::ALL;
use crate::problem::Problem;

/// Adds a problem for each rule that is broken.
pub(super) fn check(root: &Found, problems: &mut Problems<'_>) {
    differ(root.sections("migration"), "name", problems);
    for service in root.sections("service") {
        keeper(service, problems);
        switch(service, problems);
        health(service, problems);
    }
    for environment in root.sections("environment") {
        named(root, environment, problems);
        chain(root, environment, problems);
        hosts(environment, problems);
        if text(environment, "strategy") == "blue-green" {
            side_by_side(root, environment, problems);
        }
        if !texts(environment, "weights").is_empty() {
            weights(environment, problems);
            shared(root, environment, problems);
        }
    }
    alone(root, problems);
    for migration in root.sections("migration") {
        let backup = migration.value("backup");
        if migration.value("undo").is_none() && backup.is_none() {
            let what = format!("`{}` has neither `undo` nor `backup`", migration.path);
            let problem = wanting(what).wanted("a way back: a command, or a backup that is verified before");
            problems.add(&migration.span, problem.hint("backup = \"NAME\", with a [backup.NAME]"));
        }
        let names: Vec<&str> = root.sections("backup").map(|of| of.label.as_str()).collect();
        known(migration, "backup", &names, problems);
    }
    let environments: Vec<&str> = root.sections("environment").map(|of| of.label.as_str()).collect();
    for backup in root.sections("backup") {
        known(backup, "environment", &environments, problems);
        backup_source(backup, problems);
    }
}

fn text<'a>(found: &'a Found, key: &str) -> &'a str {
    if let Some(Value::Text(text)) = found.value(key) { text } else { "" }
}

fn texts<'a>(found: &'a Found, key: &str) -> &'a [String] {
    if let Some(Value::Texts(texts)) = found.value(key) { texts } else { &[] }
}

fn inner<'a>(found: &'a Found, name: &'a str) -> &'a Found {
    found.sections(name).next().expect("a table that stands once is read even where the file leaves it out")
}

/// Returns where a table inside another one stands; the outer header where the file does not have it.
fn span(outer: &Found, of: &Found) -> Range<usize> {
    if of.span.is_empty() { outer.span.clone() } else { of.span.clone() }
}

/// Adds a problem for each key that a choice needs and that is not there.
fn need(outer: &Found, of: &Found, kind: &str, keys: &[&str], problems: &mut Problems<'_>) {
    for key in keys {
        let missing = match of.value(key) {
            None => true,
            Some(Value::Texts(texts)) => texts.is_empty(),
            Some(_) => false,
        };
        if missing {
            let what = format!("`{}` is `{kind}` and has no `{key}`", of.path);
            problems.add(&span(outer, of), wanting(what).wanted(format!("{key} = …")));
        }
    }
}

fn keeper(service: &Found, problems: &mut Problems<'_>) {
    let of = inner(service, "manager");
    let kind = text(of, "kind");
    match kind {
        "container" => need(service, of, kind, &["image"], problems),
        "command" => need(service, of, kind, &["start", "status"], problems),
        "compose" | "quadlet" | "quadlet-user" => {}
        _ => {
            if texts(service, "run").is_empty() {
                let what = format!("`{}` has no `run`", service.path);
                problems.add(&service.span, wanting(what).wanted("the program and its arguments"));
            }
        }
    }
}

fn switch(service: &Found, problems: &mut Problems<'_>) {
    let of = inner(service, "switch");
    let kind = text(of, "kind");
    match kind {
        "socket" => {
            need(service, of, kind, &["listen"], problems);
            if !text(inner(service, "manager"), "kind").starts_with("systemd") {
                let problem = wanting(format!("`{}` is `socket` without systemd", of.path));
                problems.add(&span(service, of), problem.wanted("manager.kind = \"systemd\""));
            }
        }
        "proxy" => need(service, of, kind, &["control", "ports"], problems),
        "haproxy" => {
            need(service, of, kind, &["socket", "map", "backends", "ports"], problems);
            let backends = texts(of, "backends");
            if !backends.is_empty() && (backends.len() != 2 || backends[0] == backends[1]) {
                let problem = wanting(format!("`{}.backends` names no two backends", of.path));
                problems.add(&of.span_of("backends"), problem.wanted("two different backends"));
            }
        }
        "reload" => {
            need(service, of, kind, &["file", "content", "reload", "ports"], problems);
            let content = text(of, "content");
            if !content.is_empty() && !content.contains("{port}") {
                let problem = wanting(format!("`{}.content` has no `{{port}}`", of.path));
                problems.add(&of.span_of("content"), problem.wanted("a text with `{port}` in it"));
            }
        }
        _ => {}
    }
}

fn health(service: &Found, problems: &mut Problems<'_>) {
    let of = inner(service, "health");
    let asked = ["http", "tcp", "command"].iter().filter(|key| of.value(key).is_some()).count();
    let manager = usize::from(of.value("service") == Some(&Value::Flag(true)));
    if asked + manager > 1 {
        let problem = wanting(format!("`{}` asks in several ways", of.path));
        problems.add(&of.span, problem.wanted("one of `http`, `tcp`, `command`, `service`"));
    }
    let address = text(of, "http");
    if !address.is_empty() && !address.starts_with("http://") && !address.starts_with("https://") {
        let problem = wanting(format!("`{}.http` cannot be used", of.path)).found(shown(address));
        problems.add(&of.span_of("http"), problem.wanted("http://127.0.0.1:{port}/health"));
    }
}

/// Adds a problem when a key names what is not there.
fn known(found: &Found, key: &str, names: &[&str], problems: &mut Problems<'_>) {
    let name = text(found, key);
    if !name.is_empty() && !names.contains(&name) {
        problems.add(&found.span_of(key), unknown(found, key, name, names));
    }
}

fn unknown(found: &Found, key: &str, name: &str, names: &[&str]) -> Problem {
    let problem = wanting(format!("`{}.{key}` names nothing in this file", found.path)).found(shown(name));
    match crate::config::suggest::nearest(name, names.iter().copied()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => problem,
        None => problem.wanted(format!("one of {}", names.join(", "))),
    }
}

fn named(root: &Found, environment: &Found, problems: &mut Problems<'_>) {
    let checks: Vec<&str> = root.sections("check").map(|check| text(check, "name")).collect();
    let groups: Vec<&str> = root.sections("group").map(|group| group.label.as_str()).collect();
    for check in texts(environment, "checks").iter().filter(|check| !checks.contains(&check.as_str())) {
        problems.add(&environment.span_of("checks"), unknown(environment, "checks", check, &checks));
    }
    for group in texts(environment, "approvers").iter().filter_map(|name| name.strip_prefix("group:")) {
        if !groups.contains(&group) {
            problems
                .add(&environment.span_of("approvers"), unknown(environment, "approvers", group, &groups));
        }
    }
}

/// Adds a problem when the way to an environment begins nowhere or leads in a circle.
fn chain(root: &Found, environment: &Found, problems: &mut Problems<'_>) {
    let names: Vec<&str> = root.sections("environment").map(|of| of.label.as_str()).collect();
    known(environment, "from", &names, problems);
    let before = |of: &Found| {
        let from = text(of, "from").to_owned();
        root.sections("environment").find(|other| other.label == from)
    };
    let mut at = before(environment);
    for _ in 0..names.len() {
        let Some(of) = at else { return };
        if of.label == environment.label {
            let problem = wanting(format!("`{}.from` leads in a circle", environment.path));
            return problems.add(&environment.span_of("from"), problem.found(text(environment, "from")));
        }
        at = before(of);
    }
}

fn hosts(environment: &Found, problems: &mut Problems<'_>) {
    let hosts = texts(environment, "hosts");
    for (index, host) in hosts.iter().enumerate() {
        if hosts[..index].contains(host) {
            let problem = wanting(format!("`{}.hosts` names a host twice", environment.path));
            problems.add(&environment.span_of("hosts"), problem.found(shown(host)));
        }
    }
    for own in environment.sections("host").filter(|own| !hosts.contains(&own.label)) {
        let problem = wanting(format!("`{}` is not one of the hosts", own.path));
        problems.add(&own.span, problem.hint(format!("hosts = [\"{}\"]", shown(&own.label))));
    }
}

/// Adds a problem for each directory on a host that two environments name: each would replace what the other has live.
fn alone(root: &Found, problems: &mut Problems<'_>) {
    let mut seen: BTreeMap<(&[String], &str, &str), &str> = BTreeMap::new();
    for environment in root.sections("environment") {
        for host in texts(environment, "hosts") {
            let own = environment.sections("host").find(|own| own.label == *host);
            let of = |key| own.map(|own| text(own, key)).filter(|text| !text.is_empty());
            let path = of("path").unwrap_or_else(|| text(environment, "path")).trim_end_matches('/');
            // Without a path, every environment has a directory of its own.
            if path.is_empty() {
                continue;
            }
            let address = of("address").unwrap_or(host);
            // What a name leads to is a question of how ssh is called.
            let ssh = if address == "local" { &[] } else { texts(environment, "ssh") };
            let first = seen.entry((ssh, address, path)).or_insert(&environment.path);
            if *first != environment.path {
                let what = format!("`{}` has the same directory on `{host}` as `{first}`", environment.path);
                let problem = wanting(what).found(shown(path)).wanted("a `path` of its own");
                problems.add(&environment.span_of("path"), problem);
            }
        }
    }
}

fn side_by_side(root: &Found, environment: &Found, problems: &mut Problems<'_>) {
    let alone = |service: &&Found| matches!(text(inner(service, "switch"), "kind"), "restart" | "socket");
    for service in root.sections("service").filter(alone) {
        let what = format!("`{}` is `blue-green`, and `{}` cannot run twice", environment.path, service.path);
        let problem = wanting(what).wanted("a switch of kind proxy, haproxy or reload");
        problems.add(&environment.span_of("strategy"), problem.hint("strategy = \"rolling\""));
    }
}

/// Adds a problem when weights are not a way from nothing to all, or nobody goes it.
fn weights(environment: &Found, problems: &mut Problems<'_>) {
    let at = environment.span_of("weights");
    let shares = texts(environment, "weights");
    let numbers: Vec<u32> = shares.iter().filter_map(|text| amount::percent(text)).collect();
    let between = numbers.iter().all(|share| (1..ALL).contains(share));
    if !between || numbers.windows(2).any(|pair| pair[0] >= pair[1]) {
        let problem = wanting(format!("`{}.weights` do not rise between 0% and 100%", environment.path));
        let problem = problem.found(shown(&shares.join(", "))).wanted("such as 5%, 25%, 50%");
        problems.add(&at, problem.hint("weights = [\"5%\", \"25%\"]"));
    }
    let strategy = text(environment, "strategy");
    if strategy != "canary" {
        let problem = wanting(format!("`{}` has `weights`, and is not a canary", environment.path));
        let problem = problem.found(format!("strategy = \"{strategy}\"")).hint("strategy = \"canary\"");
        problems.add(&at, problem);
    }
}

/// Adds a problem for each service whose traffic cannot be shared, and when there is none whose can. What answers nobody
/// has no traffic, and goes with the switch.
fn shared(root: &Found, environment: &Found, problems: &mut Problems<'_>) {
    let roles: Vec<&[String]> = texts(environment, "hosts")
        .iter()
        .map(|host| environment.sections("host").find(|own| own.label == *host))
        .map(|own| own.map_or(&[][..], |own| texts(own, "roles")))
        .collect();
    let here = |service: &&Found| {
        let wanted = texts(service, "roles");
        wanted.is_empty() || roles.iter().any(|roles| roles.iter().any(|role| wanted.contains(role)))
    };
    let at = environment.span_of("weights");
    let mut found = false;
    for service in root.sections("service").filter(here) {
        let (kind, health) = (text(inner(service, "switch"), "kind"), inner(service, "health"));
        let answers = ["http", "tcp"].iter().any(|key| health.value(key).is_some());
        let alone = service.value("overlap") == Some(&Value::Flag(false));
        found |= kind == "proxy" && !alone;
        let why = match kind {
            "proxy" if alone => "has `overlap = false`",
            "restart" if !answers => continue,
            "proxy" => continue,
            _ => "has a switch that sends all traffic to one release",
        };
        let what = format!("`{}` has `weights`, and `{}` {why}", environment.path, service.path);
        let problem = wanting(what).wanted("old and new side by side behind the built-in proxy");
        problems.add(&at, problem.hint(PROXY));
    }
    if !found {
        let what =
            format!("`{}` has `weights`, and no service whose traffic can be shared", environment.path);
        problems.add(&at, wanting(what).wanted("a service behind the built-in proxy").hint(PROXY));
    }
}

/// A switch that can share traffic.
const PROXY: &str = "switch = { kind = \"proxy\", control = \"/run/app/proxy.sock\", ports = [8081, 8082] }";

fn backup_source(backup: &Found, problems: &mut Problems<'_>) {
    match text(backup, "kind") {
        "command" => need(backup, backup, "command", &["run", "restore"], problems),
        kind => need(backup, backup, kind, &["source"], problems),
    }
}
