use crate::changelog::Forge;

fn base(remote: &str, expect: Option<&str>) {
    assert_eq!(Forge::from_remote(remote).as_ref().map(Forge::url), expect, "{remote}");
}

#[test]
fn the_page_is_found_in_every_form_of_address() {
    let page = Some("https://github.com/me/x");
    for remote in [
        "https://github.com/me/x",
        "https://github.com/me/x.git",
        "https://github.com/me/x/",
        "https://me:secret@github.com/me/x.git",
        "https://github.com:443/me/x.git",
        "HTTPS://GitHub.com/me/x.git",
        "ssh://git@github.com/me/x.git",
        "ssh://git@github.com:22/me/x.git",
        "ssh://git@ssh.github.com:443/me/x.git",
        "git://github.com/me/x.git",
        "git@github.com:me/x.git",
        "org-1@github.com:/me/x.git",
        "github.com:me/x",
    ] {
        base(remote, page);
    }
    base("http://gitea.example.org:3000/me/x", Some("http://gitea.example.org:3000/me/x"));
    base(
        "https://git-gitlab.example.org:8443/a/b/c/x.git",
        Some("https://git-gitlab.example.org:8443/a/b/c/x"),
    );
    base("git@altssh.gitlab.com:a/b/x.git", Some("https://gitlab.com/a/b/x"));
    base("git@codeberg.org:me/x y).git", Some("https://codeberg.org/me/x%20y%29"));
}

#[test]
fn what_is_no_forge_has_no_page() {
    for remote in [
        "",
        "/srv/git/x.git",
        "../x.git",
        "./github.com:me/x.git",
        "file:///srv/github.com/x.git",
        "C:/github.com/me/x.git",
        "C:\\github\\x",
        "https://example.org/me/x.git",
        "https://github.com/x.git",
        "https://github.com/a/b/c",
        "https://github.com/me/../x",
        "https://github.com/me/.git",
        "https://github.com:port/me/x",
        "https://git hub.github.com/me/x",
        "https://notgithubbutclose.example/me/x",
        "ext::sh -c github.com:me/x",
    ] {
        base(remote, None);
    }
}

#[test]
fn credentials_never_reach_a_link() {
    for remote in [
        "https://user:to%40ken@gitlab.com/me/x.git",
        "ssh://to:ken@gitlab.com:22/me/x",
        "to:ken@gitlab.com:me/x",
    ] {
        let shown = format!("{:?}", Forge::from_remote(remote));
        assert!(!shown.contains("ken"), "{shown}");
    }
}

#[test]
fn each_forge_has_its_own_pages() {
    let check = |remote: &str, expect: [Option<&str>; 4]| {
        let forge = Forge::from_remote(remote).unwrap();
        let found = [
            Some(forge.commit_url("abc")),
            forge.issue_url("#7"),
            Some(forge.compare_url("v1", "a@v/2")),
            Some(forge.tag_url("v1")),
        ];
        let expect = expect.map(|path| path.map(|path| format!("{}/{path}", forge.url())));
        assert_eq!(found, expect);
    };
    check(
        "git@github.com:a/x",
        [Some("commit/abc"), Some("issues/7"), Some("compare/v1...a%40v/2"), Some("releases/tag/v1")],
    );
    check(
        "git@gitlab.com:a/b/x",
        [Some("-/commit/abc"), Some("-/issues/7"), Some("-/compare/v1...a%40v/2"), Some("-/tags/v1")],
    );
    check(
        "git@bitbucket.org:a/x",
        [Some("commits/abc"), Some("issues/7"), Some("branches/compare/a%40v/2%0Dv1"), Some("src/v1")],
    );
    check(
        "git@codeberg.org:a/x",
        [Some("commit/abc"), Some("issues/7"), Some("compare/v1...a%40v/2"), Some("releases/tag/v1")],
    );
}

#[test]
fn only_numbers_are_issues_with_a_page() {
    let github = Forge::from_remote("git@github.com:a/x").unwrap();
    for id in ["#", "#x", "#1x", "!7", "7", "X-7", "#7)"] {
        assert_eq!(github.issue_url(id), None, "{id}");
    }
    let gitlab = Forge::from_remote("git@gitlab.com:a/x").unwrap();
    assert_eq!(gitlab.issue_url("!7").unwrap(), "https://gitlab.com/a/x/-/merge_requests/7");
}
