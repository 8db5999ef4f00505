# Untracked files are named, and stay out of the release.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
echo draft > draft.txt
echo draft > other.txt
