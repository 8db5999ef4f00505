//! The part of the table of keys that is about artifacts, services, migrations and backups.

use super::Absent::{Detected, Required, Value};
use super::{Key, Section, Shape, key, one};
use crate::config::choice::{KeeperKind, Phase, RuntimeKind, SwitchKind};
use crate::config::form::{Form, Type};

pub(super) const fn named(
    name: &'static str,
    doc: &'static str,
    keys: &'static [Key],
    sections: &'static [Section],
) -> Section {
    Section { name, shape: Shape::Named, doc, keys, sections }
}

/// What is built once and brought to hosts.
pub(super) const ARTIFACT: Section = one(
    "artifact",
    "What is built once, in a clean checkout of the release, and brought to hosts.",
    ARTIFACT_KEYS,
);

const ARTIFACT_KEYS: &[Key] = &[
    key("build", Type::Command, Detected("nothing is built"), "The command that builds it."),
    key("env", Type::Variables, Value("{}"), "Variables for the build, on top of the inherited ones."),
    key("timeout", Type::Text(Form::Duration), Value("\"15m\""), "How long the build may take."),
    key(
        "dir",
        Type::Text(Form::Path),
        Detected("the checkout"),
        "The directory whose files make the artifact.",
    ),
    key("include", Type::List(Form::Any), Value("[\"**\"]"), "Globs of the files that belong to it."),
    key("exclude", Type::List(Form::Any), Value("[]"), "Globs of files that do not, such as `**/*.map`."),
    key(
        "runtime",
        Type::Text(Form::Of(RuntimeKind::NAMES)),
        Value("\"none\""),
        "What is made ready on the host before the switch: a virtual environment, or `npm ci`.",
    ),
    key(
        "interpreter",
        Type::Text(Form::Any),
        Value("\"python3\""),
        "The interpreter on the host that makes the virtual environment.",
    ),
    key(
        "requirements",
        Type::Text(Form::Path),
        Value("\"requirements.txt\""),
        "The file in the artifact that says what is installed into the virtual environment: requirements of pip, \
         `pylock.toml`, `uv.lock` or `poetry.lock`. One of these is taken where `requirements.txt` is not there.",
    ),
    key(
        "install-args",
        Type::List(Form::Word),
        Value("[]"),
        "Further arguments of `pip install` or `npm ci`.",
    ),
];

/// What runs on hosts.
pub(super) const SERVICE: Section = named(
    "service",
    "Something that runs on the hosts of an environment. Texts of it may hold `{current}`, `{release}`, `{root}`, \
     `{runtime}`, `{version}`, `{port}`, `{name}`, `{environment}` and `{project}`.",
    SERVICE_KEYS,
    &[KEEPER, SWITCH, HEALTH],
);

const SERVICE_KEYS: &[Key] = &[
    key("run", Type::Command, Detected("the manager's own definition"), "The program and its arguments."),
    key("env", Type::Variables, Value("{}"), "Variables for it."),
    key(
        "roles",
        Type::List(Form::Any),
        Value("[]"),
        "The roles of the hosts it runs on; all hosts if empty.",
    ),
    key(
        "smoke",
        Type::Command,
        Detected("none"),
        "A command on the host that must end with code 0 once it is live.",
    ),
    key("overlap", Type::Flag, Value("true"), "Whether the old and the new one may run at the same time."),
    key(
        "stop-timeout",
        Type::Text(Form::Duration),
        Value("\"10s\""),
        "How long it may take to stop by itself before it is killed.",
    ),
    key(
        "drain",
        Type::Text(Form::Duration),
        Value("\"30s\""),
        "How long requests in flight may take to end after the switch.",
    ),
];

const KEEPER: Section = one(
    "manager",
    "What keeps the service running.",
    &[
        key("kind", Type::Text(Form::Of(KeeperKind::NAMES)), Value("\"process\""), "Which manager."),
        key(
            "unit",
            Type::Text(Form::Any),
            Detected("PROJECT-ENVIRONMENT-SERVICE"),
            "The systemd unit, without `.service`.",
        ),
        key(
            "unit-lines",
            Type::List(Form::Any),
            Value("[]"),
            "Further lines of the unit's `[Service]` section.",
        ),
        key(
            "scan",
            Type::Text(Form::Any),
            Detected("`/run/service` for s6, `/etc/service` for runit"),
            "The scan directory of s6 or runit.",
        ),
        key(
            "include",
            Type::Text(Form::Any),
            Value("\"/etc/supervisor/conf.d\""),
            "The directory of the program files of supervisord.",
        ),
        key(
            "config",
            Type::Text(Form::Any),
            Value("\"/etc/supervisor/supervisord.conf\""),
            "The configuration that supervisorctl reads.",
        ),
        key("engine", Type::Text(Form::Any), Value("\"podman\""), "The program that runs containers."),
        key(
            "image",
            Type::Text(Form::Any),
            Detected("none"),
            "The image of a container; `{file:PATH}` in it is the word in a file of the artifact, such as a digest.",
        ),
        key("args", Type::List(Form::Word), Value("[]"), "Further arguments of the engine's `run`."),
        key("compose", Type::Command, Value("\"podman-compose\""), "The command that takes a compose file."),
        key(
            "file",
            Type::Text(Form::Path),
            Value("\"compose.yaml\""),
            "The compose file or quadlet unit in the artifact.",
        ),
        key(
            "start",
            Type::Command,
            Detected("none"),
            "For `command`: makes the release live; may be repeated.",
        ),
        key(
            "status",
            Type::Command,
            Detected("none"),
            "For `command`: ends with 0 if this release is live, with 1 if it is not.",
        ),
        key("stop", Type::Command, Detected("none"), "For `command`: stops what was started."),
    ],
);

const SWITCH: Section = one(
    "switch",
    "How traffic goes from the old release to the new one.",
    &[
        key("kind", Type::Text(Form::Of(SwitchKind::NAMES)), Value("\"restart\""), "Which mechanism."),
        key("listen", Type::Text(Form::Any), Detected("none"), "For `socket`: what systemd listens on."),
        key(
            "ports",
            Type::Ports,
            Detected("none"),
            "For `proxy`, `haproxy` and `reload`: the two ports on which old and new run side by side.",
        ),
        key(
            "control",
            Type::Text(Form::Any),
            Detected("none"),
            "For `proxy`: the control socket of `shipway proxy`.",
        ),
        key("socket", Type::Text(Form::Any), Detected("none"), "For `haproxy`: its runtime socket."),
        key(
            "map",
            Type::Text(Form::Any),
            Detected("none"),
            "For `haproxy`: the map file, as its configuration names it.",
        ),
        key(
            "key",
            Type::Text(Form::Any),
            Detected("the name of the service"),
            "For `haproxy`: the key in the map.",
        ),
        key(
            "backends",
            Type::List(Form::Any),
            Value("[]"),
            "For `haproxy`: the two backends, in the order of the ports.",
        ),
        key(
            "file",
            Type::Text(Form::Any),
            Detected("none"),
            "For `reload`: the file that names the upstream.",
        ),
        key(
            "content",
            Type::Text(Form::Word),
            Detected("none"),
            "For `reload`: its content, with `{port}` in it.",
        ),
        key(
            "reload",
            Type::Command,
            Detected("none"),
            "For `reload`: the command that makes the server read the file.",
        ),
    ],
);

const HEALTH: Section = one(
    "health",
    "How the service shows that it is well; one of the first four keys.",
    &[
        key(
            "http",
            Type::Text(Form::Any),
            Detected("none"),
            "An address on the host, such as `http://127.0.0.1:{port}/health`.",
        ),
        key("tcp", Type::Text(Form::Any), Detected("none"), "A TCP address that accepts a connection."),
        key("command", Type::Command, Detected("none"), "A command that ends with code 0."),
        key(
            "service",
            Type::Flag,
            Value("false"),
            "What its manager says, and that it was not started again.",
        ),
        key(
            "expect",
            Type::Text(Form::Any),
            Detected("nothing"),
            "A text that the answer holds, such as `{version}`, so that the new release is known to answer.",
        ),
        key("status", Type::Number, Detected("200 to 299"), "The status that HTTP answers."),
        key("slowest", Type::Text(Form::Duration), Value("\"5s\""), "How slow an answer may be."),
        key("passes", Type::Count, Value("3"), "How often in a row it must be well."),
        key("over", Type::Text(Form::Duration), Value("\"3s\""), "Over what time these passes are spread."),
        key(
            "within",
            Type::Text(Form::Duration),
            Value("\"60s\""),
            "Within what time all of this must be so.",
        ),
    ],
);

/// A step of a change to a database.
pub(super) const MIGRATION: Section = Section {
    name: "migration",
    shape: Shape::Many,
    doc: "A change to a database that goes with a release. What only adds runs before the switch, and what takes away \
          is left for a later release.",
    keys: &[
        key(
            "name",
            Type::Text(Form::Any),
            Required,
            "The name, unique in the file; each change has its own, by which hosts know it.",
        ),
        key(
            "phase",
            Type::Text(Form::Of(Phase::NAMES)),
            Value("\"expand\""),
            "Before the switch, for what only adds; or after the release is confirmed, for what takes away: without an \
             undo no release before can be gone back to then.",
        ),
        key("run", Type::Command, Required, "The command, on one host; it may be repeated."),
        key(
            "done",
            Type::Command,
            Detected("it is run again"),
            "Ends with 0 if the change is there, with 1 if it is not; it may be asked in the release before.",
        ),
        key(
            "undo",
            Type::Command,
            Detected("no undo: a point of no return"),
            "The command that takes it back; it may be repeated.",
        ),
        key(
            "backup",
            Type::Text(Form::Any),
            Detected("none"),
            "The backup that is made and verified before; without an undo it must be named.",
        ),
        key(
            "roles",
            Type::List(Form::Any),
            Value("[]"),
            "The roles of the host it runs on; the first such host.",
        ),
        key("timeout", Type::Text(Form::Duration), Value("\"10m\""), "How long it may take."),
    ],
    sections: &[],
};

/// What is backed up.
pub(super) const BACKUP: Section = named(
    "backup",
    "Something that is backed up, and proven by restoring it into a scratch place.",
    &[
        key(
            "kind",
            Type::Text(Form::Of(&["directory", "sqlite", "postgresql", "command"])),
            Required,
            "What it is.",
        ),
        key(
            "source",
            Type::Text(Form::Any),
            Detected("none"),
            "The directory, the SQLite file, or the PostgreSQL database.",
        ),
        key("run", Type::Command, Detected("none"), "For `command`: writes the backup to `{file}`."),
        key("restore", Type::Command, Detected("none"), "For `command`: restores `{file}` into `{scratch}`."),
        key(
            "verify",
            Type::Command,
            Detected("what was restored can be read"),
            "Ends with 0 if what was restored into `{scratch}` is right.",
        ),
        key(
            "environment",
            Type::Text(Form::Any),
            Detected("this machine"),
            "The environment on whose first host it is made.",
        ),
        key("roles", Type::List(Form::Any), Value("[]"), "The roles of that host."),
        key(
            "to",
            Type::Text(Form::Any),
            Detected("`backups` below the environment's directory; on this machine, beside the journal"),
            "Where backups are kept.",
        ),
        key("keep", Type::Count, Value("7"), "How many are kept."),
        key(
            "recipients",
            Type::List(Form::Any),
            Value("[]"),
            "age recipients that it is encrypted for; not encrypted if empty.",
        ),
        key(
            "identity",
            Type::Text(Form::Any),
            Detected("none"),
            "The age identity file with which a verification decrypts it.",
        ),
        key("timeout", Type::Text(Form::Duration), Value("\"1h\""), "How long it may take."),
    ],
    &[],
);

/// Some people.
pub(super) const GROUP: Section = named(
    "group",
    "Some people, to be named as `group:NAME`.",
    &[key("members", Type::List(Form::Any), Required, "Names or e-mail addresses.")],
    &[],
);
