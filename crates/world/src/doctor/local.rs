//! The hooks of every work tree.

use shipway_core::problem::{Code, Problem};

use super::{Line, State, Subject};
use crate::hooks;
use crate::hooks::status::{self, Tree};

const WHAT: &str = "hooks";

/// Looks at them. None at all is worth knowing: they tell early, and what decides is the guard.
pub(super) fn look(subject: &Subject<'_>) -> Vec<Line> {
    let Some(asker) = subject.asker() else { return vec![] };
    let wanted = hooks::wanted(&asker.repository.top);
    match status::look(&asker, &subject.program, &wanted) {
        Ok(trees) => trees.iter().map(|tree| Line::new(WHAT, state(tree))).collect(),
        Err(problem) => vec![Line::new(WHAT, State::Wrong(problem))],
    }
}

fn state(tree: &Tree) -> State {
    let top = tree.top.display();
    if tree.without {
        let what = format!("no hooks of ours are installed in {top}");
        let problem = Problem::new(Code::HooksInert, what).at(tree.dir.display().to_string());
        return State::Warning(problem.hint("shipway guard install"));
    }
    tree.problem().map_or_else(|| State::Ok(format!("in force in {top}")), State::Wrong)
}
