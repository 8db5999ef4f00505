//! Presets: what a policy begins with, in its own language, so that a user could write each of them.

/// What holds without a preset.
pub(super) const NONE: &str = r#"
[branch.main]
patterns = ["main", "master"]
protected = true

[tag.releases]
patterns = ["**"]
"#;

/// Two branches that live for ever: main gets releases, develop gets everything else.
const GITFLOW: &str = r#"
[branch.main]
patterns = ["main", "master"]
protected = true
[[branch.main.merge]]
from = ["develop", "release/*", "hotfix/*"]
method = ["merge"]

[branch.develop]
patterns = ["develop"]
protected = true
[[branch.develop.merge]]
from = ["feature/**", "bugfix/**"]
method = ["squash", "merge"]
[[branch.develop.merge]]
from = ["main", "master", "release/*", "hotfix/*"]
method = ["merge"]
approved = true
[[branch.develop.merge]]
from = ["back/*"]
method = ["merge"]

[branch.feature]
patterns = ["feature/**", "bugfix/**"]

[branch.release]
patterns = ["release/*"]
force = []

[branch.hotfix]
patterns = ["hotfix/*"]
force = []

[tag.releases]
patterns = ["**"]
"#;

/// One branch, and short-lived ones that are merged into it.
const GITHUB_FLOW: &str = r#"
[branch.main]
patterns = ["main", "master"]
protected = true
[[branch.main.merge]]
from = ["*"]
method = ["squash", "merge", "rebase"]

[tag.releases]
patterns = ["**"]
"#;

/// One branch without merges; releases are cut from it.
const TRUNK: &str = r#"
[branch.main]
patterns = ["main", "master", "trunk"]
protected = true
linear = true
[[branch.main.merge]]
from = ["*"]
method = ["rebase", "squash", "fast-forward"]

[tag.releases]
patterns = ["**"]
"#;

/// Returns the text of a preset; nothing for a name that is none.
pub(super) fn text(name: Option<&str>) -> Option<&'static str> {
    match name {
        None => Some(NONE),
        Some("gitflow") => Some(GITFLOW),
        Some("github-flow") => Some(GITHUB_FLOW),
        Some("trunk") => Some(TRUNK),
        Some(_) => None,
    }
}
