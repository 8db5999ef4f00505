# `BREAKING CHANGES:` is not the footer, but almost.

. "$LIB"
begin
released v1.2.3
commit 'feat: another format

BREAKING CHANGES: old files cannot be read'
publish
