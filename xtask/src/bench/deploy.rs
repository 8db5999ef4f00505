//! Deployments under constant load, and a bad release that is taken back, as `load-bench` measures them.

use std::path::Path;

use super::measure::Cost;
use super::row::Row;
use super::site::{find, run as ask};

/// How many deployments there are in a row.
pub(super) const COUNT: u32 = 20;
/// How many there are in a full measurement.
pub(super) const FULL: u32 = 100;

/// Returns the rows of deployments behind each of the fronts, with the programs `load-bench`, `shipway` and `web`.
pub(super) fn rows(programs: [&str; 3], scratch: &Path, count: u32) -> Vec<Row> {
    let haproxy = find("haproxy").map(|path| path.display().to_string());
    let mut rows = behind(programs, (scratch, count), "proxy", Some("-"));
    rows.extend(behind(programs, (scratch, count), "HAProxy", haproxy.as_deref()));
    // A systemd that can be asked needs a machine of its own.
    let nspawn = find("systemd-nspawn").filter(|_| count == FULL).map(|_| "socket");
    rows.extend(behind(programs, (scratch, count), "socket", nspawn));
    rows
}

/// Returns the rows of deployments behind one front; nothing stands for one that is not installed.
fn behind(
    [bench, agent, web]: [&str; 3],
    (scratch, count): (&Path, u32),
    name: &str,
    front: Option<&str>,
) -> Vec<Row> {
    let failed = format!("{count} deployments under load, {name}: failed requests");
    let p99 = format!("{count} deployments under load, {name}: p99, steady");
    let back = format!("bad release taken back under load, {name}");
    let after = format!("bad release taken back, {name}: failed requests after it");
    let Some(front) = front else {
        return [(failed, "0"), (p99, "<= 2.00"), (back, "<= 10000.00 ms"), (after, "0")]
            .map(|(what, goal)| Row::skipped(what, goal.into(), without(name)))
            .into();
    };
    let (dir, count) = (scratch.join(format!("deploy-{name}")), count.to_string());
    let words = [bench, agent, web, front, &dir.to_string_lossy(), &count];
    // Only the machine asks for it, and this is only asked for a machine in a full measurement.
    let words = ["env", "SHIPWAY_TEST_FULL=1"].into_iter().chain(words).collect::<Vec<_>>();
    let numbers = ask(scratch, &words, "").and_then(|text| {
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        <[f64; 6]>::try_from(numbers).map_err(|_| std::io::Error::other(format!("load-bench said {text}")))
    });
    match numbers {
        Ok([lost, steady, busy, took, lost_after, closed]) => {
            let cost = |wall: f64| Ok(Cost { wall, ..Cost::default() });
            let apart = if front == "socket" {
                format!(", {closed} closed connections apart")
            } else {
                String::new()
            };
            vec![
                Row::none(failed + &apart, lost),
                Row::at_most(p99, &cost(busy), &cost(steady), 2.0),
                Row::limit(back, &cost(took), 10_000.0),
                Row::none(after, lost_after),
            ]
        }
        Err(error) => {
            vec![Row::failed(format!("deployments under load, {name}"), "-".into(), &error.to_string())]
        }
    }
}

/// Returns what is missing where a front cannot be had.
fn without(name: &str) -> &str {
    if name == "socket" { "systemd-nspawn, or --full" } else { name }
}
