# Several near misses are all told.

. "$LIB"
begin
released v1.2.3
commit 'feat:a second format' 'fix: close the file

BREAKING CHANGES: it stays closed' 'Feature: a third one'
publish
