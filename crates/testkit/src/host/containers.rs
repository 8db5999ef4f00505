//! A registry, and engines with a storage of their own, so that no image or container of the machine is touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::process::{AtEnd, Guarded};
use super::{Unable, free_port, get, program, quote, until};

/// Arguments of `run` without which no container starts on small machines; elsewhere they do no harm.
pub const LIMITS: [&str; 3] = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024", "--network=host"];

/// podman with a storage of its own. Its containers end with it.
#[derive(Debug)]
pub struct Engine {
    program: PathBuf,
    _end: AtEnd,
}

impl Engine {
    /// Makes an engine in a directory and starts a container with it; says why when none starts here.
    pub fn new(dir: &Path) -> Result<Self, Unable> {
        let podman = program("podman")?;
        program("runc")?;
        fs::create_dir_all(dir).map_err(|error| error.to_string())?;
        let path = dir.join("podman");
        let place = |name: &str| quote(dir.join(name));
        let script = format!(
            "#!/bin/sh\nexec {} --root {} --runroot {} --tmpdir {} --network-config-dir {} --storage-driver vfs --runtime runc \
             --cgroup-manager cgroupfs --events-backend file \"$@\"\n",
            quote(podman),
            place("storage"),
            place("run"),
            place("tmp"),
            place("networks"),
        );
        script_file(&path, &script);
        let end = AtEnd::run(&format!("{} rm --force --all --time 0", quote(&path)));
        let this = Self { program: path, _end: end };
        this.image(&dir.join("probe"), "localhost/probe", "none")?;
        let run: Vec<&str> = ["run", "--rm"].into_iter().chain(LIMITS).collect();
        let output = this.call(&[&run[..], &["localhost/probe", "/bin/busybox", "true"]].concat());
        let why = || format!("no container starts here: {}", String::from_utf8_lossy(&output.stderr));
        output.status.success().then_some(this).ok_or_else(why)
    }

    /// Returns the program, which is called as `podman` is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Calls it.
    ///
    /// # Panics
    ///
    /// Panics when it cannot be started.
    pub fn call(&self, args: &[&str]) -> Output {
        Command::new(&self.program).args(args).output().expect("the engine can be started")
    }

    /// Makes an image of one static program, which serves its version at `/health`.
    pub fn image(&self, dir: &Path, name: &str, version: &str) -> Result<(), Unable> {
        image_files(dir, version)?;
        let output = self.call(&["build", "--isolation", "chroot", "--tag", name, &dir.to_string_lossy()]);
        let why = || format!("no image can be made here: {}", String::from_utf8_lossy(&output.stderr));
        output.status.success().then_some(()).ok_or_else(why)
    }
}

/// Writes what an image is made of: one static program, and the version that it serves at `/health`.
pub fn image_files(dir: &Path, version: &str) -> Result<(), Unable> {
    let busybox = program("busybox")?;
    fs::create_dir_all(dir).map_err(|error| error.to_string())?;
    let lines = "FROM scratch\nCOPY busybox /bin/busybox\nCOPY health /www/health\n";
    fs::copy(busybox, dir.join("busybox"))
        .and_then(|_| fs::write(dir.join("health"), format!("version {version}")))
        .and_then(|()| fs::write(dir.join("Containerfile"), lines))
        .map_err(|error| error.to_string())
}

/// Writes a script through a child: a file that this process wrote could be busy when it is started.
fn script_file(path: &Path, text: &str) {
    let mut write = Command::new("sh");
    write.args(["-c", r#"printf %s "$2" >"$1" && chmod 755 "$1""#, "sh"]).arg(path).arg(text);
    assert!(write.status().expect("a shell can be started").success(), "{} is written", path.display());
}

/// A real registry on a loopback port.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    _process: Guarded,
}

impl Registry {
    /// Starts one that keeps its images in a directory.
    pub fn start(dir: &Path) -> Result<Self, Unable> {
        let registry = program("docker-registry")?;
        fs::create_dir_all(dir).map_err(|error| error.to_string())?;
        let (port, config) = (free_port(), dir.join("registry.yml"));
        let text = format!(
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
             http:\n  addr: 127.0.0.1:{port}\n",
            dir.join("images").display()
        );
        fs::write(&config, text).map_err(|error| error.to_string())?;
        let command = [registry.into_os_string(), "serve".into(), config.into_os_string()];
        let process = Guarded::start(&command, false, &dir.join("registry.log"));
        until("the registry answers", || get(([127, 0, 0, 1], port).into(), "/v2/").is_ok());
        Ok(Self { port, _process: process })
    }

    /// Returns the name of a repository in it.
    pub fn repository(&self, name: &str) -> String {
        format!("127.0.0.1:{}/{name}", self.port)
    }
}
