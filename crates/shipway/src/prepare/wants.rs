//! What is wanted of hosts, as the preflight takes it.

use serde_json::Value;
use shipway_core::config::deploy::Environment;
use shipway_core::deployment::Host;
use shipway_core::preflight::{Require, wants};
use shipway_core::problem::{Code, Problem};

/// Returns what an environment asks of one of its hosts. `size` is what a deployment brings, in bytes and files.
pub fn require(environment: &Environment, host: &Host, size: Option<(u64, usize)>) -> Require {
    let asked = environment.require.clone();
    Require {
        os: asked.os,
        user: asked.user,
        sudo: asked.sudo,
        disk_free: asked.disk_free,
        path: host.path.clone(),
        needs: size.map_or((0, 0), |(bytes, files)| (bytes, files as u64)),
        memory: asked.memory,
        ports_free: asked.ports_free.iter().filter_map(|port| port.parse().ok()).collect(),
        ports_open: asked.ports_open,
        units: asked.units,
        python: asked.python,
        interpreter: asked.interpreter,
        venv: asked.venv,
        imports: asked.imports,
        node: asked.node,
        variables: asked.variables,
        files: asked.files,
        secrets: asked.secrets,
        certificates: asked.certificates,
        certificate_days: Some(asked.certificate_days as u64),
        dns: asked.dns,
        backup_within: asked.backup_within,
        backup_dir: format!("{}/backups", host.path),
        commands: asked.commands,
        debian: asked.debian,
        cargo: asked.cargo,
        clock_offset: asked.clock_offset,
    }
}

/// Returns the wants of one host as a plan keeps them.
pub fn of(environment: &Environment, host: &Host) -> Result<Vec<Value>, Problem> {
    let wants = wants(&require(environment, host, None));
    let values = wants.into_iter().map(serde_json::to_value).collect::<Result<Vec<Value>, _>>();
    values.map_err(|error| Problem::new(Code::Bug, format!("a want cannot be written down: {error}")))
}
