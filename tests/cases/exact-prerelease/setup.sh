# A prerelease can be named on any branch.

. "$LIB"
begin
released v1.2.3
commit 'feat: a second format'
publish
