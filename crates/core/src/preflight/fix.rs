//! Commands that set right what is not as wanted, or that show why it is not. They are pasted by a person.

use super::Want;
use super::words::start;
use crate::deps::quote;

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
pub(super) fn fix(want: &Want) -> Option<String> {
    match want {
        Want::Os { .. } | Want::User { .. } | Want::Unknown | Want::Packages { .. } => None,
        Want::Sudo { command } => Some(sudoers(command)),
        Want::Clock { .. } => Some("sudo timedatectl set-ntp true".into()),
        Want::Disk { path, .. } => Some(format!("du -xh --max-depth=2 {} | sort -h | tail", quote(path))),
        Want::Memory { .. } => Some("ps -eo rss,pid,args --sort=-rss | head".into()),
        Want::PortFree { port } => Some(format!("ss -ltnp 'sport = :{port}'")),
        Want::PortOpen { address } => Some(match address.rsplit_once(':') {
            Some((host, port)) => format!("nc -vz {} {}", quote(host), quote(port)),
            None => format!("ss -ltn 'sport = :{address}'"),
        }),
        Want::Service { keeper, name } => start(*keeper, name),
        Want::Python { interpreter, .. } => {
            let stem = interpreter.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            let stem = if stem.contains('/') { stem.to_owned() } else { format!("/usr/bin/{stem}") };
            Some(format!("ls {}*", quote(&stem)))
        }
        Want::Venv { path, interpreter, .. } => {
            Some(format!("{} -m venv --clear {}", quote(interpreter), quote(path)))
        }
        Want::Import { interpreter, module } => {
            Some(format!("{} -c {}", quote(interpreter), quote(&format!("import {module}"))))
        }
        Want::Command { .. } => fix_missing(want),
        Want::Variable { file, name, .. } => file.as_ref().map(|file| set_variable(name, file)),
        Want::File { path, mode: Some(mode), .. } => Some(format!("chmod {mode:04o} {}", quote(path))),
        Want::File { path, secret: true, .. } => Some(format!("chmod o= {0} && ls -l {0}", quote(path))),
        Want::File { path, .. } => Some(format!("ls -ld {}", quote(path))),
        Want::Certificate { place, .. } => Some(certificate_fix(place)),
        Want::Dns { name } => Some(format!("getent ahosts {}", quote(name))),
        Want::Backup { dir, .. } if dir.is_empty() => None,
        Want::Backup { dir, .. } => Some(format!("ls -lt {}", quote(dir))),
    }
}

/// Returns the command that brings what is not there.
pub(super) fn fix_missing(want: &Want) -> Option<String> {
    match want {
        Want::Python { interpreter, .. } => {
            let name = interpreter.rsplit('/').next().unwrap_or(interpreter);
            Some(format!("sudo apt-get install {0} {0}-venv", quote(name)))
        }
        Want::Venv { path, interpreter, .. } => {
            Some(format!("{} -m venv {}", quote(interpreter), quote(path)))
        }
        Want::Command { name, .. } => {
            let package =
                PACKAGES.iter().find(|(command, _)| command == name).map_or(name.as_str(), |pair| pair.1);
            Some(format!("sudo apt-get install {}", quote(package)))
        }
        Want::File { path, .. } => {
            let dir = path.rsplit_once('/').map_or(".", |(dir, _)| if dir.is_empty() { "/" } else { dir });
            Some(format!("ls -la {}", quote(dir)))
        }
        Want::Variable { file: Some(file), name, .. } => Some(set_variable(name, file)),
        want => fix(want),
    }
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
