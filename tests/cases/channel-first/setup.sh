# The first prerelease of a channel.

. "$LIB"
begin
released v1.2.3
publish
git checkout --quiet -b develop
commit 'feat: a second format'
publish
