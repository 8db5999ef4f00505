//! The files that `init` begins a governed repository with.

use std::fmt::Write as _;

use toml::Value;

/// Who sets the repository up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Founder {
    /// The name in the policy.
    pub name: String,
    /// The address in commits, if git knows one.
    pub email: Option<String>,
    /// The public key, as in a `.pub` file, if there is one.
    pub key: Option<String>,
}

/// Where the template of change requests stands.
pub const CHANGE_TEMPLATE: &str = ".shipway/change_request.md";

/// Returns the policy of a preset, with whoever founds it as its first person.
pub fn policy(preset: &str, founder: &Founder) -> String {
    let email = founder.email.iter().map(|email| Value::from(email.to_lowercase()).to_string());
    let email: Vec<String> = email.collect();
    let mut text = format!(
        "# Who may do what here. It counts once it is on the protected branch.\n\
         schema = 1\npreset = {preset:?}\n\
         # One person is all there is, and may approve their own changes; every landing says so.\n# solo = true\n\n\
         [person.{}]\nemail = [{}]\n",
        key(&founder.name),
        email.join(", "),
    );
    let _ = write!(
        text,
        "\n[commits]\n# issue = true        # every message names an issue\n# types = [\"deps\"]    # further types\n\
         \n[branch.main]\n# checks = [\"test\"]   # names of [[check]] in shipway.toml\n# approvals = 1\n# owners = true\n\
         release = [{name}]     # who may release from it\n# break-glass = [{name}]   # who may land past approvals, with a reason\n",
        name = Value::from(founder.name.as_str()),
    );
    text
}

/// Returns a key of a table, in quotes where it needs them.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { Value::from(name).to_string() }
}

/// Returns the list of keys whose signatures count, in the form of ssh-keygen(1), ALLOWED SIGNERS.
pub fn signers(founder: &Founder) -> String {
    let mut text = String::from("# NAME KEY: the names are those of people in policy.toml.\n");
    match &founder.key {
        Some(key) => {
            // Kind and key; what follows is a comment that says where the key was made.
            let words: Vec<&str> = key.split_whitespace().take(2).collect();
            let _ = writeln!(text, "{} {}", founder.name, words.join(" "));
        }
        None => text
            .push_str("# No key was found; make one: ssh-keygen -t ed25519-sk, or ssh-keygen -t ed25519\n"),
    }
    text
}

/// Returns the template of a change request.
pub fn change_request() -> &'static str {
    "## What changes, and why\n\n\n## Issues\n\nCloses #\n\n## Testing\n\n\
     - [ ] There is a test that fails without this change\n- [ ] All checks pass here\n\
     - [ ] It was tried by hand, as a user would\n- [ ] Old data and old configurations still work\n\
     - [ ] The documentation says what is new\n\n## Going back\n\n\
     - [ ] It can be rolled back without losing data, or it says how\n"
}

/// Returns the owners of paths.
pub fn owners(founder: &Founder) -> String {
    format!(
        "# Who must approve changes of which paths; the last line that fits counts.\n\
         # *           @{name}\n/.shipway/    @{name}\nCODEOWNERS    @{name}\n",
        name = founder.name
    )
}

/// Returns what coding agents are told, for a block in a file of theirs.
pub fn agents(protected: &[&str]) -> String {
    let names: Vec<String> = protected.iter().map(|branch| format!("`{branch}`")).collect();
    format!(
        "## Releases and branches\n\n\
         - When a person says \"push\" or \"release\": run `shipway plan`, show it, and wait. Run `shipway push` only when a \
         person has said yes to that very plan.\n\
         - Never `git push` to a protected branch ({}). Ask that it lands: `shipway flow finish`, or `git push origin \
         HEAD:refs/for/BRANCH`.\n\
         - Start work with `shipway flow start KIND NAME`. Messages follow Conventional Commits.\n\
         - An agent never approves, waives a finding, or changes `.shipway/`. It does not use `--no-verify`.\n",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy;

    #[test]
    fn a_policy_of_every_preset_is_read_and_knows_its_founder() {
        for preset in ["gitflow", "github-flow", "trunk"] {
            for name in ["ann", "Ann Author", "ann.\"x\""] {
                let founder = Founder { name: name.into(), email: Some("Ann@Example.org".into()), key: None };
                let read = policy::read(&super::policy(preset, &founder), "p").unwrap();
                assert_eq!(read.preset.as_deref(), Some(preset));
                assert_eq!(read.people[name].emails, ["ann@example.org"]);
                assert!(read.is_protected(b"main"));
            }
        }
    }

    #[test]
    fn a_key_is_listed_under_the_name_of_its_person() {
        let key = Some("ssh-ed25519 AAAA somebody@somewhere\n".to_owned());
        let founder = Founder { name: "ann".into(), email: None, key };
        assert!(signers(&founder).ends_with("\nann ssh-ed25519 AAAA\n"));
        assert!(signers(&Founder { key: None, ..founder }).lines().all(|line| line.starts_with('#')));
    }
}
