//! The texts of systemd units (`systemd.unit(5)`, `systemd.service(5)`, `systemd.exec(5)`).

use std::fmt::Write as _;

use shipway_core::deployment::{Keeper, Switch};
use shipway_core::problem::Problem;

use crate::live::Instance;
use crate::live::instance::{MARK, RELEASE};

/// Returns the `.service` unit of a copy.
///
/// It names the release itself, so that what the unit starts is what was shown to be well, also after a reboot.
pub(super) fn service(instance: &Instance<'_>, name: &str) -> String {
    let Keeper::Systemd { user, extra, .. } = &instance.service.manager else { return String::new() };
    let is_socket = matches!(instance.service.switch, Switch::Socket { .. });
    let mut text = head(instance);
    if is_socket {
        let _ = writeln!(text, "Requires={name}.socket\nAfter={name}.socket");
    } else if !user {
        text.push_str("Wants=network-online.target\nAfter=network-online.target\n");
    }
    // With `exec`, a program that cannot be started is a failed start, not a success that dies.
    text.push_str("\n[Service]\nType=exec\n");
    let _ = writeln!(text, "WorkingDirectory={}", value(&instance.release().to_string_lossy()));
    let _ = writeln!(text, "Environment={MARK}={}", instance.mark());
    let _ = writeln!(text, "Environment={RELEASE}={}", instance.deployment.artifact);
    let _ = writeln!(text, "EnvironmentFile={}", value(&instance.file("env").to_string_lossy()));
    let _ = writeln!(text, "ExecStart={}", command(instance));
    text.push_str("Restart=always\nRestartSec=1\n");
    let _ = writeln!(text, "TimeoutStopSec={}ms", instance.service.stop_ms.max(1));
    for line in extra {
        let _ = writeln!(text, "{}", instance.fill(line));
    }
    let target = if *user { "default.target" } else { "multi-user.target" };
    let _ = writeln!(text, "\n[Install]\nWantedBy={target}");
    text
}

/// Returns the `.socket` unit of a service whose socket systemd holds.
pub(super) fn socket(instance: &Instance<'_>) -> Option<String> {
    let Switch::Socket { listen } = &instance.service.switch else { return None };
    let mut text = head(instance);
    let _ = writeln!(text, "\n[Socket]\nListenStream={}", value(&instance.fill(listen)));
    text.push_str("\n[Install]\nWantedBy=sockets.target\n");
    Some(text)
}

/// Returns the file of variables of a copy, which only its owner may read.
pub(super) fn variables(instance: &Instance<'_>) -> Result<String, Problem> {
    let line =
        |(name, text): (String, String)| format!("{name}=\"{}\"\n", escape(&text, &['\\', '"', '`', '$']));
    Ok(instance.env()?.into_iter().map(line).collect())
}

fn head(instance: &Instance<'_>) -> String {
    let what = [&instance.deployment.project, &instance.deployment.environment, &instance.name()];
    let [project, environment, name] = what.map(|text| value(&one_line(text)));
    format!(
        "# Written by shipway; it is written again with each release.\n[Unit]\nDescription={project} {environment}: {name}\n"
    )
}

fn command(instance: &Instance<'_>) -> String {
    let mut words = instance.fill_all(&instance.service.run);
    if let Some(program) = words.first_mut()
        && program.contains('/')
        && !program.starts_with('/')
    {
        // systemd takes no path that begins elsewhere.
        *program = instance.release().join(&*program).to_string_lossy().into_owned();
    }
    let words: Vec<_> = words.iter().enumerate().map(|(at, text)| word(text, at == 0)).collect();
    words.join(" ")
}

/// Returns a text as one word of a command line, where `%`, `$`, quotes and backslashes have a meaning.
fn word(text: &str, is_program: bool) -> String {
    let text = escape(&value(text), &['\\', '"']).replace('\n', "\\n").replace('\t', "\\t");
    // Variables are put in everywhere but in the name of the program.
    let text = if is_program { text } else { text.replace('$', "$$") };
    format!("\"{text}\"")
}

/// Returns a text in which `%` stands for itself.
fn value(text: &str) -> String {
    text.replace('%', "%%")
}

fn escape(text: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
