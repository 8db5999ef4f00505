//! The one table of everything that may stand in `shipway.toml`.

mod deploy;
mod environment;

use super::choice::{Ambiguous, BelowOne, PackageKind, Sign};
use super::form::{Form, Type};

/// A table of the file.
#[derive(Debug)]
pub(crate) struct Section {
    /// The last part of its name; for the whole file, that of the file.
    pub(crate) name: &'static str,
    /// How often it stands in the file.
    pub(crate) shape: Shape,
    /// What it is for, in one sentence.
    pub(crate) doc: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [Key],
    /// The tables inside it.
    pub(crate) sections: &'static [Section],
}

/// How often a table stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Once: `[release]`.
    One,
    /// Once for each name: `[release.channel.beta]`.
    Named,
    /// Any number of times: `[[check]]`.
    Many,
}

/// A key of a table.
#[derive(Debug)]
pub(crate) struct Key {
    /// The name.
    pub(crate) name: &'static str,
    /// What its value looks like.
    pub(crate) of: Type,
    /// What holds without it.
    pub(crate) default: Absent,
    /// What it means, in one sentence.
    pub(crate) doc: &'static str,
}

/// What holds where the file says nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Absent {
    /// The file must say it.
    Required,
    /// This value, as TOML.
    Value(&'static str),
    /// What is found elsewhere; the text says where.
    Detected(&'static str),
}

use Absent::{Detected, Required, Value};

pub(crate) const fn key(name: &'static str, of: Type, default: Absent, doc: &'static str) -> Key {
    Key { name, of, default, doc }
}

pub(crate) const fn one(name: &'static str, doc: &'static str, keys: &'static [Key]) -> Section {
    Section { name, shape: Shape::One, doc, keys, sections: &[] }
}

/// The file.
pub(crate) static ROOT: Section = Section {
    name: "shipway.toml",
    shape: Shape::One,
    doc: "How shipway releases this repository. Every key has a default; the file may be left out altogether.",
    keys: &[key("schema", Type::One, Value("1"), "The form of this file.")],
    sections: &[
        one("project", "What is released.", PROJECT),
        Section {
            name: "release",
            shape: Shape::One,
            doc: "How a release is made.",
            keys: RELEASE,
            sections: &[CHANNEL, LINE],
        },
        Section {
            name: "check",
            shape: Shape::Many,
            doc: "A command that must succeed before anything is changed.",
            keys: CHECK,
            sections: &[],
        },
        one("checks", "What holds for all checks.", CHECKS),
        one("verify", "What is looked at after the push, before the run counts as shipped.", VERIFY),
        one("journal", "What the journal may do.", JOURNAL),
        one("secrets", "What is masked in the logs of steps.", SECRETS),
        one("target", "How long things should take; plans and reports compare.", TARGET),
        deploy::ARTIFACT,
        deploy::SERVICE,
        environment::ENVIRONMENT,
        deploy::MIGRATION,
        deploy::BACKUP,
        deploy::GROUP,
    ],
};

const PROJECT: &[Key] = &[key(
    "name",
    Type::Text(Form::Any),
    Detected("the manifest, else the directory"),
    "The name of the project in plans, reports and the changelog.",
)];

const RELEASE: &[Key] = &[
    key(
        "remote",
        Type::Text(Form::Any),
        Detected("the branch's remote, else the only one"),
        "The remote that branch and tag are pushed to.",
    ),
    key(
        "branches",
        Type::List(Form::Branch),
        Detected("the remote's default branch, `main`, `master`"),
        "The branches that releases are made from.",
    ),
    key(
        "tag",
        Type::Text(Form::Tag),
        Detected("existing tags, else `v{version}`"),
        "The name of a release's tag.",
    ),
    key("first", Type::Text(Form::Version), Value("\"0.1.0\""), "The version of the first release."),
    key(
        "breaking-below-1",
        Type::Text(Form::Of(BelowOne::NAMES)),
        Value("\"minor\""),
        "What a breaking change raises below 1.0.0.",
    ),
    key(
        "ambiguous",
        Type::Text(Form::Of(Ambiguous::NAMES)),
        Value("\"stop\""),
        "What a commit message does that almost marks a change, such as `BREAKING CHANGES:`.",
    ),
    key(
        "packages",
        Type::List(Form::Of(PackageKind::NAMES)),
        Detected("all kinds whose files are there"),
        "The kinds of packages that carry the version; an empty list makes tags only.",
    ),
    key(
        "changelog",
        Type::TextOrFalse(Form::Path),
        Value("\"CHANGELOG.md\""),
        "The changelog that gets a section for each release; false writes none.",
    ),
    key(
        "changelog-template",
        Type::Text(Form::Path),
        Detected("the template that is built in"),
        "A minijinja template for the changelog's sections.",
    ),
    key(
        "readme",
        Type::Flag,
        Value("true"),
        "Whether version badges and marked blocks of the README follow the release.",
    ),
    key(
        "sign",
        Type::Text(Form::Of(Sign::NAMES)),
        Value("\"auto\""),
        "Whether commit and tag are signed: as git is configured, always, or never.",
    ),
    key(
        "step-timeout",
        Type::Text(Form::Duration),
        Detected("`10m` for the commit, `15m` for the push"),
        "How long the commit and the push may take, with the hooks of the repository, before they are ended.",
    ),
];

const CHANNEL: Section = Section {
    name: "channel",
    shape: Shape::Named,
    doc: "A branch whose releases are prereleases.",
    keys: &[
        key("branch", Type::Text(Form::Branch), Required, "The branch, or a glob of branches."),
        key(
            "suffix",
            Type::Text(Form::Suffix),
            Detected("the channel's name: `NAME.{n}`"),
            "The prerelease part of its versions; `{n}` counts from 1.",
        ),
    ],
    sections: &[],
};

const LINE: Section = Section {
    name: "line",
    shape: Shape::Named,
    doc: "A branch that keeps an older version alive. Branches such as `release/1.x`, `1.x` and `1.2.x` are lines \
          without being named here.",
    keys: &[
        key(
            "branch",
            Type::Text(Form::Branch),
            Detected("the line's name: `release/NAME`"),
            "The branch, or a glob of branches.",
        ),
        key(
            "range",
            Type::Text(Form::Range),
            Detected("the line's name: `1.x` is `>=1.0.0, <2.0.0`"),
            "The versions that belong to the line; others are refused on its branch.",
        ),
    ],
    sections: &[],
};

const CHECK: &[Key] = &[
    key("name", Type::Text(Form::Any), Required, "The name, unique in the file."),
    key(
        "run",
        Type::Command,
        Required,
        "The program and its arguments. A text is split into words as a POSIX shell does, without expansion.",
    ),
    key(
        "timeout",
        Type::Text(Form::Duration),
        Detected("`checks.timeout`"),
        "How long it may take before it is killed.",
    ),
    key("env", Type::Variables, Value("{}"), "Environment variables on top of the inherited ones."),
    key(
        "on",
        Type::List(Form::Event),
        Value("[]"),
        "What it is run for, such as `release`, `commit`, `change:develop`, `tag:v*` or `schedule:weekly`; releases and \
         changes if empty.",
    ),
    key(
        "files",
        Type::List(Form::Any),
        Value("[]"),
        "Patterns of the files that it looks at when a commit is made: it is given these only, and what passed is not \
         run again until one of them changes; all files if empty.",
    ),
];

const CHECKS: &[Key] = &[
    key("detect", Type::Flag, Value("true"), "Whether checks are detected when there is no `[[check]]`."),
    key(
        "outdated",
        Type::Flag,
        Value("true"),
        "Whether the package manager is asked for outdated dependencies; what it says is advice and stops nothing.",
    ),
    key("parallel", Type::Count, Detected("the number of cores"), "How many checks may run at once."),
    key(
        "timeout",
        Type::Text(Form::Duration),
        Value("\"15m\""),
        "How long a check may take that says nothing itself.",
    ),
];

const VERIFY: &[Key] = &[
    key(
        "health",
        Type::List(Form::Address),
        Value("[]"),
        "Addresses that must answer with a status of 200 to 299.",
    ),
    key(
        "within",
        Type::Text(Form::Duration),
        Value("\"60s\""),
        "How long the addresses may take to answer so.",
    ),
];

const JOURNAL: &[Key] = &[
    key(
        "accept-loss",
        Type::Flag,
        Value("false"),
        "Whether a store is accepted that cannot prove that acknowledged entries are on disk; every plan says so.",
    ),
    key(
        "anchor",
        Type::Text(Form::Any),
        Detected("nowhere: tags and guarded remotes hold checkpoints"),
        "The remote that is given a signed checkpoint of the journal whenever a command has written to it.",
    ),
];

const SECRETS: &[Key] = &[key(
    "names",
    Type::List(Form::Variable),
    Value("[]"),
    "Environment variables whose values are masked, besides those whose names look secret.",
)];

const TARGET: &[Key] = &[
    key("push", Type::Text(Form::Duration), Value("\"5m\""), "How long a push should take."),
    key("rollback", Type::Text(Form::Duration), Value("\"2m\""), "How long a rollback should take."),
    key(
        "deploy",
        Type::Text(Form::Duration),
        Value("\"15m\""),
        "How long a deployment to one environment should take.",
    ),
];
