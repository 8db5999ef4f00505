# The first release of a repository without a version file.

. "$LIB"
begin
commit 'Initial commit' 'feat: it works'
publish
