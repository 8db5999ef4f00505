//! From a repository and the hosts of an environment to the plan of a deployment.

use shipway_core::id::Digest;
use shipway_core::kinds::deploy::Build;
use shipway_core::plan::{Plan, Release, Verb};
use shipway_core::planner::deploy::{self, Material, Way};
use shipway_core::planner::rollback;
use shipway_core::problem::{Code, Problem};
use shipway_world::deploy::Hands;

use super::onward::{self, Cargo, Place};
use super::{Seen, glance_with_files};
use crate::session::Session;

/// A release of this repository that can be brought to hosts.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Its commit.
    pub commit: String,
    /// Its version, or what git calls a commit that has none.
    pub version: String,
    /// Its tag; empty for a commit without a version.
    pub tag: String,
}

/// Returns the plan that brings a release to an environment: the one that is named, else the one that the environment
/// before has, else the last one that was not withdrawn.
///
/// `restored` says that the database was restored to what it was when this release was live.
pub fn plan(
    session: &Session<'_>,
    name: &str,
    what: Option<&str>,
    restored: bool,
) -> Result<Plan, Vec<Problem>> {
    let one = |problem| vec![problem];
    let place = onward::environment(session, name).map_err(one)?;
    let seen = glance_with_files(session)?;
    let hands = session.hands().map_err(one)?;
    let project = seen.name();
    let place = onward::look(session, &hands, place, &project)?;
    let (chosen, material) = choose(session, &hands, &seen, &place, what)?;
    let range = range(&place, &seen, &chosen);
    let cargo =
        Cargo { project: &project, version: &chosen.version, material: &material, range: &range, restored };
    let (way, mut notes) = onward::way(session, &hands, &place, &cargo)?;
    notes.extend(session.durability_note());
    let release = release(project, name, &way, &chosen);
    let catalog = session.catalog(&hands);
    deploy::plan(release, (&material, &way), notes, (session.config.target.deploy, &catalog)).map_err(one)
}

/// Returns the plan that puts the release before, or a version that was confirmed, back into an environment: the same
/// on all its hosts.
///
/// `restored` says that the database was restored to what it was when that was live.
pub fn back(
    session: &Session<'_>,
    name: &str,
    to: Option<&str>,
    restored: bool,
) -> Result<Plan, Vec<Problem>> {
    let one = |problem| vec![problem];
    let place = onward::environment(session, name).map_err(one)?;
    let seen = glance_with_files(session)?;
    let hands = session.hands().map_err(one)?;
    let project = seen.name();
    let place = onward::look(session, &hands, place, &project)?;
    let way = onward::way_back(session, &hands, &place, (to, restored))?;
    let version = way.targets.first().map(|target| target.deployment.version.clone()).unwrap_or_default();
    let chosen = Chosen { commit: String::new(), version, tag: String::new() };
    let release = Release {
        why: if restored { rollback::RESTORED } else { rollback::BACK }.into(),
        ..release(project, name, &way, &chosen)
    };
    let mut notes = vec![
        "a way back passes no approval: what it brings was live and confirmed in this environment".into(),
    ];
    let sent = way.targets.iter().filter(|target| target.sent.is_some());
    notes.extend(sent.map(|target| format!("{} does not have it; it is sent there", target.host.name)));
    let catalog = session.catalog(&hands);
    let target = session.config.target.rollback;
    deploy::plan(release, (&Material::OnHosts, &way), notes, (target, &catalog)).map_err(one)
}

fn release(project: String, environment: &str, way: &Way, chosen: &Chosen) -> Release {
    let mut versions: Vec<String> = way
        .targets
        .iter()
        .filter_map(|target| target.from.as_ref().map(|from| from.version.clone()))
        .collect();
    versions.sort();
    versions.dedup();
    Release {
        verb: Verb::Deploy,
        project,
        from: (!versions.is_empty()).then(|| versions.join(", ")),
        to: chosen.version.clone(),
        tag: chosen.tag.clone(),
        environment: Some(environment.to_owned()),
        why: match way.targets.len() {
            1 => "1 host".into(),
            hosts => format!("{hosts} hosts"),
        },
    }
}

/// Returns what is brought, and where its bytes come from.
fn choose(
    session: &Session<'_>,
    hands: &Hands,
    seen: &Seen<'_>,
    place: &Place<'_>,
    what: Option<&str>,
) -> Result<(Chosen, Material), Vec<Problem>> {
    if let (None, Some(from)) = (what, &place.environment.from) {
        return promote(session, hands, seen, from);
    }
    let chosen = commit(session, seen, what).map_err(|problem| vec![problem])?;
    let build = build(session, Some(chosen.commit.clone()), &chosen.version);
    Ok((chosen, material(hands, build)))
}

/// Returns what an environment has: live and confirmed on all its hosts.
fn promote(
    session: &Session<'_>,
    hands: &Hands,
    seen: &Seen<'_>,
    from: &str,
) -> Result<(Chosen, Material), Vec<Problem>> {
    let before = onward::environment(session, from).map_err(|problem| vec![problem])?;
    let before = onward::look(session, hands, before, &seen.name())?;
    let mut live = before.hosts.iter().map(|(_, state)| onward::live(state).map(|known| &known.deployment));
    let first = live.next().flatten();
    let nothing = |what: String| {
        vec![
            Problem::new(Code::NotProven, what).hint(format!("bring a release there: shipway deploy {from}")),
        ]
    };
    let Some(first) = first else { return Err(nothing(format!("nothing is live in {from}"))) };
    if live.any(|other| other.is_none_or(|other| other.artifact != first.artifact)) {
        return Err(nothing(format!("the hosts of {from} do not all have the same release")));
    }
    let chosen =
        Chosen { commit: String::new(), version: first.version.clone(), tag: tag_of(seen, &first.version) };
    let size = size(hands, &first.artifact);
    if size.is_none() {
        let what = format!("artifact {} of {from} is not kept here", first.artifact.short());
        return Err(vec![
            Problem::new(Code::ArtifactMissing, what)
                .wanted("the bytes that were brought there, in this repository's store")
                .hint("promote from the repository that deployed it"),
        ]);
    }
    Ok((chosen, Material::Kept { artifact: first.artifact.clone(), size }))
}

/// Returns the tag of a version; empty if there is none.
fn tag_of(seen: &Seen<'_>, version: &str) -> String {
    let tag = version.parse().ok().map(|version| seen.format.render(&version));
    tag.filter(|tag| seen.facts.tags.contains_key(tag)).unwrap_or_default()
}

/// Returns the commit of a version, a tag or any other name of one; without a name, that of the last release.
fn commit(session: &Session<'_>, seen: &Seen<'_>, what: Option<&str>) -> Result<Chosen, Problem> {
    let git = session.git();
    let tagged = |version: &semver::Version, tag: &str| {
        let commit = seen.facts.tags.get(tag).map(|at| at.commit.clone())?;
        Some(Chosen { commit, version: version.to_string(), tag: tag.to_owned() })
    };
    let mut releases = seen.facts.tags.keys().filter_map(|tag| Some((seen.format.parse(tag)?, tag)));
    let Some(what) = what else {
        // A release that was taken back keeps its tag; it goes nowhere unless it is named.
        let withdrawn = git.withdrawn()?;
        let stands = |tag: &String| {
            let at = seen.facts.tags.get(tag).map_or("", |at| &at.commit);
            !withdrawn.contains(&(tag.clone(), at.to_owned()))
        };
        let (stand, gone): (Vec<_>, Vec<_>) = releases.partition(|(_, tag)| stands(tag));
        let last = stand.into_iter().max_by(|one, other| one.0.cmp_precedence(&other.0));
        return last.and_then(|(version, tag)| tagged(&version, tag)).ok_or_else(|| {
            let what = if gone.is_empty() {
                "nothing was released yet"
            } else {
                "all that was released was withdrawn"
            };
            Problem::new(Code::NothingToDeploy, what)
                .hint("release first: shipway push")
                .hint(format!("or bring a commit: shipway deploy {} HEAD", "ENVIRONMENT"))
        });
    };
    let named = releases.find(|(version, tag)| version.to_string() == what || *tag == what);
    if let Some(chosen) = named.and_then(|(version, tag)| tagged(&version, tag)) {
        return Ok(chosen);
    }
    let commit = git.resolve(&format!("{what}^{{commit}}"))?.ok_or_else(|| {
        Problem::new(Code::NothingToDeploy, format!("`{what}` is neither a release nor a commit here"))
            .hint("see what there is: git tag --list")
    })?;
    // A commit that carries the tag of a release is that release.
    let at = seen.facts.tags.iter().filter(|(_, at)| at.commit == commit);
    if let Some((version, tag)) = at.filter_map(|(tag, _)| Some((seen.format.parse(tag)?, tag))).max() {
        return Ok(Chosen { version: version.to_string(), tag: tag.clone(), commit });
    }
    Ok(Chosen { version: git.describe(&commit)?, tag: String::new(), commit })
}

/// Returns how an artifact is built here.
pub fn build(session: &Session<'_>, commit: Option<String>, version: &str) -> Build {
    let artifact = &session.config.artifact;
    Build {
        commit,
        version: version.to_owned(),
        argv: artifact.build.clone(),
        env: artifact.env.clone(),
        dir: artifact.dir.clone().unwrap_or_default(),
        include: artifact.include.clone(),
        exclude: artifact.exclude.clone(),
        timeout_ms: onward::millis(artifact.timeout),
    }
}

/// Returns where the bytes come from: an artifact that was built before is never built again.
fn material(hands: &Hands, build: Build) -> Material {
    let before = build.commit.clone().and_then(|commit| hands.built(&build, commit));
    match before {
        Some(artifact) => Material::Kept { size: size(hands, &artifact), artifact },
        None => Material::Built(build),
    }
}

/// Returns how many bytes and files an artifact has, if it is kept here.
pub(super) fn size(hands: &Hands, artifact: &Digest) -> Option<(u64, usize)> {
    let manifest = hands.store.has_artifact(artifact).then(|| hands.store.manifest(artifact).ok())??;
    Some((manifest.bytes(), manifest.files.len()))
}

/// Returns the commits that a deployment brings to an environment, as a range of git; empty where that is not known.
fn range(place: &Place<'_>, seen: &Seen<'_>, chosen: &Chosen) -> String {
    let to = if chosen.commit.is_empty() { &chosen.tag } else { &chosen.commit };
    let mut live = place
        .hosts
        .iter()
        .filter_map(|(_, state)| onward::live(state))
        .map(|known| &known.deployment.version);
    let from = live.find_map(|version| Some(seen.format.render(&version.parse().ok()?)));
    match from.filter(|tag| seen.facts.tags.contains_key(tag)) {
        _ if to.is_empty() => String::new(),
        Some(from) => format!("{from}..{to}"),
        None => to.clone(),
    }
}
