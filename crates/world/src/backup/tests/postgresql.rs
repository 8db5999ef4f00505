//! Databases of `PostgreSQL`, on a server of the test's own.

use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use rustix::process::geteuid;
use shipway_testkit::skip::skip;

use super::*;

/// A server that listens on a socket in a directory of its own, and on no port.
struct Server {
    dir: TempDir,
    programs: PathBuf,
}

impl Server {
    fn start() -> Option<Self> {
        let found = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = found.map(|version| version.path().join("bin")).collect();
        found.retain(|programs| programs.join("initdb").exists());
        found.sort();
        let Some(programs) = found.pop() else {
            skip("no server of PostgreSQL is installed");
            return None;
        };
        let dir = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let server = Self { dir, programs };
        let data = server.dir.path().join("data");
        let initdb = "\"$0/initdb\" -D \"$1\" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null";
        output(&server.own(initdb, &data));
        let start = "\"$0/pg_ctl\" -D \"$1\" -w -t 120 -l \"$1/log\" -o \"-c listen_addresses='' -c fsync=off -k '$1'\" start";
        let start = format!("{start} >/dev/null 2>&1 </dev/null");
        output(&server.own(&start, &data));
        Some(server)
    }

    /// Returns a script as a user that `PostgreSQL` runs as: it refuses to be root.
    fn own(&self, script: &str, data: &Path) -> Cmd {
        let (programs, data) = (self.programs.to_str().unwrap(), data.to_str().unwrap());
        if geteuid().is_root() {
            return Cmd::new("su").args(["postgres", "-s", "/bin/sh", "-c", script, "--", programs, data]);
        }
        Cmd::new("sh").args(["-c", script, programs, data])
    }

    fn address(&self, database: &str) -> String {
        format!("host={} user=postgres dbname={database}", self.dir.path().join("data").display())
    }

    fn sql(&self, database: &str, sql: &str) -> String {
        let cmd = Cmd::new("psql").args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-", "-d"]);
        output(&cmd.arg(self.address(database)).stdin(sql))
    }

    fn databases(&self) -> Vec<String> {
        let all = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1";
        self.sql("postgres", all).lines().map(Into::into).collect()
    }

    fn stop(&self) {
        let data = self.dir.path().join("data");
        output(&self.own("\"$0/pg_ctl\" -D \"$1\" -w -m immediate stop >/dev/null", &data));
    }

    /// Makes a database with what databases have.
    fn fill(&self) {
        self.sql("postgres", "CREATE DATABASE app");
        let sql = r#"
            CREATE TABLE debit (n serial PRIMARY KEY, at timestamptz DEFAULT now());
            CREATE TABLE credit (n serial PRIMARY KEY, text text);
            CREATE SCHEMA "Odd ""schema";
            CREATE TABLE "Odd ""schema"."tab	and 'quote" (x int);
            INSERT INTO "Odd ""schema"."tab	and 'quote" SELECT generate_series(1, 7);
            CREATE TABLE part (n int) PARTITION BY RANGE (n);
            CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10);
            INSERT INTO part VALUES (1), (2), (3);
            CREATE MATERIALIZED VIEW twice AS SELECT x * 2 AS y FROM "Odd ""schema"."tab	and 'quote";
            CREATE MATERIALIZED VIEW never AS SELECT 1 WITH NO DATA;
            CREATE VIEW plain AS SELECT * FROM debit;
            CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
            INSERT INTO debit DEFAULT VALUES; INSERT INTO credit (text) VALUES (repeat('x', 9000));
        "#;
        self.sql("app", sql);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.dir.path().join("data");
        let stop = self.own("\"$0/pg_ctl\" -D \"$1\" -w -m immediate stop >/dev/null 2>&1", &data);
        let _ = LocalShell::new().run(&stop, &Stop::default());
    }
}

fn database(address: &str) -> Spec {
    spec(What::Postgresql { database: address.into() })
}

#[test]
fn a_database_in_use_is_saved_proven_and_restored() {
    let Some(server) = Server::start() else { return };
    server.fill();
    let site = Site::new();
    let spec = database(&server.address("app"));
    let (site, spec) = (&site, &spec);
    // A writer whose every transaction adds a row to both tables, for as long as backups are made.
    let made = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let write = "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_tables WHERE tablename = 'enough') LOOP
                         INSERT INTO debit DEFAULT VALUES; PERFORM pg_sleep(0.001);
                         INSERT INTO credit (text) VALUES (repeat('y', 500)); COMMIT; END LOOP; END $$";
            server.sql("app", write);
        });
        let made: Result<Vec<Made>, Problem> = (0..3)
            .map(|_| {
                let made = site.make(spec);
                let count = || server.sql("app", "SELECT count(*) FROM debit");
                let now = count();
                while count() == now {
                    thread::yield_now();
                }
                made
            })
            .collect();
        server.sql("app", "CREATE TABLE enough ()");
        writer.join().unwrap();
        made.unwrap()
    });
    for made in &made {
        let rows = &made.content.counts;
        assert_eq!(rows["public.debit"], rows["public.credit"], "one state, not two");
        assert_eq!(rows["\"Odd \"\"schema\".\"tab\tand 'quote\""], 7);
        assert_eq!((rows["public.part1"], rows["public.twice"]), (3, 7));
        assert_eq!(rows.len(), 5);
        assert_eq!(made.content.place["encoding"], "UTF8");
        site.verify(spec, made).unwrap();
    }
    let first = made[0].content.counts["public.debit"];
    assert!(first < made[2].content.counts["public.debit"], "it was in use all the time");
    assert_eq!(server.databases(), ["app", "postgres"], "no scratch database is left");
    site.restore(spec, &made[0], "App Again").unwrap();
    assert_eq!(server.sql("'App Again'", "SELECT count(*) FROM debit"), first.to_string());
    assert_eq!(server.sql("'App Again'", "SELECT one()"), "1");
    for taken in ["App Again", "app"] {
        assert_eq!(code(site.restore(spec, &made[0], taken)), Code::BackupInPlace);
    }
    assert_eq!(server.databases(), ["App Again", "app", "postgres"]);
}

#[test]
fn a_scratch_database_is_dropped_whatever_happens() {
    let Some(server) = Server::start() else { return };
    server.fill();
    let site = Site::new();
    let address =
        format!("postgresql://postgres:unused%21@/app?host={}", server.dir.path().join("data").display());
    let mut spec = database(&address);
    let mut made = site.make(&spec).unwrap();
    let record = fs::read_to_string(site.path("backups").join(format!("{}.json", made.file))).unwrap();
    assert!(!record.contains("unused"), "no password is written down");
    spec.verify = ["psql", "-X", "-q", "-d", "{scratch}", "-c", "SELECT one()"].map(Into::into).to_vec();
    site.verify(&spec, &made).unwrap();
    spec.verify = ["psql", "-X", "-d", "{scratch}", "-c", "SELECT two()"].map(Into::into).to_vec();
    let problem = site.verify(&spec, &made).unwrap_err();
    assert_eq!(problem.code, Code::BackupRefused);
    assert!(problem.details.iter().any(|line| line.contains("two()")), "{problem:?}");
    assert_eq!(server.databases(), ["app", "postgres"]);
    made.content.counts.insert("public.debit".into(), 99);
    let problem = site.verify(&spec, &made).unwrap_err();
    assert_eq!(
        (problem.code, &*problem.details),
        (Code::BackupBroken, &["public.debit: 99 → 1".to_owned()][..])
    );
    assert_eq!(code(site.restore(&spec, &made, "again")), Code::BackupBroken);
    assert_eq!(server.databases(), ["app", "postgres"]);
    // A process that died left one behind.
    server.sql("postgres", "CREATE DATABASE shipway_scratch_left");
    site.file("backups/.work-1-2-3/lock", "");
    site.file("backups/.work-1-2-3/database", "it\nshipway_scratch_left");
    site.file("data/x", "");
    let files = Spec { name: "files".into(), ..directory("data") };
    site.make(&files).unwrap();
    assert!(site.names().contains(&".work-1-2-3".to_owned()), "nobody here could have dropped it");
    let good = site.make(&Spec { verify: vec![], ..spec.clone() }).unwrap();
    site.verify(&Spec { verify: vec![], ..spec }, &good).unwrap();
    assert_eq!(server.databases(), ["app", "postgres"]);
}

#[test]
fn a_server_that_is_down_says_nothing_about_a_backup() {
    let Some(server) = Server::start() else { return };
    server.fill();
    let site = Site::new();
    let spec = database(&server.address("app"));
    let missing = site.make(&database(&server.address("missing"))).unwrap_err();
    assert_eq!(missing.code, Code::BackupFailed);
    assert!(missing.details.iter().any(|line| line.contains("missing")), "{missing:?}");
    let made = site.make(&spec).unwrap();
    server.stop();
    assert_eq!(code(site.make(&spec)), Code::BackupFailed);
    assert_eq!(code(site.verify(&spec, &made)), Code::RestoreFailed);
    assert_eq!(site.list(), [made]);
}
