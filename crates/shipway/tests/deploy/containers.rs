//! An image on its way: built, pushed to a registry, and run by its digest.

use std::fs;

use serde_json::Value;
use shipway_testkit::host::{self, Engine, LIMITS, Registry};
use shipway_testkit::skip::skip;

use crate::site::Site;

/// The build leaves the digest of the image that it has pushed, and nothing else.
const IMAGE: &str = r#"
[artifact]
build = ["sh", "./build"]
include = ["VERSION", "image.digest"]
[service.web]
run = ["/bin/busybox", "httpd", "-f", "-p", "127.0.0.1:PORT", "-h", "/www"]
stop-timeout = "1s"
health = { http = "http://127.0.0.1:PORT/health", expect = "version {version}", passes = 2, over = "200ms", within = "10s" }
[service.web.manager]
kind = "container"
engine = "ENGINE"
image = "REPOSITORY@{file:image.digest}"
args = ARGS
[environment.staging]
hosts = ["local"]
path = "ROOT/staging"
watch = { for = false }
"#;

/// Builds with buildah, whose storage is not that of the host.
const BUILD: &str = r#"set -e
printf 'version %s' "$SHIPWAY_VERSION" >image/health
here="--root STORAGE/images --runroot STORAGE/run --storage-driver vfs"
buildah $here build --isolation chroot --tag REPOSITORY image
buildah $here push --tls-verify=false --digestfile image.digest REPOSITORY
"#;

/// What an engine says of the container of the service.
fn container(engine: &Engine) -> Value {
    let output = engine.call(&["ps", "--format", "{{.ID}}"]);
    let ids = String::from_utf8_lossy(&output.stdout).into_owned();
    let ids: Vec<&str> = ids.split_whitespace().collect();
    assert_eq!(ids.len(), 1, "one container runs");
    let output = engine.call(&["container", "inspect", ids[0]]);
    serde_json::from_slice::<Value>(&output.stdout).unwrap()[0].clone()
}

/// Asserts that a version answers, and that its container is of the image whose digest is in the release that is live.
#[track_caller]
fn runs(site: &Site, engine: &Engine, version: &str) -> String {
    let answer = host::get(([127, 0, 0, 1], site.port).into(), "/health").unwrap();
    assert_eq!(answer.body, format!("version {version}"));
    let digest = fs::read_to_string(site.root().join("staging/current/image.digest")).unwrap();
    let seen = container(engine);
    assert_eq!(seen["ImageDigest"], digest.trim());
    seen["Id"].as_str().unwrap().to_owned()
}

#[test]
fn an_image_is_pushed_to_a_registry_and_runs_by_its_digest() {
    let site = Site::new("");
    let dir = site.repo.home();
    let parts = host::program("buildah")
        .and_then(|_| Ok((Engine::new(&dir.join("engine"))?, Registry::start(&dir.join("registry"))?)));
    let (engine, registry) = match parts {
        Ok(parts) => parts,
        Err(why) => return skip(&why),
    };
    let repository = registry.repository("web");
    let args: Vec<&str> = LIMITS.into_iter().chain(["--tls-verify=false"]).collect();
    let config = IMAGE
        .replace("ENGINE", engine.program().to_str().unwrap())
        .replace("REPOSITORY", &repository)
        .replace("ARGS", &format!("{args:?}"));
    let storage = dir.join("builder");
    let build = BUILD.replace("STORAGE", storage.to_str().unwrap()).replace("REPOSITORY", &repository);
    host::image_files(&site.repo.path().join("image"), "none").unwrap();
    site.repo.file("build", &build);
    site.configure(&config);

    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    let first = runs(&site, &engine, "1.1.0");
    site.change("feat: two", "");
    site.code(0, &["push", "--to", "staging"]);
    let second = runs(&site, &engine, "1.2.0");
    assert_ne!(first, second);

    // An image that the registry does not have is missed before anything live changes.
    let lost = format!("{build}printf 'sha256:%064d' 7 >image.digest\n");
    site.repo.file("build", &lost);
    site.change("feat: an image that got lost", "");
    let said = site.code(4, &["push", "--to", "staging"]);
    assert!(said.contains("SW1035") && said.contains("cannot be pulled"), "{said}");
    assert_eq!(runs(&site, &engine, "1.2.0"), second);

    // The way back needs no registry.
    drop(registry);
    site.code(0, &["rollback", "staging"]);
    runs(&site, &engine, "1.1.0");
    assert_eq!(site.live("staging")["local"], "1.1.0");

    // The labels of the release on a container of another image deceive nobody.
    let seen = container(&engine);
    let image = format!("{repository}@{}", digest_of(&site, "1.2.0"));
    let labels = seen["Config"]["Labels"].as_object().unwrap().iter();
    let labels: Vec<String> =
        labels.map(|(name, value)| format!("--label={name}={}", value.as_str().unwrap())).collect();
    let name = seen["Name"].as_str().unwrap();
    engine.call(&["rm", "--force", "--time", "0", name]);
    let run = ["run", "--detach", "--name", name]
        .into_iter()
        .chain(LIMITS)
        .chain(labels.iter().map(String::as_str));
    let run: Vec<&str> = run.chain([image.as_str(), "/bin/busybox", "sleep", "600"]).collect();
    assert!(engine.call(&run).status.success());
    let said = site.code(1, &["env", "status", "staging"]);
    assert!(said.contains("runs an image that is not"), "{said}");
}

/// Returns the digest in a release that the host still has.
fn digest_of(site: &Site, version: &str) -> String {
    let releases = fs::read_dir(site.root().join("staging/releases")).unwrap().flatten();
    let read = |name: &str, dir: &fs::DirEntry| fs::read_to_string(dir.path().join(name)).unwrap_or_default();
    let release = releases.into_iter().find(|dir| read("VERSION", dir).trim() == version).unwrap();
    read("image.digest", &release).trim().to_owned()
}
