//! Commands that set right what is not as wanted, or that show why it is not. They are pasted by a person.

use super::Want;
use super::words::start;
use crate::deployment::Host;
use crate::deps::{Place, quote};

/// Packages of Debian whose names differ from those of their commands.
const PACKAGES: [(&str, &str); 8] = [
    ("node", "nodejs"),
    ("psql", "postgresql-client"),
    ("pg_dump", "postgresql-client"),
    ("mysql", "default-mysql-client"),
    ("ssh", "openssh-client"),
    ("python", "python3"),
    ("rg", "ripgrep"),
    ("dig", "dnsutils"),
];

/// Returns the command that sets right what is there and wrong, or that shows why it is wrong.
pub(super) fn fix(want: &Want) -> String {
    match want {
        Want::Os { .. } => "uname -srm && cat /etc/os-release".into(),
        Want::User { name } => format!("id {0} || sudo useradd --create-home {0}", quote(name)),
        Want::Packages { place, .. } => installed(place),
        // Whoever asks for what this one does not know is a newer one.
        Want::Unknown => "shipway --version".into(),
        Want::Sudo { command } => sudoers(command),
        Want::Clock { .. } => "sudo timedatectl set-ntp true".into(),
        Want::Disk { path, .. } => format!("du -xh --max-depth=2 {} | sort -h | tail", quote(path)),
        Want::Memory { .. } => "ps -eo rss,pid,args --sort=-rss | head".into(),
        Want::PortFree { port } => format!("ss -ltnp 'sport = :{port}'"),
        Want::PortOpen { address } => match address.rsplit_once(':') {
            Some((host, port)) => format!("nc -vz {} {}", quote(host), quote(port)),
            None => format!("ss -ltn 'sport = :{address}'"),
        },
        Want::Service { keeper, name } => start(*keeper, name),
        Want::Python { interpreter, .. } => {
            let stem = interpreter.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            let stem = if stem.contains('/') { stem.to_owned() } else { format!("/usr/bin/{stem}") };
            format!("ls {}*", quote(&stem))
        }
        Want::Venv { path, interpreter, .. } => {
            format!("{} -m venv --clear {}", quote(interpreter), quote(path))
        }
        Want::Import { interpreter, module } => {
            format!("{} -c {}", quote(interpreter), quote(&format!("import {module}")))
        }
        Want::Command { .. } => fix_missing(want),
        Want::Variable { file: Some(file), name, .. } => set_variable(name, file),
        // Where the variables of a user come from differs; no value is shown.
        Want::Variable { name, .. } => format!("env | cut -d= -f1 | grep -nx {}", quote(name)),
        Want::File { path, mode: Some(mode), .. } => format!("chmod {mode:04o} {}", quote(path)),
        Want::File { path, secret: true, .. } => format!("chmod o= {0} && ls -l {0}", quote(path)),
        Want::File { path, .. } => format!("ls -ld {}", quote(path)),
        Want::Certificate { place, .. } => certificate_fix(place),
        Want::Dns { name } => format!("getent ahosts {}", quote(name)),
        Want::Backup { dir, .. } if dir.is_empty() => "shipway backup".into(),
        Want::Backup { dir, .. } => format!("ls -lt {}", quote(dir)),
    }
}

/// Returns the command that brings what is not there.
pub(super) fn fix_missing(want: &Want) -> String {
    match want {
        Want::Python { interpreter, .. } => {
            let name = interpreter.rsplit('/').next().unwrap_or(interpreter);
            format!("sudo apt-get install {0} {0}-venv", quote(name))
        }
        Want::Venv { path, interpreter, .. } => {
            format!("{} -m venv {}", quote(interpreter), quote(path))
        }
        Want::Command { name, .. } => {
            let package =
                PACKAGES.iter().find(|(command, _)| command == name).map_or(name.as_str(), |pair| pair.1);
            format!("sudo apt-get install {}", quote(package))
        }
        Want::File { path, .. } => {
            let dir = path.rsplit_once('/').map_or(".", |(dir, _)| if dir.is_empty() { "/" } else { dir });
            format!("ls -la {}", quote(dir))
        }
        Want::Backup { .. } => "shipway backup".into(),
        want => fix(want),
    }
}

/// Returns the command that lists what is installed in a place.
fn installed(place: &Place) -> String {
    match place {
        Place::Pip { venv } => format!("{} list", quote(&format!("{venv}/bin/pip"))),
        Place::Npm { dir, .. } => format!("npm ls --prefix {}", quote(dir)),
        Place::Cargo { root } if root.is_empty() => "cargo install --list".into(),
        Place::Cargo { root } => format!("cargo install --list --root {}", quote(root)),
        Place::Debian { names } => {
            let names: Vec<String> = names.iter().map(|name| quote(name)).collect();
            format!("dpkg-query -W {}", names.join(" "))
        }
        Place::Unknown => "shipway --version".into(),
    }
}

/// Returns the command that reaches a host with the ssh that is configured for it. `flags` stand before its address.
pub fn reach(host: &Host, flags: &[&str]) -> String {
    let program = if host.ssh.is_empty() { vec!["ssh".to_owned()] } else { host.ssh.clone() };
    let words =
        program.iter().map(String::as_str).chain(flags.iter().copied()).chain([host.address.as_str()]);
    words.map(quote).collect::<Vec<_>>().join(" ")
}

/// Returns the command that adds a variable to a file; the value is typed, and so in no history.
pub(super) fn set_variable(name: &str, file: &str) -> String {
    format!("read -rs value && printf '%s=%s\\n' {} \"$value\" >>{}", quote(name), quote(file))
}

fn certificate_fix(place: &str) -> String {
    match place.rsplit_once(':') {
        Some((host, _)) if !place.starts_with(['/', '.', '~']) => {
            format!("openssl s_client -connect {} -servername {} </dev/null", quote(place), quote(host))
        }
        _ if place.contains("/letsencrypt/") => "sudo certbot renew".into(),
        _ => format!("openssl x509 -in {} -noout -subject -enddate", quote(place)),
    }
}

/// Returns the command that allows a command in sudo's own way, which refuses a broken file.
fn sudoers(command: &[String]) -> String {
    let escape = |word: &String| {
        let mut out = String::new();
        for c in word.chars() {
            if ",:=\\\"$`".contains(c) {
                out.push('\\');
            }
            out.push(c);
        }
        out
    };
    let mut words = command.iter().map(escape);
    let program = words.next().unwrap_or_default();
    // A rule needs the whole path.
    let program =
        if program.starts_with('/') { program } else { format!("$(command -v {})", quote(&program)) };
    let rule = [program].into_iter().chain(words).collect::<Vec<_>>().join(" ");
    format!(
        "echo \"$(id -un) ALL=(root) NOPASSWD: {rule}\" | sudo EDITOR='tee -a' visudo -f /etc/sudoers.d/shipway"
    )
}
