//! `env verify`: whether the hosts of an environment are as a deployment needs them. Nothing on them is changed.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use shipway_core::deployment::Host;
use shipway_core::preflight::{
    self, Difference, HostReport, Page, Require, Row, Seen, Stamp, State, Want, judge, parity, wants,
};
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;
use shipway_core::validate::quoted;
use shipway_world::agent::protocol::{Request, Response};
use shipway_world::deploy::Hands;
use shipway_world::host::By;
use shipway_world::shell;

use super::{DONE, End};
use crate::args::EnvVerify;
use crate::prepare::wants::require;
use crate::prepare::{glance_with_files, onward};
use crate::session::Session;
use crate::view::preflight::Report;

/// How many hosts are looked at at once.
const AT_ONCE: usize = 16;

/// Looks at a host; the answers are in the order of the wants.
pub type Look<'a> = dyn Fn(&Host, &[Want]) -> Result<Vec<Seen>, Problem> + Sync + 'a;

/// Returns what the connection to a host itself says: that it stands, its host key, its user.
pub type Connection<'a> = dyn Fn(&Host) -> Vec<Row> + Sync + 'a;

/// What hosts are looked at with.
#[derive(Clone, Copy)]
pub struct Eyes<'a> {
    /// Looks.
    pub look: &'a Look<'a>,
    /// Tells of the connection; asked after a look that went well.
    pub connection: &'a Connection<'a>,
}

/// The hosts of an environment and what it asks of each.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The environment.
    pub environment: String,
    /// Its hosts.
    pub hosts: Vec<(Host, Require)>,
    /// The environment that it should mirror, with its hosts.
    pub mirror: Option<(String, Vec<(Host, Require)>)>,
}

/// Does something with the hosts of an environment, and with what they are looked at with.
///
/// This is the one place that knows how to find and to reach them.
pub fn with_hosts(
    session: &Session<'_>,
    environment: Option<&str>,
    then: &mut dyn FnMut(&Asked, Eyes<'_>) -> End,
) -> End {
    let one = |problem| vec![problem];
    let environments = &session.config.environment;
    let name = match (environment, environments.len()) {
        (Some(name), _) => name,
        (None, 1) => environments.keys().next().map_or("", String::as_str),
        (None, _) => {
            let names: Vec<&str> = environments.keys().map(String::as_str).collect();
            let problem = Problem::new(Code::EnvironmentUnknown, "it is not said which environment");
            return Err(vec![problem.wanted(format!("one of {}", names.join(", ")))]);
        }
    };
    let project = glance_with_files(session)?.name();
    let of = |name: &str| -> Result<Vec<(Host, Require)>, Vec<Problem>> {
        let (name, environment) = onward::environment(session, name).map_err(one)?;
        let hosts = environment.hosts(&project, name).into_iter();
        Ok(hosts.map(|host| (host.clone(), require(environment, &host, None))).collect())
    };
    let (name, found) = onward::environment(session, name).map_err(one)?;
    let mirror = found.require.parity.as_ref().or(found.from.as_ref());
    let mirror = match mirror {
        Some(name) => Some((name.clone(), of(name)?)),
        None => None,
    };
    let asked = Asked { environment: name.to_owned(), hosts: of(name)?, mirror };
    let hands = session.hands().map_err(one)?;
    let look = |host: &Host, wants: &[Want]| ask(session, &hands, host, wants);
    let connection = |host: &Host| vec![connection(host)];
    then(&asked, Eyes { look: &look, connection: &connection })
}

/// Asks the agent of a host what it has.
fn ask(session: &Session<'_>, hands: &Hands, host: &Host, wants: &[Want]) -> Result<Vec<Seen>, Problem> {
    let bug = |error: serde_json::Error| Problem::new(Code::AgentUnusable, format!("preflight: {error}"));
    let request = Request::Preflight(serde_json::to_value(wants).map_err(bug)?);
    let by = By { run: None, limit: LIMIT, stop: &session.switches.look };
    match hands.fleet.call(host, &by, request).map_err(|fault| fault.problem)? {
        Response::Preflight(seen) => serde_json::from_value(seen).map_err(bug),
        _ => Err(Problem::new(Code::AgentUnusable, format!("{} answers something else", host.name))),
    }
}

/// Says how a host was reached: ssh has proven its key, or there would be no connection.
fn connection(host: &Host) -> Row {
    let found = if host.is_local() { "this machine".to_owned() } else { preflight::reach(host, &[]) };
    Row::new("connection", State::Ok, found, "reached, with a host key that is known")
}

/// How long a host may look.
const LIMIT: Duration = Duration::from_mins(2);

/// Looks at an environment.
pub fn run(session: &Session<'_>, verify: &EnvVerify) -> End {
    with_hosts(session, verify.environment.as_deref(), &mut |asked, eyes| {
        let asked = only(asked, verify.host.as_deref())?;
        let report = report(&asked, eyes);
        session.view.preflight(&report);
        if let Some(path) = &verify.doc {
            let days = Duration::from_hours(verify.max_age.saturating_mul(24));
            let result = if verify.check { check(path, &report, days) } else { write(path, &report) };
            result.map_err(|problem| vec![problem])?;
            session.view.note(&format!(
                "{} {}",
                path.display(),
                if verify.check { "is fresh" } else { "is written" }
            ));
        }
        verdict(&report)
    })
}

/// Returns how the command ends; what to do stands in the table.
fn verdict(report: &Report) -> End {
    let rows: Vec<(String, Vec<Row>)> =
        report.hosts.iter().map(|(host, rows)| (host.name.clone(), rows.clone())).collect();
    match preflight::problem(&report.environment, &rows) {
        None => Ok(DONE),
        Some(problem) => Err(vec![Problem { details: vec![], hints: vec![], ..problem }]),
    }
}

fn only(asked: &Asked, host: Option<&str>) -> Result<Asked, Vec<Problem>> {
    let Some(name) = host else { return Ok(asked.clone()) };
    let hosts: Vec<_> = asked.hosts.iter().filter(|(host, _)| host.name == name).cloned().collect();
    if hosts.is_empty() {
        let names: Vec<&str> = asked.hosts.iter().map(|(host, _)| host.name.as_str()).collect();
        let problem = Problem::new(Code::Usage, format!("{} has no host `{name}`", asked.environment));
        return Err(vec![problem.wanted(names.join(", "))]);
    }
    Ok(Asked { hosts, ..asked.clone() })
}

/// Looks at all hosts of an environment, and at those of the one it should mirror.
pub fn report(asked: &Asked, eyes: Eyes<'_>) -> Report {
    let of = |hosts: &[(Host, Require)]| -> Vec<(Host, Vec<Want>)> {
        hosts.iter().map(|(host, require)| (host.clone(), wants(require))).collect()
    };
    let seen = see(&of(&asked.hosts), eyes);
    let mirror = asked.mirror.as_ref().map(|(name, hosts)| (name.clone(), see(&of(hosts), eyes)));
    let differences = mirror.as_ref().map(|(_, mirror)| differences(mirror, &seen)).unwrap_or_default();
    Report {
        environment: asked.environment.clone(),
        hosts: seen.into_iter().map(|look| (look.host, look.rows)).collect(),
        mirror: mirror.map(|(name, _)| name),
        differences,
        at: shell::now(),
    }
}

/// What was seen of one host.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The host.
    pub host: Host,
    /// Every want with its answer; empty if the host could not be looked at.
    pub seen: Vec<(Want, Seen)>,
    /// How each want stands, behind what the connection says.
    pub rows: Vec<Row>,
}

/// Looks at hosts, several at once, and judges what was seen. One that cannot be reached is a bad row of its own.
pub fn see(hosts: &[(Host, Vec<Want>)], eyes: Eyes<'_>) -> Vec<Looked> {
    let next = AtomicUsize::new(0);
    let found: Vec<Mutex<Option<Looked>>> = hosts.iter().map(|_| Mutex::new(None)).collect();
    let work = || loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some((host, wants)) = hosts.get(index) else { return };
        let looked = one(host, wants, eyes);
        *found[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(looked);
    };
    thread::scope(|scope| {
        for _ in 1..AT_ONCE.min(hosts.len()) {
            scope.spawn(work);
        }
        work();
    });
    found.into_iter().filter_map(|one| one.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

fn one(host: &Host, wants: &[Want], eyes: Eyes<'_>) -> Looked {
    let is_clock = |want: &&Want| matches!(want, Want::Clock { .. });
    let (clocks, others): (Vec<&Want>, Vec<&Want>) = wants.iter().partition(is_clock);
    let ask = |wants: Vec<&Want>| -> Result<(Vec<(Want, Seen)>, Time), Problem> {
        let wants: Vec<Want> = wants.into_iter().cloned().collect();
        let before = shell::now();
        // Without a want the connection is still tried.
        let mut seen = (eyes.look)(host, &wants)?;
        let after = shell::now();
        seen.resize(wants.len(), Seen::Unknown);
        // A clock is compared with the middle of its question.
        let middle = before.after(after.since(before) / 2);
        Ok((wants.into_iter().zip(seen).collect(), middle))
    };
    // The clock is asked alone, so that slow looks do not make it seem wrong.
    let answers = ask(clocks).and_then(|clock| Ok([clock, ask(others)?]));
    let answers = match answers {
        Ok(answers) => answers,
        Err(problem) => {
            let row = Row::new("connection", State::Bad, problem.what, "the host can be looked at");
            let row = row.fix(problem.hints.into_iter().next().unwrap_or_else(|| shown(host)));
            return Looked { host: host.clone(), seen: vec![], rows: vec![row] };
        }
    };
    let mut rows = (eyes.connection)(host);
    let judged = |(seen, now): &(Vec<(Want, Seen)>, Time)| -> Vec<Row> {
        seen.iter().map(|(want, seen)| judge(want, seen, *now)).collect()
    };
    rows.extend(answers.iter().flat_map(judged));
    let seen = answers.into_iter().flat_map(|(seen, _)| seen).collect();
    Looked { host: host.clone(), seen, rows }
}

/// Returns the command that shows a host where nothing says what is wrong with it.
fn shown(host: &Host) -> String {
    if host.is_local() {
        format!("ls -ld {}", quoted(&host.path))
    } else {
        format!("{} true", preflight::reach(host, &["-v"]))
    }
}

/// Returns where hosts differ from their counterparts, which have the same roles or come first.
fn differences(mirror: &[Looked], looked: &[Looked]) -> Vec<Difference> {
    let report = |look: &Looked| HostReport { host: look.host.name.clone(), seen: look.seen.clone() };
    // A host that could not be looked at is told as such, and is not different in everything.
    let mirror: Vec<&Looked> = mirror.iter().filter(|look| !look.seen.is_empty()).collect();
    let mut found = vec![];
    for look in looked.iter().filter(|look| !look.seen.is_empty()) {
        let same = mirror.iter().find(|other| other.host.roles == look.host.roles).or_else(|| mirror.first());
        let Some(same) = same else { continue };
        for mut one in parity(&report(same), &report(look)) {
            if looked.len() > 1 {
                one.what = format!("{}: {}", look.host.name, one.what);
            }
            found.push(one);
        }
    }
    found
}

fn write(path: &Path, report: &Report) -> Result<(), Problem> {
    let text = preflight::page(&Page {
        environment: &report.environment,
        hosts: &report.hosts,
        differences: &report.differences,
        at: report.at,
    });
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    dir.map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Problem::new(Code::Io, format!("{} cannot be written: {error}", path.display())))
}

fn check(path: &Path, report: &Report, max_age: Duration) -> Result<(), Problem> {
    let text = fs::read_to_string(path)
        .map_err(|error| Problem::new(Code::Io, format!("{} cannot be read: {error}", path.display())))?;
    let stamp = Stamp::read(&text).filter(|stamp| stamp.environment == report.environment);
    let why = match stamp {
        Some(stamp) => stamp.stale(&report.digest(), report.at, max_age),
        None => Some(format!("it has no stamp of {}", report.environment)),
    };
    let Some(why) = why else { return Ok(()) };
    let hint = format!("shipway env verify {} --doc {}", report.environment, path.display());
    let problem = Problem::new(Code::PageStale, format!("the page {} is stale", path.display()));
    Err(problem.found(why).hint(hint))
}

#[cfg(test)]
mod tests;
