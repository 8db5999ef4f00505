# There is no remote.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
git remote remove origin
