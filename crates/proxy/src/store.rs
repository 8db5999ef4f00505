//! The file that says after a restart which upstreams get traffic. It is whole and durable before a switch is answered.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shipway_core::problem::{Code, Problem};
use shipway_core::proxy::Upstream;

use crate::hub::check;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    upstreams: Vec<Upstream>,
}

pub(crate) struct Store {
    path: PathBuf,
}

impl Store {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Returns what was kept last; nothing where there is no file yet. A file that cannot be understood is a problem,
    /// since nobody knows who should get the traffic then.
    pub(crate) fn read(&self) -> Result<Vec<Upstream>, Problem> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(self.problem("cannot be read", &error.to_string())),
        };
        let kept: Kept =
            serde_json::from_slice(&text).map_err(|error| self.problem("is broken", &error.to_string()))?;
        check(&kept.upstreams, true).map_err(|problem| self.problem("is broken", &problem.what))?;
        Ok(kept.upstreams)
    }

    pub(crate) fn write(&self, upstreams: &[Upstream]) -> Result<(), Problem> {
        let kept = Kept { upstreams: upstreams.to_vec() };
        let text = serde_json::to_string_pretty(&kept).expect("text and numbers are always JSON");
        self.replace(&text).map_err(|error| self.problem("cannot be written", &error.to_string()))
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        let name = self.path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let new = self.path.with_file_name(format!(".{name}.new"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(dir)?.sync_all()
    }

    fn problem(&self, what: &str, found: &str) -> Problem {
        Problem::new(Code::ProxyState, format!("the state of the proxy {what}"))
            .at(self.path.display().to_string())
            .found(found)
    }
}
