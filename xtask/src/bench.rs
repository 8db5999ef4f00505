//! `bench`: speed and memory side by side with git and git-cliff, against the goals of the project.
//!
//! The median of what all sides took in turns is compared, on the same machine and in the same minutes. A busy machine
//! makes all sides slower; ratios stand that better than the few goals in milliseconds.

mod measure;
mod site;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use measure::{Cost, RUNS, Subject, side_by_side};
use site::{Site, run as ask};

/// A line of the table.
struct Row {
    what: String,
    ours: String,
    theirs: String,
    ratio: f64,
    goal: String,
    met: bool,
}

/// Measures in the repositories or bundles named, or in one that is made; returns whether all goals are met.
pub(crate) fn run(root: &Path, sources: &[String], out: &mut dyn Write) -> io::Result<bool> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    ask(
        root,
        &["cargo", "build", "--quiet", "--locked", "--release", "-p", "shipway", "-p", "shipway-testkit"],
        "",
    )?;
    let program = |name: &str| target.join("release").join(name).to_string_lossy().into_owned();
    let shipway = program("shipway");
    let scratch = target.join("bench");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    std::fs::create_dir_all(&scratch)?;
    let cliff = site::cliff(&target.join("bench-tools"));
    if let Err(why) = &cliff {
        writeln!(out, "git-cliff is not to be had, so its rows are left out: {why}")?;
    }
    let cliff = cliff.ok().map(|path| path.to_string_lossy().into_owned());
    let tools = Tools { shipway: &shipway, cliff: cliff.as_deref() };
    let mut rows = lint(&tools, &scratch)?;
    rows.extend(journal(&program("journal-bench"), &scratch)?);
    for site in sites(sources, &scratch)? {
        rows.extend(tools.repository(&site, out)?);
    }
    table(&rows, out)?;
    Ok(rows.iter().all(|row| row.met))
}

fn sites(sources: &[String], scratch: &Path) -> io::Result<Vec<Site>> {
    if sources.is_empty() {
        return Ok(vec![Site::made(scratch)?]);
    }
    sources.iter().map(|source| Site::of(Path::new(source), scratch)).collect()
}

struct Tools<'a> {
    shipway: &'a str,
    cliff: Option<&'a str>,
}

impl Tools<'_> {
    fn repository(&self, site: &Site, out: &mut dyn Write) -> io::Result<Vec<Row>> {
        let mut rows = vec![];
        let dir = &site.dir;
        let tag = ask(dir, &["git", "describe", "--tags", "--abbrev=0"], "")?;
        let since = format!("{tag}..HEAD");
        let ours = Subject::new(dir, &[&[self.shipway, "why"]]);
        let describe: &[&str] = &["git", "describe", "--tags", "--abbrev=0"];
        let git = Subject::new(dir, &[describe, &["git", "log", "--format=%H%n%B", &since]]);
        let cliff = self.cliff.map(|cliff| Subject::new(dir, &[&[cliff, "--bumped-version"]]));
        let name = &site.name;
        match side_by_side(
            &[Some(&ours), Some(&git), cliff.as_ref()].into_iter().flatten().collect::<Vec<_>>(),
        ) {
            Ok(costs) => rows.extend(speeds(&format!("{name}: next version"), &costs, 1.5)),
            Err(why) => writeln!(out, "{name}: next version is left out: {why}")?,
        }
        let ours = Subject::new(dir, &[&[self.shipway, "changelog"]]);
        let git = Subject::new(dir, &[&["git", "log", "--format=%H%n%B"]]);
        let cliff = self.cliff.map(|cliff| Subject::new(dir, &[&[cliff]]));
        match side_by_side(
            &[Some(&ours), Some(&git), cliff.as_ref()].into_iter().flatten().collect::<Vec<_>>(),
        ) {
            Ok(costs) => {
                rows.extend(speeds(&format!("{name}: whole changelog"), &costs, 2.0));
                rows.extend(memory(name, &costs));
            }
            Err(why) => writeln!(out, "{name}: whole changelog is left out: {why}")?,
        }
        if site.made {
            let plan = Subject::new(dir, &[&[self.shipway, "plan"]]);
            let cost = side_by_side(&[&plan])?[0];
            rows.push(Row::limit(format!("{name}: unchanged plan"), cost.wall, 300.0));
        }
        Ok(rows)
    }
}

/// Compares with git, and with git-cliff if it was measured.
fn speeds(what: &str, costs: &[Cost], goal: f64) -> Vec<Row> {
    let mut rows = vec![Row::at_most(format!("{what}, git"), (costs[0], costs[1]), goal)];
    rows.extend(
        costs.get(2).map(|cliff| Row::at_most(format!("{what}, git-cliff"), (costs[0], *cliff), 0.25)),
    );
    rows
}

fn memory(name: &str, costs: &[Cost]) -> Option<Row> {
    let (ours, theirs) = (costs[0].peak, costs[1].peak);
    let ratio = ours / theirs;
    (theirs > 0.0).then(|| Row {
        what: format!("{name}: whole changelog, peak memory, git"),
        ours: format!("{:.1} MiB", ours / 1024.0),
        theirs: format!("{:.1} MiB", theirs / 1024.0),
        ratio,
        goal: "<= 1.50".into(),
        met: ratio <= 1.5,
    })
}

fn lint(tools: &Tools<'_>, scratch: &Path) -> io::Result<Vec<Row>> {
    std::fs::write(
        scratch.join("message"),
        "feat(parser): read numbers with underscores\n\nThey are easier to read.\n",
    )?;
    let ours = Subject::new(scratch, &[&[tools.shipway, "lint", "message"]]);
    let costs = side_by_side(&[&ours, &Subject::new(scratch, &[&["git", "--version"]])])?;
    Ok(vec![
        Row::limit("lint of a message".into(), costs[0].wall, 10.0),
        Row::at_most("lint of a message, git --version".into(), (costs[0], costs[1]), 5.0),
    ])
}

/// Reads the medians in milliseconds of an append, of a write with its sync, and of a step of the engine.
fn journal(program: &str, scratch: &Path) -> io::Result<Vec<Row>> {
    let text = ask(scratch, &[program, &scratch.join("journal").to_string_lossy()], "")?;
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [append, write, step] = numbers[..] else {
        return Err(io::Error::other(format!("journal-bench said {text}")));
    };
    let cost = |wall| Cost { wall, ..Cost::default() };
    Ok(vec![
        Row::at_most("journal append, write + fdatasync".into(), (cost(append), cost(write)), 2.0),
        Row::limit("engine per step, 3 appends + 1 ms".into(), step, 3.0 * append + 1.0),
    ])
}

impl Row {
    fn at_most(what: String, (ours, theirs): (Cost, Cost), goal: f64) -> Self {
        let ratio = ours.wall / theirs.wall;
        let shown = |cost: Cost| {
            if cost.cpu > 0.0 {
                format!("{:.1} ms (cpu {:.1})", cost.wall, cost.cpu)
            } else {
                format!("{:.2} ms", cost.wall)
            }
        };
        Self {
            what,
            ours: shown(ours),
            theirs: shown(theirs),
            ratio,
            goal: format!("<= {goal:.2}"),
            met: ratio <= goal,
        }
    }

    fn limit(what: String, ours: f64, goal: f64) -> Self {
        let (ratio, met) = (ours / goal, ours <= goal);
        Self {
            what,
            ours: format!("{ours:.2} ms"),
            theirs: "-".into(),
            ratio,
            goal: format!("<= {goal:.2} ms"),
            met,
        }
    }
}

fn table(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "medians of {RUNS} runs in turns; a ratio to a goal in ms is the share of it that was used\n"
    )?;
    writeln!(out, "| row | shipway | peer | ratio | goal | verdict |\n|---|---:|---:|---:|---:|---|")?;
    for row in rows {
        let verdict = if row.met { "ok" } else { "MISSED" };
        let Row { what, ours, theirs, ratio, goal, .. } = row;
        writeln!(out, "| {what} | {ours} | {theirs} | {ratio:.2} | {goal} | {verdict} |")?;
    }
    Ok(())
}
