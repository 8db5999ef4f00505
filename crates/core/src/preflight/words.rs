//! Sizes, spans and names in words, the same everywhere in a report.

use super::{Keeper, Want};
use crate::deps::Place;

/// Returns a number of bytes in its largest unit, such as `1.5 GB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    for (unit, size) in UNITS {
        if bytes >= size {
            let tenths = bytes % size * 10 / size;
            return format!("{}.{tenths} {unit}", bytes / size);
        }
    }
    format!("{bytes} B")
}

/// Returns a span of milliseconds in its largest unit, such as `3 days`.
pub(super) fn span(ms: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1000)];
    for (unit, size) in UNITS {
        if ms >= size {
            let number = ms / size;
            return format!("{number} {unit}{}", if number == 1 { "" } else { "s" });
        }
    }
    format!("{ms} ms")
}

/// Returns what a want is about.
pub(super) fn name(want: &Want) -> String {
    match want {
        Want::Os { .. } => "os".into(),
        Want::User { .. } => "user".into(),
        Want::Sudo { command } => format!("sudo {}", command.join(" ")),
        Want::Clock { .. } => "clock".into(),
        Want::Disk { path, .. } => format!("disk {path}"),
        Want::Memory { .. } => "memory".into(),
        Want::PortFree { port } => format!("port {port}"),
        Want::PortOpen { address } => format!("port {address}"),
        Want::Service { name, .. } => format!("service {name}"),
        Want::Python { interpreter, .. } => format!("python {interpreter}"),
        Want::Venv { path, .. } => format!("venv {path}"),
        Want::Import { module, .. } => format!("import {module}"),
        Want::Command { name, .. } => format!("command {name}"),
        Want::Variable { name, secret: true, .. } => format!("secret {name}"),
        Want::Variable { name, .. } => format!("variable {name}"),
        Want::File { path, secret: true, .. } => format!("secret {path}"),
        Want::File { path, .. } => format!("file {path}"),
        Want::Certificate { place, .. } => format!("certificate {place}"),
        Want::Dns { name } => format!("dns {name}"),
        Want::Backup { .. } => "backup".into(),
        Want::Packages { place, declaration } => packages(place, &declaration.packages),
        Want::Unknown => "a want of a newer shipway".into(),
    }
}

fn packages(place: &Place, declared: &[crate::deps::Declared]) -> String {
    match (place, declared) {
        (Place::Cargo { .. } | Place::Debian { .. }, [one]) => {
            format!("{} {}", place.kind().as_str(), one.name)
        }
        (Place::Pip { venv }, _) => format!("pip packages in {venv}"),
        (Place::Npm { dir, .. }, _) => format!("npm packages in {dir}"),
        (Place::Cargo { .. } | Place::Debian { .. } | Place::Unknown, _) => {
            format!("{} packages", place.kind().as_str())
        }
    }
}

/// Returns how a keeper is asked to start a service.
pub(super) fn start(keeper: Keeper, name: &str) -> String {
    let name = crate::deps::quote(name);
    match keeper {
        Keeper::Systemd => format!("sudo systemctl start {name}"),
        Keeper::SystemdUser => format!("systemctl --user start {name}"),
        Keeper::S6 => format!("s6-svc -u {name}"),
        Keeper::Runit => format!("sv up {name}"),
        Keeper::PidFile => format!("cat {name}"),
        Keeper::Process | Keeper::Unknown => format!("ps -C {name}"),
    }
}
