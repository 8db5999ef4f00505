//! The one table of everything that may stand in `.shipway/policy.toml`.

use super::Method;
use crate::config::form::{Form, Type};
use crate::config::keys::Absent::{Detected, Required, Value};
use crate::config::keys::{Key, Section, Shape, key, one};

/// The presets, by name.
pub(super) const PRESETS: &[&str] = &["gitflow", "github-flow", "trunk"];

/// What a list of people is written as.
const WHO: Type = Type::List(Form::Any);

/// The file.
pub(super) static ROOT: Section = Section {
    name: "policy.toml",
    shape: Shape::One,
    doc: "Who may do what to which ref of this repository, and what must be true of a landing. Every key has a \
          default; without a file, `main` and `master` are moved by landings only, and tags never move.",
    keys: &[
        key("schema", Type::One, Value("1"), "The form of this file."),
        key(
            "preset",
            Type::Text(Form::Of(PRESETS)),
            Detected("none: `main` and `master` are protected"),
            "The classes of branches to begin with; a table of the same name overrides them key by key.",
        ),
        key(
            "solo",
            Type::Flag,
            Value("false"),
            "Whether one person is all there is; authors may then approve their own changes, and everything says so.",
        ),
        key(
            "names",
            Type::List(Form::Refs),
            Value("[]"),
            "The patterns of branches that may be made, besides those of the classes; an empty list takes any name.",
        ),
        key(
            "ticket-expiry",
            Type::Text(Form::Duration),
            Value("\"15m\""),
            "How long a landing ticket is good for.",
        ),
        key(
            "approval-expiry",
            Type::Text(Form::Duration),
            Value("\"720h\""),
            "How long an approval is good for.",
        ),
        key(
            "policy-owners",
            WHO,
            Value("[]"),
            "Who must approve a change of the policy, of the keys and of the owners.",
        ),
    ],
    sections: &[
        named("person", "A person, under the name by which approvals are signed.", PERSON, &[]),
        named(
            "agent",
            "A program that works for people. Its approvals never count, and it lands only where it is named.",
            PERSON,
            &[],
        ),
        named("group", "Several people under one name.", GROUP, &[]),
        named(
            "branch",
            "A class of branches. A branch that fits several must meet all of them; one that fits none is open to \
             whoever is known.",
            BRANCH,
            &[MERGE],
        ),
        named("tag", "A class of tags.", TAG, &[]),
        one("commits", "What must be true of every commit.", COMMITS),
        Section {
            name: "files",
            shape: Shape::One,
            doc: "What must be true of every file that is added or changed, in each commit and in all of them.",
            keys: FILES,
            sections: &[Section {
                name: "restricted",
                shape: Shape::Many,
                doc: "Paths that only some may change.",
                keys: RESTRICTED,
                sections: &[],
            }],
        },
    ],
};

const fn named(
    name: &'static str,
    doc: &'static str,
    keys: &'static [Key],
    sections: &'static [Section],
) -> Section {
    Section { name, shape: Shape::Named, doc, keys, sections }
}

const PERSON: &[Key] = &[
    key(
        "email",
        Type::List(Form::Any),
        Value("[]"),
        "Addresses in commits. They give no rights; they tell whose work a commit is.",
    ),
    key(
        "login",
        Type::List(Form::Any),
        Detected("the name itself"),
        "The names that the transport vouches for, such as those of `shipway guard shell`.",
    ),
];

const GROUP: &[Key] = &[key("members", WHO, Required, "Names of people and agents.")];

const BRANCH: &[Key] = &[
    key("patterns", Type::List(Form::Refs), Detected("the name of the table"), "The branches of the class."),
    key(
        "protected",
        Type::Flag,
        Value("false"),
        "Whether only landings move it; then it is never deleted either, and nobody pushes to it.",
    ),
    key(
        "create",
        WHO,
        Value("[\"*\"]"),
        "Who may make one; `*` is whoever is known. A protected one is begun by a ticket of one of them.",
    ),
    key("push", WHO, Value("[\"*\"]"), "Who may push to it, where it is not protected."),
    key("delete", WHO, Value("[\"*\"]"), "Who may delete it, where it is not protected."),
    key(
        "force",
        WHO,
        Detected("nobody where it is protected, else `*`"),
        "Who may move it to what is not ahead of it; where it is protected, by exception only.",
    ),
    key("land", WHO, Detected("every person of the policy"), "Who may land."),
    key("release", WHO, Value("[]"), "Who may land the commit of a release without a change request."),
    key(
        "break-glass",
        WHO,
        Value("[]"),
        "Who may land by exception, past approvals, checks and pairs, with a reason.",
    ),
    key(
        "checks",
        Type::List(Form::Any),
        Value("[]"),
        "The names of `[[check]]`s of shipway.toml that must have passed on the very commit that lands.",
    ),
    key("runners", WHO, Detected("whoever lands"), "Whose signature counts for checks."),
    key("approvals", Type::Upto(64), Value("0"), "How many people must approve, none of them an author."),
    key("approvers", WHO, Detected("every person of the policy"), "Whose approval counts."),
    key(
        "owners",
        Type::Flag,
        Value("false"),
        "Whether each changed path that has owners in CODEOWNERS needs the approval of one of them.",
    ),
    key(
        "grade",
        Type::Upto(3),
        Value("0"),
        "How much an approval must prove: 0 is typed at a terminal, 3 is a touch and a PIN on a device.",
    ),
    key("linear", Type::Flag, Value("false"), "Whether it holds no merge commits."),
    key(
        "local",
        Type::Flag,
        Value("false"),
        "Whether a protected branch is held in work trees too: hooks that are installed there then let it move only to \
         what a remote has. It costs a process at each change of a ref.",
    ),
    key(
        "signed",
        Type::Flag,
        Value("false"),
        "Whether its commits are signed by a key of the allowed signers.",
    ),
];

const MERGE: Section = Section {
    name: "merge",
    shape: Shape::Many,
    doc: "What may be merged into the class, and how. Without any, every branch may, by every method.",
    keys: &[
        key(
            "from",
            Type::List(Form::Refs),
            Value("[\"*\"]"),
            "The source branches; `*` alone is any branch, and a change that names none.",
        ),
        key(
            "method",
            Type::List(Form::Of(Method::NAMES)),
            Required,
            "The methods that are allowed; the first is taken unless another is asked for.",
        ),
        key(
            "approved",
            Type::Flag,
            Value("false"),
            "Whether what comes from a protected branch, by a merge or a fast-forward, needs no approvals again: it had \
             them when it landed there. So back-merges land by themselves.",
        ),
    ],
    sections: &[],
};

const TAG: &[Key] = &[
    key("patterns", Type::List(Form::Refs), Detected("the name of the table"), "The tags of the class."),
    key("create", WHO, Value("[\"*\"]"), "Who may make one."),
    key("immutable", Type::Flag, Value("true"), "Whether it never moves and is never deleted."),
    key("signed", Type::Flag, Value("false"), "Whether it must be an annotated tag with a good signature."),
    key("landed", Type::Flag, Value("false"), "Whether it must name a commit of a protected branch."),
];

const COMMITS: &[Key] = &[
    key(
        "conventional",
        Type::Flag,
        Value("true"),
        "Whether messages follow Conventional Commits, by the parser that decides versions.",
    ),
    key(
        "types",
        Type::List(Form::Any),
        Value("[]"),
        "Further types, besides those that `shipway lint` knows, in lower case.",
    ),
    key("issue", Type::Flag, Value("false"), "Whether a message names an issue, such as `#123`."),
    key("subject", Type::Number, Value("0"), "How many bytes the first line may have; 0 is any number."),
    key("size", Type::Text(Form::Size), Value("\"64kiB\""), "How many bytes a message may have."),
    key("parents", Type::Upto(64), Value("2"), "How many parents a commit may have."),
];

const FILES: &[Key] = &[
    key("size", Type::Text(Form::Size), Value("\"50MB\""), "How many bytes a file may have."),
    key("forbidden", Type::List(Form::Paths), Value("[]"), "Paths that are refused."),
    key("secrets", Type::Flag, Value("true"), "Whether files and lines that look like secrets are refused."),
    key(
        "harmless",
        Type::List(Form::Paths),
        Value("[]"),
        "Paths that may hold what looks like a secret, such as keys of tests.",
    ),
    key(
        "lfs",
        Type::Flag,
        Value("false"),
        "Whether content that Git LFS keeps must be in the guarded repository (`lfs/objects`), as the file says it is. \
         It is then searched for secrets as well.",
    ),
];

const RESTRICTED: &[Key] = &[
    key("paths", Type::List(Form::Paths), Required, "The paths."),
    key("who", WHO, Required, "Who may change them, or approve that they are changed."),
];
