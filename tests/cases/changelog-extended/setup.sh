# A changelog is extended; what is there stays as it is.

. "$LIB"
begin
file CHANGELOG.md <<'END'
# Changelog of the widget

Ours, by hand.

## [Unreleased]

- something that is not a commit

## [1.2.3] - 2025-12-24

### Fixed

- an old thing
END
released v1.2.3
commit 'feat: a second format' 'perf: in one pass' 'docs: a tutorial'
publish
