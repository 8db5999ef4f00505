//! The short `shipway.toml` that `init` writes from what it detected.

use std::fmt::Write as _;

use toml::Value;

use super::choice::PackageKind;

/// What `init` found out about a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detected {
    /// The name of the project.
    pub name: String,
    /// The kinds of packages whose files are there.
    pub kinds: Vec<PackageKind>,
    /// The format of existing tags, or the usual one, such as `v{version}`.
    pub tag: String,
    /// The branch that releases are made from.
    pub branch: String,
    /// The remote, if there is one to choose.
    pub remote: Option<String>,
    /// The checks: name, and program with arguments.
    pub checks: Vec<(String, Vec<String>)>,
}

/// Returns a `shipway.toml` that says what was detected, and shows what else is worth saying.
///
/// Its first line tells editors where the JSON Schema is: beside the file, so that nothing is fetched from anywhere.
pub fn template(detected: &Detected) -> String {
    let remote = match &detected.remote {
        Some(remote) => format!("remote = {}", text(remote)),
        None => "# remote = \"origin\"".to_owned(),
    };
    let kinds = Value::from(detected.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    let mut file = format!(
        "#:schema ./shipway.schema.json\n\
         # Editors complete this file after: shipway schema config > shipway.schema.json\n\
         schema = 1\n\
         project.name = {}\n\
         \n\
         [release]\n\
         {remote}\n\
         branches = {}\n\
         tag = {}\n\
         packages = {kinds}\n\
         # sign = \"required\"\n",
        text(&detected.name),
        Value::from(vec![detected.branch.as_str()]),
        text(&detected.tag),
    );
    for (name, run) in &detected.checks {
        let run = Value::from(run.iter().map(String::as_str).collect::<Vec<_>>());
        let _ = write!(file, "\n[[check]]\nname = {}\nrun = {run}\n", text(name));
    }
    if detected.checks.is_empty() {
        file.push_str("\n# [[check]]\n# name = \"test\"\n# run = [\"make\", \"test\"]\n");
    }
    file
}

fn text(text: &str) -> Value {
    Value::from(text)
}
