//! `bench`: speed and memory side by side with git and git-cliff, against the goals of the project.
//!
//! The median of what all sides took in turns is compared, on the same machine and in the same minutes. A busy machine
//! makes all sides slower; ratios stand that better than the few goals in milliseconds.

mod deploy;
mod guard;
mod hooks;
mod measure;
mod proxy;
mod row;
mod site;
mod tools;
mod transfer;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use measure::{Cost, GNU_TIME, Measured, Subject, side_by_side};
use row::{Row, table};
use site::{Site, run as ask};

/// Measures in the repositories or bundles named, or in one that is made; returns whether all goals that could be
/// measured are met. A row of which a command failed is not met.
///
/// `--full` deploys more often; `--hosts` leaves out what has nothing to do with hosts; `--guard` measures the guard only;
/// `--hooks` measures the hooks only, and installs what they are compared with below the target directory.
pub(crate) fn run(root: &Path, args: &[String], out: &mut dyn Write) -> io::Result<bool> {
    let is_flag = |arg: &&String| arg.starts_with("--");
    let (flags, sources): (Vec<&String>, Vec<&String>) = args.iter().partition(is_flag);
    if let Some(other) =
        flags.iter().find(|flag| !["--full", "--guard", "--hooks", "--hosts"].contains(&flag.as_str()))
    {
        return Err(io::Error::other(format!("bench knows no {other}")));
    }
    let has = |flag: &str| flags.iter().any(|other| *other == flag);
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    ask(
        root,
        &["cargo", "build", "--quiet", "--locked", "--release", "-p", "shipway", "-p", "shipway-testkit"],
        "",
    )?;
    let program = |name: &str| built(&target, name);
    let scratch = target.join("bench");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    std::fs::create_dir_all(&scratch)?;
    let mut rows = vec![];
    if !has("--hosts") && !has("--hooks") {
        rows.extend(guard::rows([&program("shipway"), &program("landed-bench")], &scratch));
    }
    if !has("--hosts") && !has("--guard") {
        let tools = target.join("bench-tools");
        rows.extend(hooks::rows(&program("shipway"), &scratch, (&tools, has("--hooks"))));
    }
    if has("--hooks") || has("--guard") {
        table(&rows, out)?;
        return Ok(!rows.iter().any(Row::is_bad));
    }
    if !has("--hosts") {
        rows.extend(repositories(&target, &sources, &scratch)?);
    }
    rows.extend(transfer::rows([&program("host-bench"), &program("shipway")], &scratch));
    rows.extend(proxy::rows([&program("shipway"), &program("web")], &scratch));
    let programs = ["load-bench", "shipway", "web"].map(program);
    let count = if has("--full") { deploy::FULL } else { deploy::COUNT };
    rows.extend(deploy::rows(programs.each_ref().map(String::as_str), &scratch, count));
    table(&rows, out)?;
    Ok(!rows.iter().any(Row::is_bad))
}

/// Returns the rows of what happens on this machine only.
fn repositories(target: &Path, sources: &[&String], scratch: &Path) -> io::Result<Vec<Row>> {
    let program = |name: &str| built(target, name);
    let shipway = program("shipway");
    let cliff = site::cliff(&target.join("bench-tools")).map(|path| path.to_string_lossy().into_owned());
    let tools = Tools { shipway: &shipway, cliff: cliff.as_deref().map_err(String::as_str) };
    let mut rows = lint(&tools, scratch)?;
    rows.extend(journal(&program("journal-bench"), scratch));
    for (name, site) in sites(sources, scratch) {
        match site {
            Ok(site) => rows.extend(tools.repository(&site)),
            Err(error) => rows.push(Row::failed(format!("{name}: clone"), "-".into(), &error.to_string())),
        }
    }
    Ok(rows)
}

fn built(target: &Path, name: &str) -> String {
    target.join("release").join(name).to_string_lossy().into_owned()
}

fn sites(sources: &[&String], scratch: &Path) -> Vec<(String, io::Result<Site>)> {
    if sources.is_empty() {
        return vec![("made".into(), Site::made(scratch))];
    }
    sources.iter().map(|source| ((*source).clone(), Site::of(Path::new(source), scratch))).collect()
}

struct Tools<'a> {
    shipway: &'a str,
    /// The program git-cliff, or why there is none.
    cliff: Result<&'a str, &'a str>,
}

impl Tools<'_> {
    fn repository(&self, site: &Site) -> Vec<Row> {
        let (dir, name) = (&site.dir, &site.name);
        let describe: &[&str] = &["git", "describe", "--tags", "--abbrev=0"];
        // Without a tag, describe fails in its turn too, and the row says so.
        let since = ask(dir, describe, "").map_or_else(|_| "HEAD".into(), |tag| format!("{tag}..HEAD"));
        let git = Subject::new(dir, &[describe, &["git", "log", "--format=%H%n%B", &since]]);
        let (mut rows, _) =
            self.compare(site, ("next version", 1.5), (&["why"], &git, &["--bumped-version"]));
        let git = Subject::new(dir, &[&["git", "log", "--format=%H%n%B"]]);
        let (more, costs) = self.compare(site, ("whole changelog", 2.0), (&["changelog"], &git, &[]));
        rows.extend(more);
        rows.push(memory(name, &costs));
        if site.made {
            let plan = Subject::new(dir, &[&[self.shipway, "plan"]]);
            rows.push(Row::limit(format!("{name}: unchanged plan"), &side_by_side(&[&plan])[0], 300.0));
        }
        rows
    }

    /// Measures ours with git's and git-cliff's; returns the rows, and what ours and git's took.
    fn compare(
        &self,
        site: &Site,
        (what, goal): (&str, f64),
        (ours, git, cliff): (&[&str], &Subject, &[&str]),
    ) -> (Vec<Row>, Vec<Measured>) {
        let whole = |program, words: &[&str]| Subject::new(&site.dir, &[&[&[program], words].concat()]);
        let ours = whole(self.shipway, ours);
        let cliff = self.cliff.map(|program| whole(program, cliff));
        let subjects: Vec<&Subject> = [&ours, git].into_iter().chain(cliff.as_ref().ok()).collect();
        let costs = side_by_side(&subjects);
        let what = |peer: &str| format!("{}: {what}, {peer}", site.name);
        let second = match cliff {
            Ok(_) => Row::at_most(what("git-cliff"), &costs[0], &costs[2], 0.25),
            Err(why) => Row::skipped(what("git-cliff"), "<= 0.25".into(), why),
        };
        (vec![Row::at_most(what("git"), &costs[0], &costs[1], goal), second], costs)
    }
}

fn memory(name: &str, costs: &[Measured]) -> Row {
    let (what, goal) = (format!("{name}: whole changelog, peak memory, git"), "<= 1.50".into());
    match (&costs[0], &costs[1]) {
        (Ok(Cost { peak: Some(ours), .. }), Ok(Cost { peak: Some(theirs), .. })) => {
            let shown = [ours, theirs].map(|kib| format!("{:.1} MiB", kib / 1024.0));
            Row::compared(what, [*ours, *theirs], shown, 1.5)
        }
        (Ok(_), Ok(_)) => Row::skipped(what, goal, &format!("GNU time is not at {GNU_TIME}")),
        (Err(why), _) | (_, Err(why)) => Row::failed(what, goal, why),
    }
}

fn lint(tools: &Tools<'_>, scratch: &Path) -> io::Result<Vec<Row>> {
    std::fs::write(
        scratch.join("message"),
        "feat(parser): read numbers with underscores\n\nThey are easier to read.\n",
    )?;
    let ours = Subject::new(scratch, &[&[tools.shipway, "lint", "message"]]);
    let costs = side_by_side(&[&ours, &Subject::new(scratch, &[&["git", "--version"]])]);
    Ok(vec![
        Row::limit("lint of a message".into(), &costs[0], 10.0),
        Row::at_most("lint of a message, git --version".into(), &costs[0], &costs[1], 5.0),
    ])
}

/// Returns the rows of the journal and of the engine, whose medians `journal-bench` prints.
fn journal(program: &str, scratch: &Path) -> Vec<Row> {
    let dir = scratch.join("journal");
    let numbers = ask(scratch, &[program, &dir.to_string_lossy()], "").and_then(|text| {
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        <[f64; 4]>::try_from(numbers).map_err(|_| io::Error::other(format!("journal-bench said {text}")))
    });
    match numbers {
        Ok(numbers) => {
            let [append, over, end, step] = numbers.map(|wall| Ok(Cost { wall, ..Cost::default() }));
            let budget = 3.0 * numbers[0] + 1.0;
            vec![
                Row::at_most("journal append, overwrite of 4 KiB + fdatasync".into(), &append, &over, 2.0),
                Row::at_most("journal append, 4 KiB at the end + fdatasync".into(), &append, &end, 2.0),
                Row::limit("engine per step, 3 appends + 1 ms".into(), &step, budget),
            ]
        }
        Err(error) => vec![Row::failed("journal and engine".into(), "-".into(), &error.to_string())],
    }
}
