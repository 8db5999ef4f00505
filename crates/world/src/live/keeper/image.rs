//! The image of a container: its name, its coming to the host before anything live changes, and its proof.

use std::path::{Component, Path};
use std::time::Duration;

use shipway_core::action::Cmd;
use shipway_core::problem::{Code, Problem};

use crate::live::{Instance, files, wait};

/// How long an image may take to come.
pub(super) const PULL: Duration = Duration::from_mins(15);

/// The placeholder of a file of the release; its name and `}` follow.
const FILE: &str = "{file:";

/// Arguments of `run` that decide what a pull brings, and from where.
const OF_PULL: [&str; 5] = ["--arch", "--authfile", "--creds", "--platform", "--tls-verify"];

/// Returns the name of an image with its placeholders filled in, also those of files such as `{file:image.digest}`.
pub(super) fn name(instance: &Instance<'_>, image: &str) -> Result<String, Problem> {
    let filled = instance.fill(image);
    let mut out = String::with_capacity(filled.len());
    let mut rest = filled.as_str();
    while let Some((before, behind)) = rest.split_once(FILE) {
        let Some((path, after)) = behind.split_once('}') else { break };
        out.push_str(before);
        out.push_str(&word(instance, path)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Returns the one word in a file of the release.
fn word(instance: &Instance<'_>, path: &str) -> Result<String, Problem> {
    let wrong = |what: String| {
        let problem = Problem::new(Code::RuntimeFailed, what);
        Err(problem
            .at(format!("service {}", instance.name()))
            .wanted("a file of the artifact that names an image or its digest"))
    };
    if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
        return wrong(format!("`{path}` is not a file of the release"));
    }
    let Some(text) = files::read(&instance.release().join(path))? else {
        return wrong(format!("`{path}` is not in the release"));
    };
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        [word] => Ok(word.to_owned()),
        _ => wrong(format!("`{path}` does not hold one word")),
    }
}

/// Brings an image to the host, unless it is there.
pub(super) fn bring(
    instance: &Instance<'_>,
    engine: &str,
    image: &str,
    args: &[String],
) -> Result<(), Problem> {
    let image = name(instance, image)?;
    if id(instance, engine, &image)?.is_some() {
        return Ok(());
    }
    instance.say(&format!("pulls {image}"));
    let cmd = Cmd::new(engine).arg("pull").args(of_pull(&instance.fill_all(args))).arg(&image);
    let output = wait::run(instance.place, cmd.timeout(PULL))?;
    if output.ok() {
        return Ok(());
    }
    let problem = Problem::new(Code::RuntimeFailed, format!("the image {image} cannot be pulled"));
    let problem = problem.found(format!("{:?}", output.ended)).details(wait::last_lines(&output));
    Err(problem.at(format!("service {}", instance.name())).hint(format!("{engine} pull {image}")))
}

/// Returns the id of an image on the host, if it is there.
pub(super) fn id(instance: &Instance<'_>, engine: &str, image: &str) -> Result<Option<String>, Problem> {
    let cmd = Cmd::new(engine).args(["image", "inspect", "--format", "{{.Id}}", image]);
    let output = wait::run(instance.place, cmd)?;
    Ok(output.ok().then(|| plain(&output.text()).to_owned()))
}

/// Returns an id without the name of its algorithm, which docker puts in front of it and podman does not.
pub(super) fn plain(id: &str) -> &str {
    let id = id.trim();
    id.strip_prefix("sha256:").unwrap_or(id)
}

/// Tells whether a name stands for the same bytes for ever.
pub(super) fn is_fixed(image: &str) -> bool {
    image.contains("@sha256:")
}

/// Returns those of the arguments of `run` that a pull needs too.
fn of_pull(args: &[String]) -> Vec<&str> {
    let mut kept = vec![];
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (name, is_whole) = arg.split_once('=').map_or((arg.as_str(), false), |(name, _)| (name, true));
        if OF_PULL.contains(&name) {
            kept.push(arg.as_str());
            // `--tls-verify` is a flag: without `=` nothing of it follows.
            if !is_whole && name != "--tls-verify" {
                kept.extend(args.next().map(String::as_str));
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_gets_the_arguments_that_decide_what_comes() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let args = words("--network host --platform linux/arm64 --tls-verify=false -p 80:80 --authfile=/a");
        assert_eq!(of_pull(&args), ["--platform", "linux/arm64", "--tls-verify=false", "--authfile=/a"]);
        assert_eq!(of_pull(&words("--tls-verify --rm")), ["--tls-verify"]);
        assert!(of_pull(&[]).is_empty());
    }

    #[test]
    fn only_a_digest_stands_for_the_same_bytes_for_ever() {
        assert!(is_fixed("registry.example.org/web@sha256:00"));
        assert!(!is_fixed("registry.example.org/web:1.0.0"));
        assert_eq!((plain("sha256:00\n"), plain("00")), ("00", "00"));
    }
}
