# A file that holds the version and nothing else.

. "$LIB"
begin
echo 1.2.3 | file VERSION
released v1.2.3
commit 'fix: close the file'
publish
