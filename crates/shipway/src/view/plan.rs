//! The plan on screen: every change with its undo, every gate with its needs, and the point of no return.

use shipway_core::action::{Change, Reversal, Sign};
use shipway_core::gate::{Gate, Need};
use shipway_core::grade;
use shipway_core::plan::{Plan, Release, Stage, Step, Verb, Work};
use shipway_core::planner::rollback;

use super::paint::{Ink, Paint};
use super::table::{Cell, Table};
use super::text;

/// Stage, sign, thing, summary, undo, how.
const COLUMNS: &[(usize, usize)] = &[(2, 24), (2, 1), (1, 32), (2, 48), (3, 12), (2, 40)];

/// Returns the whole screen. Where the columns are known and too few, the undo of a step stands below it.
pub(super) fn render(plan: &Plan, paint: Paint, columns: Option<usize>) -> String {
    let wide = table(plan, true);
    let fits = columns.is_none_or(|columns| wide.width() <= columns);
    let body = if fits { wide } else { table(plan, false) };
    let mut out = format!("{}\n\n{}\n", header(plan, paint), body.render(paint));
    for note in &plan.notes {
        text::put(&mut out, format_args!("{}: {}\n", paint.ink(Ink::Care, "note"), paint.plain(note)));
    }
    if !plan.notes.is_empty() {
        out.push('\n');
    }
    out + &footer(plan, paint)
}

/// Returns what is released in a few words, such as `harbour 1.3.2 → 1.4.0` or `harbour withdraw 1.4.0`.
pub(super) fn title(release: &Release) -> String {
    let Release { project, from, to, .. } = release;
    match (release.verb, from) {
        (Verb::Push, Some(from)) => format!("{project} {from} → {to}"),
        (Verb::Push, None) => format!("{project} (first release) → {to}"),
        (Verb::Rollback, _) => format!("{project} withdraw {to}"),
        (Verb::Deploy, Some(from)) => format!("{project} {from} → {to} in {}", environment(release)),
        (Verb::Deploy, None) => format!("{project} {to} in {}", environment(release)),
        (Verb::Land | Verb::Unknown, _) => format!("{project} {to}"),
    }
}

/// Returns the command that carries out a plan. `digest` is its name, in the length that is wanted.
pub fn command(plan: &Plan, digest: &str) -> String {
    // A withdrawal is found by the run that it withdraws, since nothing but that run decides what it does.
    match (plan.release.verb, rollback::withdrawn(plan)) {
        (Verb::Rollback, Some(run)) => {
            let tag = if rollback::deletes_tag(plan) { " --delete-tag" } else { "" };
            format!("shipway rollback {run}{tag}")
        }
        // What is gone back to lies on the hosts, and they say it anew.
        (Verb::Deploy, _) if plan.release.why == rollback::BACK => back(&plan.release),
        (Verb::Deploy, _) if plan.release.why == rollback::RESTORED => {
            format!("{} --restored", back(&plan.release))
        }
        (Verb::Deploy, _) => format!("shipway deploy {} {digest}", environment(&plan.release)),
        (Verb::Land, _) => format!("shipway change land {}", number(&plan.release)),
        (at, _) => {
            let to =
                plan.release.environment.as_ref().map_or_else(String::new, |name| format!(" --to {name}"));
            format!("shipway {} {digest}{to}", verb(at))
        }
    }
}

fn back(release: &Release) -> String {
    format!("shipway rollback {} --to {}", environment(release), release.to)
}

fn environment(release: &Release) -> &str {
    release.environment.as_deref().unwrap_or_default()
}

/// Returns the verb as it is typed.
fn verb(verb: Verb) -> &'static str {
    match verb {
        // A verb of a newer shipway cannot be run by this one; `push` says so with its reason.
        Verb::Push | Verb::Unknown => "push",
        Verb::Rollback => "rollback",
        Verb::Deploy => "deploy",
        Verb::Land => "change land",
    }
}

/// Returns the number of the change request that lands.
fn number(release: &Release) -> &str {
    release.to.strip_prefix("change ").unwrap_or(&release.to)
}

/// Returns the command that tries the same once more; nothing for what only its run can name, such as a commit.
pub(super) fn again(release: Option<&Release>) -> Option<String> {
    let Some(release) = release else { return Some(format!("shipway {}", verb(Verb::Unknown))) };
    match (release.verb, &release.environment) {
        (Verb::Deploy, _) => (!release.tag.is_empty())
            .then(|| format!("shipway deploy {} {}", environment(release), release.to)),
        (Verb::Land, _) => Some(format!("shipway change land {}", number(release))),
        (Verb::Push, Some(environment)) => Some(format!("shipway push --to {environment}")),
        (Verb::Push | Verb::Rollback | Verb::Unknown, _) => Some(format!("shipway {}", verb(release.verb))),
    }
}

/// Returns how many changes a plan makes, and how many gates it passes.
pub(super) fn counts(plan: &Plan) -> (usize, usize) {
    let gates = plan.steps().filter(|step| matches!(step.work, Work::Gate(_))).count();
    (plan.steps().count() - gates, gates)
}

/// Returns the names of a gate's needs, and of an approval who must give it.
pub(super) fn needs(gate: &Gate) -> String {
    let shown = |need: &Need| match need {
        Need::Check { name, .. } => name.clone(),
        Need::Approval { name, from, at_least, grade, .. } => {
            let who = if from.is_empty() { "any".into() } else { from.join("/") };
            format!("{name} by {at_least} of {who} ({})", grade::name(*grade))
        }
    };
    gate.needs.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// Returns the colour of a sign, which is printed with it.
pub(super) fn sign_ink(sign: Sign) -> Ink {
    match sign {
        Sign::Create => Ink::Good,
        Sign::Change => Ink::Care,
        Sign::Remove => Ink::Bad,
    }
}

fn header(plan: &Plan, paint: Paint) -> String {
    let mut parts = vec![paint.ink(Ink::Strong, &title(&plan.release))];
    // `(first release)` says it already.
    if !plan.release.why.is_empty() && plan.release.why != "first release" {
        parts.push(paint.plain(&plan.release.why));
    }
    parts.push(paint.ink(Ink::Faint, &format!("plan {}", plan.digest().short())));
    parts.join("   ")
}

fn footer(plan: &Plan, paint: Paint) -> String {
    let (changes, gates) = counts(plan);
    let command = command(plan, plan.digest().short());
    format!(
        "{}, {}. Nothing has happened yet. Run it: {}\n",
        text::count(changes, "change"),
        text::count(gates, "gate"),
        paint.ink(Ink::Hint, &command),
    )
}

fn table(plan: &Plan, wide: bool) -> Table {
    let mut table = Table::new(COLUMNS);
    let last = plan.point_of_no_return().map(|step| &step.id);
    for stage in plan.stages.iter().filter(|stage| !stage.steps.is_empty()) {
        for (index, step) in stage.steps.iter().enumerate() {
            if Some(&step.id) == last {
                let words = Cell::new(Ink::Bad, "point of no return").free();
                table.row([Cell::empty(), Cell::new(Ink::Bad, "┄"), words]);
            }
            add(&mut table, &name(stage, index), step, wide);
        }
    }
    table
}

/// Returns the name of a stage in front of its first step.
fn name(stage: &Stage, index: usize) -> Cell {
    if index == 0 { Cell::new(Ink::Faint, &stage.name) } else { Cell::empty() }
}

fn add(table: &mut Table, stage: &Cell, step: &Step, wide: bool) {
    match &step.work {
        Work::Gate(gate) => {
            let needs = match needs(gate) {
                none if none.is_empty() => "nothing to check".into(),
                needs => format!("{needs}   {}", text::count(gate.needs.len(), "check")),
            };
            table.row([stage.clone(), Cell::new(Ink::Gate, "◆"), Cell::plain(&needs).free()]);
        }
        Work::Act { change, .. } if wide => {
            let mut row = change_cells(stage, change).to_vec();
            row.push(undo_cell(change));
            row.push(Cell::new(Ink::Faint, &change.undo));
            table.row(row);
            parts(table, change);
        }
        Work::Act { change, .. } => {
            table.row(change_cells(stage, change));
            parts(table, change);
            let how = if change.undo.is_empty() { String::new() } else { format!(": {}", change.undo) };
            let undo = format!("undo {}{how}", change.reversal.as_str());
            table.row([Cell::empty(), Cell::empty(), Cell::new(undo_ink(change.reversal), &undo).free()]);
        }
    }
}

fn change_cells(stage: &Cell, change: &Change) -> [Cell; 4] {
    let sign = Cell::new(sign_ink(change.sign), &change.sign.symbol().to_string());
    [stage.clone(), sign, Cell::plain(&change.thing), Cell::plain(&change.summary)]
}

fn parts(table: &mut Table, change: &Change) {
    for part in &change.parts {
        let thing = Cell::plain(&format!("{} {}", part.sign.symbol(), part.thing));
        table.row([Cell::empty(), Cell::empty(), thing, Cell::plain(&part.summary)]);
    }
}

fn undo_cell(change: &Change) -> Cell {
    Cell::new(undo_ink(change.reversal), &format!("undo {}", change.reversal.as_str()))
}

fn undo_ink(reversal: Reversal) -> Ink {
    match reversal {
        Reversal::Exact => Ink::Faint,
        Reversal::Visible => Ink::Care,
        Reversal::Never => Ink::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample;

    fn check(plan: &Plan, columns: Option<usize>, expect: &str) {
        let expect = expect.replace("DIGEST", plan.digest().short());
        assert_eq!(render(plan, Paint::new(false), columns), expect);
    }

    #[test]
    fn a_plan_shows_every_change_its_undo_and_the_point_of_no_return() {
        let expect = "\
harbour 1.3.2 → 1.4.0   minor: 3 feat, 5 fix   plan DIGEST

  checks   ◆ test, lint   2 checks
  commit   + commit          chore: release version 1.4.0   undo exact    move the branch back
             ~ Cargo.toml    version 1.3.2 → 1.4.0
             ~ CHANGELOG.md  8 entries
  push     ~ origin          main, v1.4.0 (atomic)          undo visible  push a revert
           ┄ point of no return
  publish  + package         harbour 1.4.0                  undo never    yank only

note: 2 untracked files are not part of the release

3 changes, 1 gate. Nothing has happened yet. Run it: shipway push DIGEST
";
        check(&sample::plan(), None, expect);
        check(&sample::plan(), Some(table(&sample::plan(), true).width()), expect);
    }

    #[test]
    fn a_narrow_terminal_has_the_undo_below_the_change() {
        let expect = "\
harbour 1.3.2 → 1.4.0   minor: 3 feat, 5 fix   plan DIGEST

  checks   ◆ test, lint   2 checks
  commit   + commit          chore: release version 1.4.0
             ~ Cargo.toml    version 1.3.2 → 1.4.0
             ~ CHANGELOG.md  8 entries
             undo exact: move the branch back
  push     ~ origin          main, v1.4.0 (atomic)
             undo visible: push a revert
           ┄ point of no return
  publish  + package         harbour 1.4.0
             undo never: yank only

note: 2 untracked files are not part of the release

3 changes, 1 gate. Nothing has happened yet. Run it: shipway push DIGEST
";
        check(&sample::plan(), Some(table(&sample::plan(), true).width() - 1), expect);
    }

    #[test]
    fn a_first_release_says_so() {
        let mut plan = sample::plan();
        plan.release.from = None;
        plan.release.why = String::new();
        let first = render(&plan, Paint::new(false), None);
        let head = format!("harbour (first release) → 1.4.0   plan {}\n", plan.digest().short());
        assert!(first.starts_with(&head), "{first}");
    }

    #[test]
    fn a_withdrawal_says_so_and_names_its_verb() {
        let mut plan = sample::plan();
        plan.release.verb = Verb::Rollback;
        plan.release.why = "withdraws run 7f3a12cd".into();
        plan.stages.drain(..2);
        plan.stages[1].steps.clear();
        plan.notes.clear();
        let expect = "\
harbour withdraw 1.4.0   withdraws run 7f3a12cd   plan DIGEST

  push  ~ origin  main, v1.4.0 (atomic)   undo visible  push a revert

1 change, 0 gates. Nothing has happened yet. Run it: shipway rollback 7f3a12cd
";
        check(&plan, None, expect);
    }

    #[test]
    fn foreign_and_wide_texts_keep_the_columns() {
        let mut plan = sample::plan();
        plan.stages.drain(2..);
        plan.notes.clear();
        let Work::Act { change, .. } = &mut plan.stages[1].steps[0].work else {
            panic!("the sample commits")
        };
        change.parts[0].thing = "日本\x1b[2J.toml".into();
        change.parts[1].thing = "größe.md".into();
        let expect = "\
harbour 1.3.2 → 1.4.0   minor: 3 feat, 5 fix   plan DIGEST

  checks  ◆ test, lint   2 checks
  commit  + commit           chore: release version 1.4.0   undo exact  move the branch back
            ~ 日本␛[2J.toml  version 1.3.2 → 1.4.0
            ~ größe.md       8 entries

1 change, 1 gate. Nothing has happened yet. Run it: shipway push DIGEST
";
        check(&plan, None, expect);
    }

    #[test]
    fn colour_adds_and_carries_nothing() {
        let painted = render(&sample::plan(), Paint::new(true), None);
        assert!(painted.contains("\x1b[35m◆\x1b[0m test, lint"), "{painted}");
        assert!(painted.contains("\x1b[1;31mundo never\x1b[0m"), "{painted}");
        assert_eq!(sample::strip(&painted), render(&sample::plan(), Paint::new(false), None));
    }
}
