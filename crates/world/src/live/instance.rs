//! One copy of a service: its names, its command and its variables, with the placeholders filled in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use shipway_core::action::{Cmd, Output};
use shipway_core::deployment::{Deployment, Service, fill};
use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};

use super::{Place, files, wait};
use crate::shell::Masks;

/// The variable with the release that a process is of.
pub(super) const RELEASE: &str = "SHIPWAY_RELEASE";

/// The variable with the run that started a process.
pub(super) const RUN: &str = "SHIPWAY_RUN";

/// The variable with the digest of all that decides how a process runs.
pub(super) const MARK: &str = "SHIPWAY_MARK";

/// The names of the two places that releases take turns in.
const SLOTS: [&str; 2] = ["a", "b"];

/// One copy of a service. A service with two ports has up to two of them.
#[derive(Clone, Copy)]
pub(super) struct Instance<'a> {
    pub(super) place: &'a Place<'a>,
    pub(super) deployment: &'a Deployment,
    pub(super) service: &'a Service,
    /// Which of the two ports it has, if there are two.
    pub(super) slot: Option<usize>,
}

impl Instance<'_> {
    /// Returns a name for it that is unique among the services of the environment, such as `web` or `web-a`.
    pub(super) fn name(&self) -> String {
        self.suffixed(&self.service.name)
    }

    /// Returns a name for it that is unique on the machine, such as `shop-production-web-a`.
    pub(super) fn full_name(&self) -> String {
        let Deployment { project, environment, .. } = self.deployment;
        let name = format!("{project}-{environment}-{}", self.name());
        // Names of service directories, programs and containers allow little.
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
        name.chars().map(plain).collect()
    }

    /// Returns a name with the slot behind it.
    pub(super) fn suffixed(&self, name: &str) -> String {
        match self.slot {
            Some(slot) => format!("{name}-{}", SLOTS[slot]),
            None => name.to_owned(),
        }
    }

    /// Returns its port, if it has one of two.
    pub(super) fn port(&self) -> Option<u16> {
        Some(self.service.switch.ports()?[self.slot?])
    }

    /// Returns the directory of the environment.
    pub(super) fn root(&self) -> PathBuf {
        std::path::absolute(self.place.root).unwrap_or_else(|_| self.place.root.to_owned())
    }

    /// Returns where what belongs to it is kept, with this ending.
    pub(super) fn file(&self, ending: &str) -> PathBuf {
        self.root().join("live").join(format!("{}.{ending}", self.name()))
    }

    /// Returns the directory of the release.
    pub(super) fn release(&self) -> PathBuf {
        self.root().join("releases").join(self.deployment.artifact.as_str())
    }

    /// Returns the directory of the runtime of the release.
    pub(super) fn runtime(&self) -> PathBuf {
        self.root().join("runtimes").join(self.deployment.artifact.as_str())
    }

    /// Returns a text with its placeholders filled in.
    ///
    /// Beside another copy, `{current}` is the release itself: the link still leads to the old one.
    pub(super) fn fill(&self, text: &str) -> String {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        let (root, release, runtime) = (self.root(), self.release(), self.runtime());
        let current = if self.slot.is_some() { release.clone() } else { root.join("current") };
        let port = self.port().map(|port| port.to_string());
        let (root, release, runtime, current) =
            (shown(&root), shown(&release), shown(&runtime), shown(&current));
        let mut values = vec![
            ("root", root.as_str()),
            ("release", &release),
            ("runtime", &runtime),
            ("current", &current),
            ("version", &self.deployment.version),
            ("name", &self.service.name),
            ("environment", &self.deployment.environment),
            ("project", &self.deployment.project),
        ];
        values.extend(port.as_deref().map(|port| ("port", port)));
        fill(text, &values)
    }

    /// Returns an argument vector with its placeholders filled in.
    pub(super) fn fill_all(&self, words: &[String]) -> Vec<String> {
        words.iter().map(|word| self.fill(word)).collect()
    }

    /// Returns the digest of all that decides how it runs: two copies with the same mark are the same.
    pub(super) fn mark(&self) -> Digest {
        let env: BTreeMap<_, _> =
            self.service.env.iter().map(|(name, value)| (name, self.fill(value))).collect();
        let mark = Digest::of_json(&(
            (&self.deployment.artifact, &self.deployment.secrets, &self.deployment.runtime),
            (self.full_name(), self.fill_all(&self.service.run), env),
            (&self.service.manager, &self.service.switch),
        ));
        match &self.deployment.mended {
            Some(run) => Digest::of_json(&(mark, run)),
            None => mark,
        }
    }

    /// Returns its variables: those of the configuration, the secrets, and what shows whose it is.
    pub(super) fn env(&self) -> Result<BTreeMap<String, String>, Problem> {
        let own = self.service.env.iter().map(|(name, value)| (name.clone(), self.fill(value)));
        let mut env: BTreeMap<_, _> = own.collect();
        env.extend(self.secrets()?);
        env.insert(RELEASE.into(), self.deployment.artifact.as_str().into());
        env.insert(RUN.into(), self.deployment.run.as_str().into());
        env.insert(MARK.into(), self.mark().as_str().into());
        Ok(env)
    }

    fn secrets(&self) -> Result<Vec<(String, String)>, Problem> {
        let Some(digest) = &self.deployment.secrets else { return Ok(vec![]) };
        let path = self.root().join("secrets").join(format!("{}.env", digest.as_str()));
        let Some(text) = files::read(&path)? else {
            let what = format!("the secrets {} are not on this host", digest.short());
            return Err(Problem::new(Code::ReleaseMissing, what).at(path.display().to_string()));
        };
        let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.into(), value.into()));
        Ok(text.lines().filter(|line| !line.starts_with('#')).filter_map(pair).collect())
    }

    /// Returns lines with the values of secrets masked, for a problem.
    pub(super) fn mask(&self, lines: impl IntoIterator<Item = String>) -> Vec<String> {
        let secret = |(name, value): (String, String)| (name, value.into_bytes());
        let secrets: Vec<_> = self.secrets().unwrap_or_default().into_iter().map(secret).collect();
        let Ok(masks) = Masks::new(&secrets, []) else { return vec![] };
        lines.into_iter().map(|line| masks.mask_text(&line)).collect()
    }

    /// Returns a command in the directory of the release, with the variables of the service.
    pub(super) fn command(&self, words: &[String]) -> Result<Cmd, Problem> {
        let words = self.fill_all(words);
        let Some((program, args)) = words.split_first() else {
            let what = format!("{} has no command", self.service.name);
            return Err(Problem::new(Code::ServiceFailed, what));
        };
        let mut cmd = Cmd::new(program).args(args).dir(self.release());
        cmd.env = self.env()?.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Ok(cmd)
    }

    /// Runs a command in the directory of the release, with the variables of the service; secrets in what it wrote are
    /// masked.
    pub(super) fn run(&self, words: &[String]) -> Result<Output, Problem> {
        let mut output = wait::run(self.place, self.command(words)?)?;
        for stream in [&mut output.stdout, &mut output.stderr] {
            let text = String::from_utf8_lossy(stream).into_owned();
            *stream = self.mask([text]).concat().into_bytes();
        }
        Ok(output)
    }

    /// Says something about it.
    pub(super) fn say(&self, text: &str) {
        (self.place.say)(&format!("{}: {text}", self.name()));
    }
}
