# A branch that releases are not made from.

. "$LIB"
begin
released v1.2.3
publish
git checkout --quiet -b feature/x
commit 'feat: x'
publish
