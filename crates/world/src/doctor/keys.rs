//! The key that signs here, and those that count.

use shipway_core::problem::{Code, Problem};

use super::{Line, State, Subject};
use crate::facts::Git;
use crate::keys;
use crate::shell::now;

/// Looks at keys; there is nothing to see where none count.
pub(super) fn look(subject: &Subject<'_>) -> Vec<Line> {
    let (Some(Ok(tree)), Some(choice)) = (&subject.tree, &subject.keys) else { return vec![] };
    let git = Git::new(tree, subject.shell, subject.stop);
    match keys::Keys::of_base(git) {
        Ok(known) if known.signers.is_empty() && known.problems.is_empty() => return vec![],
        Ok(_) | Err(_) => {}
    }
    match keys::findings(choice, git, now()) {
        Ok(problems) if problems.is_empty() => {
            vec![Line::new(
                "keys",
                State::Ok("the key that signs here counts, and asks before it signs".into()),
            )]
        }
        Ok(problems) => problems.into_iter().map(|problem| Line::new("keys", judged(problem))).collect(),
        Err(problem) => vec![Line::new("keys", State::Wrong(problem))],
    }
}

/// A file that cannot be read keeps everybody from approving; a key that does not count, only whoever has it.
fn judged(problem: Problem) -> State {
    if problem.code == Code::SignersUnreadable { State::Wrong(problem) } else { State::Warning(problem) }
}
