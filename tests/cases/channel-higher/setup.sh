# A breaking change after a prerelease raises its base.

. "$LIB"
begin
released v1.2.3
publish
git checkout --quiet -b develop
commit 'feat: a second format'
released v1.3.0-beta.1
commit 'feat!: and only that'
publish
