//! `[environment.NAME.require]`: what an environment asks for, in the words of its configuration.

use std::time::Duration;

use super::{Keeper, Want};
use crate::deps::{self, Place};

/// How far a clock may be off if nothing is said, in milliseconds: beyond, certificates and tokens begin to fail.
const CLOCK_OFFSET: u64 = 5_000;

/// How many days a certificate must still be valid if nothing is said.
const CERTIFICATE_DAYS: u64 = 14;

/// What an environment asks of each of its hosts; every field is a key of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Require {
    /// `os`, such as `debian>=12`.
    pub os: Option<String>,
    /// `user`.
    pub user: Option<String>,
    /// `sudo`: command lines whose words hold no spaces.
    pub sudo: Vec<String>,
    /// `disk-free`, in bytes: what must be left once the release is there.
    pub disk_free: Option<u64>,
    /// The directory of the environment, for the disk; not a key.
    pub path: String,
    /// What a deployment will write, after deduplication, in bytes and files; not a key.
    pub needs: (u64, u64),
    /// `memory`, in bytes.
    pub memory: Option<u64>,
    /// `ports-free`.
    pub ports_free: Vec<u16>,
    /// `ports-open`: ports of the host, or `name:port`.
    pub ports_open: Vec<String>,
    /// `units`: `web` of systemd, or `user:web`, `s6:DIR`, `runit:DIR`, `pid:FILE`, `process:PROGRAM`.
    pub units: Vec<String>,
    /// `python`: the versions that will do.
    pub python: Option<String>,
    /// `interpreter`: the production interpreter.
    pub interpreter: Option<String>,
    /// `venv`: its directory.
    pub venv: Option<String>,
    /// `imports`.
    pub imports: Vec<String>,
    /// `node`: the versions that will do, as npm writes them.
    pub node: Option<String>,
    /// `variables`: `NAME`, or `NAME@FILE` for a file with variables.
    pub variables: Vec<String>,
    /// `files`: `PATH`, or `PATH:MODE` with an octal mode.
    pub files: Vec<String>,
    /// `secrets`: as `variables`, or a path that begins with `/` or `~/` for a file with nothing else in it.
    pub secrets: Vec<String>,
    /// `certificates`: files, or `name:port`.
    pub certificates: Vec<String>,
    /// `certificate-days`.
    pub certificate_days: Option<u64>,
    /// `dns`.
    pub dns: Vec<String>,
    /// `backup-within`.
    pub backup_within: Option<Duration>,
    /// The directory that backups lie in; not a key.
    pub backup_dir: String,
    /// `commands`, such as `psql>=15`.
    pub commands: Vec<String>,
    /// `debian`: `name`, `name=version`, `name>=version`.
    pub debian: Vec<String>,
    /// `cargo`: `name`, `name@version`.
    pub cargo: Vec<String>,
    /// `clock-offset`.
    pub clock_offset: Option<Duration>,
}

/// Returns what an environment wants of each of its hosts, in the order of the report.
pub fn wants(require: &Require) -> Vec<Want> {
    let mut found = machine(require);
    found.extend(network(require));
    found.extend(software(require));
    found.extend(data(require));
    found
}

fn machine(require: &Require) -> Vec<Want> {
    let mut found = vec![];
    found.extend(require.os.clone().map(|wanted| Want::Os { wanted }));
    found.extend(require.user.clone().map(|name| Want::User { name }));
    for line in &require.sudo {
        found.push(Want::Sudo { command: line.split_whitespace().map(Into::into).collect() });
    }
    found.push(Want::Clock { within_ms: require.clock_offset.map_or(CLOCK_OFFSET, ms) });
    let (bytes, inodes) = require.needs;
    let path = if require.path.is_empty() { ".".into() } else { require.path.clone() };
    let bytes = bytes.saturating_add(require.disk_free.unwrap_or(0));
    // Nobody asked for room, and nothing will be written.
    if bytes > 0 || inodes > 0 {
        found.push(Want::Disk { path, bytes, inodes });
    }
    found.extend(require.memory.map(|bytes| Want::Memory { bytes }));
    found
}

fn network(require: &Require) -> Vec<Want> {
    let free = require.ports_free.iter().map(|port| Want::PortFree { port: *port });
    let open = require.ports_open.iter().map(|address| Want::PortOpen { address: address.clone() });
    let names = require.dns.iter().map(|name| Want::Dns { name: name.clone() });
    let days = require.certificate_days.unwrap_or(CERTIFICATE_DAYS);
    let certificates =
        require.certificates.iter().map(|place| Want::Certificate { place: place.clone(), days });
    free.chain(open).chain(names).chain(certificates).collect()
}

fn software(require: &Require) -> Vec<Want> {
    let mut found: Vec<Want> = require.units.iter().map(|unit| service(unit)).collect();
    let interpreter = require.interpreter.clone().unwrap_or_else(|| "python3".into());
    let wanted = require.python.clone().unwrap_or_default();
    if require.interpreter.is_some() || require.python.is_some() {
        found.push(Want::Python { interpreter: interpreter.clone(), wanted: wanted.clone() });
    }
    let within = require.venv.as_ref().map(|path| format!("{}/bin/python", path.trim_end_matches('/')));
    if let Some(path) = require.venv.clone() {
        found.push(Want::Venv { path, interpreter: interpreter.clone(), wanted });
    }
    let interpreter = within.unwrap_or(interpreter);
    for module in &require.imports {
        found.push(Want::Import { interpreter: interpreter.clone(), module: module.clone() });
    }
    found.extend(require.node.clone().map(|wanted| Want::Command { name: "node".into(), wanted }));
    for command in &require.commands {
        let end = command.find(['=', '<', '>', '~', '!']).unwrap_or(command.len());
        let (name, wanted) = (command[..end].trim().to_owned(), command[end..].trim().to_owned());
        found.push(Want::Command { name, wanted });
    }
    for text in &require.debian {
        let declaration = deps::debian("debian", std::slice::from_ref(text));
        let names = declaration.packages.iter().map(|one| one.name.clone()).collect();
        found.push(Want::Packages { place: Place::Debian { names }, declaration });
    }
    for text in &require.cargo {
        let declaration = deps::cargo("cargo", std::slice::from_ref(text));
        found.push(Want::Packages { place: Place::Cargo { root: String::new() }, declaration });
    }
    found
}

fn data(require: &Require) -> Vec<Want> {
    let mut found: Vec<Want> = require.variables.iter().map(|text| variable(text, false)).collect();
    found.extend(require.files.iter().map(|text| file(text)));
    for text in &require.secrets {
        if text.starts_with('/') || text.starts_with("~/") {
            found.push(Want::File { path: text.clone(), mode: None, secret: true });
        } else {
            found.push(variable(text, true));
        }
    }
    let backup = |within| Want::Backup { dir: require.backup_dir.clone(), within_ms: ms(within) };
    found.extend(require.backup_within.map(backup));
    found
}

fn service(text: &str) -> Want {
    let (keeper, name) = match text.split_once(':') {
        Some(("user", name)) => (Keeper::SystemdUser, name),
        Some(("s6", name)) => (Keeper::S6, name),
        Some(("runit", name)) => (Keeper::Runit, name),
        Some(("pid", name)) => (Keeper::PidFile, name),
        Some(("process", name)) => (Keeper::Process, name),
        _ => (Keeper::Systemd, text),
    };
    Want::Service { keeper, name: name.into() }
}

fn variable(text: &str, secret: bool) -> Want {
    let (name, file) = text.split_once('@').map_or((text, None), |(name, file)| (name, Some(file.into())));
    Want::Variable { name: name.into(), file, secret }
}

fn file(text: &str) -> Want {
    let parts =
        text.rsplit_once(':').and_then(|(path, mode)| Some((path, u32::from_str_radix(mode, 8).ok()?)));
    let (path, mode) = parts.map_or((text, None), |(path, mode)| (path, Some(mode)));
    Want::File { path: path.into(), mode, secret: false }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
