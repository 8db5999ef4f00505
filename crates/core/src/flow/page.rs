//! The page about branches and commits that `init` writes, and the picture in it. Both are made from the policy, so that
//! they say what is kept.

use std::fmt::Write as _;

use super::{Flow, Kind};
use crate::policy::{Method, Policy};
use crate::version::KINDS;

/// Returns the flow as a Mermaid diagram.
pub fn diagram(flow: &Flow) -> String {
    let mut text = String::from("flowchart LR\n");
    let _ = writeln!(text, "  main[\"{}\"]", flow.main);
    if let Some(develop) = &flow.develop {
        let _ = writeln!(text, "  develop[\"{develop}\"]");
    }
    let lasting = |branch: &str| if branch == flow.main { "main" } else { "develop" };
    for (index, kind) in flow.kinds.iter().enumerate() {
        let _ = writeln!(text, "  kind{index}[\"{}*\"]", kind.prefix);
        let _ = writeln!(text, "  {} -. starts .-> kind{index}", lasting(&kind.base));
        let _ = writeln!(text, "  kind{index} -- \"{}\" --> {}", how(kind), lasting(&kind.target));
    }
    if flow.develop.is_some() {
        text.push_str("  develop -- \"merge\" --> main\n  main == \"owed\" ==> develop\n");
    }
    text
}

/// Returns the page.
pub fn page(flow: &Flow, policy: &Policy) -> String {
    let mut text = format!(
        "# Branches and commits\n\nWhat is here follows from `.shipway/policy.toml`, which is what is kept.\n\n\
         ## Branches\n\n```mermaid\n{}```\n\n| branch | starts at | lands on | by |\n|---|---|---|---|\n",
        diagram(flow)
    );
    for kind in &flow.kinds {
        let Kind { prefix, base, target, .. } = kind;
        let _ = writeln!(text, "| `{prefix}*` | `{base}` | `{target}` | {} |", how(kind));
    }
    let branches: Vec<String> = flow.lasting().into_iter().map(|branch| format!("`{branch}`")).collect();
    let _ = write!(
        text,
        "\n{} {} protected: nobody pushes there. What is to land is pushed to `refs/for/BRANCH`, is reviewed, and lands when \
         its checks have passed on the very commit that lands.\n\n```sh\nshipway flow start {} 123-what-it-is-about\n\
         shipway flow finish\n```\n\nA number in the name of a branch is that of its issue.\n",
        branches.join(" and "),
        if branches.len() == 1 { "is" } else { "are" },
        flow.kinds.first().map_or("feature", |kind| kind.name.as_str()),
    );
    if let Some(develop) = &flow.develop {
        let _ = write!(
            text,
            "\nWhat lands on `{}` without having been on `{develop}` is owed to it: `shipway flow back` brings it there.\n",
            flow.main
        );
    }
    commits(policy, &mut text);
    text
}

fn commits(policy: &Policy, text: &mut String) {
    text.push_str("\n## Commits\n\n");
    if policy.commits.conventional {
        let kinds: Vec<String> =
            KINDS.iter().map(ToString::to_string).chain(policy.commits.types.iter().cloned()).collect();
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
        let _ = write!(
            text,
            "Messages follow [Conventional Commits](https://www.conventionalcommits.org/en/v1.0.0/), because versions and \
             changelogs are made from them:\n\n```text\ntype(scope): what changes\n\nWhy it changes.\n\nRefs: #123\n```\n\n\
             The type is one of {}.\nA `!` before the colon, or a footer `BREAKING CHANGE:`, marks what breaks users.\n",
            kinds.join(", ")
        );
    }
    if policy.commits.issue {
        text.push_str("A message names its issue, such as `#123`.\n");
    }
    if policy.commits.subject > 0 {
        let _ = writeln!(text, "The first line has at most {} bytes.", policy.commits.subject);
    }
    let _ = write!(
        text,
        "\nHooks tell early: `shipway guard install`. What decides is the guard of the repository.\n"
    );
}

/// Returns how a kind is merged, the usual method first.
fn how(kind: &Kind) -> String {
    let words: Vec<&str> = kind.methods.iter().map(|method| word(*method)).collect();
    if words.is_empty() { "any method".into() } else { words.join(", ") }
}

/// Returns a method as the policy writes it.
pub fn word(method: Method) -> &'static str {
    match method {
        Method::Merge => "merge",
        Method::Squash => "squash",
        Method::Rebase => "rebase",
        Method::FastForward => "fast-forward",
    }
}
