# The next prerelease of a channel.

. "$LIB"
begin
released v1.2.3
publish
git checkout --quiet -b develop
commit 'feat: a second format'
released v1.3.0-beta.1
commit 'fix: close the file'
publish
