//! The presets of the guide, as they stand there, against programs that only record what they are asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::site::{Site, said};

/// Stands for `kubectl`, `helm` and `terraform`: keeps what is live as text, and refuses what it does not know. Version
/// 1.2.0 does not come up; behind `down` nothing answers.
const RECORDER: &str = r#"#!/bin/sh
name=$(basename "$0") state=STATE
echo "$name $*" >>"$state/calls"
if [ -e "$state/down" ]; then echo 'Unable to connect to the server' >&2; exit 1; fi
case "$name $*" in
"kubectl set image deployment/web web="*) echo "${4#web=}" >"$state/live" ;;
"kubectl rollout status deployment/web --timeout=5m") if grep -q 1.2.0 "$state/live"; then exit 1; fi ;;
"kubectl get deployment web --ignore-not-found -o jsonpath="*) cat "$state/live" 2>/dev/null || true ;;
"helm upgrade --install --atomic --wait web "*" --set image.tag="*)
  [ -f "$6/Chart.yaml" ] || exit 64
  if [ "$8" = image.tag=1.2.0 ]; then exit 1; fi
  echo "{\"image\":{\"tag\":\"${8#image.tag=}\"}}" >"$state/live" ;;
"helm get values web -o json")
  if [ ! -e "$state/live" ]; then echo 'Error: release: not found' >&2; exit 1; fi
  cat "$state/live" ;;
"terraform -chdir="*" init -input=false -reconfigure") mkdir -p "$TF_DATA_DIR" ;;
"terraform -chdir="*" apply -auto-approve -input=false")
  [ -f "${1#-chdir=}/main.tf" ] && [ -d "$TF_DATA_DIR" ] || exit 64
  if [ "$TF_VAR_release" = 1.2.0 ]; then echo half >"$state/live"; exit 1; fi
  echo "$TF_VAR_release" >"$state/live" ;;
"terraform -chdir="*" plan -detailed-exitcode -input=false")
  [ "$(cat "$state/live")" = "$TF_VAR_release" ] || exit 2 ;;
*) exit 64 ;;
esac
"#;

/// A project with a preset, and the programs that record.
struct Scene {
    site: Site,
    state: PathBuf,
}

impl Scene {
    fn new(title: &str, programs: &[&str]) -> Self {
        let preset = preset(title);
        let environment =
            "[environment.staging]\nhosts = [\"local\"]\npath = \"ROOT/staging\"\nwatch = { for = false }\n";
        let site = Site::new("");
        site.repo.file("chart/Chart.yaml", "name: web\n").file("infra/main.tf", "variable \"release\" {}\n");
        site.configure(&format!("{}\n{environment}", preset.replace("schema = 1\n", "")));
        let state = site.repo.home().join("state");
        fs::create_dir_all(&state).unwrap();
        for program in programs {
            let path = state.join(program);
            // Through a child: a file that this process wrote could be busy when it is started.
            let mut write = Command::new("sh");
            write.args(["-c", r#"printf %s "$2" >"$1" && chmod 755 "$1""#, "sh"]).arg(&path);
            let text = RECORDER.replace("STATE", state.to_str().unwrap());
            assert!(write.arg(text).status().unwrap().success());
        }
        Self { site, state }
    }

    fn run(&self, args: &[&str]) -> Output {
        let path = std::env::var("PATH").unwrap();
        self.site.command(args).env("PATH", format!("{}:{path}", self.state.display())).output().unwrap()
    }

    #[track_caller]
    fn code(&self, code: i32, args: &[&str]) -> String {
        said(code, &self.run(args))
    }

    fn live(&self) -> String {
        fs::read_to_string(self.state.join("live")).unwrap_or_default().trim().to_owned()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.state.join("calls")).unwrap_or_default()
    }
}

/// Returns the configuration under a title of the guide.
fn preset(title: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/guide/presets.md");
    let page = fs::read_to_string(page).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with(&format!("{title}\n"))).unwrap();
    section.split("```toml\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

/// Plans, releases, fails, goes back, and cannot tell, with what the preset says is live.
fn drive(title: &str, program: &str, live: impl Fn(&str) -> String) {
    let scene = Scene::new(title, &[program]);
    scene.site.change("feat: one", "");
    scene.code(0, &["plan", "--to", "staging"]);
    assert_eq!(scene.live(), "", "a plan starts nothing");
    scene.code(0, &["push", "--to", "staging"]);
    assert_eq!(scene.live(), live("1.1.0"));
    scene.code(0, &["env", "status", "staging"]);

    scene.site.change("feat: two, which does not come up", "");
    scene.code(4, &["push", "--to", "staging"]);
    assert_eq!(scene.live(), live("1.1.0"), "{}", scene.calls());

    scene.site.repo.git(["pull", "--quiet", "--rebase", "origin", "main"]);
    scene.site.change("feat: three", "");
    scene.code(0, &["push", "1.3.0", "--to", "staging"]);
    assert_eq!(scene.live(), live("1.3.0"));
    scene.code(0, &["rollback", "staging"]);
    assert_eq!(scene.live(), live("1.1.0"));

    fs::write(scene.state.join("live"), "something else").unwrap();
    let told = scene.code(1, &["env", "status", "staging"]);
    assert!(told.contains("drift"), "{told}");
    fs::write(scene.state.join("down"), "").unwrap();
    let told = scene.code(1, &["env", "status", "staging"]);
    assert!(told.contains("cannot be told"), "{told}");
}

#[test]
fn kubernetes_goes_there_and_back_as_the_guide_says() {
    drive("Kubernetes", "kubectl", |version| format!("registry.example.org/web:{version}"));
}

#[test]
fn helm_goes_there_and_back_as_the_guide_says() {
    drive("Helm", "helm", |version| format!("{{\"image\":{{\"tag\":\"{version}\"}}}}"));
}

#[test]
fn terraform_goes_there_and_back_as_the_guide_says() {
    drive("Terraform", "terraform", str::to_owned);
}
