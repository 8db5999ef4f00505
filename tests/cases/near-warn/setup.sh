# Near misses only warn where that is configured.

. "$LIB"
begin
released v1.2.3
commit 'fix: another format

BREAKING CHANGES: old files cannot be read'
publish
