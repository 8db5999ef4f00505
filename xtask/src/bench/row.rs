//! The table: a row for each goal, with what was measured and whether the goal is met.

use std::io::{self, Write};

use super::measure::{Cost, Measured, RUNS};

/// A line of the table.
pub(super) struct Row {
    what: String,
    goal: String,
    ours: String,
    theirs: String,
    verdict: Verdict,
}

/// What came of a row.
enum Verdict {
    /// The goal is met; the ratio to the peer, or to a goal in milliseconds.
    Met(f64),
    /// The goal is not met.
    Missed(f64),
    /// A command of the row failed, so the goal is not met.
    Failed(String),
    /// What the row compares with, or measures by, is not on this machine.
    Skipped(String),
}

impl Row {
    /// Returns a row of times on the clock, of which ours is at most `goal` times theirs.
    pub(super) fn at_most(what: String, ours: &Measured, theirs: &Measured, goal: f64) -> Self {
        let goal_shown = format!("<= {goal:.2}");
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                Self::compared(what, [ours.wall, theirs.wall], [shown(*ours), shown(*theirs)], goal)
            }
            (Err(why), _) | (_, Err(why)) => Self::failed(what, goal_shown, why),
        }
    }

    /// Returns a row of two numbers and how they are shown, of which the first is at most `goal` times the second.
    pub(super) fn compared(what: String, numbers: [f64; 2], shown: [String; 2], goal: f64) -> Self {
        let [ours, theirs] = shown;
        let verdict = Verdict::of(numbers[0] / numbers[1], goal);
        Self { what, ours, theirs, goal: format!("<= {goal:.2}"), verdict }
    }

    /// Returns a row of a time on the clock that is at most `goal` milliseconds.
    pub(super) fn limit(what: String, ours: &Measured, goal: f64) -> Self {
        let goal_shown = format!("<= {goal:.2} ms");
        match ours {
            Ok(cost) => {
                let verdict = Verdict::of(cost.wall / goal, 1.0);
                Self { what, ours: shown(*cost), theirs: "-".into(), goal: goal_shown, verdict }
            }
            Err(why) => Self::failed(what, goal_shown, why),
        }
    }

    /// Returns a row of something of which there is to be none.
    pub(super) fn none(what: String, count: f64) -> Self {
        let verdict = Verdict::of(count, 0.0);
        Self { what, ours: format!("{count}"), theirs: "-".into(), goal: "0".into(), verdict }
    }

    /// Returns a row of which a command failed.
    pub(super) fn failed(what: String, goal: String, why: &str) -> Self {
        let verdict = Verdict::Failed(why.to_owned());
        Self { what, goal, ours: "-".into(), theirs: "-".into(), verdict }
    }

    /// Returns a row that cannot be measured on this machine.
    pub(super) fn skipped(what: String, goal: String, why: &str) -> Self {
        let verdict = Verdict::Skipped(why.to_owned());
        Self { what, goal, ours: "-".into(), theirs: "-".into(), verdict }
    }

    /// Tells whether the row stands in the way of a good end: its goal is missed, or a command of it failed.
    pub(super) fn is_bad(&self) -> bool {
        matches!(self.verdict, Verdict::Missed(_) | Verdict::Failed(_))
    }
}

impl Verdict {
    fn of(ratio: f64, goal: f64) -> Self {
        // A ratio that is no number was not measured, and must not pass.
        if ratio <= goal { Self::Met(ratio) } else { Self::Missed(ratio) }
    }

    fn cells(&self) -> (String, String) {
        match self {
            Self::Met(ratio) => (format!("{ratio:.2}"), "ok".into()),
            Self::Missed(ratio) => (format!("{ratio:.2}"), "MISSED".into()),
            Self::Failed(why) => ("-".into(), format!("FAILED: {why}")),
            Self::Skipped(why) => ("-".into(), format!("not measured: {why}")),
        }
    }
}

fn shown(cost: Cost) -> String {
    if cost.cpu > 0.0 {
        format!("{:.1} ms (cpu {:.1})", cost.wall, cost.cpu)
    } else {
        format!("{:.2} ms", cost.wall)
    }
}

/// Prints the rows as a table in Markdown.
pub(super) fn table(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "medians of {RUNS} runs in turns; a ratio to a goal in ms is the share of it that was used\n"
    )?;
    writeln!(out, "| row | shipway | peer | ratio | goal | verdict |\n|---|---:|---:|---:|---:|---|")?;
    for row in rows {
        let (ratio, verdict) = row.verdict.cells();
        let Row { what, ours, theirs, goal, .. } = row;
        writeln!(out, "| {what} | {ours} | {theirs} | {ratio} | {goal} | {verdict} |")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(wall: f64) -> Cost {
        Cost { wall, ..Cost::default() }
    }

    fn check(row: Row, ratio: &str, verdict: &str, bad: bool) {
        assert_eq!(
            (row.verdict.cells(), row.is_bad()),
            ((ratio.into(), verdict.into()), bad),
            "{}",
            row.what
        );
        let mut out = vec![];
        table(&[row], &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().ends_with(&format!("| {verdict} |\n")));
    }

    #[test]
    fn a_row_says_what_came_of_it() {
        let failed = || Err("git log exit status: 128".to_owned());
        let what = || "next version".to_owned();
        check(Row::at_most(what(), &Ok(took(3.0)), &Ok(took(2.0)), 1.5), "1.50", "ok", false);
        check(Row::at_most(what(), &Ok(took(4.0)), &Ok(took(2.0)), 1.5), "2.00", "MISSED", true);
        check(Row::at_most(what(), &Ok(took(0.0)), &Ok(took(0.0)), 1.5), "NaN", "MISSED", true);
        check(
            Row::at_most(what(), &Ok(took(3.0)), &failed(), 1.5),
            "-",
            "FAILED: git log exit status: 128",
            true,
        );
        check(
            Row::at_most(what(), &failed(), &Ok(took(2.0)), 1.5),
            "-",
            "FAILED: git log exit status: 128",
            true,
        );
        check(Row::limit(what(), &Ok(took(150.0)), 300.0), "0.50", "ok", false);
        check(Row::limit(what(), &Ok(took(450.0)), 300.0), "1.50", "MISSED", true);
        check(Row::none(what(), 0.0), "0.00", "ok", false);
        check(Row::none(what(), 1.0), "1.00", "MISSED", true);
        check(Row::limit(what(), &failed(), 300.0), "-", "FAILED: git log exit status: 128", true);
        check(
            Row::skipped(what(), "<= 0.25".into(), "no git-cliff"),
            "-",
            "not measured: no git-cliff",
            false,
        );
    }
}
