//! `flow finish`: asks that the branch lands, by a plain push. Whoever may land it does that later.

use serde_json::json;
use shipway_core::change::text;
use shipway_core::problem::{Code, Problem};
use shipway_core::version::{self, Bump, Conventional};
use shipway_world::changelog::{Head, Item, Notes, Template, render_all};

use super::Desk;
use crate::command::{DONE, change};
use crate::view::Document;

/// How many bytes of notes go along with a push.
const MOST: usize = 20_000;

/// What is asked for.
pub(super) struct Asked<'a> {
    /// The title.
    pub(super) title: Option<&'a str>,
    /// The change request that gets a further version.
    pub(super) change: Option<u64>,
    /// Whether it is only shown.
    pub(super) dry_run: bool,
}

/// Pushes the branch to where it asks to land.
pub(super) fn run(desk: &Desk<'_>, asked: &Asked<'_>) -> Result<u8, Problem> {
    let detached = || Problem::new(Code::DetachedHead, "HEAD is on no branch").hint("git switch BRANCH");
    let branch = desk.branches().current()?.ok_or_else(detached)?;
    let back = desk.flow.back_to(&branch, desk.tips.keys().map(String::as_str));
    let target = back.or_else(|| desk.flow.target_of(&branch)).ok_or_else(|| {
        let problem = Problem::new(Code::FlowBranch, format!("branch {branch} lands nowhere"));
        let known: Vec<String> = desk.flow.kinds.iter().map(|kind| format!("{}…", kind.prefix)).collect();
        problem.found(branch.clone()).wanted(known.join(", ")).hint("shipway flow status")
    })?;
    let Some(base) = desk.tip(target) else {
        return Err(Problem::new(Code::FlowBranch, format!("there is no branch {target} to land on")));
    };
    // A branch that stays asks with what the remote has of it: what is here may be ahead of that, or behind.
    let stays = desk.flow.lasting().contains(&branch.as_str());
    let head = desk.tip(&branch).filter(|_| stays).unwrap_or("HEAD");
    let commits = desk.branches().messages(head, base)?;
    if commits.is_empty() {
        let problem = Problem::new(Code::FlowBranch, format!("{branch} has nothing that {target} has not"));
        return Err(problem.found("no commits").wanted("at least one"));
    }
    let open = shipway_core::flow::gates(&desk.owed()?, &branch, target);
    let named = || match back {
        Some(_) => format!("merge {} back into {target}", desk.flow.main),
        None if stays => into(&branch, target, &commits),
        None => weightiest(&commits),
    };
    let title = asked.title.map_or_else(named, str::to_owned);
    let notes = notes(&title, &commits)?;
    let mut options = vec![format!("title={title}"), format!("source={branch}")];
    options.extend(asked.change.map(|number| format!("change={number}")));
    let fields = json!({
        "branch": branch, "target": target, "title": title, "commits": commits.len(),
        "notes": notes, "waits": open, "dry_run": asked.dry_run,
    });
    let text = format!("{title}\n{branch} asks to land on {target}\n\n{}", notes.trim_end());
    if asked.dry_run {
        desk.session.view.answer(Document::FlowFinish, &fields, &text);
        desk.session.view.note("nothing was pushed");
        return Ok(DONE);
    }
    let about = description(desk, (&branch, target, asked.change), &shortened(&notes))?;
    options.push(format!("description={}", text::pack(&about)));
    // The guard believes the name of a source only if it has that branch, with this commit.
    if !stays {
        desk.branches().publish(&branch)?;
    }
    let said = desk.branches().push(head, &format!("refs/for/{target}"), &options)?;
    desk.session.view.answer(Document::FlowFinish, &fields, &text);
    for line in
        said.lines().map(|line| line.trim_start_matches("remote:").trim()).filter(|line| !line.is_empty())
    {
        desk.session.view.note(line);
    }
    let head = if head == "HEAD" { None } else { Some(head) };
    change::tell_skips(desk.session, desk.remote.as_deref(), head);
    for line in open {
        desk.session.view.note(&format!("it lands after this: {line}; see shipway flow back"));
    }
    Ok(DONE)
}

/// Returns the description: the notes, under the template of the repository if it has one. What a person has made of that
/// in the change request that is open stays, and only the notes are new.
fn description(
    desk: &Desk<'_>,
    (source, target, number): (&str, &str, Option<u64>),
    notes: &str,
) -> Result<String, Problem> {
    let Some(template) = change::template(desk.session) else { return Ok(notes.to_owned()) };
    let git = desk.session.records();
    let first = |problems: Vec<Problem>| problems.into_iter().next().expect("a refusal names a problem");
    let open = match (desk.client(&git).map_err(first)?, number) {
        (None, _) => None,
        (Some(client), Some(number)) => Some(client.change(number)?),
        (Some(client), None) => client.open_from(source, target)?,
    };
    let about = open.map(|change| change.description).filter(|about| !text::is_notes(about));
    Ok(text::with_notes(about.as_deref().unwrap_or(&template), notes))
}

/// Returns as much of the notes, in whole lines, as an option of a push can carry.
fn shortened(notes: &str) -> String {
    let notes = notes.trim();
    let end = notes.char_indices().map(|(at, _)| at).find(|at| *at > MOST);
    let Some(end) = end else { return notes.to_owned() };
    let whole = notes[..end].rfind('\n').unwrap_or(end);
    format!("{}\n\nand more: see the commits", &notes[..whole])
}

/// Returns the subject of the only commit, else what is merged into what.
fn into(branch: &str, target: &str, commits: &[(String, String)]) -> String {
    match commits {
        [_] => weightiest(commits),
        _ => format!("{branch} into {target}: {} commits", commits.len()),
    }
}

/// Returns the subject of the commit that asks for most, the first of several: a squash of them all is called so.
fn weightiest(commits: &[(String, String)]) -> String {
    let weight = |message: &str| {
        let told = version::told(message)?;
        if told.breaking { Some(Bump::Major) } else { Bump::of_kind(told.kind.as_ref()) }
    };
    let most = commits.iter().max_by_key(|(_, message)| weight(message));
    let message = most.map_or("", |(_, message)| message);
    version::clean_line(version::first_line(message).0).into_owned()
}

/// Returns what the commits change, as the changelog says it.
fn notes(title: &str, commits: &[(String, String)]) -> Result<String, Problem> {
    let told: Vec<(&String, Conventional<'_>)> =
        commits.iter().filter_map(|(id, message)| Some((id, version::told(message)?))).collect();
    let items = told.iter().map(|(id, one)| Item {
        kind: &one.kind,
        scope: one.scope,
        description: one.description,
        breaking: one.breaking.then(|| one.breaking_text.unwrap_or_default()),
        commit: id,
        issues: &[],
    });
    let head = Head { version: title, tag: "", previous_tag: None, date: "" };
    let mut text = String::new();
    render_all([Notes::new(head, items, None)], &Template::default(), &mut text)?;
    // The heading is that of a release; a change request has its title.
    let from = text.find("\n### ").map_or(text.len(), |at| at + 1);
    Ok(text[from..].to_owned())
}
