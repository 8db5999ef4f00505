//! What a person types who carries a step back without shipway.

use serde_json::Value;
use shipway_core::action::Reversal;
use shipway_core::deployment::{Host, Keeper, Service, Switch};
use shipway_core::kinds;
use shipway_core::kinds::deploy::{self, Bring, Migrate};

use crate::view::text;

/// Returns the lines of commands that look at the effect of a step and take it back; none where the change line says
/// all there is to say.
pub(super) fn lines(kind: &str, args: &Value) -> Vec<String> {
    match kind {
        kinds::TAG => read(args).map(|tag: kinds::Tag| tagged(&tag)),
        kinds::PUSH => read(args).map(|push: kinds::Push| pushed(&push)),
        deploy::SHARE => read(args).map(|share: deploy::Share| shared(&share.bring)),
        deploy::SWITCH => read(args).map(|bring: Bring| switched(&bring)),
        deploy::STAGE => read(args).map(|bring: Bring| staged(&bring)),
        deploy::MIGRATE => read(args).map(|migrate: Migrate| migrated(&migrate)),
        _ => None,
    }
    .unwrap_or_default()
}

pub(super) fn read<T: serde::de::DeserializeOwned>(args: &Value) -> Option<T> {
    serde_json::from_value(args.clone()).ok()
}

fn tagged(tag: &kinds::Tag) -> Vec<String> {
    vec![
        said(&["git", "show", "--no-patch", &tag.tag], "is it there, and whose is it?"),
        said(&["git", "tag", "--delete", &tag.tag], "back, while it is not pushed"),
    ]
}

fn pushed(push: &kinds::Push) -> Vec<String> {
    let (branch, tag) = (format!("refs/heads/{}", push.branch), format!("refs/tags/{}", push.tag));
    let mut lines = vec![said(&["git", "ls-remote", &push.remote, &branch, &tag], "what is there?")];
    if push.reversal != Reversal::Never {
        if push.withdraw.delete_tag {
            lines.push(said(&["git", "push", &push.remote, "--delete", &tag], "back"));
        } else {
            let (commit, onto) = (format!("{}^{{commit}}", push.tag), format!("HEAD:{branch}"));
            lines.push(said(&["git", "revert", "--no-edit", &commit], "back, on top of that branch"));
            lines.push(said(&["git", "push", &push.remote, &onto], "never with force"));
        }
    }
    lines
}

fn staged(bring: &Bring) -> Vec<String> {
    let list = on(&bring.host, &["ls", "-l", &in_dir(&bring.host, "releases")]);
    vec![format!("{list}    # nothing live has changed; what was brought may stay\n")]
}

fn shared(bring: &Bring) -> Vec<String> {
    let mut lines = vec![];
    for service in &bring.deployment.services {
        if let Switch::Proxy { control, .. } = &service.switch {
            let asked = on(&bring.host, &["shipway", "proxy", "status", "--control", control]);
            lines
                .push(format!("{asked}    # service {}: who has which share?\n", text::clean(&service.name)));
        }
    }
    lines.push("# Back: let the upstream of the release before have all, and stop the other one.\n".into());
    lines
}

fn switched(bring: &Bring) -> Vec<String> {
    let host = &bring.host;
    let mut lines = vec![
        format!("{}    # which release is live?\n", on(host, &["readlink", &in_dir(host, "current")])),
        format!("{}    # which are there?\n", on(host, &["ls", "-l", &in_dir(host, "releases")])),
    ];
    for service in &bring.deployment.services {
        lines.extend(looked(host, service));
    }
    match &bring.from {
        None => lines.push("# There was no release before: to go back is to stop what runs.\n".into()),
        Some(before) => {
            let (version, artifact) = (text::clean(&before.version), text::clean(before.artifact.as_str()));
            lines.push(format!(
                "# Back: RELEASE is the directory of version {version}, run {}, artifact {artifact}.\n",
                text::clean(before.run.as_str())
            ));
            let (new, current) = (in_dir(host, "current.new"), in_dir(host, "current"));
            lines.push(format!("{}\n", on(host, &["ln", "-s", "releases/RELEASE", &new])));
            lines.push(format!("{}\n", on(host, &["mv", "-T", &new, &current])));
            lines.push("# Then restart each service by its manager, and look again.\n".into());
        }
    }
    lines
}

/// Returns the commands that look at a service and restart it.
fn looked(host: &Host, service: &Service) -> Vec<String> {
    let systemctl = |user: &bool, verb: &'static str, unit: &str| {
        let user: &[&str] = if *user { &["--user"] } else { &[] };
        on(host, &[&["systemctl"], user, &[verb, unit]].concat())
    };
    let name = text::clean(&service.name);
    let lines = match &service.manager {
        Keeper::Systemd { unit, user, .. } => {
            vec![systemctl(user, "status", unit), systemctl(user, "restart", unit)]
        }
        Keeper::S6 { scan } | Keeper::Runit { scan } => vec![on(host, &["ls", "-l", scan])],
        Keeper::Supervisor { config, .. } => vec![on(host, &["supervisorctl", "-c", config, "status"])],
        Keeper::Container { engine, .. } => vec![on(host, &[engine, "ps", "--all"])],
        Keeper::Compose { command, .. } => {
            let argv: Vec<&str> = command.iter().map(String::as_str).chain(["ps"]).collect();
            vec![on(host, &argv)]
        }
        Keeper::Quadlet { file, user } => {
            let unit = file.rsplit('/').next().unwrap_or(file).rsplit_once('.').map_or("", |(stem, _)| stem);
            vec![systemctl(user, "status", unit), systemctl(user, "restart", unit)]
        }
        Keeper::Command { start, status, .. } => {
            let argv = |words: &[String]| {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                on(host, &words)
            };
            vec![argv(status), argv(start)]
        }
        Keeper::Process => vec![on(host, &["ps", "-ef"])],
        Keeper::Unknown => vec![],
    };
    lines.into_iter().map(|line| format!("{line}    # service {name}\n")).collect()
}

fn migrated(migrate: &Migrate) -> Vec<String> {
    let argv = |words: &[String]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        on(&migrate.host, &words)
    };
    let mut lines = vec![];
    if !migrate.done.is_empty() {
        lines.push(format!("{}    # is it done?\n", argv(&migrate.done)));
    }
    lines.push(if migrate.undo.is_empty() {
        "# Back: there is no command; restore the backup that was made before into a new place.\n".into()
    } else {
        format!("{}    # back\n", argv(&migrate.undo))
    });
    lines
}

pub(super) fn in_dir(host: &Host, name: &str) -> String {
    format!("{}/{name}", host.path)
}

/// Returns a command line that runs an argument vector on a host, in the home directory that its paths begin at.
pub(super) fn on(host: &Host, argv: &[&str]) -> String {
    let line = argv.iter().map(|arg| quoted(arg)).collect::<Vec<_>>().join(" ");
    if host.is_local() {
        return format!("(cd && {line})");
    }
    let ssh = if host.ssh.is_empty() { vec!["ssh".to_owned()] } else { host.ssh.clone() };
    let ssh = ssh.iter().map(|arg| quoted(arg)).collect::<Vec<_>>().join(" ");
    format!("{ssh} {} {}", quoted(&host.address), quoted(&line))
}

/// Returns a command line with what it is for.
fn said(argv: &[&str], why: &str) -> String {
    format!("{}    # {why}\n", argv.iter().map(|arg| quoted(arg)).collect::<Vec<_>>().join(" "))
}

/// Returns a text as one word of a shell (POSIX 2.2.2).
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    let clean = text::clean(text);
    if !clean.is_empty() && clean.chars().all(plain) {
        return clean.into_owned();
    }
    format!("'{}'", clean.replace('\'', r"'\''"))
}
