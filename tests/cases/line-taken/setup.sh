# The version of the hotfix is taken elsewhere, so the next free one is named.

. "$LIB"
begin
released v1.2.3
git branch release/1.2.x
commit 'fix: on main'
released v1.2.4
publish
git checkout --quiet release/1.2.x
commit 'fix: close the file'
publish
