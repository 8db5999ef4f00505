# The tag of the next version is on the remote already, and not here.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
tag v1.2.4
publish
git tag --delete v1.2.4 > /dev/null
