use super::*;

#[test]
fn the_version_changes_and_everything_else_stays() {
    let check = |to: &str, before: &str, after: &str| {
        bump(to, &[("pyproject.toml", before)], &[("pyproject.toml", after)]);
    };
    check(
        "1.3.0",
        "[project]\nname = 'a'\nversion = '1.2.3' # x\n",
        "[project]\nname = 'a'\nversion = '1.3.0' # x\n",
    );
    check("1.3.0-rc.1", "[project]\r\nversion = \"1.2.3\"\r\n", "[project]\r\nversion = \"1.3.0rc1\"\r\n");
    check("1.3.0-beta.2", "[tool.poetry]\nversion = \"1.2.3\"\n", "[tool.poetry]\nversion = \"1.3.0b2\"\n");
    check(
        "1.3.0-alpha.1",
        "[tool.poetry]\nversion = \"1.2.3\"\n[project]\nversion = \"1.2.3\"\n",
        "[tool.poetry]\nversion = \"1.3.0a1\"\n[project]\nversion = \"1.3.0a1\"\n",
    );
    check(
        "2.0.0",
        "project = {name = \"a\", version = \"1.2.3\", dependencies = [\"b==1.2.3\"]}",
        "project = {name = \"a\", version = \"2.0.0\", dependencies = [\"b==1.2.3\"]}",
    );
}

#[test]
fn a_python_prerelease_is_read_back() {
    let (before, after) = ("[project]\nversion = \"1.2.0rc1\"\n", "[project]\nversion = \"1.2.0\"\n");
    bump_from("1.2.0-rc.1", "1.2.0", &[("pyproject.toml", before)], &[("pyproject.toml", after)]);
}

#[test]
fn a_dynamic_version_is_changed_where_it_stands() {
    let check = |config: &str, path: &str, before: &str, after: &str| {
        let toml = format!("[project]\nname = \"My.Pkg\"\ndynamic = [\"version\"]\n{config}");
        bump("1.3.0", &[("pyproject.toml", &toml), (path, before)], &[(path, after)]);
    };
    let (before, after) = ("x = 1\n__version__ = '1.2.3'  # x\n", "x = 1\n__version__ = '1.3.0'  # x\n");
    check("", "src/my_pkg/__init__.py", before, after);
    check("", "my_pkg/__init__.py", before, after);
    check("", "my_pkg/__about__.py", "__version__: str = \"1.2.3\"\r\n", "__version__: str = \"1.3.0\"\r\n");
    check(
        "[tool.hatch.version]\npath = \"lib/v.py\"\n",
        "lib/v.py",
        "VERSION=\"1.2.3\"",
        "VERSION=\"1.3.0\"",
    );
    check("[tool.pdm.version]\nsource=\"file\"\npath = \"lib/v.py\"\n", "lib/v.py", before, after);
    check("[tool.setuptools.dynamic]\nversion = {attr = \"a.b.__version__\"}\n", "src/a/b.py", before, after);
    check("[tool.setuptools.dynamic]\nversion.file = \"v.txt\"\n", "v.txt", " 1.2.3\n\n", " 1.3.0\n\n");
    check("[tool.setuptools.dynamic]\nversion = {file = [\"VERSION\"]}\n", "VERSION", "1.2.3\n", "1.3.0\n");
}

#[test]
fn a_copy_beside_a_static_version_follows_if_it_is_equal() {
    let (toml, new) = ("[project]\nname='a'\nversion='1.2.3'\n", "[project]\nname='a'\nversion='1.3.0'\n");
    bump(
        "1.3.0",
        &[("pyproject.toml", toml), ("a/__init__.py", "__version__ = \"1.2.3\"\n")],
        &[("a/__init__.py", "__version__ = \"1.3.0\"\n"), ("pyproject.toml", new)],
    );
    let other = ("a/__init__.py", "__version__ = \"0.1.0\"\n");
    bump("1.3.0", &[("pyproject.toml", toml), other], &[("pyproject.toml", new)]);
}

#[test]
fn a_version_from_the_tag_needs_no_edit() {
    for config in ["[tool.setuptools_scm]\n", "[tool.hatch.version]\nsource = \"vcs\"\n", ""] {
        let toml = format!("[project]\nname = \"a\"\ndynamic = [\"version\"]\n{config}");
        let files = tree(&[("pyproject.toml", toml.as_str())]);
        let projects = Projects::detect(&files, None).unwrap();
        assert_eq!(projects.version().unwrap(), None);
        assert_eq!(projects.notes().count(), 1);
        assert_eq!(projects.edits(&files, &Version::new(1, 0, 0)).unwrap(), []);
    }
}

#[test]
fn the_lock_of_uv_follows_in_its_own_entry() {
    let toml = "[project]\nname = \"My_Pkg\"\nversion = \"1.2.3\"\n";
    let lock = "version = 1\n\n[[package]]\nname = \"my-pkg\"\nversion = \"1.2.3\"\nsource = { editable = \".\" }\n\n\
        [[package]]\nname = \"b\"\nversion = \"1.2.3\"\nsource = { registry = \"x\" }\n";
    bump(
        "1.3.0-rc.1",
        &[("pyproject.toml", toml), ("uv.lock", lock)],
        &[
            ("pyproject.toml", &toml.replace("1.2.3", "1.3.0rc1")),
            ("uv.lock", &lock.replacen("1.2.3", "1.3.0rc1", 1)),
        ],
    );
}

#[test]
fn a_project_that_cannot_be_understood_is_refused_with_its_place() {
    refused("pyproject.toml", "[project]\nversion = \"1.2.3.4\"\n", "pyproject.toml:2:12");
    refused("pyproject.toml", "[project]\nversion = 1.2\n", "pyproject.toml:2:11");
    refused("pyproject.toml", "[project\n", "pyproject.toml:1:9");
}

#[test]
fn a_file_that_only_configures_tools_is_no_project() {
    let files = tree(&[("pyproject.toml", "[tool.ruff]\nline-length = 100\n")]);
    assert_eq!(Projects::detect(&files, None).unwrap().found().count(), 0);
}

#[test]
fn a_named_file_that_is_not_tracked_is_missing() {
    let toml = "[project]\ndynamic = [\"version\"]\n[tool.hatch.version]\npath = \"gone.py\"\n";
    let problems = Projects::detect(&tree(&[("pyproject.toml", toml)]), None).unwrap_err();
    assert_eq!((problems[0].code, problems[0].place.as_deref()), (Code::VersionFileMissing, Some("gone.py")));
}

#[test]
fn a_prerelease_that_python_cannot_write_is_refused() {
    let files = tree(&[("pyproject.toml", "[project]\nversion = \"1.2.3\"\n")]);
    let projects = Projects::detect(&files, None).unwrap();
    let problems = projects.edits(&files, &Version::parse("1.3.0-nightly.1").unwrap()).unwrap_err();
    assert_eq!(problems[0].code, Code::InvalidVersion);
}

#[test]
fn pytest_is_a_check_where_it_is_configured_or_required() {
    let check = |toml: &str, other: &str, text: &str, expect: &str| {
        let toml = format!("[project]\nname = \"a\"\n{toml}");
        let expect: &[(&str, &str)] = if expect.is_empty() { &[] } else { &[("test", expect)] };
        checks(&[("pyproject.toml", &toml), (other, text)], expect);
    };
    check("[tool.pytest.ini_options]\n", "x", "", "python3 -m pytest");
    check("[tool.pytest.ini_options]\n", "uv.lock", "", "uv run pytest");
    check("[tool.pytest.ini_options]\n", "poetry.lock", "", "poetry run pytest");
    check("", "tox.ini", "[pytest]\n", "python3 -m pytest");
    check("", "setup.cfg", "[metadata]\n[tool:pytest]\n", "python3 -m pytest");
    check("dependencies = [\"pytest-cov\"]\n", "tests/a.py", "", "");
    check("optional-dependencies.test = [\"pytest >=8\"]\n", "tests/a.py", "", "python3 -m pytest");
    check(
        "[dependency-groups]\ndev = [\"x\", {include-group = \"y\"}, \"PyTest[z]\"]\n",
        "tests/a.py",
        "",
        "python3 -m pytest",
    );
    check("[tool.poetry.group.dev.dependencies]\npytest = \"^8\"\n", "tests/a.py", "", "python3 -m pytest");
    check("dependencies = [\"pytest\"]\n", "x", "", "");
}
