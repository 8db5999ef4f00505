//! The way of a release into an environment: what its hosts have, what its gate wants, what it is brought.

mod back;
mod gate;
mod schema;
mod secrets;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use shipway_core::config::deploy::Environment;
use shipway_core::config::{Phase, Strategy};
use shipway_core::deployment::{Deployment, Host, Schema};
use shipway_core::gate::Need;
use shipway_core::id::{Digest, RunId};
use shipway_core::kinds::{self, deploy as kind};
use shipway_core::planner::deploy::{Material, Migration, Order, Target, Way};
use shipway_core::planner::need;
use shipway_core::problem::{Code, Problem};
use shipway_world::agent::protocol::{Known, Look, State};
use shipway_world::deploy::Hands;

use crate::session::Session;

pub use back::way_back;
pub use secrets::values;

/// What is brought.
pub struct Cargo<'a> {
    /// The name of the project.
    pub project: &'a str,
    /// The version.
    pub version: &'a str,
    /// Where its bytes come from.
    pub material: &'a Material,
    /// The commits whose authors do not approve their own work, as a range of git; empty for none.
    pub range: &'a str,
    /// Whether somebody says that the database was restored to what it was for this release.
    pub restored: bool,
}

/// An environment, and what its hosts say of themselves.
pub struct Place<'a> {
    /// Its name.
    pub name: &'a str,
    /// How it is configured.
    pub environment: &'a Environment,
    /// Its hosts.
    pub hosts: Vec<(Host, State)>,
}

/// Returns the configuration of an environment.
pub fn environment<'a>(session: &'a Session<'_>, name: &str) -> Result<(&'a str, &'a Environment), Problem> {
    let environments = &session.config.environment;
    if let Some((name, found)) = environments.get_key_value(name) {
        return Ok((name, found));
    }
    let known: Vec<&str> = environments.keys().map(String::as_str).collect();
    let problem = Problem::new(Code::EnvironmentUnknown, format!("no environment `{name}` is configured"));
    Err(if known.is_empty() {
        problem.found("no environments in shipway.toml").hint("add one: shipway explain SW0206")
    } else {
        problem.found(name).wanted(format!("one of {}", known.join(", ")))
    })
}

/// Returns the environments on the way to one, in order, that one last.
pub fn chain<'a>(session: &'a Session<'_>, name: &str) -> Result<Vec<(&'a str, &'a Environment)>, Problem> {
    let mut chain = vec![environment(session, name)?];
    // The rules of the configuration know that the way leads in no circle.
    while let Some(from) = chain.last().and_then(|(_, environment)| environment.from.as_deref()) {
        chain.push(self::environment(session, from)?);
    }
    chain.reverse();
    Ok(chain)
}

/// Looks at all hosts of an environment at once, and returns the problems of those that cannot be seen.
pub fn look<'a>(
    session: &'a Session<'_>,
    hands: &Hands,
    (name, environment): (&'a str, &'a Environment),
    project: &str,
) -> Result<Place<'a>, Vec<Problem>> {
    let hosts = environment.hosts(project, name);
    if hosts.is_empty() {
        let what = format!("environment `{name}` has no hosts");
        let problem = Problem::new(Code::EnvironmentUnknown, what);
        return Err(vec![problem.hint(format!("[environment.{name}] hosts = [\"local\"]"))]);
    }
    let seen: Vec<Result<State, Problem>> = thread::scope(|scope| {
        let look = |host| {
            let stop = &session.switches.look;
            scope.spawn(move || {
                hands.fleet.look_at(host, Look::default(), stop).map_err(|fault| fault.problem)
            })
        };
        let looks: Vec<_> = hosts.iter().map(look).collect();
        looks.into_iter().map(|look| look.join().unwrap_or_else(|_| Err(broken()))).collect()
    });
    let home = session.home();
    let taken = |(host, state): (&Host, &State)| {
        let problem = state.taken(project, name, home.as_deref())?;
        Some(if host.is_local() { problem } else { Problem { place: place_on(host, &problem), ..problem } })
    };
    let problems = hosts.iter().zip(&seen).filter_map(|(host, seen)| match seen {
        Err(problem) => Some(problem.clone()),
        Ok(state) => taken((host, state)),
    });
    let problems: Vec<Problem> = problems.collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let hosts = hosts.into_iter().zip(seen.into_iter().flatten()).collect();
    Ok(Place { name, environment, hosts })
}

fn place_on(host: &Host, problem: &Problem) -> Option<String> {
    problem.place.as_ref().map(|place| format!("{}:{place}", host.name))
}

fn broken() -> Problem {
    Problem::new(Code::Bug, "a look at a host ended without an answer")
}

/// Returns the way of a release into an environment, and what a reader must know besides.
pub fn way(
    session: &Session<'_>,
    hands: &Hands,
    place: &Place<'_>,
    cargo: &Cargo<'_>,
) -> Result<(Way, Vec<String>), Vec<Problem>> {
    let one = |problem| vec![problem];
    let secrets = secrets::digest(session, place)?;
    let known =
        place.hosts.iter().filter_map(|(_, state)| Some((state, schema::confirmed(state, cargo.version)?)));
    let known: Vec<_> = known.collect();
    let again = format!("shipway deploy {} {}", place.name, cargo.version);
    let past = schema::past((session, hands), place, &known, (cargo.restored, &again)).map_err(one)?;
    let mut targets: Vec<Target> = place
        .hosts
        .iter()
        .map(|(host, state)| Target {
            host: host.clone(),
            deployment: deployment(session, place, host, cargo, secrets.clone()),
            from: live(state).map(before),
            sent: None,
        })
        .collect();
    let (gate, notes) = gate::needs(session, hands, place, cargo)?;
    let environment = place.environment;
    let migrations = migrations((session, hands, place), &mut targets, past)?;
    let way = Way {
        environment: place.name.to_owned(),
        order: order(environment),
        gate,
        ready: ready(session, place, cargo, &targets).map_err(one)?,
        migrations,
        watch: watch(environment, &targets),
        after: command(session, "after", &environment.after).map_err(one)?,
        confirm: environment.confirm,
        keep: (environment.keep, environment.keep_bytes),
        secrets: environment.secrets.clone(),
        targets,
    };
    Ok((way, notes))
}

/// Returns what is live on a host.
pub fn live(state: &State) -> Option<&Known> {
    state.live()
}

fn before(known: &Known) -> kind::Before {
    kind::Before {
        run: known.deployment.run.clone(),
        version: known.deployment.version.clone(),
        artifact: known.deployment.artifact.clone(),
    }
}

fn deployment(
    session: &Session<'_>,
    place: &Place<'_>,
    host: &Host,
    cargo: &Cargo<'_>,
    secrets: Option<Digest>,
) -> Deployment {
    let here = session.config.service.iter().filter(|service| host.has_role(&service.roles));
    let services = here.map(|service| {
        let mut service = service.service.clone();
        let mut env: BTreeMap<String, String> = place.environment.env.clone();
        env.append(&mut service.env);
        service.env = env;
        service
    });
    Deployment {
        run: RunId::new(""),
        project: cargo.project.to_owned(),
        environment: place.name.to_owned(),
        version: cargo.version.to_owned(),
        artifact: match cargo.material {
            Material::Kept { artifact, .. } => artifact.clone(),
            Material::Built(_) | Material::OnHosts => Digest::new(""),
        },
        services: services.collect(),
        runtime: session.config.artifact.runtime.clone(),
        secrets,
        schema: None,
        back: false,
        mended: None,
        home: session.home(),
    }
}

fn order(environment: &Environment) -> Order {
    Order {
        strategy: environment.strategy,
        batch: environment.batch,
        canary: environment.canary,
        canary_watch: environment.canary_watch,
        weights: environment.weights.clone(),
    }
}

fn ready(
    session: &Session<'_>,
    place: &Place<'_>,
    cargo: &Cargo<'_>,
    targets: &[Target],
) -> Result<Vec<Need>, Problem> {
    let size = match cargo.material {
        Material::Kept { size, .. } => *size,
        Material::Built(_) | Material::OnHosts => None,
    };
    let mut needs = command(session, "before", &place.environment.before)?;
    for target in targets {
        let args = kind::Ready {
            host: target.host.clone(),
            from: target.from.as_ref().map(|from| from.run.clone()),
            size: size.or(target.sent),
            wants: super::wants::of(place.environment, &target.host)?,
            sent: match cargo.material {
                Material::OnHosts if target.sent.is_none() => None,
                Material::Kept { .. } | Material::Built(_) | Material::OnHosts => {
                    Some(target.deployment.artifact.clone())
                }
            },
        };
        needs.push(need(&target.host.name, kind::READY, &args, 300_000)?);
    }
    Ok(needs)
}

/// Returns the need for a command here, if there is one.
fn command(session: &Session<'_>, name: &str, argv: &[String]) -> Result<Vec<Need>, Problem> {
    if argv.is_empty() {
        return Ok(vec![]);
    }
    let command = kinds::Command { argv: argv.to_vec(), env: vec![], advice: false };
    Ok(vec![need(name, kinds::COMMAND, &command, millis(session.config.checks.timeout))?])
}

/// Returns the migrations before the switch and after the confirmation, and writes them into what is brought. A release that comes again takes away nothing that only later ones do.
fn migrations(
    (session, hands, place): (&Session<'_>, &Hands, &Place<'_>),
    targets: &mut [Target],
    past: schema::Past,
) -> Result<(Vec<Migration>, Vec<Migration>), Vec<Problem>> {
    let mut both = (past.undo, vec![]);
    let mut changes = Schema::default();
    let configured = session.config.migration.iter();
    let own = |name: &String| !past.foreign.contains(name);
    for migration in configured.filter(|known| known.phase == Phase::Expand || own(&known.name)) {
        let Some(target) = targets.iter().find(|target| target.host.has_role(&migration.roles)) else {
            continue;
        };
        let migrate = kind::Migrate {
            host: target.host.clone(),
            name: migration.name.clone(),
            deployment: target.deployment.clone(),
            run: migration.run.clone(),
            done: migration.done.clone(),
            undo: migration.undo.clone(),
            outgrows: schema::outgrows(place, migration),
            stays: schema::stays((session, hands), place, (&target.host, migration)),
        };
        let at = (target.deployment.project.as_str(), &target.host);
        let backup = migration.backup.as_deref().map(|name| super::backup::before(session, name, at));
        let backup = backup.transpose().map_err(|problem| vec![problem])?;
        let migration_of = Migration { migrate, backup, timeout: migration.timeout };
        match migration.phase {
            Phase::Expand => {
                changes.expands.push(migration.name.clone());
                both.0.push(migration_of);
            }
            Phase::Contract => {
                changes.contracts.push(schema::contract(migration, &target.host));
                both.1.push(migration_of);
            }
        }
    }
    if changes != Schema::default() {
        for target in targets {
            target.deployment.schema = Some(changes.clone());
        }
    }
    Ok(both)
}

fn watch(environment: &Environment, targets: &[Target]) -> Option<kind::Watch> {
    let watch = &environment.watch;
    let watched = |target: &&Target| !target.deployment.services.is_empty() || !watch.command.is_empty();
    let hosts = targets.iter().filter(watched);
    let hosts: Vec<kind::Well> = hosts
        .map(|target| kind::Well {
            host: target.host.clone(),
            deployment: target.deployment.clone(),
            share: None,
        })
        .collect();
    // Files without a service have nothing that could be watched, unless a command or a query does.
    let nothing = hosts.is_empty() && watch.command.is_empty() && watch.prometheus.is_none();
    // The first hosts have a time of their own, also where all together are not watched.
    let own = environment.canary_watch.filter(|_| environment.strategy == Strategy::Canary);
    if nothing || watch.span.or(own).is_none() {
        return None;
    }
    Some(kind::Watch {
        hosts,
        span_ms: watch.span.map_or(0, millis),
        every_ms: millis(watch.every),
        errors: watch.errors,
        slower: watch.slower,
        samples: watch.samples,
        pass_without_data: watch.pass_without_data,
        prometheus: watch.prometheus.clone(),
        command: watch.command.clone(),
        log: watch.log.clone(),
    })
}

/// Returns a span in milliseconds.
pub fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
