//! Artifacts, services and environments.

use std::collections::BTreeMap;

use super::{PROMISE, section};
use crate::config::amount::{self, Share};
use crate::config::choice::{Grade, KeeperKind, Phase, RuntimeKind, Strategy, SwitchKind};
use crate::config::deploy::{
    Artifact, Backup, Environment, Gate, HostOwn, Migration, Require, Service, Watch,
};
use crate::config::read::Found;
use crate::deployment::{self, Health, Keeper, Probe, Runtime, Switch};

/// Returns `[artifact]`.
pub(super) fn artifact(found: &Found) -> Artifact {
    let args = words(found, "install-args");
    Artifact {
        build: words(found, "build"),
        env: found.variables("env"),
        timeout: found.duration("timeout").expect(PROMISE),
        dir: found.text("dir"),
        include: words(found, "include"),
        exclude: words(found, "exclude"),
        runtime: match found.choice("runtime", RuntimeKind::of) {
            RuntimeKind::None => Runtime::None,
            RuntimeKind::Python => Runtime::Python {
                interpreter: text(found, "interpreter"),
                requirements: text(found, "requirements"),
                pip: args,
            },
            RuntimeKind::Node => Runtime::Node { dir: String::new(), npm: args },
        },
    }
}

/// Returns a `[service.NAME]`.
pub(super) fn service(found: &Found) -> Service {
    let service = deployment::Service {
        name: found.label.clone(),
        run: words(found, "run"),
        env: found.variables("env"),
        manager: keeper(section(found, "manager"), &found.label),
        switch: switch(section(found, "switch"), &found.label),
        health: health(section(found, "health")),
        smoke: words(found, "smoke"),
        overlap: found.flag("overlap"),
        stop_ms: millis(found, "stop-timeout"),
        drain_ms: millis(found, "drain"),
    };
    Service { service, roles: words(found, "roles") }
}

fn keeper(found: &Found, service: &str) -> Keeper {
    let unit = || found.text("unit").unwrap_or_else(|| format!("{{project}}-{{environment}}-{service}"));
    let scan = |usual: &str| found.text("scan").unwrap_or_else(|| usual.to_owned());
    let systemd = |user| Keeper::Systemd { unit: unit(), user, extra: words(found, "unit-lines") };
    let quadlet = |user| Keeper::Quadlet { file: text(found, "file"), user };
    match found.choice("kind", KeeperKind::of) {
        KeeperKind::Process => Keeper::Process,
        KeeperKind::Systemd => systemd(false),
        KeeperKind::SystemdUser => systemd(true),
        KeeperKind::S6 => Keeper::S6 { scan: scan("/run/service") },
        KeeperKind::Runit => Keeper::Runit { scan: scan("/etc/service") },
        KeeperKind::Supervisor => {
            Keeper::Supervisor { include: text(found, "include"), config: text(found, "config") }
        }
        KeeperKind::Container => Keeper::Container {
            engine: text(found, "engine"),
            image: found.text("image").unwrap_or_default(),
            args: words(found, "args"),
        },
        KeeperKind::Compose => {
            Keeper::Compose { command: words(found, "compose"), file: text(found, "file") }
        }
        KeeperKind::Quadlet => quadlet(false),
        KeeperKind::QuadletUser => quadlet(true),
        KeeperKind::Command => Keeper::Command {
            start: words(found, "start"),
            status: words(found, "status"),
            stop: words(found, "stop"),
        },
    }
}

fn switch(found: &Found, service: &str) -> Switch {
    let own = |key: &str| found.text(key).unwrap_or_default();
    let ports = found.ports("ports").unwrap_or_default();
    match found.choice("kind", SwitchKind::of) {
        SwitchKind::Restart => Switch::Restart,
        SwitchKind::Socket => Switch::Socket { listen: own("listen") },
        SwitchKind::Proxy => Switch::Proxy { control: own("control"), ports },
        SwitchKind::Haproxy => Switch::Haproxy {
            socket: own("socket"),
            map: own("map"),
            key: found.text("key").unwrap_or_else(|| service.to_owned()),
            backends: words(found, "backends").try_into().unwrap_or_default(),
            ports,
        },
        SwitchKind::Reload => Switch::Reload {
            file: own("file"),
            content: own("content"),
            reload: words(found, "reload"),
            ports,
        },
    }
}

fn health(found: &Found) -> Option<Health> {
    let http = found.text("http").map(Probe::Http);
    let tcp = || found.text("tcp").map(Probe::Tcp);
    let command = || found.texts("command").map(Probe::Command);
    let service = || found.flag("service").then_some(Probe::Service);
    Some(Health {
        probe: http.or_else(tcp).or_else(command).or_else(service)?,
        expect: found.text("expect"),
        status: found.count("status").and_then(|status| u16::try_from(status).ok()),
        slowest_ms: millis(found, "slowest"),
        passes: u32::try_from(found.count("passes").expect(PROMISE)).expect(PROMISE),
        over_ms: millis(found, "over"),
        within_ms: millis(found, "within"),
    })
}

/// Returns an `[environment.NAME]`; groups are looked up in `groups`.
pub(super) fn environment(found: &Found, groups: &BTreeMap<String, Vec<String>>) -> Environment {
    let host = |host: &Found| {
        let own =
            HostOwn { address: host.text("address"), path: host.text("path"), roles: words(host, "roles") };
        (host.label.clone(), own)
    };
    let share = |key: &str| amount::share(&text(found, key)).expect(PROMISE);
    let weights: Vec<u32> =
        words(found, "weights").iter().map(|text| amount::percent(text).expect(PROMISE)).collect();
    let watch = watch(section(found, "watch"));
    // Who wants nothing watched has not asked for the default of the first hosts either.
    let asked = found.given("canary-watch").is_some() || watch.span.is_some();
    Environment {
        hosts: words(found, "hosts"),
        host: found.sections("host").map(host).collect(),
        path: found.text("path"),
        ssh: words(found, "ssh"),
        from: found.text("from"),
        strategy: found.choice("strategy", Strategy::of),
        batch: share("batch"),
        // Without a number of hosts, all of them share their traffic.
        canary: if weights.is_empty() || found.given("canary").is_some() {
            share("canary")
        } else {
            Share::Percent(100)
        },
        canary_watch: found.duration("canary-watch").filter(|_| asked),
        weights,
        confirm: found.duration("confirm"),
        keep: found.count("keep").expect(PROMISE),
        keep_bytes: found.text("keep-bytes").and_then(|text| amount::bytes(&text)),
        secrets: words(found, "secrets"),
        env: found.variables("env"),
        before: words(found, "before"),
        after: words(found, "after"),
        gate: gate(found, groups),
        watch,
        require: require(section(found, "require")),
        drill: found.flag("drill"),
        on: words(found, "on"),
    }
}

fn gate(found: &Found, groups: &BTreeMap<String, Vec<String>>) -> Gate {
    let resolve = |name: String| match name.strip_prefix("group:") {
        Some(group) => groups.get(group).cloned().unwrap_or_default(),
        None => vec![name],
    };
    Gate {
        checks: words(found, "checks"),
        approvals: found.count("approvals").expect(PROMISE),
        approvers: words(found, "approvers").into_iter().flat_map(resolve).collect(),
        approval_grade: found.choice("approval-grade", Grade::of),
        own_approval: found.flag("own-approval"),
        soak: found.duration("soak"),
        windows: words(found, "windows"),
        freeze: words(found, "freeze"),
        incidents: found.flag("incidents"),
        fresh: found.duration("fresh").expect(PROMISE),
        drill_within: found.duration("drill-within"),
        unproven: found.flag("unproven"),
    }
}

fn watch(found: &Found) -> Watch {
    let percent = |key: &str| amount::percent(&text(found, key)).expect(PROMISE);
    let prometheus = found.text("prometheus").zip(found.text("query"));
    Watch {
        span: found.duration("for"),
        every: found.duration("every").expect(PROMISE),
        errors: percent("errors"),
        slower: percent("slower"),
        samples: found.count("samples").expect(PROMISE),
        pass_without_data: text(found, "without-data") == "pass",
        prometheus: prometheus.map(|(server, query)| (server, query, text(found, "limit"))),
        command: words(found, "command"),
        log: found.text("log"),
    }
}

fn require(found: &Found) -> Require {
    let size = |key: &str| found.text(key).and_then(|text| amount::bytes(&text));
    Require {
        os: found.text("os"),
        user: found.text("user"),
        sudo: words(found, "sudo"),
        clock_offset: found.duration("clock-offset"),
        disk_free: size("disk-free"),
        memory: size("memory"),
        ports_free: words(found, "ports-free"),
        ports_open: words(found, "ports-open"),
        units: words(found, "units"),
        python: found.text("python"),
        interpreter: found.text("interpreter"),
        venv: found.text("venv"),
        imports: words(found, "imports"),
        node: found.text("node"),
        variables: words(found, "variables"),
        files: words(found, "files"),
        secrets: words(found, "secrets"),
        certificates: words(found, "certificates"),
        certificate_days: found.count("certificate-days").expect(PROMISE),
        dns: words(found, "dns"),
        backup_within: found.duration("backup-within"),
        commands: words(found, "commands"),
        debian: words(found, "debian"),
        cargo: words(found, "cargo"),
        parity: found.text("parity"),
    }
}

/// Returns a `[[migration]]`.
pub(super) fn migration(found: &Found) -> Migration {
    Migration {
        name: text(found, "name"),
        phase: found.choice("phase", Phase::of),
        run: words(found, "run"),
        done: words(found, "done"),
        undo: words(found, "undo"),
        backup: found.text("backup"),
        roles: words(found, "roles"),
        timeout: found.duration("timeout").expect(PROMISE),
    }
}

/// Returns a `[backup.NAME]`.
pub(super) fn backup(found: &Found) -> Backup {
    Backup {
        kind: text(found, "kind"),
        source: found.text("source"),
        run: words(found, "run"),
        restore: words(found, "restore"),
        verify: words(found, "verify"),
        environment: found.text("environment"),
        roles: words(found, "roles"),
        to: found.text("to"),
        keep: found.count("keep").expect(PROMISE),
        recipients: words(found, "recipients"),
        identity: found.text("identity"),
        timeout: found.duration("timeout").expect(PROMISE),
    }
}

/// Returns the texts of a key; none where the file does not have it.
fn words(found: &Found, key: &str) -> Vec<String> {
    found.texts(key).unwrap_or_default()
}

fn text(found: &Found, key: &str) -> String {
    found.text(key).expect(PROMISE)
}

fn millis(found: &Found, key: &str) -> u64 {
    u64::try_from(found.duration(key).expect(PROMISE).as_millis()).expect("a duration is at most a year")
}
