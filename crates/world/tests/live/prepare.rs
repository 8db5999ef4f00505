//! Runtimes of releases, without a network.

use std::fs;

use shipway_core::deployment::{Deployment, Runtime};
use shipway_core::problem::Code;
use shipway_testkit::skip::skip;
use shipway_world::live;

use crate::scene::{Scene, installed, python};

/// Puts a release with a lock file on the host, and a package that pip can build without a network.
fn python_release(scene: &Scene, lock: &str, interpreter: &str) -> Deployment {
    let deployment = scene.release("1.0.0", "ok");
    let release = scene.root().join("releases").join(deployment.artifact.as_str());
    fs::write(release.join("requirements.txt"), lock).unwrap();
    Deployment {
        runtime: Runtime::Python {
            interpreter: interpreter.into(),
            requirements: "requirements.txt".into(),
            pip: vec!["--no-index".into(), "--find-links".into(), "wheels".into()],
        },
        ..deployment
    }
}

/// Writes a wheel by hand into a release and returns its hash; a wheel is a zip file with a few lines of text.
fn wheel(scene: &Scene, deployment: &Deployment) -> String {
    const MAKE: &str = r#"
import base64, hashlib, os, sys, zipfile
os.makedirs("wheels", exist_ok=True)
path = "wheels/greet-1.0-py3-none-any.whl"
files = {
    "greet.py": b"words = 'hello from the wheel'\n",
    "greet-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: greet\nVersion: 1.0\n",
    "greet-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
record = ""
with zipfile.ZipFile(path, "w") as archive:
    for name, data in files.items():
        archive.writestr(name, data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(data)}\n"
    archive.writestr("greet-1.0.dist-info/RECORD", record + "greet-1.0.dist-info/RECORD,,\n")
print(hashlib.sha256(open(path, "rb").read()).hexdigest())
"#;
    let release = scene.root().join("releases").join(deployment.artifact.as_str());
    let output =
        std::process::Command::new(python().unwrap()).args(["-c", MAKE]).current_dir(release).output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
}

/// Tells whether the interpreter can make environments; some machines have that part in a package of its own.
fn has_venv() -> bool {
    let mut command = std::process::Command::new(python().unwrap());
    let can =
        command.args(["-c", "import ensurepip, venv"]).output().is_ok_and(|output| output.status.success());
    if !can {
        skip("this Python cannot make virtual environments");
    }
    can
}

#[test]
fn a_virtual_environment_is_made_from_hashes_once() {
    let Some(scene) = Scene::new() else { return };
    if !has_venv() {
        return;
    }
    let deployment = python_release(&scene, "", python().unwrap());
    let hash = wheel(&scene, &deployment);
    let deployment = python_release(&scene, &format!("greet==1.0 --hash=sha256:{hash}\n"), python().unwrap());
    scene.place(|place| live::prepare(place, &deployment)).unwrap();
    let runtime = scene.root().join("runtimes").join(deployment.artifact.as_str());
    let mut asked = std::process::Command::new(runtime.join("bin/python"));
    let said = asked.args(["-c", "import greet; print(greet.words)"]).output().unwrap();
    assert_eq!(said.stdout, b"hello from the wheel\n");
    // Nothing is made again.
    let touched = runtime.join("touched");
    fs::write(&touched, "").unwrap();
    scene.place(|place| live::prepare(place, &deployment)).unwrap();
    assert!(touched.exists());
    // A package with other bytes than the lock file says is refused.
    let wrong =
        python_release(&scene, &format!("greet==1.0 --hash=sha256:{}\n", "0".repeat(64)), python().unwrap());
    let problem = scene.place(|place| live::prepare(place, &wrong)).unwrap_err();
    assert_eq!(problem.code, Code::RuntimeFailed);
    assert!(problem.details.concat().contains("HASH"), "{problem:?}");
    // What is left of the attempt is not taken for whole.
    assert!(!touched.exists() && !runtime.join(".shipway-ready").exists());
}

#[test]
fn a_lock_file_of_another_tool_is_installed_with_its_hashes() {
    let Some(scene) = Scene::new() else { return };
    if !has_venv() {
        return;
    }
    let deployment = python_release(&scene, "", python().unwrap());
    let hash = wheel(&scene, &deployment);
    let release = scene.root().join("releases").join(deployment.artifact.as_str());
    fs::remove_file(release.join("requirements.txt")).unwrap();
    let lock = |hash: &str| {
        format!(
            "version = 1\n[[package]]\nname = 'app'\nversion = '1'\nsource = {{ virtual = '.' }}\n\
             dependencies = [{{ name = 'greet' }}, {{ name = 'gone', marker = \"sys_platform == 'win32'\" }}]\n\
             [[package]]\nname = 'greet'\nversion = '1.0'\nwheels = [{{ hash = 'sha256:{hash}' }}]\n\
             [[package]]\nname = 'gone'\nversion = '2'\nwheels = [{{ hash = 'sha256:{hash}' }}]\n"
        )
    };
    fs::write(release.join("uv.lock"), lock(&hash)).unwrap();
    scene.place(|place| live::prepare(place, &deployment)).unwrap();
    let runtime = scene.root().join("runtimes").join(deployment.artifact.as_str());
    let mut asked = std::process::Command::new(runtime.join("bin/python"));
    let said = asked.args(["-c", "import greet; print(greet.words)"]).output().unwrap();
    assert_eq!(said.stdout, b"hello from the wheel\n");
    // A package with other bytes is refused, and so is a set without hashes, before anything is made.
    fs::write(release.join("uv.lock"), lock(&"0".repeat(64))).unwrap();
    let problem = scene.place(|place| live::prepare(place, &deployment)).unwrap_err();
    assert!(problem.details.concat().contains("HASH"), "{problem:?}");
    fs::write(release.join("uv.lock"), lock(&hash).replace("sha256:", "md5:")).unwrap();
    let problem = scene.place(|place| live::prepare(place, &deployment)).unwrap_err();
    assert_eq!(problem.code, Code::RuntimeFailed);
    assert!(problem.found.unwrap().contains("greet==1.0 of uv.lock has no hash"));
}

#[test]
fn a_missing_interpreter_or_lock_file_is_told() {
    let Some(scene) = Scene::new() else { return };
    for interpreter in ["/nonexistent/python3.99", ""] {
        let deployment = python_release(&scene, "", interpreter);
        let problem = scene.place(|place| live::prepare(place, &deployment)).unwrap_err();
        assert_eq!(problem.code, Code::RuntimeFailed, "{problem:?}");
    }
    let mut deployment = python_release(&scene, "", python().unwrap());
    if let Runtime::Python { requirements, .. } = &mut deployment.runtime {
        *requirements = "other.txt".into();
    }
    let problem = scene.place(|place| live::prepare(place, &deployment)).unwrap_err();
    assert!(problem.what.contains("other.txt"));
}

#[test]
fn node_packages_are_installed_beside_the_release() {
    let Some(scene) = Scene::new() else { return };
    if !installed("npm") || !installed("node") {
        return;
    }
    let deployment = scene.release("1.0.0", "ok");
    let deployment = Deployment {
        runtime: Runtime::Node { dir: "site".into(), npm: vec!["--offline".into()] },
        ..deployment
    };
    let site = scene.root().join("releases").join(deployment.artifact.as_str()).join("site");
    fs::create_dir_all(site.join("greet")).unwrap();
    let own = r#"{"name":"site","version":"1.0.0","type":"module"}"#;
    fs::write(site.join("package.json"), own).unwrap();
    fs::write(site.join("main.js"), "import words from 'greet'; console.log(words);\n").unwrap();
    let lock = r#"{"name":"site","version":"1.0.0","lockfileVersion":3,"requires":true,
        "packages":{"":{"name":"site","version":"1.0.0"}}}"#;
    fs::write(site.join("package-lock.json"), lock).unwrap();
    scene.place(|place| live::prepare(place, &deployment)).unwrap();
    scene.place(|place| live::prepare(place, &deployment)).unwrap();
    assert!(!site.join("node_modules").exists());
    // A package put there by hand is found by the release, as those of a lock file would be.
    let runtime = scene.root().join("runtimes").join(deployment.artifact.as_str());
    let greet = runtime.join("node_modules/greet");
    fs::create_dir_all(&greet).unwrap();
    fs::write(
        greet.join("package.json"),
        r#"{"name":"greet","version":"1.0.0","type":"module","main":"i.js"}"#,
    )
    .unwrap();
    fs::write(greet.join("i.js"), "export default 'hello from the package';\n").unwrap();
    let mut node = std::process::Command::new("node");
    let said =
        node.args(["--preserve-symlinks", "--preserve-symlinks-main"]).arg(runtime.join("app/main.js"));
    let said = said.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "hello from the package\n", "{said:?}");
    // A lock file that does not fit is refused.
    fs::write(site.join("package-lock.json"), lock.replace("1.0.0", "2.0.0") + "x").unwrap();
    let problem = scene.place(|place| live::prepare(place, &deployment)).unwrap_err();
    assert_eq!(problem.code, Code::RuntimeFailed);
}
