# A fix on a maintenance line, with 2.0.0 on main.

. "$LIB"
begin
released v1.2.3
git branch release/1.x
commit 'feat!: another format'
released v2.0.0
publish
git checkout --quiet release/1.x
commit 'fix: close the file'
publish
