//! Runs commands side by side and measures them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// How many times each side runs after a warm-up; odd, so that the median is one of them.
pub(super) const RUNS: usize = 11;

/// One side of a comparison: commands that run one after the other in a directory.
pub(super) struct Subject {
    dir: PathBuf,
    commands: Vec<Vec<String>>,
}

/// What one side took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Median of the time on the clock, in milliseconds.
    pub(super) wall: f64,
    /// Mean of the time of processors, of the commands and their children, in milliseconds.
    pub(super) cpu: f64,
    /// Peak of the resident memory of the largest process, in KiB, if GNU time is there to measure it.
    pub(super) peak: Option<f64>,
}

/// What one side took, or the command of it that failed and why.
pub(super) type Measured = Result<Cost, String>;

/// Where GNU time is.
pub(super) const GNU_TIME: &str = "/usr/bin/time";

impl Subject {
    pub(super) fn new(dir: &Path, commands: &[&[&str]]) -> Self {
        let owned = |words: &&[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self { dir: dir.to_owned(), commands: commands.iter().map(owned).collect() }
    }

    fn run(&self) -> Result<(), String> {
        self.commands.iter().try_for_each(|words| {
            let failed = |why: String| format!("{} {why}", shown(words));
            let ended = command(&self.dir, words).stdout(Stdio::null()).output();
            let ended = ended.map_err(|error| failed(error.to_string()))?;
            let said = String::from_utf8_lossy(&ended.stderr);
            let why = || failed(format!("{}, {}", ended.status, said.lines().next().unwrap_or_default()));
            if ended.status.success() { Ok(()) } else { Err(why()) }
        })
    }

    /// Returns the peak of the resident memory in KiB; GNU time knows it of each child by itself.
    fn peak(&self) -> Option<f64> {
        let of = |words: &Vec<String>| {
            let timed = [GNU_TIME, "-f", "%M"].into_iter().map(str::to_owned);
            let words: Vec<String> = timed.chain(words.iter().cloned()).collect();
            let output = command(&self.dir, &words).stdout(Stdio::null()).output().ok()?;
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            text.lines().next_back()?.trim().parse::<f64>().ok()
        };
        let peaks: Option<Vec<f64>> = self.commands.iter().map(of).collect();
        peaks?.into_iter().reduce(f64::max)
    }
}

/// Returns a command that no configuration of the user changes.
pub(super) fn command(dir: &Path, words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(dir).stdin(Stdio::null());
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Bench").env(format!("GIT_{who}_EMAIL"), "bench@example.org");
    }
    command
}

/// Returns a command as one would type it, with the program by its name only.
fn shown(words: &[String]) -> String {
    let name = Path::new(&words[0]).file_name().unwrap_or_default().to_string_lossy();
    format!("{name} {}", words[1..].join(" "))
}

/// Measures all sides in turns, so that a busy moment of the machine meets each of them. A side that fails is not run
/// again, and the others are measured without it.
pub(super) fn side_by_side(subjects: &[&Subject]) -> Vec<Measured> {
    let mut ends: Vec<_> = subjects.iter().map(|subject| subject.run()).collect();
    let mut walls = vec![vec![]; subjects.len()];
    let mut ticks = vec![0.0; subjects.len()];
    for _ in 0..RUNS {
        for (at, subject) in subjects.iter().enumerate() {
            if ends[at].is_ok() {
                let (before, start) = (children(), Instant::now());
                ends[at] = subject.run();
                walls[at].push(start.elapsed().as_secs_f64() * 1000.0);
                ticks[at] += children() - before;
            }
        }
    }
    let runs = f64::from(u32::try_from(RUNS).unwrap_or(u32::MAX));
    let costs = subjects.iter().zip(ends).zip(walls).zip(ticks);
    costs
        .map(|(((subject, end), wall), ticks)| {
            end.map(|()| Cost { wall: median(wall), cpu: ticks * 10.0 / runs, peak: subject.peak() })
        })
        .collect()
}

/// Returns the time that children which have ended used, in hundredths of a second, as Linux counts it.
fn children() -> f64 {
    let Ok(stat) = fs::read_to_string("/proc/self/stat") else { return 0.0 };
    // The name of the program may have spaces in it and ends with the last bracket.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(13).take(2).filter_map(|field| field.parse::<f64>().ok()).sum()
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
