# A footer without a blank line before it is none, but almost.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file
BREAKING CHANGE: it stays closed'
publish
