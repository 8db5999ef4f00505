# The tag of the next version is here already, on another branch.

. "$LIB"
begin
released v1.2.3
git checkout --quiet -b other
commit 'fix: elsewhere'
tag v1.2.4
git checkout --quiet main
commit 'fix: close the file'
publish
