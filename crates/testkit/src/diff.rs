//! A readable difference between two texts.

/// How many unchanged lines are shown around a change.
const AROUND: usize = 2;
/// Above this many cells the table of common lines is not worth its memory.
const LARGEST: usize = 4_000_000;

/// Returns the lines that differ, with `-` before those that are gone, `+` before new ones and some around them.
pub(crate) fn lines(before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let tails = before[head..].iter().rev().zip(after[head..].iter().rev());
    let tail = tails.take_while(|(a, b)| a == b).count();
    let mut shown: Vec<String> = before[head.saturating_sub(AROUND)..head].iter().map(|l| same(l)).collect();
    shown.extend(changed(&before[head..before.len() - tail], &after[head..after.len() - tail]));
    shown.extend(before[before.len() - tail..].iter().take(AROUND).map(|l| same(l)));
    shown.concat()
}

fn same(line: &str) -> String {
    format!("  {line}\n")
}

fn changed(before: &[&str], after: &[&str]) -> Vec<String> {
    let gone = |line: &&str| format!("- {line}\n");
    let new = |line: &&str| format!("+ {line}\n");
    if before.len() * after.len() > LARGEST {
        return before.iter().map(gone).chain(after.iter().map(new)).collect();
    }
    let common = common(before, after);
    let (mut a, mut b, mut shown) = (0, 0, vec![]);
    while a < before.len() || b < after.len() {
        if a < before.len() && b < after.len() && before[a] == after[b] {
            shown.push(same(before[a]));
            (a, b) = (a + 1, b + 1);
        } else if b == after.len() || (a < before.len() && common[a + 1][b] >= common[a][b + 1]) {
            shown.push(gone(&before[a]));
            a += 1;
        } else {
            shown.push(new(&after[b]));
            b += 1;
        }
    }
    shown
}

/// Returns, for every pair of positions, how many lines the rests have in common at most.
fn common(before: &[&str], after: &[&str]) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; after.len() + 1]; before.len() + 1];
    for a in (0..before.len()).rev() {
        for b in (0..after.len()).rev() {
            table[a][b] = if before[a] == after[b] {
                table[a + 1][b + 1] + 1
            } else {
                table[a + 1][b].max(table[a][b + 1])
            };
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &[&str], after: &[&str], expected: &str) {
        assert_eq!(lines(&before.join("\n"), &after.join("\n")), expected);
    }

    #[test]
    fn only_what_differs_is_shown_with_its_surroundings() {
        check(&["a", "b"], &["a", "b"], "  a\n  b\n");
        check(
            &["a", "b", "c", "d", "e", "f"],
            &["a", "b", "c", "x", "e", "f"],
            "  b\n  c\n- d\n+ x\n  e\n  f\n",
        );
        check(&[], &["a"], "+ a\n");
        check(&["a"], &[], "- a\n");
        check(&["a", "b", "c"], &["b", "c", "a"], "- a\n  b\n  c\n+ a\n");
    }
}
