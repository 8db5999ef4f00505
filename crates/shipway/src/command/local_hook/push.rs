//! Before a push: names, protected branches, and the messages of what is new. And, where the policy asks for it, before
//! a protected branch moves here.

use shipway_core::change::Record;
use shipway_core::local::{Kind, Note, Skip};
use shipway_core::policy::{Commit, Policy, Rule, TicketSeen, Update, UpdateKind};
use shipway_core::problem::{Code, Problem};
use shipway_world::flow::Branches;
use shipway_world::hooks::staged::InHook;
use shipway_world::shell;

use super::{Call, judge};

/// How many commits are looked at for one ref; the guard looks at all.
const MOST: usize = 1000;

/// One line of what git says of a push (githooks(5), pre-push).
struct Line<'a> {
    local: &'a str,
    name: &'a str,
    remote: &'a str,
}

/// Judges what is about to be pushed. Nothing is refused without a policy.
pub(super) fn look(call: &Call<'_>, input: &[u8]) -> Result<(), Vec<Problem>> {
    let Some(policy) = judge::policy(&call.top)? else { return Ok(()) };
    let skips = call.skips()?;
    let text = String::from_utf8_lossy(input);
    let git = call.git();
    let mut updates = vec![];
    let mut tickets = None;
    for line in text.lines().filter_map(line) {
        let mut update = update(&git, &line)?;
        let branch = line.name.strip_prefix("refs/heads/");
        if branch.is_some_and(|branch| policy.is_protected(branch.as_bytes())) {
            let tickets = match &mut tickets {
                Some(tickets) => tickets,
                none @ None => none.insert(tickets_here(call)?),
            };
            let fits = |(name, new): &&(String, String)| name == line.name && new == line.local;
            // Whether it is good is for the guard to say.
            update.ticket = tickets.iter().find(fits).map(|_| TicketSeen::default());
        }
        updates.push(update);
    }
    let problems = judge::judged(&policy, updates, judge::PUSH, &skips);
    if !problems.is_empty() {
        return Err(problems);
    }
    note(call, &skips)
}

/// Returns the refs and the commits of all landing tickets that are known here.
fn tickets_here(call: &Call<'_>) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let one = |problem| vec![problem];
    let repository = call.repository().map_err(one)?;
    let branches = Branches { repository: &repository, remote: None, shell: &call.shell, stop: &call.stop };
    let records = branches.landings().map_err(one)?;
    let ticket =
        |record: &Record| record.signed.as_ref()?.ticket().map(|ticket| (ticket.reference, ticket.new));
    Ok(records.iter().filter_map(ticket).collect())
}

fn line(text: &str) -> Option<Line<'_>> {
    let mut words = text.split(' ');
    let (_, local, name, remote) = (words.next()?, words.next()?, words.next()?, words.next()?);
    Some(Line { local, name, remote })
}

fn is_none(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

fn update(git: &InHook<'_>, line: &Line<'_>) -> Result<Update, Vec<Problem>> {
    let one = |problem| vec![problem];
    let (gone, made) = (is_none(line.local), is_none(line.remote));
    let forward = !gone && !made && git.is_ancestor(line.remote, line.local).map_err(one)?;
    let kind = match (gone, made, forward) {
        (true, _, _) => UpdateKind::Delete,
        (false, true, _) => UpdateKind::Create,
        (false, false, true) => UpdateKind::Forward,
        (false, false, false) => UpdateKind::Rewind,
    };
    let is_tag = line.name.starts_with("refs/tags/");
    let commits = if gone || is_tag {
        vec![]
    } else {
        // What any remote has is nobody's to word anew: a fork and an address have it, too.
        let known = [Some("--remotes"), forward.then_some(line.remote)];
        let found = git.commits(line.local, known.into_iter().flatten(), MOST).map_err(one)?;
        let found: Vec<Commit> =
            found.into_iter().filter(|commit| !judge::is_of_run(&commit.message)).collect();
        // Nothing was looked at where everything is there already, or was made by a run, and that is no fault.
        if found.is_empty() {
            vec![Commit { parents: vec![String::new(); 2], ..Commit::default() }]
        } else {
            found
        }
    };
    Ok(Update {
        name: line.name.as_bytes().to_vec(),
        old: line.remote.to_owned(),
        current: line.remote.to_owned(),
        new: line.local.to_owned(),
        kind,
        commits,
        object: git.kind(line.local),
        on_protected: true,
        ..Update::default()
    })
}

fn note(call: &Call<'_>, skips: &[Skip]) -> Result<(), Vec<Problem>> {
    let desk = call.desk().map_err(|problem| vec![problem])?;
    for Skip { rule, reason } in skips {
        let note = Note {
            at: shell::now(),
            what: Kind::Skipped,
            rule: rule.clone(),
            reason: reason.clone(),
            commit: String::new(),
            branch: call.branch().unwrap_or_default(),
        };
        desk.note(&note)
            .map_err(|error| vec![Problem::new(Code::Io, format!("a note cannot be written: {error}"))])?;
    }
    Ok(())
}

/// Refuses that a protected branch moves here to what its remote does not have, where the policy asks for that.
pub(super) fn transaction(call: &Call<'_>, input: &[u8]) -> Result<(), Vec<Problem>> {
    let text = String::from_utf8_lossy(input);
    let branches: Vec<(&str, &str)> = text.lines().filter_map(moved).collect();
    if branches.is_empty() {
        return Ok(());
    }
    let Some(policy) = judge::policy(&call.top)? else { return Ok(()) };
    let skips = call.skips()?;
    if skips.iter().any(|skip| skip.rule == Rule::PushRestricted.as_str()) {
        return note(call, &skips);
    }
    let git = call.git();
    let kept = |branch: &str| is_kept(&policy, branch);
    for (branch, new) in branches.into_iter().filter(|(branch, _)| kept(branch)) {
        if is_none(new) || git.is_on_remote(new).map_err(|problem| vec![problem])? {
            continue;
        }
        let what = format!("push-restricted: {branch} is protected, here too: only what has landed moves it");
        let problem = Problem::new(Code::PolicyDenied, what).at(format!("refs/heads/{branch}"));
        return Err(vec![
            problem
                .found(new.get(..12).unwrap_or(new).to_owned())
                .wanted("a commit that a remote has")
                .hint("git switch -c BRANCH, and commit there")
                .hint("once, with a reason: SHIPWAY_SKIP='push-restricted: why' git …"),
        ]);
    }
    Ok(())
}

/// Reads a line of a transaction: the branch that moves, and what it gets.
fn moved(line: &str) -> Option<(&str, &str)> {
    let mut words = line.splitn(3, ' ');
    let (old, new, name) = (words.next()?, words.next()?, words.next()?);
    let branch = name.strip_prefix("refs/heads/")?;
    (old != new).then_some((branch, new))
}

/// Tells whether a branch is protected in work trees too.
pub(super) fn is_kept(policy: &Policy, branch: &str) -> bool {
    policy.classes_of(branch.as_bytes()).iter().any(|(_, class)| class.protected && class.local)
}
