# A user who names the version has seen the near misses.

. "$LIB"
begin
released v1.2.3
commit 'fix: another format

BREAKING CHANGES: old files cannot be read'
publish
