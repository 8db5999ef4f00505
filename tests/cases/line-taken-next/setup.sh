# A hotfix can have the next free version.

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
