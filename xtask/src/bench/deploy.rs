//! Deployments under constant load, and a bad release that is taken back, as `load-bench` measures them.

use std::path::Path;

use super::measure::Cost;
use super::row::Row;
use super::site::{find, run as ask};

/// How many deployments there are in a row.
pub(super) const COUNT: u32 = 20;
/// How many there are in a full measurement.
pub(super) const FULL: u32 = 100;

/// Returns the rows of deployments, with the programs `load-bench`, `shipway` and `web`.
pub(super) fn rows([bench, agent, web]: [&str; 3], scratch: &Path, count: u32) -> Vec<Row> {
    let failed = format!("{count} deployments under load, HAProxy: failed requests");
    let p99 = format!("{count} deployments under load, HAProxy: p99, steady");
    let (back, after) =
        ("bad release taken back under load", "bad release taken back: failed requests after it");
    let Some(haproxy) = find("haproxy") else {
        return [(failed, "0"), (p99, "<= 2.00"), (back.into(), "<= 10000.00 ms"), (after.into(), "0")]
            .map(|(what, goal)| Row::skipped(what, goal.into(), "haproxy"))
            .into();
    };
    let (dir, haproxy, count) = (scratch.join("deploy"), haproxy.display().to_string(), count.to_string());
    let words = [bench, agent, web, &haproxy, &dir.to_string_lossy(), &count];
    let numbers = ask(scratch, &words, "").and_then(|text| {
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        <[f64; 5]>::try_from(numbers).map_err(|_| std::io::Error::other(format!("load-bench said {text}")))
    });
    match numbers {
        Ok([lost, steady, busy, took, lost_after]) => {
            let cost = |wall: f64| Ok(Cost { wall, ..Cost::default() });
            vec![
                Row::none(failed, lost),
                Row::at_most(p99, &cost(busy), &cost(steady), 2.0),
                Row::limit(back.into(), &cost(took), 10_000.0),
                Row::none(after.into(), lost_after),
            ]
        }
        Err(error) => vec![Row::failed("deployments under load".into(), "-".into(), &error.to_string())],
    }
}
