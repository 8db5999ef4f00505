//! From `.shipway/policy.toml` to a policy: along the table of keys, over a preset, with every problem in one pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value as Json;

use super::keys::{PRESETS, ROOT};
use super::{
    Approvals, BranchClass, CommitRules, FileRules, Method, PATH, Pair, Person, Policy, Rule, TagClass,
    cases, presets, rules,
};
use crate::config::amount;
use crate::config::place::{Problems, Source};
use crate::config::read::{Found, document};
use crate::config::value::Value;
use crate::problem::Problem;

/// What the table of keys promises; reading has checked it for every key before a policy is made.
const PROMISE: &str = "the table of keys gives this key this type, and a default where it is not optional";

/// Reads the text of a policy; `path` is how problems name the file.
///
/// # Errors
///
/// Returns all problems in the order of the file. When the text is no TOML at all, these are its syntax errors only.
pub fn read(text: &str, path: &str) -> Result<Policy, Vec<Problem>> {
    let source = Source { text, path };
    let mut problems = Problems::new(source);
    let Some(found) = document(source, &ROOT, &mut problems) else { return Err(problems.sorted()) };
    if !problems.is_empty() {
        return Err(problems.sorted());
    }
    let preset = found.given("preset").map(|value| text_of(Some(value)));
    let base = presets::text(preset.as_deref()).expect("the table of keys takes only names of presets");
    let base = preset_of(base);
    let policy = policy(&found, &base, preset);
    rules::check(&found, &policy, &mut problems);
    let problems = problems.sorted();
    if problems.is_empty() { Ok(policy) } else { Err(problems) }
}

/// Returns the JSON Schema of the file.
pub fn schema() -> Json {
    crate::config::schema::of(&ROOT)
}

/// Returns the reference page of the file in Markdown: every key, every preset, and every rule.
pub fn reference() -> String {
    let mut page = format!(
        "# Policy\n\n{} It is called `{PATH}`, and is read from one pinned branch of the guarded repository, never \
         from what is being pushed.\n\nEditors complete and check it with the JSON Schema that `shipway schema \
         policy` prints.\n",
        ROOT.doc
    );
    crate::config::schema::chapter(&ROOT, "", &mut page);
    page.push_str("\n## Presets\n\nA preset is a policy that one could have written.\n");
    for name in [None].into_iter().chain(PRESETS.iter().copied().map(Some)) {
        let title = name.map_or("Without a preset".to_owned(), |name| format!("`preset = \"{name}\"`"));
        let text = presets::text(name).unwrap_or_default();
        let _ = write!(page, "\n### {title}\n\n```toml\n{}\n```\n", text.trim());
    }
    let _ = write!(page, "\n## Cases\n\n`shipway policy test` reads them from `{}`.\n", cases::CASES);
    cases::chapter(&mut page);
    page.push_str(
        "\n## Rules\n\nA refusal begins with the name of its rule.\n\n| rule | what it wants |\n|---|---|\n",
    );
    for rule in Rule::ALL {
        let _ = writeln!(page, "| `{}` | {} |", rule.as_str(), rule.doc());
    }
    page
}

impl Default for Policy {
    /// Returns what holds without a file.
    fn default() -> Self {
        read("", PATH).expect("an empty file has no wrong key and every default fits its key")
    }
}

fn preset_of(text: &str) -> Found {
    let source = Source { text, path: "preset" };
    let mut problems = Problems::new(source);
    document(source, &ROOT, &mut problems)
        .filter(|_| problems.is_empty())
        .expect("a test reads every preset without a problem")
}

/// A table of the file over one of the preset: what the file gives goes before what the preset gives, and that before
/// the default.
#[derive(Clone, Copy)]
struct Layers<'a> {
    file: Option<&'a Found>,
    preset: Option<&'a Found>,
}

impl<'a> Layers<'a> {
    fn map(self, find: impl Fn(&'a Found) -> Option<&'a Found>) -> Self {
        Self { file: self.file.and_then(&find), preset: self.preset.and_then(&find) }
    }

    fn value(self, key: &str) -> Option<&'a Value> {
        let tables = || self.file.into_iter().chain(self.preset);
        tables().find_map(|table| table.given(key)).or_else(|| tables().find_map(|table| table.value(key)))
    }

    fn texts(self, key: &str) -> Vec<String> {
        if let Some(Value::Texts(texts)) = self.value(key) { texts.clone() } else { vec![] }
    }

    /// Returns a list that has no default, if it is given.
    fn given(self, key: &str) -> Option<Vec<String>> {
        self.value(key).map(|_| self.texts(key))
    }

    fn flag(self, key: &str) -> bool {
        self.value(key).map(|value| matches!(value, Value::Flag(true))).expect(PROMISE)
    }

    fn number(self, key: &str) -> u32 {
        let number = if let Some(Value::Count(number)) = self.value(key) { Some(*number) } else { None };
        number.and_then(|number| u32::try_from(number).ok()).expect(PROMISE)
    }

    fn bytes(self, key: &str) -> u64 {
        amount::bytes(&text_of(self.value(key))).expect(PROMISE)
    }

    fn duration(self, key: &str) -> Duration {
        let span = if let Some(Value::Duration(span)) = self.value(key) { Some(*span) } else { None };
        span.expect(PROMISE)
    }

    /// Returns the tables inside, those of the file if it has any.
    fn many(self, name: &'a str) -> Vec<&'a Found> {
        let of = |table: Option<&'a Found>| -> Vec<&'a Found> {
            table.map(|table| table.sections(name).collect()).unwrap_or_default()
        };
        let own = of(self.file);
        if own.is_empty() { of(self.preset) } else { own }
    }
}

fn text_of(value: Option<&Value>) -> String {
    if let Some(Value::Text(text)) = value { text.clone() } else { String::new() }
}

fn policy(file: &Found, preset: &Found, name: Option<String>) -> Policy {
    let root = Layers { file: Some(file), preset: Some(preset) };
    let one = |name| Layers { file: file.sections(name).next(), preset: preset.sections(name).next() };
    let people = file.sections("person").map(|found| person(found, false));
    let agents = file.sections("agent").map(|found| person(found, true));
    let group =
        |found: &Found| (found.label.clone(), Layers { file: Some(found), preset: None }.texts("members"));
    Policy {
        preset: name,
        people: people.chain(agents).collect(),
        groups: file.sections("group").map(group).collect(),
        branches: classes(root, "branch", branch),
        tags: classes(root, "tag", tag),
        commits: commits(one("commits")),
        files: files(one("files")),
        names: root.texts("names"),
        solo: root.flag("solo"),
        ticket_expiry: root.duration("ticket-expiry"),
        approval_expiry: root.duration("approval-expiry"),
        policy_owners: root.texts("policy-owners"),
    }
}

fn person(found: &Found, agent: bool) -> (String, Person) {
    let layers = Layers { file: Some(found), preset: None };
    let emails = layers.texts("email").iter().map(|email| email.to_lowercase()).collect();
    (found.label.clone(), Person { agent, emails, logins: layers.texts("login") })
}

/// Returns the named tables of file and preset, each laid over the other of its name.
fn classes<'a, T>(root: Layers<'a>, name: &'a str, make: fn(&str, Layers<'a>) -> T) -> BTreeMap<String, T> {
    let tables = |table: Option<&Found>| -> BTreeSet<String> {
        table.map(|table| table.sections(name).map(|found| found.label.clone()).collect()).unwrap_or_default()
    };
    let mut labels = tables(root.file);
    labels.extend(tables(root.preset));
    let of = |label: String| {
        let layers = root.map(|table| table.sections(name).find(|found| found.label == label));
        let class = make(&label, layers);
        (label, class)
    };
    labels.into_iter().map(of).collect()
}

fn branch(label: &str, of: Layers<'_>) -> BranchClass {
    let protected = of.flag("protected");
    let force = || if protected { vec![] } else { vec!["*".to_owned()] };
    BranchClass {
        patterns: of.given("patterns").unwrap_or_else(|| vec![label.to_owned()]),
        protected,
        create: of.texts("create"),
        push: of.texts("push"),
        delete: of.texts("delete"),
        force: of.given("force").unwrap_or_else(force),
        pairs: of.many("merge").into_iter().map(pair).collect(),
        land: of.texts("land"),
        release: of.texts("release"),
        break_glass: of.texts("break-glass"),
        checks: of.texts("checks"),
        runners: of.texts("runners"),
        approvals: Approvals {
            count: of.number("approvals"),
            from: of.texts("approvers"),
            owners: of.flag("owners"),
            grade: u8::try_from(of.number("grade")).expect(PROMISE),
        },
        linear: of.flag("linear"),
        local: of.flag("local"),
        signed: of.flag("signed"),
    }
}

fn pair(found: &Found) -> Pair {
    let of = Layers { file: Some(found), preset: None };
    let methods = of.texts("method").iter().map(|name| Method::of(name).expect(PROMISE)).collect();
    Pair { from: of.texts("from"), methods, approved: of.flag("approved") }
}

fn tag(label: &str, of: Layers<'_>) -> TagClass {
    TagClass {
        patterns: of.given("patterns").unwrap_or_else(|| vec![label.to_owned()]),
        create: of.texts("create"),
        immutable: of.flag("immutable"),
        signed: of.flag("signed"),
        landed: of.flag("landed"),
    }
}

fn commits(of: Layers<'_>) -> CommitRules {
    CommitRules {
        conventional: of.flag("conventional"),
        types: of.texts("types"),
        issue: of.flag("issue"),
        subject: of.number("subject"),
        size: of.bytes("size"),
        parents: of.number("parents"),
    }
}

fn files(of: Layers<'_>) -> FileRules {
    let restricted = of.many("restricted").into_iter().flat_map(|found| {
        let of = Layers { file: Some(found), preset: None };
        let who = of.texts("who");
        of.texts("paths").into_iter().map(move |path| (path, who.clone()))
    });
    FileRules {
        size: of.bytes("size"),
        forbidden: of.texts("forbidden"),
        secrets: of.flag("secrets"),
        harmless: of.texts("harmless"),
        lfs: of.flag("lfs"),
        restricted: restricted.collect(),
    }
}
