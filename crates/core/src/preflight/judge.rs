//! Whether what was found will do, and what to do if not.

use super::fix::{fix, fix_missing, set_variable};
use super::words::{name, size, span};
use super::{Row, Seen, State, Want};
use crate::deps::{self, Verdict, npm_satisfies, pep440, quote};
use crate::time::Time;

/// How many days before a certificate is too short it is warned of.
const CERTIFICATE_WARNING: u64 = 14;

/// Returns how a want stands; `now` is the time of this machine when the host was looked at.
pub fn judge(want: &Want, seen: &Seen, now: Time) -> Row {
    let (state, found, wanted, fix) = match seen {
        Seen::Failed { why } => (State::Unknown, why.clone(), wanted(want), Some(fix(want))),
        Seen::Broken { why } => (State::Bad, why.clone(), wanted(want), Some(fix(want))),
        Seen::Missing { what } => (State::Bad, what.clone(), wanted(want), Some(fix_missing(want))),
        Seen::Unknown => (State::Unknown, "an answer of a newer shipway".into(), wanted(want), None),
        seen => match verdict(want, seen, now) {
            Some((state, found)) => (state, found, wanted(want), Some(fix(want))),
            None => (State::Unknown, "an answer to something else".into(), wanted(want), None),
        },
    };
    let row = Row::new(name(want), state, found, wanted);
    if state == State::Ok {
        return row;
    }
    match (want, seen) {
        (Want::Packages { place, declaration }, Seen::Packages(inventory)) => {
            packages(Row { fix, ..row }, &deps::compare(declaration, inventory, place))
        }
        (Want::Disk { path, bytes, .. }, Seen::Disk { bytes: free, .. }) if free >= bytes => {
            row.fix(format!("du --inodes -x --max-depth=2 {} | sort -n | tail", quote(path)))
        }
        (Want::Variable { file: Some(file), name, .. }, Seen::Variable { .. }) => {
            row.fix(set_variable(name, file))
        }
        _ => Row { fix, ..row },
    }
}

fn good(good: bool) -> State {
    if good { State::Ok } else { State::Bad }
}

/// Returns how it stands and what was found; none if the answer is not one to this want.
fn verdict(want: &Want, seen: &Seen, now: Time) -> Option<(State, String)> {
    Some(match (want, seen) {
        (Want::Os { wanted }, Seen::Os { id, like, version, machine }) => {
            (good(is_os(wanted, seen)?), os_name(id, version, like, machine))
        }
        (Want::User { name: wanted }, Seen::User { name }) => (good(name == wanted), name.clone()),
        (Want::Sudo { .. }, Seen::Sudo { allowed, password, why }) => sudo(*allowed, *password, why),
        (Want::Clock { within_ms }, Seen::Clock { at }) => clock(*within_ms, *at, now),
        (Want::Disk { bytes, inodes, .. }, Seen::Disk { bytes: free, inodes: free_inodes }) => {
            let enough = free >= bytes && free_inodes.is_none_or(|free| free >= *inodes);
            let of_inodes = free_inodes.map(|free| format!(", {free} inodes")).unwrap_or_default();
            (good(enough), format!("{}{of_inodes} free", size(*free)))
        }
        (Want::Memory { bytes }, Seen::Memory { bytes: free }) => {
            (good(free >= bytes), format!("{} available", size(*free)))
        }
        (Want::PortFree { .. }, Seen::Port { open, .. }) => {
            (good(!open), if *open { "in use".into() } else { "free".into() })
        }
        (Want::PortOpen { .. }, Seen::Port { open, why }) => {
            let closed = if why.is_empty() { "nothing listens" } else { why };
            (good(*open), if *open { "open".into() } else { closed.into() })
        }
        (Want::Service { .. }, Seen::Service { running, state }) => (good(*running), state.clone()),
        (want, seen) => return of_software(want, seen).or_else(|| of_data(want, seen, now)),
    })
}

fn of_software(want: &Want, seen: &Seen) -> Option<(State, String)> {
    Some(match (want, seen) {
        (Want::Python { wanted, .. }, Seen::Version { path, version }) => {
            (versions(pep440::satisfies(version, wanted)), format!("{version} at {path}"))
        }
        (Want::Venv { wanted, .. }, Seen::Venv { version, base }) => {
            (versions(pep440::satisfies(version, wanted)), format!("Python {version} of {base}"))
        }
        (Want::Import { .. }, Seen::Import { error }) => {
            (good(error.is_none()), error.clone().unwrap_or_else(|| "imported".into()))
        }
        (Want::Command { name, wanted }, Seen::Version { path, version }) => {
            let version = if version.is_empty() { "no version" } else { version };
            let state = if wanted.is_empty() { State::Ok } else { command(name, version, wanted) };
            let asked = if wanted.is_empty() { path.clone() } else { format!("{version} at {path}") };
            (state, asked)
        }
        (Want::Packages { place, declaration }, Seen::Packages(inventory)) => {
            let rows = deps::compare(declaration, inventory, place);
            let gravest = rows.iter().map(|row| of_verdict(row.verdict)).max().unwrap_or(State::Ok);
            (gravest, counts(&rows))
        }
        _ => return None,
    })
}

fn of_data(want: &Want, seen: &Seen, now: Time) -> Option<(State, String)> {
    Some(match (want, seen) {
        (Want::Variable { .. }, Seen::Variable { set, empty }) => match (set, empty) {
            (false, _) => (State::Bad, "not set".into()),
            (true, true) => (State::Bad, "set to nothing".into()),
            (true, false) => (State::Ok, "set".into()),
        },
        (Want::File { mode, secret, .. }, Seen::File { what, mode: found, empty }) => {
            let open = *secret && found & 0o007 != 0;
            let wrong = mode.is_some_and(|mode| mode != *found) || open || *secret && *empty;
            let is_empty = if *secret && *empty { ", empty" } else { "" };
            let is_open = if open { ", open to everybody" } else { "" };
            (good(!wrong), format!("{what}, mode {found:04o}{is_empty}{is_open}"))
        }
        (Want::Certificate { days, .. }, Seen::Certificate { until }) => certificate(*days, *until, now),
        (Want::Dns { .. }, Seen::Addresses { list }) => (good(!list.is_empty()), list.join(", ")),
        (Want::Backup { within_ms, .. }, Seen::Backup { newest, name, bytes }) => {
            let age = ms(now.since(*newest));
            let well = age <= *within_ms && *bytes > 0;
            (good(well), format!("{name}, {}, {} old", size(*bytes), span(age)))
        }
        _ => return None,
    })
}

fn versions(satisfied: Option<bool>) -> State {
    satisfied.map_or(State::Unknown, good)
}

fn command(name: &str, version: &str, wanted: &str) -> State {
    if name == "node" {
        return versions(npm_satisfies(version.trim_start_matches('v'), wanted));
    }
    // A single `=` is what everybody means by it.
    let bare = wanted.strip_prefix('=').filter(|rest| !rest.starts_with('='));
    versions(pep440::satisfies(version, &bare.map_or_else(|| wanted.to_owned(), |bare| format!("=={bare}"))))
}

fn sudo(allowed: bool, password: Option<bool>, why: &str) -> (State, String) {
    match (allowed, password) {
        (true, Some(false)) => (State::Ok, "allowed".into()),
        (true, Some(true)) => (State::Bad, "allowed, with a password".into()),
        (true, None) => (State::Warn, "allowed; whether a password is asked for is not told".into()),
        (false, _) => (State::Bad, if why.is_empty() { "not allowed".into() } else { why.to_owned() }),
    }
}

fn clock(within_ms: u64, at: Time, now: Time) -> (State, String) {
    let off = at.0.abs_diff(now.0);
    let way = if at > now { "ahead" } else { "behind" };
    (good(off <= within_ms), if off == 0 { "right".into() } else { format!("{} {way}", span(off)) })
}

fn certificate(days: u64, until: Time, now: Time) -> (State, String) {
    if until <= now {
        return (State::Bad, format!("expired on {}", until.date()));
    }
    let left = until.since(now).as_secs() / 86_400;
    let state = if left < days {
        State::Bad
    } else if left < days.saturating_add(CERTIFICATE_WARNING) {
        State::Warn
    } else {
        State::Ok
    };
    let days = if left == 1 { "day" } else { "days" };
    (state, format!("{left} {days} left, until {}", until.date()))
}

/// Tells whether an operating system is the wanted one; none if the versions cannot be compared.
fn is_os(wanted: &str, seen: &Seen) -> Option<bool> {
    let Seen::Os { id, like, version, machine } = seen else { return None };
    let end = wanted.find(['=', '<', '>', '~', '!']).unwrap_or(wanted.len());
    let (name, range) = (wanted[..end].trim().to_ascii_lowercase(), wanted[end..].trim());
    if range.is_empty() {
        let kernel = machine[0].to_ascii_lowercase();
        return Some(*id == name || kernel == name || like.contains(&name));
    }
    let bare = range.strip_prefix('=').filter(|rest| !rest.starts_with('='));
    let range = bare.map_or_else(|| range.to_owned(), |bare| format!("=={bare}"));
    Some(*id == name && pep440::satisfies(version, &range)?)
}

fn os_name(id: &str, version: &str, like: &[String], machine: &[String; 2]) -> String {
    let like = if like.is_empty() { String::new() } else { format!(" (like {})", like.join(", ")) };
    let version = if version.is_empty() { String::new() } else { format!(" {version}") };
    format!("{id}{version}{like}, {} {}", machine[0], machine[1])
}

/// Returns how a package that stands like this stands in a report.
pub(super) fn of_verdict(verdict: Verdict) -> State {
    match verdict {
        Verdict::Ok => State::Ok,
        Verdict::Extra => State::Warn,
        Verdict::Unknown => State::Unknown,
        Verdict::Missing | Verdict::Mismatched => State::Bad,
    }
}

fn counts(rows: &[deps::Row]) -> String {
    if let [one] = rows {
        return if one.installed.is_empty() { "not installed".into() } else { one.installed.clone() };
    }
    let words = [
        (Verdict::Ok, "as declared"),
        (Verdict::Missing, "missing"),
        (Verdict::Mismatched, "mismatched"),
        (Verdict::Extra, "extra"),
        (Verdict::Unknown, "unknown"),
    ];
    let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let parts = words.into_iter().filter(|(verdict, _)| count(*verdict) > 0);
    let text: Vec<String> = parts.map(|(verdict, word)| format!("{} {word}", count(verdict))).collect();
    if text.is_empty() { "nothing declared".into() } else { text.join(", ") }
}

/// Adds the commands that set the packages right, each once; without one, the row keeps what it has.
fn packages(mut row: Row, rows: &[deps::Row]) -> Row {
    let mut fixes: Vec<&str> = vec![];
    for fix in
        rows.iter().filter(|row| of_verdict(row.verdict) == State::Bad).filter_map(|row| row.fix.as_deref())
    {
        if !fixes.contains(&fix) {
            fixes.push(fix);
        }
    }
    if !fixes.is_empty() {
        row.fix = Some(fixes.join(" && "));
    }
    row
}

/// Returns what is wanted, in words.
fn wanted(want: &Want) -> String {
    let any = |text: &str, any: &str| if text.is_empty() { any.to_owned() } else { text.to_owned() };
    match want {
        Want::Os { wanted } => wanted.clone(),
        Want::User { name } => name.clone(),
        Want::Sudo { .. } => "allowed without a password".into(),
        Want::Clock { within_ms } | Want::Backup { within_ms, .. } => format!("within {}", span(*within_ms)),
        Want::Disk { bytes, inodes: 0, .. } => format!("{} free", size(*bytes)),
        Want::Disk { bytes, inodes, .. } => format!("{}, {inodes} inodes free", size(*bytes)),
        Want::Memory { bytes } => format!("{} available", size(*bytes)),
        Want::PortFree { .. } => "free".into(),
        Want::PortOpen { .. } => "open".into(),
        Want::Service { .. } => "running".into(),
        Want::Python { wanted, .. } | Want::Venv { wanted, .. } => any(wanted, "a Python that works"),
        Want::Import { .. } => "can be imported".into(),
        Want::Command { wanted, .. } => any(wanted, "installed"),
        Want::Variable { .. } => "set".into(),
        Want::File { mode: Some(mode), .. } => format!("mode {mode:04o}"),
        Want::File { secret: true, .. } => "there, not empty, closed to others".into(),
        Want::File { .. } => "there".into(),
        Want::Certificate { days, .. } => format!("{days} days left"),
        Want::Dns { .. } => "resolves".into(),
        Want::Packages { declaration, .. } => match declaration.packages.as_slice() {
            [one] => any(&one.want, "installed"),
            _ => format!("as {} declares", declaration.source),
        },
        Want::Unknown => String::new(),
    }
}

fn ms(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
