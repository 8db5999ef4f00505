//! What an interpreter of Python says of itself.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Deserialize;
use shipway_core::action::Cmd;
use shipway_core::deps::Markers;
use shipway_core::preflight::Seen;

use super::{Eyes, failed, first_line};

/// Tells versions, directories and markers (PEP 508) as JSON. Works with every Python from 3.3 on.
const ASK: &str = r#"
import json, os, platform, sys
i = sys.implementation.version
kind = i.releaselevel
print(json.dumps({
    "version": platform.python_version(),
    "executable": sys.executable,
    "prefix": sys.prefix,
    "base": sys.base_prefix,
    "path": sys.path,
    "markers": {
        "implementation_name": sys.implementation.name,
        "implementation_version": "%d.%d.%d" % i[:3] + ("" if kind == "final" else kind[0] + str(i.serial)),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    },
}))
"#;

/// What it says.
#[derive(Debug, Deserialize)]
pub(super) struct Python {
    pub(super) version: String,
    pub(super) executable: String,
    pub(super) prefix: PathBuf,
    pub(super) base: String,
    pub(super) path: Vec<PathBuf>,
    pub(super) markers: Markers,
}

/// Asks an interpreter, which sees neither variables nor packages of the user.
pub(super) fn ask(eyes: &Eyes<'_>, interpreter: impl Into<OsString>) -> Result<Python, Seen> {
    let output = eyes.run(isolated(interpreter).args(["-c", ASK]))?;
    if !output.ok() {
        let why = first_line(output.error_text().lines().last().unwrap_or_default());
        return Err(Seen::Broken { why: format!("it does not work: {why}") });
    }
    serde_json::from_slice(&output.stdout).map_err(|_| failed("it does not answer as Python does"))
}

pub(super) fn isolated(interpreter: impl Into<OsString>) -> Cmd {
    Cmd::new(interpreter).args(["-I", "-B"])
}
