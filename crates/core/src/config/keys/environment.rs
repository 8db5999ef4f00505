//! The part of the table of keys that is about environments: hosts, gates, what is watched and what is wanted.

use super::Absent::{Detected, Value};
use super::deploy::named;
use super::{Key, Section, key, one};
use crate::config::choice::{Grade, Strategy};
use crate::config::form::{Form, Type};

/// A named place on the way to production.
pub(super) const ENVIRONMENT: Section = named(
    "environment",
    "A place on the way to production, and how a release gets there.",
    ENVIRONMENT_KEYS,
    &[HOST, WATCH, REQUIRE],
);

const ENVIRONMENT_KEYS: &[Key] = &[
    key(
        "hosts",
        Type::List(Form::Host),
        Value("[]"),
        "The hosts: `local`, or what ssh takes, such as `deploy@web-1` or `ssh://web-1:2222`.",
    ),
    key(
        "path",
        Type::Text(Form::Any),
        Detected("`shipway/PROJECT/ENVIRONMENT` below the home directory"),
        "The directory on each host.",
    ),
    key("ssh", Type::Command, Value("\"ssh\""), "The ssh client with its arguments."),
    key(
        "from",
        Type::Text(Form::Any),
        Detected("nothing"),
        "The environment that must have proven the same artifact.",
    ),
    key(
        "strategy",
        Type::Text(Form::Of(Strategy::NAMES)),
        Value("\"rolling\""),
        "How the hosts follow each other: all at once, in batches, or some first.",
    ),
    key(
        "batch",
        Type::Text(Form::Share),
        Value("\"1\""),
        "How many hosts are switched at once, such as `2` or `25%`.",
    ),
    key("canary", Type::Text(Form::Share), Value("\"1\""), "For `canary`: how many hosts go first."),
    key(
        "canary-watch",
        Type::TextOrFalse(Form::Duration),
        Value("\"1m\""),
        "For `canary`: how long they are watched before the others follow. Where `watch.for` is false, they are watched only if this is set.",
    ),
    key(
        "weights",
        Type::List(Form::Percent),
        Value("[]"),
        "For `canary`: the shares of the traffic that the new release gets on the first hosts before it gets all, such as `[\"5%\", \"25%\"]`; each is watched for `canary-watch`. Without `canary`, all hosts go first.",
    ),
    key(
        "confirm",
        Type::TextOrFalse(Form::Duration),
        Value("\"60s\""),
        "After what time without hearing from us a switched host puts itself back; false switches that off.",
    ),
    key("keep", Type::Count, Value("3"), "How many releases that were live stay on a host."),
    key("keep-bytes", Type::Text(Form::Size), Detected("no limit"), "How many bytes they may have together."),
    key(
        "secrets",
        Type::List(Form::Variable),
        Value("[]"),
        "Variables of ours that its services are given, and nobody is shown.",
    ),
    key("env", Type::Variables, Value("{}"), "Variables for its services, before their own."),
    key(
        "checks",
        Type::List(Form::Any),
        Value("[]"),
        "The names of `[[check]]`s that must pass for it as well.",
    ),
    key(
        "before",
        Type::Command,
        Detected("none"),
        "A command here that must end with code 0 before anything is brought to it.",
    ),
    key(
        "after",
        Type::Command,
        Detected("none"),
        "A command here that must end with code 0 before a release counts as proven.",
    ),
    key("approvals", Type::Number, Value("0"), "How many people must approve."),
    key(
        "approvers",
        Type::List(Form::Any),
        Value("[]"),
        "Who may: names or e-mail addresses, or `group:NAME`; anybody if empty.",
    ),
    key(
        "approval-grade",
        Type::Text(Form::Of(Grade::NAMES)),
        Value("\"P0\""),
        "How much an approval must prove; from P1 on it is signed with a key of ssh.",
    ),
    key(
        "own-approval",
        Type::Flag,
        Value("false"),
        "Whether whoever began the run, or made its commits, may approve.",
    ),
    key(
        "soak",
        Type::Text(Form::Duration),
        Detected("none"),
        "How long `from` must have had the release before.",
    ),
    key(
        "windows",
        Type::List(Form::Any),
        Value("[]"),
        "When changes may be made, such as `Mon-Fri 09:00-17:00 Europe/Berlin`; always if empty.",
    ),
    key(
        "freeze",
        Type::List(Form::Any),
        Value("[]"),
        "When not, such as `2026-12-20T00:00/2027-01-02T06:00 Europe/Berlin`.",
    ),
    key("incidents", Type::Flag, Value("true"), "Whether an open incident keeps its gate shut."),
    key(
        "fresh",
        Type::Text(Form::Duration),
        Value("\"24h\""),
        "How old what checks and drills have shown may be when the gate opens.",
    ),
    key(
        "drill-within",
        Type::Text(Form::Duration),
        Detected("no drill is wanted"),
        "How old the last rollback drill may be.",
    ),
    key(
        "on",
        Type::List(Form::Event),
        Value("[]"),
        "What `shipway trigger` deploys it for, such as `change:develop`; nothing if empty.",
    ),
    key("drill", Type::Flag, Value("false"), "Whether drills may be carried out here."),
    key(
        "unproven",
        Type::Flag,
        Value("false"),
        "Whether an artifact is accepted that `from` has not proven; every plan says so.",
    ),
];

const HOST: Section = named(
    "host",
    "What a host has of its own.",
    &[
        key("address", Type::Text(Form::Host), Detected("its name"), "Where ssh finds it, or `local`."),
        key("path", Type::Text(Form::Any), Detected("that of the environment"), "The directory on it."),
        key("roles", Type::List(Form::Any), Value("[]"), "What it is there for; services name roles."),
    ],
    &[],
);

const WATCH: Section = one(
    "watch",
    "What is watched after the switch, before the release is confirmed.",
    &[
        key("for", Type::TextOrFalse(Form::Duration), Value("\"5m\""), "How long; false watches nothing."),
        key("every", Type::Text(Form::Duration), Value("\"5s\""), "How often."),
        key(
            "errors",
            Type::Text(Form::Percent),
            Value("\"1%\""),
            "How many requests may fail, as the proxy counts them.",
        ),
        key(
            "slower",
            Type::Text(Form::Percent),
            Value("\"50%\""),
            "How much slower the median answer may be than that of the release before.",
        ),
        key(
            "samples",
            Type::Count,
            Value("50"),
            "How many requests a verdict needs; fewer are not enough data.",
        ),
        key(
            "without-data",
            Type::Text(Form::Of(&["pass", "fail"])),
            Value("\"pass\""),
            "What too little data means in the end.",
        ),
        key(
            "prometheus",
            Type::Text(Form::Address),
            Detected("none"),
            "A Prometheus server that queries are sent to.",
        ),
        key(
            "query",
            Type::Text(Form::Any),
            Detected("none"),
            "A query whose value must not be above `limit`.",
        ),
        key("limit", Type::Text(Form::Any), Value("\"0\""), "The highest value of the query that is well."),
        key(
            "command",
            Type::Command,
            Detected("none"),
            "A command on every host that must end with code 0 each time.",
        ),
        key(
            "log",
            Type::Text(Form::Any),
            Detected("none"),
            "A text that must not appear in the services' logs.",
        ),
    ],
);

const REQUIRE: Section = one(
    "require",
    "What `env verify` and every deployment want of the hosts.",
    &[
        key("os", Type::Text(Form::Any), Detected("any"), "The operating system, such as `debian 12`."),
        key("user", Type::Text(Form::Any), Detected("any"), "The user that we are there."),
        key(
            "sudo",
            Type::List(Form::Any),
            Value("[]"),
            "Commands that the user may run as root without a password.",
        ),
        key(
            "clock-offset",
            Type::Text(Form::Duration),
            Value("\"5s\""),
            "How far its clock may be from ours.",
        ),
        key("disk-free", Type::Text(Form::Size), Detected("what the release needs"), "The free space."),
        key("memory", Type::Text(Form::Size), Detected("any"), "The available memory."),
        key("ports-free", Type::List(Form::Any), Value("[]"), "Ports that nobody listens on."),
        key(
            "ports-open",
            Type::List(Form::Any),
            Value("[]"),
            "Addresses that accept a connection, such as `db:5432`.",
        ),
        key("units", Type::List(Form::Any), Value("[]"), "systemd units that are active."),
        key(
            "python",
            Type::Text(Form::Any),
            Detected("any"),
            "The version of the interpreter, such as `>=3.11`.",
        ),
        key("interpreter", Type::Text(Form::Any), Detected("`python3`"), "The interpreter."),
        key("venv", Type::Text(Form::Any), Detected("none"), "The virtual environment that is there."),
        key("imports", Type::List(Form::Any), Value("[]"), "Modules that the interpreter can import."),
        key("node", Type::Text(Form::Any), Detected("any"), "The version of Node.js, such as `>=20`."),
        key(
            "variables",
            Type::List(Form::Any),
            Value("[]"),
            "Variables that are set: `NAME`, or `NAME@FILE` in a file.",
        ),
        key(
            "files",
            Type::List(Form::Any),
            Value("[]"),
            "Files that are there; `PATH:0600` wants that mode.",
        ),
        key(
            "secrets",
            Type::List(Form::Any),
            Value("[]"),
            "Secrets that are there; their values are not looked at.",
        ),
        key("certificates", Type::List(Form::Any), Value("[]"), "Certificates, as files or as `HOST:PORT`."),
        key("certificate-days", Type::Count, Value("14"), "How many days these are valid at least."),
        key("dns", Type::List(Form::Any), Value("[]"), "Names that resolve."),
        key(
            "backup-within",
            Type::Text(Form::Duration),
            Detected("any"),
            "How old the last verified backup may be.",
        ),
        key(
            "commands",
            Type::List(Form::Any),
            Value("[]"),
            "Programs that are installed, such as `psql>=15`.",
        ),
        key(
            "debian",
            Type::List(Form::Any),
            Value("[]"),
            "Debian packages that are installed, such as `nginx=1.22.1`.",
        ),
        key(
            "cargo",
            Type::List(Form::Any),
            Value("[]"),
            "Binaries that Cargo installed, such as `just=1.40.0`.",
        ),
        key("parity", Type::Text(Form::Any), Detected("`from`"), "The environment that it should be like."),
    ],
);
