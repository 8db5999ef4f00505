# Nothing new since the last prerelease.

. "$LIB"
begin
released v1.2.3
publish
git checkout --quiet -b develop
commit 'feat: a second format'
released v1.3.0-beta.1
publish
