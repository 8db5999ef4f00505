//! The runbook of a plan, in Markdown: what happens, where it stands, and how it is taken back, also by hand.
//!
//! Everything is read from the plan, so that it cannot say anything else than what will happen.

mod hand;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use shipway_core::action::{Change, Reversal, Sign};
use shipway_core::deployment::Host;
use shipway_core::plan::{Plan, Step, Work};
use shipway_core::planner::deploy::lost;
use shipway_core::time::Time;

use self::hand::{in_dir, on, quoted};
use super::plan::{command, needs, title};
use super::text::{self, put};

/// Returns the runbook of a plan for an environment, or for a release alone if that is empty.
pub fn render(plan: &Plan, environment: &str, at: Time) -> String {
    let digest = plan.digest();
    let mut out = format!("# Runbook: {}\n\n", prose(&title(&plan.release)));
    put(
        &mut out,
        format_args!(
            "Made on {at} from plan {}. A plan with another digest happens differently: compare with \
             `shipway plan`, and make this page anew.\n\nCarried out by `{}`.\n\n",
            code(digest.as_str()),
            command(plan, digest.short()),
        ),
    );
    out += &order(plan);
    out += &standing(plan);
    out += &back(plan, environment);
    out += &no_return(plan);
    out += STUCK;
    out += &by_hand(plan);
    out
}

const STUCK: &str = "\
## When it is stuck

A run is stuck when every attempt is used up, or when something foreign is where its own effect should be. Nothing more
happens until a person has looked.

1. `shipway status` names the run and the step; `shipway log RUN STEP` shows what the step did and said.
2. Mend what it names. Then `shipway resume RUN` goes on, with fresh attempts.
3. Or `shipway rollback RUN` goes back, unless the point of no return is behind.
4. Where shipway cannot be used at all, go by hand as below, from the last step to the first.

";

fn order(plan: &Plan) -> String {
    let mut out = "## What happens, in order\n\n".to_owned();
    let last = plan.point_of_no_return().map(|step| &step.id);
    for (number, stage) in plan.stages.iter().filter(|stage| !stage.steps.is_empty()).enumerate() {
        let (one, at_once) = (stage.steps.len() == 1, stage.steps.len());
        let head = if one { String::new() } else { format!(", {at_once} steps at once") };
        put(&mut out, format_args!("{}. {}{head}\n", number + 1, code(&stage.name)));
        for step in &stage.steps {
            if Some(&step.id) == last {
                out += "   - **Point of no return**: behind this line there is only forward.\n";
            }
            let name = if one { String::new() } else { format!("{}: ", code(step.id.as_str())) };
            put(&mut out, format_args!("   - {name}{}\n", line(&step.work)));
        }
    }
    out + "\n"
}

fn line(work: &Work) -> String {
    match work {
        Work::Gate(gate) => format!("gate: nothing goes on before {} passed", prose(&needs(gate))),
        Work::Act { change, .. } => format!("{} {}", verb(change.sign), what(change)),
    }
}

fn verb(sign: Sign) -> &'static str {
    match sign {
        Sign::Create => "create",
        Sign::Change => "change",
        Sign::Remove => "remove",
    }
}

fn what(change: &Change) -> String {
    let parts: Vec<String> = change.parts.iter().map(|part| code(&part.thing)).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    format!("{}: {}{parts}", code(&change.thing), prose(&change.summary))
}

fn standing(plan: &Plan) -> String {
    let mut out = "## Where it stands\n\n```sh\n\
                   shipway status            # the open run, every step, and the next command\n\
                   shipway log               # what the last run did\n\
                   shipway log RUN STEP      # what one step printed\n```\n\n"
        .to_owned();
    let hosts = hosts(plan);
    if !hosts.is_empty() {
        out += "On the hosts, without shipway: `current` is the release that is live.\n\n```sh\n";
        for host in hosts.values() {
            put(&mut out, format_args!("{}\n", on(host, &["readlink", &in_dir(host, "current")])));
        }
        out += "```\n\n";
    }
    out
}

fn back(plan: &Plan, environment: &str) -> String {
    let mut out = "## Taking it back\n\n".to_owned();
    let command = if environment.is_empty() {
        "shipway rollback".to_owned()
    } else {
        format!("shipway rollback {}", quoted(environment))
    };
    put(
        &mut out,
        format_args!(
            "A run that fails goes back by itself. While it is open, `shipway rollback RUN` takes it back; once it has \
             shipped, {} does.\nEither way it happens in this order, and only for what was done:\n\n",
            code(&command)
        ),
    );
    let mut steps: Vec<&Step> = plan.steps().collect();
    steps.reverse();
    let mut number = 0;
    for step in steps {
        let Work::Act { change, .. } = &step.work else { continue };
        number += 1;
        put(&mut out, format_args!("{number}. {}: {}\n", code(step.id.as_str()), undo(step, change)));
    }
    if number == 0 {
        out += "Nothing is changed, so there is nothing to take back.\n";
    }
    out + "\n"
}

fn undo(step: &Step, change: &Change) -> String {
    let how = match change.reversal {
        Reversal::Exact => "leaves no trace",
        Reversal::Visible => "others may have seen it; this is a further change",
        Reversal::Never => return format!("**cannot be taken back**; {}", prose(&change.undo)),
    };
    let mut out = format!("{} ({how})", prose(&change.undo));
    if let Some(by) = &step.published_by {
        put(&mut out, format_args!(". Once {} was done, that answers for this too", code(by.as_str())));
    }
    if step.follows {
        out += ". When this step fails, that is no reason to take the others back";
    }
    out
}

fn no_return(plan: &Plan) -> String {
    let mut out = "## The point of no return\n\n".to_owned();
    match plan.point_of_no_return() {
        None => out += "There is none: every step can be taken back.\n\n",
        Some(step) => put(
            &mut out,
            format_args!(
                "It is {}. Before it, everything can be taken back. Behind it `shipway rollback` refuses: finish with \
                 `shipway resume`, and mend with a new version.\n\n",
                code(step.id.as_str())
            ),
        ),
    }
    for lost in lost(plan) {
        put(
            &mut out,
            format_args!(
                "Once {} has run, release {} and those before do not fit the database any more, and {} refuses to go \
                 back to them (SW0960). Mend with a new version, or restore the backup that was made right before.\n\n",
                code(lost.step.as_str()),
                prose(&lost.versions.join(" and ")),
                code(&format!("shipway rollback {}", quoted(&lost.environment))),
            ),
        );
    }
    out
}

fn by_hand(plan: &Plan) -> String {
    let mut out = "## By hand, without shipway\n\n\
                   Look before every change whether its effect is there, and write down what you do: the world is \
                   probed when shipway is back, and what it finds counts.\n\n"
        .to_owned();
    for step in plan.steps() {
        let Work::Act { kind, args, change } = &step.work else { continue };
        let lines = hand::lines(kind, args);
        put(&mut out, format_args!("### {}\n\n{}.\n\n", prose(step.id.as_str()), upper(&line(&step.work))));
        if lines.is_empty() {
            put(&mut out, format_args!("To go back: {}.\n\n", prose(&change.undo)));
        } else {
            put(&mut out, format_args!("```sh\n{}```\n\n", lines.concat()));
        }
    }
    out.truncate(out.trim_end().len());
    out + "\n"
}

/// Returns the hosts of a plan, by name.
fn hosts(plan: &Plan) -> BTreeMap<String, Host> {
    let args = plan.steps().filter_map(|step| match &step.work {
        Work::Act { args, .. } => args.get("host"),
        Work::Gate(_) => None,
    });
    args.filter_map(hand::read).map(|host: Host| (host.name.clone(), host)).collect()
}

/// Returns a text as a code span.
fn code(text: &str) -> String {
    let clean = text::clean(text);
    if clean.contains('`') { format!("`` {clean} ``") } else { format!("`{clean}`") }
}

/// Returns a text that is no markup.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for c in text::clean(text).chars() {
        if "\\`*_<>[]|".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
