//! Values of the keys of artifacts, services, environments, migrations, backups and groups.

use super::values::Row;

const TEXT: (&[&str], &[&str], &[&str]) = (&["'a'", "'b c'"], &["1", "['a']"], &["''", "\"a\\nb\""]);
const LIST: (&[&str], &[&str], &[&str]) = (&["['a', 'b']", "[]"], &["'a'", "[1]"], &["['']"]);
const WORDS: (&[&str], &[&str], &[&str]) = (&["['a', '']", "[]"], &["'a'", "[1]"], &["[\"a\\u0000b\"]"]);
const COMMAND: (&[&str], &[&str], &[&str]) =
    (&["'a b'", "['a', 'c']"], &["1", "{}"], &["''", "[]", "'a && b'"]);
const TIME: (&[&str], &[&str], &[&str]) = (&["'1h30m'", "'500ms'"], &["10"], &["'10'", "'0s'"]);
const TIME_OR_FALSE: (&[&str], &[&str], &[&str]) = (&["'90s'", "false"], &["10", "true"], &["'10'"]);
const FLAG: (&[&str], &[&str], &[&str]) = (&["true", "false"], &["'true'", "1"], &[]);
const COUNT: (&[&str], &[&str], &[&str]) = (&["1", "1024"], &["'4'", "1.5"], &["0", "1025"]);
const NUMBER: (&[&str], &[&str], &[&str]) = (&["0", "401"], &["'4'", "1.5"], &["-1", "1025"]);
const NAMES: (&[&str], &[&str], &[&str]) = (&["['A_B']", "[]"], &["'A_B'", "[1]"], &["['A-B']"]);
const TABLE: (&[&str], &[&str], &[&str]) =
    (&["{ A = 'b' }", "{}"], &["[]", "{ A = 1 }"], &["{ 'A-B' = 'c' }"]);
const SIZE: (&[&str], &[&str], &[&str]) = (&["'500MB'", "'2GiB'"], &["500"], &["'500'", "'0B'", "'5mb'"]);
const SHARE: (&[&str], &[&str], &[&str]) = (&["'2'", "'25%'"], &["2"], &["'0'", "'101%'", "'two'"]);
const PERCENT: (&[&str], &[&str], &[&str]) = (&["'0.5%'", "'10%'"], &["1"], &["'1'", "'%'", "'one'"]);
const PATH: (&[&str], &[&str], &[&str]) = (&["'a/b'", "'c'"], &["1"], &["'../a'", "'/a'"]);

const fn row(
    key: &'static str,
    (right, types, values): (&'static [&'static str], &'static [&'static str], &'static [&'static str]),
) -> Row {
    (key, right, types, values)
}

pub(super) const ROWS: &[Row] = &[
    row("target.deploy", TIME),
    row("artifact.build", COMMAND),
    row("artifact.env", TABLE),
    row("artifact.timeout", TIME),
    row("artifact.dir", PATH),
    row("artifact.include", LIST),
    row("artifact.exclude", LIST),
    ("artifact.runtime", &["'none'", "'python'", "'node'"], &["1"], &["'ruby'"]),
    row("artifact.interpreter", TEXT),
    row("artifact.requirements", PATH),
    row("artifact.install-args", WORDS),
    row("service.run", COMMAND),
    row("service.env", TABLE),
    row("service.roles", LIST),
    row("service.smoke", COMMAND),
    row("service.overlap", FLAG),
    row("service.stop-timeout", TIME),
    row("service.drain", TIME),
    ("service.manager.kind", &["'process'", "'systemd'", "'s6'", "'compose'"], &["1"], &["'upstart'"]),
    row("service.manager.unit", TEXT),
    row("service.manager.unit-lines", LIST),
    row("service.manager.scan", TEXT),
    row("service.manager.include", TEXT),
    row("service.manager.config", TEXT),
    row("service.manager.engine", TEXT),
    row("service.manager.image", TEXT),
    row("service.manager.args", WORDS),
    row("service.manager.compose", COMMAND),
    row("service.manager.file", PATH),
    row("service.manager.start", COMMAND),
    row("service.manager.status", COMMAND),
    row("service.manager.stop", COMMAND),
    ("service.switch.kind", &["'restart'", "'proxy'", "'haproxy'", "'reload'"], &["1"], &["'magic'"]),
    row("service.switch.listen", TEXT),
    (
        "service.switch.ports",
        &["[1, 2]", "[8001, 8002]"],
        &["'1'", "['a', 'b']"],
        &["[1]", "[1, 1]", "[0, 1]", "[1, 65536]"],
    ),
    row("service.switch.control", TEXT),
    row("service.switch.socket", TEXT),
    row("service.switch.map", TEXT),
    row("service.switch.key", TEXT),
    (
        "service.switch.backends",
        &["['a', 'b']", "['c', 'd']"],
        &["'a'", "[1]"],
        &["['']", "['a']", "['a', 'a']"],
    ),
    row("service.switch.file", TEXT),
    ("service.switch.content", &["'a {port}'", "\"b\\n{port}\""], &["1"], &["'a'"]),
    row("service.switch.reload", COMMAND),
    ("service.health.http", &["'http://127.0.0.1:{port}/'", "'https://a/'"], &["1"], &["''", "'127.0.0.1'"]),
    row("service.health.tcp", TEXT),
    row("service.health.command", COMMAND),
    row("service.health.service", FLAG),
    row("service.health.expect", TEXT),
    row("service.health.status", NUMBER),
    row("service.health.slowest", TIME),
    row("service.health.passes", COUNT),
    row("service.health.over", TIME),
    row("service.health.within", TIME),
    (
        "environment.hosts",
        &["['local', '1.x']", "['deploy@web-1', 'ssh://a:2222', '1.x']"],
        &["'local'", "[1]"],
        &["['-oProxyCommand=x']", "['a b']", "['']", "['a', 'a']"],
    ),
    row("environment.path", TEXT),
    row("environment.ssh", COMMAND),
    ("environment.from", &["'other'", "'third'"], &["1"], &["'nowhere'", "'1.x'"]),
    ("environment.strategy", &["'rolling'", "'canary'", "'recreate'", "'blue-green'"], &["1"], &["'yolo'"]),
    row("environment.batch", SHARE),
    row("environment.canary", SHARE),
    row("environment.canary-watch", TIME_OR_FALSE),
    (
        "environment.weights",
        &["['5%', '25%']", "['0.5%']"],
        &["'5%'", "[1]"],
        &["['5']", "['0%']", "['100%']", "['25%', '5%']", "['5%', '5%']"],
    ),
    row("environment.confirm", TIME_OR_FALSE),
    row("environment.keep", COUNT),
    row("environment.keep-bytes", SIZE),
    row("environment.secrets", NAMES),
    row("environment.env", TABLE),
    ("environment.checks", &["['known']", "[]"], &["'known'", "[1]"], &["['unknown']"]),
    row("environment.before", COMMAND),
    row("environment.after", COMMAND),
    row("environment.approvals", NUMBER),
    (
        "environment.approvers",
        &["['a@b', 'group:g']", "['Ada']"],
        &["'a'", "[1]"],
        &["['group:nobody']", "['']"],
    ),
    ("environment.approval-grade", &["'P0'", "'P3'"], &["1"], &["'P4'", "'p1'"]),
    row("environment.own-approval", FLAG),
    row("environment.soak", TIME),
    row("environment.windows", LIST),
    row("environment.freeze", LIST),
    row("environment.incidents", FLAG),
    row("environment.fresh", TIME),
    row("environment.drill-within", TIME),
    row("environment.drill", FLAG),
    ("environment.on", &["['change:develop']", "[]"], &["'change:develop'", "[1]"], &["['deploy']"]),
    row("environment.unproven", FLAG),
    ("environment.host.address", &["'local'", "'deploy@web-1'"], &["1"], &["'-v'", "'a b'"]),
    row("environment.host.path", TEXT),
    row("environment.host.roles", LIST),
    row("environment.watch.for", TIME_OR_FALSE),
    row("environment.watch.every", TIME),
    row("environment.watch.errors", PERCENT),
    row("environment.watch.slower", PERCENT),
    row("environment.watch.samples", COUNT),
    ("environment.watch.without-data", &["'pass'", "'fail'"], &["true"], &["'maybe'"]),
    ("environment.watch.prometheus", &["'http://a'", "'https://b'"], &["1"], &["'a'"]),
    row("environment.watch.query", TEXT),
    row("environment.watch.limit", TEXT),
    row("environment.watch.command", COMMAND),
    row("environment.watch.log", TEXT),
    row("environment.require.os", TEXT),
    row("environment.require.user", TEXT),
    row("environment.require.sudo", LIST),
    row("environment.require.clock-offset", TIME),
    row("environment.require.disk-free", SIZE),
    row("environment.require.memory", SIZE),
    row("environment.require.ports-free", LIST),
    row("environment.require.ports-open", LIST),
    row("environment.require.units", LIST),
    row("environment.require.python", TEXT),
    row("environment.require.interpreter", TEXT),
    row("environment.require.venv", TEXT),
    row("environment.require.imports", LIST),
    row("environment.require.node", TEXT),
    row("environment.require.variables", LIST),
    row("environment.require.files", LIST),
    row("environment.require.secrets", LIST),
    row("environment.require.certificates", LIST),
    row("environment.require.certificate-days", COUNT),
    row("environment.require.dns", LIST),
    row("environment.require.backup-within", TIME),
    row("environment.require.commands", LIST),
    row("environment.require.debian", LIST),
    row("environment.require.cargo", LIST),
    row("environment.require.parity", TEXT),
    row("migration.name", TEXT),
    ("migration.phase", &["'expand'", "'contract'"], &["1"], &["'both'"]),
    row("migration.run", COMMAND),
    row("migration.done", COMMAND),
    row("migration.undo", COMMAND),
    ("migration.backup", &["'known'", "'other'"], &["1"], &["'unknown'"]),
    row("migration.roles", LIST),
    row("migration.timeout", TIME),
    ("backup.kind", &["'directory'", "'sqlite'"], &["1"], &["'tape'"]),
    row("backup.source", TEXT),
    row("backup.run", COMMAND),
    row("backup.restore", COMMAND),
    row("backup.verify", COMMAND),
    ("backup.environment", &["'other'", "'third'"], &["1"], &["'nowhere'"]),
    row("backup.roles", LIST),
    row("backup.to", TEXT),
    row("backup.keep", COUNT),
    row("backup.recipients", LIST),
    row("backup.identity", TEXT),
    row("backup.timeout", TIME),
    row("group.members", LIST),
];

/// Returns the text around a key that it needs to be right: what stands before the file's other lines, and what stands
/// beside the key.
pub(super) fn surroundings(path: &str, key: &str) -> (&'static str, Vec<&'static str>) {
    let beside: &[&str] = match (path, key) {
        ("artifact", "interpreter" | "requirements" | "install-args") => &["runtime = 'python'"],
        ("service", _) => &["run = 'r'"],
        ("service.manager", "image") => &["kind = 'container'"],
        ("service.manager", "args" | "engine") => &["kind = 'container'", "image = 'i'"],
        ("service.manager", "compose" | "file") => &["kind = 'compose'"],
        ("service.manager", "start" | "status" | "stop") => {
            &["kind = 'command'", "start = 's'", "status = 't'"]
        }
        ("service.manager", "unit" | "unit-lines") => &["kind = 'systemd'"],
        ("service.manager", "scan") => &["kind = 's6'"],
        ("service.manager", "include" | "config") => &["kind = 'supervisor'"],
        ("service.switch", "listen") => &["kind = 'socket'"],
        ("service.switch", "control") => &["kind = 'proxy'", "ports = [1, 2]"],
        ("service.switch", "file" | "content" | "reload") => {
            &["kind = 'reload'", "file = 'f'", "content = '{port}'", "reload = 'r'", "ports = [1, 2]"]
        }
        ("service.switch", _) => &[
            "kind = 'haproxy'",
            "socket = 's'",
            "map = 'm'",
            "backends = ['a', 'b']",
            "ports = [3, 4]",
            "file = 'f'",
            "content = '{port}'",
            "reload = 'r'",
            "control = 'c'",
        ],
        ("service.health", "http" | "tcp" | "command" | "service") => &[],
        ("service.health", _) => &["http = 'http://a'"],
        ("environment", "weights") => &["strategy = 'canary'"],
        ("environment.watch", "prometheus") => &["query = 'q'"],
        ("environment.watch", "query" | "limit") => &["query = 'q'", "prometheus = 'http://a'"],
        ("migration", _) => &["name = 'n'", "run = 'r'", "undo = 'u'", "backup = 'known'"],
        ("backup", "kind") => &["source = 's'"],
        ("backup", "environment") => &["kind = 'directory'", "source = 's'"],
        ("backup", _) => &["kind = 'command'", "source = 's'", "run = 'r'", "restore = 'r'"],
        ("group", _) => &["members = []"],
        _ => &[],
    };
    let before = match (path, key) {
        ("service.switch", "listen" | "kind") => {
            "service.\"1.x\".run = 'r'\nservice.\"1.x\".manager.kind = 'systemd'\n"
        }
        ("service.manager" | "service.health" | "service.switch", _) => "service.\"1.x\".run = 'r'\n",
        ("environment.host", _) => "environment.\"1.x\".hosts = ['1.x']\n",
        ("environment", "weights") => {
            "service.\"1.x\" = { run = 'r', switch = { kind = 'proxy', control = 'c', ports = [1, 2] } }\n"
        }
        ("environment", "checks") => "check = [{ name = 'known', run = 'r' }]\n",
        ("environment", "approvers") => "group.g.members = []\n",
        ("environment", "from") | ("backup", "environment") => {
            "environment.other = {}\nenvironment.third = {}\n"
        }
        ("migration", _) => {
            "backup = { known = { kind = 'sqlite', source = 's' }, other = { kind = 'sqlite', source = 's' } }\n"
        }
        _ => "",
    };
    let named = |line: &&&str| !line.starts_with(&format!("{key} "));
    (before, beside.iter().filter(named).copied().collect())
}
