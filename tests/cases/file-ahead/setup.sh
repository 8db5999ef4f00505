# A version file that is ahead of the last tag.

. "$LIB"
begin
echo 1.2.3 | file VERSION
released v1.2.3
echo 2.0.0 | file VERSION
commit 'fix: close the file'
publish
