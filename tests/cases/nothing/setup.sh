# No commits since the last release.

. "$LIB"
begin
released v1.2.3
publish
