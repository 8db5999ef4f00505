//! Databases of `PostgreSQL`, by its own programs.

use std::collections::BTreeMap;
use std::path::Path;

use shipway_core::action::Cmd;
use shipway_core::backup::{Content, Made};
use shipway_core::problem::{Code, Problem};

use super::directory::compare;
use super::hand::{self, Hand};
use super::sqlite::words;
use super::work::Work;

/// Dumps and counts in one snapshot of the database. What the shell is given is in variables, not in the line.
const SAVE: &str = r#"
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \gset
\setenv SHIPWAY_SNAPSHOT :snapshot
\! pg_dump --format=custom --no-password --snapshot="$SHIPWAY_SNAPSHOT" --file="$SHIPWAY_FILE" --dbname="$SHIPWAY_SOURCE" && echo dumped
"#;

/// What a database must be like to take the dump.
const LOCALE: &str = "
SELECT 'place', '\"encoding\"', to_json(pg_encoding_to_char(encoding)), 'place', '\"lc-collate\"', to_json(datcollate),
       'place', '\"lc-ctype\"', to_json(datctype) FROM pg_database WHERE datname = current_database();
";

/// Counts the rows of every table. Those of an extension are not dumped, and those of a view are not stored.
const COUNT: &str = r"
SELECT format('SELECT %L, %L, count(*) FROM %I.%I', 'table', to_json(format('%I.%I', n.nspname, c.relname)), n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated)
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.oid \gexec
";

/// Dumps the database.
pub(super) fn save(hand: &Hand<'_>, database: &str, file: &Path) -> Result<Content, Problem> {
    let source = Source::of(database);
    let cmd = source.psql(&source.address, &format!("{SAVE}{LOCALE}{COUNT}COMMIT;\n"));
    let cmd = cmd.env("SHIPWAY_FILE", file).env("SHIPWAY_SOURCE", &source.address);
    let output = hand.look(cmd, Code::BackupFailed)?;
    let text = output.text();
    if !output.ok() || !text.lines().any(|line| line == "dumped") {
        let missing = output.error_text().contains("pg_dump: not found");
        let code = if missing { Code::BackupProgram } else { Code::BackupFailed };
        let problem = hand.failed("pg_dump", &output, code);
        let what = format!("{} could not be dumped", source.address);
        return Err(Problem { what, ..problem });
    }
    Ok(read(&text))
}

/// Reads lines of fields: what it is, a name in JSON, and a value.
fn read(text: &str) -> Content {
    let mut content = Content::default();
    let unquoted = |field: &str| serde_json::from_str::<String>(field).unwrap_or_else(|_| field.to_owned());
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        for field in fields.chunks(3) {
            match field {
                ["table", name, rows] => {
                    content.counts.insert(unquoted(name), rows.parse().unwrap_or_default());
                }
                ["place", name, value] => {
                    content.place.insert(unquoted(name), unquoted(value));
                }
                _ => {}
            }
        }
    }
    content
}

/// Drops scratch databases that dead processes left behind.
pub(super) fn clear(hand: &Hand<'_>, database: &str, left: &[String]) {
    let source = Source::of(database);
    for left in left {
        hand.clear(source.drop(left));
    }
}

/// Restores the dump into a scratch database of the same server, compares, lets the project look at it, and drops it.
pub(super) fn prove(
    hand: &Hand<'_>,
    database: &str,
    file: &Path,
    work: &Work,
    made: &Made,
) -> Result<String, Problem> {
    let source = Source::of(database);
    let scratch = work.database(&hand.spec.name).map_err(|error| hand.io(&error, file))?;
    let proven = fill(hand, &source, (file, &scratch), made, &["--no-owner", "--no-privileges"])
        .and_then(|()| hand::verify(hand, &with_database(&source.address, &scratch), &source.env));
    hand.clear(source.drop(&scratch));
    proven.map(|()| words(&made.content.counts))
}

/// Restores the dump into a new database of the same server.
pub(super) fn restore(
    hand: &Hand<'_>,
    database: &str,
    file: &Path,
    into: &str,
    made: &Made,
) -> Result<(), Problem> {
    let source = Source::of(database);
    let rows = source.psql(&source.server(), "SELECT to_json(datname) FROM pg_database;\n");
    let rows = hand.run(rows, Code::RestoreFailed)?.text();
    if rows.lines().any(|row| serde_json::from_str::<String>(row).is_ok_and(|name| name == into)) {
        let problem = Problem::new(Code::BackupInPlace, format!("the database {into} is there already"));
        return Err(problem.wanted("a database that is not there yet"));
    }
    fill(hand, &source, (file, into), made, &[])
}

/// Makes a database and fills it from the dump. One that could not be filled is dropped again.
fn fill(
    hand: &Hand<'_>,
    source: &Source,
    (file, database): (&Path, &str),
    made: &Made,
    how: &[&str],
) -> Result<(), Problem> {
    let mut create = source.cmd("createdb").args(["--no-password", "--template=template0"]);
    for (name, value) in &made.content.place {
        create = create.arg(format!("--{name}={value}"));
    }
    let create = create.arg(format!("--maintenance-db={}", source.server())).arg("--").arg(database);
    hand.run(create, Code::RestoreFailed)?;
    let address = with_database(&source.address, database);
    let filled = || {
        let cmd = source.cmd("pg_restore").args(["--no-password", "--exit-on-error"]).args(how);
        hand.run(cmd.arg(format!("--dbname={address}")).arg("--").arg(file), Code::RestoreFailed)?;
        let rows = hand.run(source.psql(&address, COUNT), Code::RestoreFailed)?;
        compare(made, &Content { place: BTreeMap::new(), ..read(&rows.text()) })
    };
    filled().inspect_err(|_| hand.clear(source.drop(database)))
}

/// Where a database is, without its password: that is nobody's business who lists processes.
struct Source {
    address: String,
    env: Vec<(String, String)>,
}

impl Source {
    fn of(database: &str) -> Self {
        let taken = without_password(database);
        let (address, password) = taken.unwrap_or_else(|| (database.to_owned(), String::new()));
        let env = if password.is_empty() { vec![] } else { vec![("PGPASSWORD".into(), password)] };
        Self { address, env }
    }

    fn cmd(&self, program: &str) -> Cmd {
        self.env.iter().fold(Cmd::new(program), |cmd, (name, value)| cmd.env(name, value))
    }

    /// Returns the address of the database that is there for making and dropping others.
    fn server(&self) -> String {
        with_database(&self.address, "postgres")
    }

    fn psql(&self, address: &str, script: &str) -> Cmd {
        let how = ["--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only"];
        self.cmd("psql")
            .args(how)
            .args(["--field-separator=\t", "--set=ON_ERROR_STOP=1", "--file=-"])
            .arg(format!("--dbname={address}"))
            .env("PGCLIENTENCODING", "UTF8")
            .stdin(script.as_bytes())
    }

    fn drop(&self, database: &str) -> Cmd {
        let cmd = self.cmd("dropdb").args(["--no-password", "--if-exists"]);
        cmd.arg(format!("--maintenance-db={}", self.server())).arg("--").arg(database)
    }
}

/// Takes the password out of an address such as `postgresql://user:password@host/database`.
fn without_password(address: &str) -> Option<(String, String)> {
    let (scheme, rest) = address.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@')?;
    let (user, password) = user.split_once(':')?;
    Some((format!("{scheme}://{user}@{host}{path}"), percent_decoded(password)))
}

fn percent_decoded(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), vec![], 0);
    while let Some(&byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        let decoded = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(decoded.unwrap_or(byte));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Returns the address of another database of the same server. What is named last counts for libpq.
fn with_database(address: &str, database: &str) -> String {
    if address.contains("://") {
        let encoded = database.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
        let sign = if address.contains('?') { '&' } else { '?' };
        return format!("{address}{sign}dbname={encoded}");
    }
    let quoted = database.replace('\\', "\\\\").replace('\'', "\\'");
    if address.contains('=') { format!("{address} dbname='{quoted}'") } else { format!("dbname='{quoted}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_an_address() {
        let check = |address: &str, expect: Option<(&str, &str)>| {
            let found = without_password(address);
            let found = found.as_ref().map(|(address, password)| (&**address, &**password));
            assert_eq!(found, expect, "{address}");
        };
        check("app", None);
        check("host=/run dbname=app", None);
        check("postgresql://app@db/app", None);
        check(
            "postgresql://app:s%40fe%@db:5433/app?a=b@c",
            Some(("postgresql://app@db:5433/app?a=b@c", "s@fe%")),
        );
        check("postgres://app:secret@/app?host=/run", Some(("postgres://app@/app?host=/run", "secret")));
    }

    #[test]
    fn another_database_of_the_same_server_has_its_address() {
        let check = |address: &str, expect: &str| assert_eq!(with_database(address, "o'x"), expect);
        check("app", "dbname='o\\'x'");
        check("host=/run dbname=app", "host=/run dbname=app dbname='o\\'x'");
        check("postgresql://db/app", "postgresql://db/app?dbname=%6F%27%78");
        check("postgresql://db/app?host=/run", "postgresql://db/app?host=/run&dbname=%6F%27%78");
    }

    #[test]
    fn names_of_tables_may_hold_anything() {
        let content = read(
            "dumped\ntable\t\"public.\\\"a\\tb\\n\\\"\"\t3\nplace\t\"encoding\"\t\"UTF8\"\tplace\t\"x\"\t\"C\"\n",
        );
        assert_eq!(content.counts, BTreeMap::from([("public.\"a\tb\n\"".to_owned(), 3)]));
        assert_eq!(content.place.len(), 2);
    }
}
